"""The figure of the runs' learning curves."""

import math
from typing import TYPE_CHECKING

from lstm_study.analysis.answer.ablation import VALIDATION_SUFFIX
from lstm_study.report.figures.style import (
    Picture,
    arm_colours,
    legend,
    main_arms,
    panels,
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
    tested = [arm for arm in curves.column("arm") if not str(arm).endswith(VALIDATION_SUFFIX)]
    shown = main_arms(list(dict.fromkeys(str(arm) for arm in tested)))
    rows = curves.frame()
    rows["drawn as"] = rows["arm"].str.removesuffix(VALIDATION_SUFFIX)
    rows = rows[
        rows["drawn as"].isin(shown)
        & ((rows["drawn as"] == rows["arm"]) | rows["measure"].str.startswith("validation"))
    ]
    if rows.empty:
        return None
    lines = rows.groupby(["measure", "drawn as", "epoch"])["value"].agg(["mean", "min", "max"])
    measures = sorted(rows["measure"].unique())

    def draw(figure: "Figure") -> None:
        grid, _ = panels(figure, len(measures), columns=2)
        for axes, measure in zip(grid, measures, strict=True):
            for arm, colour in arm_colours(shown).items():
                if (measure, arm) not in lines.index:
                    continue
                at = lines.loc[measure, arm]
                axes.fill_between(
                    at.index, at["min"], at["max"], color=colour, alpha=0.22, linewidth=0
                )
                axes.plot(at.index, at["mean"], color=colour, lw=1.8, label=arm,
                          marker="o" if len(at) == 1 else None, ms=4)  # fmt: skip
            axes.set_title(measure.replace("_", " ").capitalize())
            axes.set_xlabel("Epoch")
            whole_axis(axes)
            percent_axis(axes, "percent" if measure.endswith("accuracy") else "loss")
        legend(figure, grid[0], ncols=4)

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
