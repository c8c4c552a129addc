"""Figures of the arms: test accuracy of each run, and what accuracy costs."""

from typing import TYPE_CHECKING

from lstm_study.report import numbers
from lstm_study.report.figures.style import (
    INK,
    Picture,
    arm_colours,
    pareto,
    percent_axis,
)
from lstm_study.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure
from lstm_study.report.figures.style import (
    few_ticks,
    label_box,
    log_axis,
)


def seeds(runs: Table, comparison: Table) -> Picture | None:
    """Draws every run's test accuracy by arm, with each arm's mean."""
    done = [row for row in runs.records() if isinstance(row["test_accuracy"], float)]
    read = {str(row["arm"]) for row in done}
    arms = [arm for arm in map(str, comparison.column("arm")) if arm in read]
    if not arms:
        return None
    colours = arm_colours(arms)
    means = {str(row["arm"]): row["test_accuracy_mean"] for row in comparison.records()}
    ends = {
        str(row["arm"]): (row["test_accuracy_mean_low"], row["test_accuracy_mean_high"])
        for row in comparison.records()
    }

    def draw(figure: "Figure") -> None:
        from matplotlib.ticker import MaxNLocator

        axes = figure.add_subplot()
        for place, arm in enumerate(arms):
            values = [float(row["test_accuracy"] or 0) for row in done if row["arm"] == arm]
            offsets = _spread(values)
            axes.scatter(
                values, [place + offset for offset in offsets], s=42, color=colours[arm],
                alpha=0.85, linewidths=0.8, edgecolors="#fffffe", zorder=3,
            )  # fmt: skip
            mean = means[arm]
            if isinstance(mean, float) and len(values) > 1:
                low, high = ends[arm]
                if isinstance(low, float) and isinstance(high, float):
                    axes.plot([low, high], [place, place], color=colours[arm], lw=11, alpha=0.22,
                              solid_capstyle="butt", zorder=1)  # fmt: skip
                axes.plot([mean, mean], [place - 0.3, place + 0.3], color=INK, lw=1.6, zorder=2)
                axes.annotate(
                    numbers.percent(mean), (mean, place - 0.3), xytext=(0, 3),
                    textcoords="offset points", ha="center", va="bottom", fontsize=8, zorder=4,
                    bbox=label_box(),
                )  # fmt: skip
        axes.set_yticks(range(len(arms)), arms, fontsize=9, color=INK)
        axes.set_ylim(len(arms) - 0.45, -0.65)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.margins(x=0.08)
        axes.set_xlabel("Test accuracy of one run (bar: mean, band: its 95% interval)")
        axes.xaxis.set_major_locator(MaxNLocator(6))
        percent_axis(axes, "percent", which="x")

    told = ", ".join(
        f"{arm} {numbers.percent(mean)} over {sum(row['arm'] == arm for row in done)} runs"
        for arm, mean in means.items()
        if isinstance(mean, float)
    )
    return Picture(
        draw=draw,
        name="seeds",
        title="Every run's test accuracy",
        alt=f"A point for each run's test accuracy, a row for each arm. Means: {told}.",
        tables=(runs, comparison),
        height=0.75 + 0.62 * len(arms),
    )


def arms_cost(comparison: Table) -> Picture | None:
    """Draws each arm's accuracy against training time, parameters and prediction time."""
    rows = [row for row in comparison.records() if isinstance(row["test_accuracy_mean"], float)]
    measures = [
        (name, label, form)
        for name, label, form in (
            ("training_seconds_mean", "Training of one run", "duration"),
            ("parameter_count", "Parameters", "short_count"),
            ("predict_1000_seconds", "Predicting 1,000 reviews", "duration"),
        )
        if sum(row[name] is not None for row in rows) > 1
    ]
    if not measures:
        return None
    arms = [str(row["arm"]) for row in rows]
    colours = arm_colours(arms)

    def draw(figure: "Figure") -> None:
        panels = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
        for axes, (name, label, form) in zip(panels, measures, strict=True):
            known = [row for row in rows if row[name] is not None]
            places = [float(row[name] or 0) for row in known]
            scores = [float(row["test_accuracy_mean"] or 0) for row in known]
            front = pareto(places, scores, "max")
            axes.plot(
                [places[index] for index in front], [scores[index] for index in front], color=INK,
                lw=1, drawstyle="steps-post", zorder=1, ls=(0, (4, 2)), marker="o", ms=10,
                markerfacecolor="none", markeredgewidth=1,
                label="Pareto front" if axes is panels[0] else None,
            )  # fmt: skip
            for row, place, score in zip(known, places, scores, strict=True):
                arm = str(row["arm"])
                axes.scatter(
                    [place], [score], s=46, color=colours[arm], edgecolors="#fffffe",
                    linewidths=0.8, zorder=3, label=arm if axes is panels[0] else None,
                )  # fmt: skip
            if min(places) > 0 and max(places) > 8 * min(places):
                log_axis(axes, places, form)
            else:
                axes.xaxis.set_major_locator(few_ticks(4))
                axes.xaxis.set_major_formatter(
                    lambda value, _, form=form: numbers.show(float(value), form)
                )
                axes.margins(x=0.12)
            axes.margins(y=0.12)
            axes.set_xlabel(label)
        panels[0].set_ylabel("Mean test accuracy")
        percent_axis(panels[0], "percent")
        handles = dict(zip(*reversed(panels[0].get_legend_handles_labels()), strict=True))
        figure.legend(list(handles.values()), list(handles), loc="outside upper left", ncols=4)

    return Picture(
        draw=draw,
        name="arms_cost",
        title="Accuracy and cost of each arm",
        alt="Mean test accuracy of "
        + ", ".join(arms)
        + " against "
        + ", ".join(label.lower() for _, label, _ in measures)
        + ". The Pareto front connects the arms that no other arm beats on both.",
        tables=(comparison,),
        height=3.0,
    )


def _spread(values: list[float]) -> list[float]:
    """Moves points apart that would hide each other, in a fixed pattern."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    pattern = (0.0, 0.13, -0.13, 0.2, -0.2)
    offsets = [0.0] * len(values)
    for place, index in enumerate(order):
        offsets[index] = pattern[place % len(pattern)] if len(values) > 1 else 0.0
    return offsets
