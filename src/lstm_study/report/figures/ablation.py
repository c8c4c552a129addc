"""The figure of the path from baseline to winner."""

import itertools
from typing import TYPE_CHECKING

from lstm_study.report import numbers
from lstm_study.report.figures.style import (
    BASELINE,
    INK,
    MUTED,
    SERIES,
    WINNER,
    Picture,
    label,
    percent_axis,
)
from lstm_study.report.tables.columns import in_words
from lstm_study.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def waterfall(steps: Table, *, objective: str) -> Picture | None:
    """Draws the path from baseline to winner as a waterfall of gains and losses."""
    rows = steps.records()
    if len(rows) < 2:
        return None
    form = steps.form("score")
    scores = [float(row["score"] or 0) for row in rows]
    gains = [steps.text(place, "gain") for place in range(len(rows))]
    words = [str(rows[0]["hyperparameter"]).replace("-", "\n", 1)]
    words += [
        str(row["hyperparameter"]).replace("_", "\n")
        + f"\n{steps.text(place, 'before')} → {steps.text(place, 'after')}"
        for place, row in enumerate(rows[1:], start=1)
    ]
    words.append("winner")

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for place, (before, after) in enumerate(itertools.pairwise(scores), start=1):
            better = float(rows[place]["gain"] or 0) >= 0
            axes.bar(
                [place], [after - before], bottom=before, width=0.56, alpha=0.85, zorder=2,
                color=SERIES[1] if better else SERIES[2],
            )  # fmt: skip
            label(axes, gains[place], (place, max(before, after)), va="bottom", fontsize=8,
                  fontweight="bold", zorder=5)  # fmt: skip
            axes.plot([place - 0.72, place + 0.28], [before] * 2, color=MUTED, lw=0.8, zorder=3)
            axes.plot([place - 0.28, place + 0.72], [after] * 2, color=MUTED, lw=0.8, zorder=3)
        for place, score, colour in (
            (0, scores[0], BASELINE), (len(scores), scores[-1], WINNER),
        ):  # fmt: skip
            axes.plot([place - 0.28, place + 0.28], [score] * 2, color=colour, lw=4, zorder=4,
                      solid_capstyle="butt")  # fmt: skip
            label(axes, numbers.show(score, form), (place, score), offset=(0, 5), fontsize=8,
                  fontweight="bold", color=INK, zorder=5)  # fmt: skip
        axes.set_xticks(range(len(words)), words, fontsize=8)
        axes.set_xlim(-0.5, len(words) - 0.5)
        reach = max(scores) - min(scores) or 0.01
        axes.set_ylim(min(scores) - 0.14 * reach, max(scores) + 0.18 * reach)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel(in_words(objective).capitalize())
        percent_axis(axes, form)

    told = ", ".join(
        f"{row['hyperparameter']} {gain}" for row, gain in zip(rows[1:], gains[1:], strict=True)
    )
    return Picture(
        draw=draw,
        name="waterfall",
        title="From baseline to winner, one hyperparameter at a time",
        alt=f"A waterfall from {numbers.show(scores[0], form)} to "
        f"{numbers.show(scores[-1], form)}, a bar for each change: {told}.",
        tables=(steps,),
        height=3.1,
    )
