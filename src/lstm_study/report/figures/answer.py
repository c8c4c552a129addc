"""Figures of the answer: the difference on test, the search's optimism, the ablation."""

import itertools
from typing import TYPE_CHECKING

from lstm_study.analysis.answer.wording import points
from lstm_study.objectives import titled
from lstm_study.report import numbers
from lstm_study.report.figures.picture import Picture
from lstm_study.report.figures.style import (
    BASELINE,
    INK,
    MUTED,
    SERIES,
    WINNER,
    arm_colours,
    label,
    percent_axis,
)
from lstm_study.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def difference(verdict: Table) -> Picture | None:
    """Draws the difference of test accuracies with its interval, and zero."""
    row = verdict.records()[0]
    value, low, high = row["difference"], row["low"], row["high"]
    if not isinstance(value, float):
        return None

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
        label(axes, points(value), (100 * value, 0), offset=(0, 9), fontsize=10,
              fontweight="bold")  # fmt: skip
        for text, place, side in (
            ("← baseline better", 0.0, "left"), ("winner better →", 1.0, "right"),
        ):  # fmt: skip
            axes.annotate(
                text, (place, 1.04), xycoords="axes fraction", ha=side, va="bottom", fontsize=8,
                color=MUTED,
            )  # fmt: skip
        axes.set_xlabel("Winner minus baseline, percentage points of test accuracy")

    told = f"{points(value)} percentage points"
    if isinstance(low, float) and isinstance(high, float):
        told += f", interval from {points(low)} to {points(high)}"
    return Picture(
        draw=draw,
        name="difference",
        title="Winner minus baseline on test",
        alt=f"The difference in test accuracy beside zero: {told}.",
        tables=(verdict,),
        width=5.2,
        height=1.45,
    )


def optimism(rows: Table) -> Picture | None:
    """Draws each arm's score in the search, with new seeds and on test."""
    shown = [row for row in rows.records() if row["in_search"] is not None]
    if not shown:
        return None
    form = rows.form("in_search")
    steps = (("in_search", "in the search"), ("as_finalist", "as a finalist"),
             ("fresh_validation", "new seeds,\nvalidation"), ("on_test", "on test"))  # fmt: skip
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
                label(axes, numbers.show(value, form), (place, value), offset=(0, 7),
                      fontsize=7.5, color=colours[arm], zorder=4)  # fmt: skip
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
    return Picture(
        draw=draw,
        name="optimism",
        title="The same configuration, measured again",
        alt=f"A line for each arm from its score in the search to test: {told}.",
        tables=(rows,),
        height=2.5,
    )


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
        axes.set_ylabel(titled(objective))
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
