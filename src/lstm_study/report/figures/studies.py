"""Figures of several studies side by side."""

from typing import TYPE_CHECKING

from lstm_study.objectives import titled
from lstm_study.report import numbers
from lstm_study.report.figures.picture import Picture
from lstm_study.report.figures.style import INK, SERIES, percent_axis, whole_axis
from lstm_study.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def winners(arms: Table, runs: Table) -> Picture | None:
    """Draws every run's test accuracy, a row for each arm of each study."""
    done = runs.frame().dropna(subset="test_accuracy").groupby(["study", "arm"], sort=False)
    rows = [(str(study), str(arm)) for study, arm in done.groups]
    if not rows:
        return None
    studies = list(dict.fromkeys(arms.column("study")))
    means = {
        (str(row["study"]), str(row["arm"])): row["test_accuracy_mean"] for row in arms.records()
    }

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for place, (study, arm) in enumerate(rows):
            values = done.get_group((study, arm))["test_accuracy"]
            axes.scatter(
                values, [place] * len(values), s=34, alpha=0.75, linewidths=0,
                color=SERIES[studies.index(study) % len(SERIES)],
            )  # fmt: skip
            mean = means[study, arm]
            if isinstance(mean, float):
                axes.plot([mean, mean], [place - 0.3, place + 0.3], color=INK, lw=1.6)
        axes.set_yticks(range(len(rows)), [f"{study}: {arm}" for study, arm in rows])
        axes.set_ylim(len(rows) - 0.45, -0.55)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("Test accuracy of one run (bar: mean)")
        percent_axis(axes, "percent", which="x")

    told = ", ".join(
        f"{study} {arm} {numbers.percent(mean)}"
        for (study, arm), mean in means.items()
        if isinstance(mean, float)
    )
    return Picture(
        draw=draw,
        name="winners",
        title="Test accuracy of every run",
        alt=f"A point for each run, a row for each arm of each study. Means: {told}.",
        tables=(runs, arms),
        height=0.75 + 0.42 * len(rows),
    )


def searches(progress: Table, *, objective: str) -> Picture | None:
    """Draws the best full-budget score so far of each search against epochs.

    Nothing is drawn where their objectives differ: `objective` is "" then.
    """
    rows = progress.frame().dropna(subset="best_full_budget_score")
    if rows.empty or not objective:
        return None
    form = progress.form("score")
    studies = list(dict.fromkeys(map(str, progress.column("study"))))

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for place, study in enumerate(studies):
            mine = rows[rows["study"] == study]
            axes.step(
                mine["epochs"], mine["best_full_budget_score"], where="post", label=study,
                color=SERIES[place % len(SERIES)], lw=1.9, ls=("-", (0, (5, 2)))[place % 2],
            )  # fmt: skip
        axes.set_xlabel("Epochs trained by the search")
        axes.set_ylabel(titled(objective))
        whole_axis(axes)
        percent_axis(axes, form)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))

    ends = rows.groupby("study")["best_full_budget_score"].last()
    told = "; ".join(
        f"{study} ends at {numbers.show(ends[study], form)}" for study in studies if study in ends
    )
    return Picture(
        draw=draw,
        name="searches",
        title="Best full-budget score so far, in each search",
        alt=f"A line for each study against epochs: {told}.",
        tables=(progress,),
        height=2.8,
    )
