"""Figures of the search as a whole: best score so far, and agreement of early and final ranks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lstm_study.objectives import titled
from lstm_study.report import numbers
from lstm_study.report.figures.picture import Picture
from lstm_study.report.figures.style import (
    MUTED,
    SERIES,
    WINNER,
    few_ticks,
    legend,
    percent_axis,
    whole_axis,
)
from lstm_study.report.tables.table import Cell, Table
from lstm_study.spec.quantities import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def best_so_far(progress: Table, control: Table, *, objective: str) -> Picture | None:
    """Draws scores and the best so far against trials, epochs and time, with the random control."""
    rows = progress.frame()
    form = progress.form("score")
    scored = rows.dropna(subset="score")
    if scored.empty:
        return None
    unit, size = numbers.time_unit(rows["seconds"].max())

    def draw(figure: "Figure") -> dict[str, list[str]]:
        panels = figure.subplots(1, 3, sharey=True)
        marks = {}
        for axes, name, scale, words in zip(
            panels,
            ("trial_number", "epochs", "seconds"),
            (1, 1, size),
            ("Trials ended", "Epochs trained", f"Training time, {unit}"),
            strict=True,
        ):
            gid = f"points-best-{name}"
            axes.scatter(
                scored[name] / scale, scored["score"], s=9, color=MUTED, alpha=0.55, linewidths=0,
                gid=gid, label="score of a trial",
            )  # fmt: skip
            marks[gid] = scored["trial_id"].tolist()
            axes.step(
                rows[name] / scale, rows["best_score"], where="post", color=SERIES[0],
                lw=1.2, ls=(0, (4, 2)), label="best so far, any budget",
            )  # fmt: skip
            axes.step(
                rows[name] / scale, rows["best_full_budget_score"], where="post",
                color=WINNER, lw=2, label="best so far, full budget",
            )  # fmt: skip
            if control.rows:
                _draw_control(axes, control, along=name, size=scale)
            axes.set_xlabel(words)
            whole_axis(axes, bins=5)
        panels[0].set_ylabel(titled(objective))
        percent_axis(panels[0], form)
        legend(figure, panels[0], ncols=3)
        return marks

    last = progress.column("best_full_budget_score")[-1]
    told = (
        f"It ends at {numbers.show(last, form)} at full budget."
        if last is not None
        else "No trial of full budget has ended yet."
    )
    if control.rows and control.column("best_score")[-1] is not None:
        last = control.text(-1, "best_score")
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
    rows = control.frame()
    places = rows[along] / size
    axes.fill_between(
        places, rows["low"], rows["high"], step="post", color=SERIES[1],
        alpha=0.2, linewidth=0,
    )  # fmt: skip
    axes.step(
        places, rows["best_score"], where="post", color=SERIES[1], lw=1.6,
        label="best so far, random control (band: other orders)",
    )  # fmt: skip


def agreement(points: Table, taus: Table, *, full: int) -> Picture | None:
    """Draws early scores against final scores: do a few epochs predict the ranking?"""
    rows = points.frame().dropna(subset="early")
    known = {int(row["epoch"] or 0): row for row in taus.records()}
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
            mine = rows[rows["epoch"] == epoch]
            gid = f"points-early-{epoch}"
            axes.scatter(
                mine["early"], mine["final"], s=20, color=SERIES[0], alpha=0.75, linewidths=0,
                gid=gid,
            )  # fmt: skip
            marks[gid] = mine["trial_id"].tolist()
            axes.set_title(_tau(known[epoch]))
            axes.set_xlabel(f"After {counted(epoch, 'epoch')}")
            axes.xaxis.set_major_locator(few_ticks(4))
            percent_axis(axes, form, which="x")
        panels[0].set_ylabel(f"Score after {counted(full, 'epoch')}")
        percent_axis(panels[0], form)
        return marks

    told = ", ".join(f"after {counted(epoch, 'epoch')} {_tau(known[epoch])}" for epoch in epochs)
    return Picture(
        draw=draw,
        name="agreement",
        title="Do early ranks predict final ranks?",
        alt="Each full-budget configuration's early value against its final score. "
        f"Kendall's tau: {told}.",
        tables=(points, taus),
        height=2.7,
    )


def _tau(row: Mapping[str, Cell]) -> str:
    """Says tau with what it is of: "tau = 0.43, n = 8, p = 0.18"."""
    told = f"tau = {numbers.coefficient(float(row['tau'] or 0))}, n = {row['configurations']}"
    if row["p_value"] is None:
        return told
    p_value = numbers.probability(float(row["p_value"]))
    return f"{told}, p {'' if p_value.startswith('<') else '= '}{p_value}"
