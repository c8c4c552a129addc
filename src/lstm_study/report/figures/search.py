"""Figures of the search as a whole: best score so far, and agreement of early and final ranks."""

import math
from typing import TYPE_CHECKING

from lstm_study.report import numbers
from lstm_study.report.figures.style import (
    MUTED,
    SERIES,
    WINNER,
    Picture,
    percent_axis,
    whole_axis,
)
from lstm_study.report.tables.columns import in_words
from lstm_study.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
from typing import TYPE_CHECKING

from lstm_study.report.figures.style import (
    few_ticks,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def best_so_far(progress: Table, control: Table, *, objective: str) -> Picture | None:
    """Draws scores and the best so far against trials, epochs and time, with the random control."""
    rows = progress.records()
    form = progress.form("score")
    if not any(row["score"] is not None for row in rows):
        return None
    scores = progress.numbers("score")
    scored = [number for number, value in enumerate(scores) if not math.isnan(value)]
    seconds = progress.numbers("seconds")
    unit, size = numbers.time_unit(max(seconds))

    def draw(figure: "Figure") -> dict[str, list[str]]:
        panels = figure.subplots(1, 3, sharey=True)
        marks = {}
        for axes, name, label in zip(
            panels,
            ("trial_number", "epochs", "seconds"),
            ("Trials ended", "Epochs trained", f"Training time, {unit}"),
            strict=True,
        ):
            places = progress.numbers(name)
            if name == "seconds":
                places = [value / size for value in places]
            gid = f"points-best-{name}"
            axes.scatter(
                [places[number] for number in scored], [scores[number] for number in scored],
                s=9, color=MUTED, alpha=0.55, linewidths=0, gid=gid,
                label="score of a trial" if name == "trial_number" else None,
            )  # fmt: skip
            marks[gid] = [str(rows[number]["trial_id"]) for number in scored]
            full = progress.numbers("best_full_budget_score")
            axes.step(
                places, progress.numbers("best_score"), where="post", color=SERIES[0], lw=1.2,
                ls=(0, (4, 2)),
                label="best so far, any budget" if name == "trial_number" else None,
            )  # fmt: skip
            axes.step(
                places, full, where="post", color=WINNER, lw=2,
                label="best so far, full budget" if name == "trial_number" else None,
            )  # fmt: skip
            if control.rows:
                _draw_control(axes, control, along=name, size=size if name == "seconds" else 1)
            axes.set_xlabel(label)
            whole_axis(axes, bins=5)
        panels[0].set_ylabel(in_words(objective).capitalize())
        percent_axis(panels[0], form)
        handles = {
            label: handle
            for axes in panels[:1]
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        figure.legend(list(handles.values()), list(handles), loc="outside upper left", ncols=3)
        return marks

    last = [row["best_full_budget_score"] for row in rows][-1]
    told = (
        f"It ends at {numbers.show(last, form)} at full budget."
        if last is not None
        else "No trial of full budget has ended yet."
    )
    if control.rows and control.column("best_score")[-1] is not None:
        last = numbers.show(control.column("best_score")[-1], form)
        told += f" The random control ends at {last}, with a band over the order of its trials."
    return Picture(
        draw=draw,
        name="best_so_far",
        title="Best score so far",
        alt=f"Score of each trial and the best so far against trials, epochs and time. {told}",
        tables=(progress, control) if control.rows else (progress,),
        height=2.9,
    )


def _draw_control(axes: "Axes", control: Table, *, along: str, size: float) -> None:
    places = [value / size for value in control.numbers(along)]
    axes.fill_between(
        places, control.numbers("low"), control.numbers("high"), step="post",
        color=SERIES[1], alpha=0.2, linewidth=0,
    )  # fmt: skip
    axes.step(
        places, control.numbers("best_score"), where="post", color=SERIES[1], lw=1.6,
        label="best so far, random control (band: other orders)",
    )  # fmt: skip


def agreement(points: Table, taus: Table, *, full: int) -> Picture | None:
    """Draws early scores against final scores: do a few epochs predict the ranking?"""
    rows = points.records()
    known = {int(row["epoch"] or 0): row["tau"] for row in taus.records()}
    epochs = sorted(known)[:3]
    if not epochs:
        return None
    form = points.form("early")

    def draw(figure: "Figure") -> dict[str, list[str]]:
        panels = figure.subplots(1, max(2, len(epochs)), sharey=True, squeeze=False)[0]
        for axes in panels[len(epochs) :]:
            axes.set_visible(False)
        marks = {}
        for axes, epoch in zip(panels, epochs, strict=False):
            mine = [row for row in rows if row["epoch"] == epoch and row["early"] is not None]
            gid = f"points-early-{epoch}"
            axes.scatter(
                [float(row["early"] or 0) for row in mine],
                [float(row["final"] or 0) for row in mine],
                s=20, color=SERIES[0], alpha=0.75, linewidths=0, gid=gid,
            )  # fmt: skip
            marks[gid] = [str(row["trial_id"]) for row in mine]
            axes.set_title(f"tau = {numbers.coefficient(float(known[epoch] or 0))}")
            axes.set_xlabel(f"After {epoch} epoch{'s' if epoch > 1 else ''}")
            axes.xaxis.set_major_locator(few_ticks(4))
            percent_axis(axes, form, which="x")
        panels[0].set_ylabel(f"Score after {full} epochs")
        percent_axis(panels[0], form)
        return marks

    told = ", ".join(
        f"{numbers.coefficient(float(known[epoch] or 0))} after {epoch}" for epoch in epochs
    )
    return Picture(
        draw=draw,
        name="agreement",
        title="Do early ranks predict final ranks?",
        alt="Each full-budget configuration's early value against its final score. "
        f"Kendall's tau: {told}.",
        tables=(points, taus),
        height=2.7,
    )
