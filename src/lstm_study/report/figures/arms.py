"""Figures of the arms: test accuracy of each run, and what accuracy costs."""

from typing import TYPE_CHECKING

from lstm_study.report import numbers
from lstm_study.report.figures.style import (
    INK,
    Picture,
    arm_colours,
    cost_axis,
    label,
    legend,
    pareto,
    percent_axis,
)
from lstm_study.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def seeds(runs: Table, comparison: Table) -> Picture | None:
    """Draws every run's test accuracy by arm, with each arm's mean."""
    done = runs.frame().dropna(subset="test_accuracy")
    compared = [row for row in comparison.records() if row["arm"] in set(done["arm"])]
    if not compared:
        return None
    arms = [str(row["arm"]) for row in compared]
    colours = arm_colours(arms)

    def draw(figure: "Figure") -> None:
        from matplotlib.ticker import MaxNLocator

        axes = figure.add_subplot()
        for place, (arm, row) in enumerate(zip(arms, compared, strict=True)):
            values = done.loc[done["arm"] == arm, "test_accuracy"].tolist()
            axes.scatter(
                values, [place + offset for offset in _spread(values)], s=42, color=colours[arm],
                alpha=0.85, linewidths=0.8, edgecolors="#fffffe", zorder=3,
            )  # fmt: skip
            mean = row["test_accuracy_mean"]
            low, high = row["test_accuracy_mean_low"], row["test_accuracy_mean_high"]
            if isinstance(mean, float) and len(values) > 1:
                if isinstance(low, float) and isinstance(high, float):
                    axes.plot([low, high], [place, place], color=colours[arm], lw=11, alpha=0.22,
                              solid_capstyle="butt", zorder=1)  # fmt: skip
                axes.plot([mean, mean], [place - 0.3, place + 0.3], color=INK, lw=1.6, zorder=2)
                label(axes, numbers.percent(mean), (mean, place - 0.3), va="bottom", fontsize=8,
                      zorder=4)  # fmt: skip
        axes.set_yticks(range(len(arms)), arms, fontsize=9, color=INK)
        axes.set_ylim(len(arms) - 0.45, -0.65)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.margins(x=0.08)
        axes.set_xlabel("Test accuracy of one run (bar: mean, band: its 95% interval)")
        axes.xaxis.set_major_locator(MaxNLocator(6))
        percent_axis(axes, "percent", which="x")

    told = ", ".join(
        f"{row['arm']} {numbers.percent(mean)} over {sum(done['arm'] == row['arm'])} runs"
        for row in comparison.records()
        if isinstance(mean := row["test_accuracy_mean"], float)
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
    rows = comparison.frame().dropna(subset="test_accuracy_mean")
    measures = [
        (name, words, form)
        for name, words, form in (
            ("training_seconds_mean", "Training of one run", "duration"),
            ("parameter_count", "Parameters", "short_count"),
            ("predict_1000_seconds", "Predicting 1,000 reviews", "duration"),
        )
        if rows[name].count() > 1
    ]
    if not measures:
        return None
    arms = rows["arm"].tolist()
    colours = arm_colours(arms)

    def draw(figure: "Figure") -> None:
        panels = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
        for axes, (name, words, form) in zip(panels, measures, strict=True):
            known = rows.dropna(subset=name)
            places, scores = known[name].tolist(), known["test_accuracy_mean"].tolist()
            front = pareto(places, scores, "max")
            axes.plot(
                [places[index] for index in front], [scores[index] for index in front], color=INK,
                lw=1, drawstyle="steps-post", zorder=1, ls=(0, (4, 2)), marker="o", ms=10,
                markerfacecolor="none", markeredgewidth=1, label="Pareto front",
            )  # fmt: skip
            for arm, place, score in zip(known["arm"], places, scores, strict=True):
                axes.scatter(
                    [place], [score], s=46, color=colours[arm], edgecolors="#fffffe",
                    linewidths=0.8, zorder=3, label=arm,
                )  # fmt: skip
            axes.margins(x=0.12, y=0.12)
            cost_axis(axes, places, form, span=8)
            axes.set_xlabel(words)
        panels[0].set_ylabel("Mean test accuracy")
        percent_axis(panels[0], "percent")
        legend(figure, panels[0], ncols=4)

    return Picture(
        draw=draw,
        name="arms_cost",
        title="Accuracy and cost of each arm",
        alt="Mean test accuracy of "
        + ", ".join(arms)
        + " against "
        + ", ".join(words.lower() for _, words, _ in measures)
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
