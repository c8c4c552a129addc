"""The figure of the runs' learning curves."""

import math
from typing import TYPE_CHECKING

from lstm_study.analysis.answer.ablation import VALIDATION_SUFFIX
from lstm_study.report.figures.style import (
    Picture,
    arm_colours,
    main_arms,
    percent_axis,
    whole_axis,
)
from lstm_study.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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

    return Picture(
        draw=draw,
        name="run_curves",
        title="Learning curves of the retraining",
        alt="The "
        + " and ".join(m.replace("_", " ") for m in measures)
        + f" of {', '.join(shown)} against epochs: a line for the mean over seeds, a band from the "
        "lowest to the highest.",
        tables=(curves,),
        height=0.35 + 2.5 * math.ceil(len(measures) / 2),
    )
