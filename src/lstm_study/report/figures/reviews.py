"""The figure of accuracy by length and by unknown words."""

from typing import TYPE_CHECKING, Any

from lstm_study.report import numbers
from lstm_study.report.figures.picture import Picture
from lstm_study.report.figures.style import arm_colours, few_ticks, legend, main_arms, percent_axis
from lstm_study.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def accuracy_by_review(lengths: Table, unknown: Table) -> Picture | None:
    """Draws accuracy against the length of reviews, and against their share of unknown words."""
    if not lengths.rows:
        return None
    groups = lengths.frame()
    every = groups["arm"].unique().tolist()
    arms = main_arms(every)
    varied = any(float(share or 0) > 0 for share in unknown.column("to_share"))

    def draw(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        _draw(left, groups, "mean_tokens", arms)
        means = [value for value in groups["mean_tokens"] if value > 0]
        if max(means) > 5 * min(means):
            left.set_xscale("log")
            left.xaxis.set_minor_locator(few_ticks(None))
            marks = sorted({round(value) for value in means})
            left.set_xticks(marks, [numbers.count(mark) for mark in marks])
        left.set_xlabel("Tokens of a review, mean of the group")
        left.set_ylabel("Test accuracy")
        percent_axis(left, "percent")
        if varied:
            _draw(right, unknown.frame(), "mean_share", arms)
            right.xaxis.set_major_locator(few_ticks(6))
            right.set_xlabel("Unknown tokens of a review, mean of the group")
            percent_axis(right, "share", which="x")
        else:
            right.set_visible(False)
        legend(figure, left, ncols=4)

    spans = []
    for arm in arms:
        known = groups.loc[groups["arm"] == arm, "accuracy"]
        spans.append(
            f"{arm} from {numbers.percent(known.iloc[0])} on the shortest to "
            f"{numbers.percent(known.iloc[-1])} on the longest"
        )
    return Picture(
        draw=draw,
        name="accuracy_by_review",
        title="Accuracy by length and by unknown words",
        alt="Test accuracy by arm in groups of reviews of similar length, and of similar share of "
        f"words outside the arm's vocabulary: {', '.join(spans)}.",
        tables=(lengths, unknown) if unknown.rows else (lengths,),
        height=3.1,
        leaves_out=len(arms) < len(every),
    )


def _draw(axes: "Axes", groups: Any, along: str, arms: list[str]) -> None:
    for arm, colour in arm_colours(arms).items():
        mine = groups[groups["arm"] == arm]
        if mine.empty:
            continue
        axes.fill_between(
            mine[along], mine["lowest"], mine["highest"], color=colour, alpha=0.18, linewidth=0
        )
        axes.plot(mine[along], mine["accuracy"], color=colour, marker="o", ms=4, lw=1.5, label=arm)
