"""Figures of the answer and the comparison, each drawn from tables alone."""

import math
from typing import TYPE_CHECKING

from lstm_study.analysis.answer.ablation import VALIDATION_SUFFIX
from lstm_study.report import numbers
from lstm_study.report.figures.style import (
    INK,
    MUTED,
    Picture,
    arm_colours,
    main_arms,
    percent_axis,
    picture,
    whole_axis,
)
from lstm_study.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
                    textcoords="offset points", ha="center", va="bottom", fontsize=8,
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
    return picture(
        draw,
        name="seeds",
        title="Every run's test accuracy",
        alt=f"A point for each run's test accuracy, a row for each arm. Means: {told}.",
        tables=(runs, comparison),
        height=0.75 + 0.62 * len(arms),
    )


def difference(verdict: Table) -> Picture | None:
    """Draws the difference of test accuracies with its interval against zero."""
    row = verdict.records()[0]
    value, low, high = row["difference"], row["low"], row["high"]
    if not isinstance(value, float):
        return None
    interval = isinstance(low, float) and isinstance(high, float)

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        colour = arm_colours(["baseline", "winner"])["winner" if value > 0 else "baseline"]
        reach = [100 * value, 0.0]
        if isinstance(low, float) and isinstance(high, float):
            axes.plot([100 * low, 100 * high], [0, 0], color=colour, lw=5, alpha=0.35,
                      solid_capstyle="butt")  # fmt: skip
            reach += [100 * low, 100 * high]
        axes.plot([100 * value], [0], "o", ms=9, color=colour)
        axes.axvline(0, color=INK, lw=1)
        width = max(reach) - min(reach) or 1.0
        axes.set_xlim(min(reach) - 0.2 * width, max(reach) + 0.2 * width)
        axes.set_ylim(-1, 1)
        axes.set_yticks([])
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.annotate(
            numbers.points(value), (100 * value, 0), xytext=(0, 9), textcoords="offset points",
            ha="center", fontsize=10, fontweight="bold",
        )  # fmt: skip
        for text, place, side in (
            ("← baseline better", 0.0, "left"), ("winner better →", 1.0, "right"),
        ):  # fmt: skip
            axes.annotate(
                text, (place, 1.04), xycoords="axes fraction", ha=side, va="bottom", fontsize=8,
                color=MUTED,
            )  # fmt: skip
        axes.set_xlabel("Winner minus baseline, percentage points of test accuracy")

    told = f"{numbers.points(value)} percentage points"
    if interval:
        told += f", interval from {numbers.points(low)} to {numbers.points(high)}"  # type: ignore[arg-type]
    return picture(
        draw,
        name="difference",
        title="Winner minus baseline on test",
        alt=f"The difference in test accuracy beside zero: {told}.",
        tables=(verdict,),
        width=5.2,
        height=1.45,
    )


def run_curves(curves: Table) -> Picture | None:
    """Draws learning curves by arm: the mean over seeds, and a band from lowest to highest.

    The validation runs of an arm are drawn in its colour, in the panels of validation alone.
    """
    rows = [row for row in curves.records() if not str(row["arm"]).endswith("-own-epoch")]
    tested = [arm for arm in curves.column("arm") if not str(arm).endswith(VALIDATION_SUFFIX)]
    shown = main_arms(list(dict.fromkeys(str(arm) for arm in tested)))
    lines: dict[tuple[str, str], dict[int, list[float]]] = {}
    for row in rows:
        measure, named = str(row["measure"]), str(row["arm"])
        arm = named.removesuffix(VALIDATION_SUFFIX)
        if arm in shown and (named == arm or measure.startswith("validation")):
            at = lines.setdefault((measure, arm), {})
            at.setdefault(int(row["epoch"] or 0), []).append(float(row["value"] or 0))
    if not lines:
        return None
    colours = arm_colours(shown)
    every = ("train_accuracy", "train_loss", "validation_accuracy", "validation_loss")
    measures = [measure for measure in every if any(key[0] == measure for key in lines)]

    def draw(figure: "Figure") -> None:
        grid = figure.subplots(math.ceil(len(measures) / 2), 2, squeeze=False).flat
        for axes, measure in zip(grid, measures, strict=False):
            for arm in shown:
                at = sorted(lines.get((measure, arm), {}).items())
                epochs = [epoch for epoch, _ in at]
                means = [sum(values) / len(values) for _, values in at]
                axes.fill_between(
                    epochs, [min(values) for _, values in at], [max(values) for _, values in at],
                    color=colours[arm], alpha=0.22, linewidth=0,
                )  # fmt: skip
                if at:
                    axes.plot(epochs, means, color=colours[arm], lw=1.8, label=arm,
                              marker="o" if len(at) == 1 else None, ms=4)  # fmt: skip
            axes.set_title(measure.replace("_", " ").capitalize())
            axes.set_xlabel("Epoch")
            whole_axis(axes)
            percent_axis(axes, "percent" if measure.endswith("accuracy") else "loss")
        for axes in list(grid)[len(measures) :]:
            axes.set_visible(False)
        figure.legend(
            *figure.axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=4
        )

    return picture(
        draw,
        name="run_curves",
        title="Learning curves of the retraining",
        alt="The "
        + " and ".join(m.replace("_", " ") for m in measures)
        + f" of {', '.join(shown)} against epochs: a line for the mean over seeds, a band from the "
        "lowest to the highest.",
        tables=(curves,),
        height=0.35 + 2.5 * math.ceil(len(measures) / 2),
    )


def roc(curves: Table, metrics: Table) -> Picture | None:
    """Draws each run's ROC curve by arm."""
    arms = main_arms(list(dict.fromkeys(str(arm) for arm in curves.column("arm"))))
    rows = [row for row in curves.records() if row["arm"] in arms]
    if not rows:
        return None
    colours = arm_colours(arms)

    def draw(figure: "Figure") -> None:
        whole, corner = figure.subplots(1, 2)
        for axes in (whole, corner):
            axes.plot([0, 1], [0, 1], color=MUTED, lw=0.8, ls=(0, (4, 3)))
            labelled: set[str] = set()
            for run_id in dict.fromkeys(str(row["run_id"]) for row in rows):
                line = [row for row in rows if row["run_id"] == run_id]
                arm = str(line[0]["arm"])
                axes.plot(
                    [float(row["false_positive_rate"] or 0) for row in line],
                    [float(row["true_positive_rate"] or 0) for row in line],
                    color=colours[arm], lw=1, alpha=0.75,
                    label=None if arm in labelled else arm,
                )  # fmt: skip
                labelled.add(arm)
            axes.set_xlabel("Negative reviews read as positive")
            axes.set_aspect("equal")
        whole.set_ylabel("Positive reviews read as positive")
        whole.set_title("Whole curve")
        whole.legend(loc="lower right")
        corner.set_title("Its upper left corner")
        corner.set_xlim(0, 0.4)
        corner.set_ylim(0.6, 1.0)
        for axes in (whole, corner):
            percent_axis(axes, "share", which="x")
            percent_axis(axes, "share")

    areas = {
        arm: [row["roc_auc"] for row in metrics.records() if row["arm"] == arm] for arm in arms
    }
    told = ", ".join(
        f"{arm} {numbers.loss(min(known))} to {numbers.loss(max(known))}"
        for arm, values in areas.items()
        if (known := [value for value in values if isinstance(value, float)])
    )
    return picture(
        draw,
        name="roc",
        title="ROC curves on test",
        alt=f"ROC curves of every run. Area under the curve: {told}.",
        tables=(curves, metrics),
        height=3.6,
    )


def calibration(bins: Table) -> Picture | None:
    """Draws each arm's reliability diagram: stated probability against what came true."""
    arms = main_arms(list(dict.fromkeys(str(arm) for arm in bins.column("arm"))))
    rows = [row for row in bins.records() if row["positive"] is not None and row["arm"] in arms]
    if not rows:
        return None
    colours = arm_colours(arms)

    def draw(figure: "Figure") -> None:
        diagram, counts = figure.subplots(1, 2)
        diagram.plot([0, 1], [0, 1], color=MUTED, lw=0.8, ls=(0, (4, 3)))
        width = 0.8 / len(arms)
        for place, arm in enumerate(arms):
            mine = [row for row in rows if row["arm"] == arm]
            diagram.plot(
                [float(row["probability"] or 0) for row in mine],
                [float(row["positive"] or 0) for row in mine],
                color=colours[arm], marker="o", ms=4, label=arm,
            )  # fmt: skip
            total = sum(float(row["reviews"] or 0) for row in mine)
            counts.bar(
                [
                    float(row["low"] or 0) + 0.1 * (0.1 + width * (place + 0.5))
                    for row in mine
                ],
                [float(row["reviews"] or 0) / total for row in mine],
                width=width * 0.1, color=colours[arm],
            )  # fmt: skip
        diagram.set_aspect("equal")
        diagram.set_xlabel("Probability given")
        diagram.set_ylabel("Share that is positive")
        diagram.set_title("Reliability")
        diagram.legend(loc="upper left")
        counts.set_title("How often each probability is given")
        counts.set_xlabel("Probability given")
        counts.set_ylabel("Share of test reviews")
        counts.grid(visible=False, axis="x")
        for axes in (diagram, counts):
            percent_axis(axes, "share", which="x")
            percent_axis(axes, "share")

    return picture(
        draw,
        name="calibration",
        title="Calibration on test",
        alt="On the left, the share of positive reviews against the probability given, by arm; on "
        "the diagonal the two agree. On the right, how often each probability is given.",
        tables=(bins,),
        height=3.4,
    )


def optimism(rows: Table) -> Picture | None:
    """Draws each arm's score in the search beside fresh seeds and test: how far it falls."""
    shown = [row for row in rows.records() if row["in_search"] is not None]
    if not shown:
        return None
    form = rows.columns[rows.index("in_search")].form
    steps = (("in_search", "in the search"), ("fresh_validation", "fresh seeds,\nvalidation"),
             ("on_test", "on test"))  # fmt: skip
    present = [step for step in steps if any(row[step[0]] is not None for row in shown)]
    colours = arm_colours([str(row["arm"]) for row in shown])

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for row in shown:
            arm = str(row["arm"])
            known = [
                (place, value)
                for place, (name, _) in enumerate(present)
                if isinstance(value := row[name], float)
            ]
            axes.plot(*zip(*known, strict=True), color=colours[arm], marker="o", ms=6, lw=1.6,
                      label=arm)  # fmt: skip
            for place, value in known:
                axes.annotate(
                    numbers.show(value, form), (place, value), xytext=(0, 7), ha="center",
                    textcoords="offset points", fontsize=7.5, color=colours[arm],
                )  # fmt: skip
        axes.set_xticks(range(len(present)), [words for _, words in present])
        axes.set_xlim(-0.4, len(present) - 0.6)
        axes.margins(y=0.25)
        axes.grid(visible=False, axis="x")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        percent_axis(axes, form)

    told = "; ".join(
        f"{row['arm']} "
        + ", ".join(
            f"{words.replace(chr(10), ' ')} {numbers.show(row[name], form)}"
            for name, words in present
            if row[name] is not None
        )
        for row in shown
    )
    return picture(
        draw,
        name="optimism",
        title="The same configuration, measured again",
        alt=f"A line for each arm from its score in the search to test: {told}.",
        tables=(rows,),
        height=2.5,
    )


def _spread(values: list[float]) -> list[float]:
    """Moves points that would hide each other apart, always in the same way."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    pattern = (0.0, 0.13, -0.13, 0.2, -0.2)
    offsets = [0.0] * len(values)
    for place, index in enumerate(order):
        offsets[index] = pattern[place % len(pattern)] if len(values) > 1 else 0.0
    return offsets
