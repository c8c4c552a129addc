"""Figures of the arms: test accuracy of each run, and what accuracy costs."""

from typing import TYPE_CHECKING, Any

from lstm_study.arm_names import (
    CONTROL,
    ENSEMBLE,
    LAST_EPOCHS_SUFFIX,
    MASKED_BASELINE,
    OWN_EPOCH_SUFFIX,
    RECIPE_BASELINE,
    RUNNER_UP,
)
from lstm_study.report import numbers
from lstm_study.report.figures.picture import Picture
from lstm_study.report.figures.style import (
    INK,
    MUTED,
    PAPER,
    arm_colours,
    cost_axis,
    label,
    main_arms,
    pareto,
    percent_axis,
)
from lstm_study.report.tables.table import Table
from lstm_study.spec.quantities import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

# Arms by the start of their name; the longer name first.
_SHAPES = {
    RECIPE_BASELINE: "P", MASKED_BASELINE: "X", "baseline": "s", "winner": "o",
    RUNNER_UP: "v", CONTROL: "^", ENSEMBLE: "D",
}  # fmt: skip
_FRONTS = ((INK, (0, (4, 2))), (MUTED, (0, (1, 1.5))))


def seeds(runs: Table, comparison: Table) -> Picture | None:
    """Draws every run's test accuracy by arm, with each arm's mean.

    An arm without runs of its own, such as the ensemble, has a ring at its accuracy.
    """
    done = runs.frame().dropna(subset="test_accuracy")
    if done.empty:
        return None
    compared = [
        row
        for row in comparison.records()
        if row["arm"] in set(done["arm"]) or row["test_accuracy_mean"] is not None
    ]
    arms = [str(row["arm"]) for row in compared]
    colours = arm_colours(arms)

    def draw(figure: "Figure") -> None:
        from matplotlib.ticker import MaxNLocator

        axes = figure.add_subplot()
        for place, (arm, row) in enumerate(zip(arms, compared, strict=True)):
            values = done.loc[done["arm"] == arm, "test_accuracy"].tolist()
            axes.scatter(
                values, [place + offset for offset in _spread(values)], s=30, color=colours[arm],
                alpha=0.85, linewidths=0.8, edgecolors="#fffffe", zorder=3,
            )  # fmt: skip
            mean = row["test_accuracy_mean"]
            low, high = row["test_accuracy_mean_low"], row["test_accuracy_mean_high"]
            if not isinstance(mean, float):
                continue
            if isinstance(low, float) and isinstance(high, float):
                axes.plot([low, high], [place, place], color=colours[arm], lw=11, alpha=0.22,
                          solid_capstyle="butt", zorder=1)  # fmt: skip
            if len(values) > 1:
                axes.plot([mean, mean], [place - 0.3, place + 0.3], color=INK, lw=1.6, zorder=2)
            if not values:
                axes.plot([mean], [place], "o", ms=6.5, mfc="none", mec=colours[arm], mew=1.6)
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
        f"{row['arm']} {numbers.percent(mean)}" + _over(sum(done["arm"] == row["arm"]))
        for row in compared
        if isinstance(mean := row["test_accuracy_mean"], float)
    )
    return Picture(
        draw=draw,
        name="seeds",
        title="Every run's test accuracy",
        alt=f"A point for each run's test accuracy, a row for each arm. Means: {told}.",
        tables=(runs, comparison),
        height=0.75 + 0.56 * len(arms),
        width=5.2,
    )


def _over(runs: int) -> str:
    return f" over {counted(runs, 'run')}" if runs else ""


def arms_cost(comparison: Table) -> Picture | None:
    """Draws arms' accuracy against training time, parameters and prediction time.

    Of many arms the main ones are drawn, the first runner-up, and all that are on a front.
    """
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
    every = rows["arm"].tolist()
    networks = rows[rows["arm"] != CONTROL]
    fronts = {name: [("Pareto front", _front(rows, name))] for name, _, _ in measures}
    if len(networks) < len(rows):
        for name, found in fronts.items():
            found.append(("Pareto front of the networks", _front(networks, name)))
    best = {arm for found in fronts.values() for _, front in found for arm in front["arm"]}
    shown = {*main_arms(every), f"{RUNNER_UP}1", *best}
    arms = [arm for arm in every if arm in shown]
    colours = arm_colours(arms)

    def draw(figure: "Figure") -> None:
        panels = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
        for axes, (name, words, form) in zip(panels, measures, strict=True):
            known = rows[rows["arm"].isin(arms)].dropna(subset=name)
            for (text, front), (colour, dashes) in zip(fronts[name], _FRONTS, strict=False):
                axes.plot(
                    front[name], front["test_accuracy_mean"], color=colour, lw=1, ls=dashes,
                    drawstyle="steps-post", zorder=1, marker="o", ms=13, mfc="none", mew=1,
                )  # fmt: skip
                axes.plot([], [], color=colour, lw=1, ls=dashes, marker="o", ms=8, mfc="none",
                          mew=1, label=text)  # fmt: skip
            for arm, place, score in zip(
                known["arm"], known[name], known["test_accuracy_mean"], strict=True
            ):
                axes.plot([place], [score], ls="none", ms=7.5, label=arm,
                          **_mark(arm, colours[arm]))  # fmt: skip
            axes.margins(x=0.12, y=0.12)
            cost_axis(axes, known[name].tolist(), form, span=8)
            axes.set_xlabel(words)
        panels[0].set_ylabel("Mean test accuracy")
        percent_axis(panels[0], "percent")
        # Of all panels: an arm may have no value in the first.
        found = [zip(*axes.get_legend_handles_labels(), strict=True) for axes in panels]
        handles = {text: handle for each in found for handle, text in each}
        named = [text for text in handles if text not in arms] + arms
        figure.legend(
            [handles[text] for text in named if text in handles],
            [text for text in named if text in handles], loc="outside upper left", ncols=3,
        )  # fmt: skip

    return Picture(
        draw=draw,
        name="arms_cost",
        title="Accuracy and cost of each arm" if len(arms) == len(every) else "Accuracy and cost",
        alt="Mean test accuracy of "
        + ", ".join(arms)
        + " against "
        + ", ".join(words.lower() for _, words, _ in measures)
        + ". The Pareto front connects the arms that no other arm beats on both.",
        tables=(comparison,),
        height=3.2,
        leaves_out=len(arms) < len(every),
    )


def _front(rows: "DataFrame", cost: str) -> "DataFrame":
    known = rows.dropna(subset=cost)
    return known.iloc[pareto(known[cost].tolist(), known["test_accuracy_mean"].tolist(), "max")]


def _mark(arm: str, colour: str) -> dict[str, Any]:
    """Returns the style of an arm's mark; of other epochs than its training's it is hollow."""
    shape = _SHAPES[next((kind for kind in _SHAPES if arm.startswith(kind)), "winner")]
    if arm.endswith((OWN_EPOCH_SUFFIX, LAST_EPOCHS_SUFFIX)):
        return {"marker": shape, "mfc": "none", "mec": colour, "mew": 1.6, "zorder": 4}
    edge = 0.0 if shape in "PX" else 0.8
    return {"marker": shape, "mfc": colour, "mec": PAPER, "mew": edge, "zorder": 3}


def _spread(values: list[float]) -> list[float]:
    """Moves points apart that would hide each other, in a fixed pattern."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    pattern = (0.0, 0.13, -0.13, 0.2, -0.2)
    offsets = [0.0] * len(values)
    for place, index in enumerate(order):
        offsets[index] = pattern[place % len(pattern)] if len(values) > 1 else 0.0
    return offsets
