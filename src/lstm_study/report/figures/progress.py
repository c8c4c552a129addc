"""Figures of the search over time: best so far, learning curves, workers."""

import math
from typing import TYPE_CHECKING, Any

from lstm_study.report import numbers
from lstm_study.report.figures.style import (
    MUTED,
    PAPER,
    SERIES,
    WINNER,
    Picture,
    percent_axis,
    picture,
    whole_axis,
)
from lstm_study.report.tables.columns import in_words
from lstm_study.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MANY = 150


def best_so_far(progress: Table, control: Table, *, objective: str) -> Picture | None:
    """Draws scores and the best of them against trials, epochs and time, and the control's."""
    rows = progress.records()
    form = progress.columns[progress.index("score")].form
    if not any(row["score"] is not None for row in rows):
        return None
    scores = progress.numbers("score")
    scored = [number for number, value in enumerate(scores) if not math.isnan(value)]
    seconds = progress.numbers("seconds")
    unit, size = _time_unit(max(seconds))

    def draw(figure: "Figure") -> dict[str, list[str]]:
        panels = figure.subplots(1, 3, sharey=True)
        marks = {}
        for axes, name, label in zip(
            panels,
            ("trial_number", "epochs", "seconds"),
            ("Trials ended", "Epochs trained", f"Time worked, {unit}"),
            strict=True,
        ):
            places = progress.numbers(name)
            if name == "seconds":
                places = [value / size for value in places]
            gid = f"points-best-{name}"
            axes.scatter(
                [places[number] for number in scored], [scores[number] for number in scored],
                s=9, color=MUTED, alpha=0.55, linewidths=0, gid=gid,
                label="one trial's score" if name == "trial_number" else None,
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
    return picture(
        draw,
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


def trial_curves(curves: Table, *, objective: str) -> Picture | None:
    """Draws each trial's learning curve, a panel for each bracket."""
    rows = [row for row in curves.records() if row["value"] is not None]
    if not rows:
        return None
    form = curves.columns[curves.index("value")].form
    brackets = sorted({int(row["bracket"] or 0) for row in rows}, reverse=True)
    columns = min(3, len(brackets))
    lines: dict[int, dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        lines.setdefault(int(row["bracket"] or 0), {}).setdefault(str(row["trial_id"]), []).append(
            row
        )
    faint = sum(len(found) for found in lines.values()) > _MANY

    def draw(figure: "Figure") -> dict[str, list[str]]:
        from matplotlib.collections import LineCollection

        grid = figure.subplots(
            math.ceil(len(brackets) / columns), columns, sharex=True, sharey=True, squeeze=False
        )
        marks = {}
        for axes, bracket in zip(grid.flat, brackets, strict=False):
            by_round: dict[int, list[tuple[str, list[tuple[float, float]]]]] = {}
            for trial_id, line in lines[bracket].items():
                points = [(float(row["epoch"] or 0), float(row["value"] or 0)) for row in line]
                by_round.setdefault(int(line[0]["round"] or 0), []).append((trial_id, points))
            for number, found in sorted(by_round.items()):
                colour = SERIES[number % len(SERIES)]
                gid = f"lines-{bracket}-{number}"
                axes.add_collection(
                    LineCollection(
                        [points for _, points in found], colors=colour, gid=gid,
                        linewidths=0.8 if faint else 1.3, alpha=0.35 if faint else 0.8,
                    )
                )  # fmt: skip
                marks[gid] = [trial_id for trial_id, _ in found]
                dots = [
                    (trial_id, point)
                    for trial_id, points in found
                    if len(points) == 1 or not faint
                    for point in points
                ]
                if dots:
                    axes.scatter(
                        *zip(*(point for _, point in dots), strict=True), s=7, color=colour,
                        alpha=0.35 if faint else 0.8, linewidths=0, gid=f"points-{gid}",
                    )  # fmt: skip
                    marks[f"points-{gid}"] = [trial_id for trial_id, _ in dots]
            axes.autoscale_view()
            axes.set_title(f"Bracket {bracket}")
            axes.set_xlabel("Epoch")
            whole_axis(axes)
        for axes in list(grid.flat)[len(brackets) :]:
            axes.set_visible(False)
        grid[0][0].set_ylabel(in_words(objective).capitalize())
        percent_axis(grid[0][0], form)
        rounds = sorted({int(row["round"] or 0) for row in rows})
        figure.legend(
            [_line(SERIES[number % len(SERIES)]) for number in rounds],
            [f"round {number}" for number in rounds], loc="outside upper left", ncols=6,
        )  # fmt: skip
        return marks

    return picture(
        draw,
        name="trial_curves",
        title="Every trial's learning curve, by bracket",
        alt=f"{in_words(objective).capitalize()} against epochs, a line for each trial, a panel "
        "for each bracket, a colour for each round. They go on where their parents ended.",
        tables=(curves,),
        height=0.5 + 2.4 * math.ceil(len(brackets) / columns),
    )


def timeline(trainings: Table) -> Picture | None:
    """Draws which worker trained what when."""
    from datetime import datetime

    rows = [
        (str(row["worker"]), str(row["training_id"]), str(row["status"]),
         datetime.fromisoformat(str(row["started_at"])),
         datetime.fromisoformat(str(row["ended_at"])))
        for row in trainings.records()
        if row["stage"] == "search"
    ]  # fmt: skip
    if not rows:
        return None
    beginning = min(row[3] for row in rows)
    whole = max((row[4] - beginning).total_seconds() for row in rows) or 1.0
    unit, size = _time_unit(whole)
    workers = sorted({row[0] for row in rows})

    def draw(figure: "Figure") -> dict[str, list[str]]:
        axes = figure.add_subplot()
        marks = {}
        for place, worker in enumerate(workers):
            for failed in (False, True):
                mine = [row for row in rows if row[0] == worker and (row[2] == "failed") == failed]
                gid = f"bars-{place}-{'failed' if failed else 'done'}"
                if mine:
                    axes.broken_barh(
                        [
                            ((row[3] - beginning).total_seconds() / size,
                             (row[4] - row[3]).total_seconds() / size)
                            for row in mine
                        ],
                        (place - 0.3, 0.6), color=SERIES[2] if failed else SERIES[0], alpha=0.85,
                        edgecolor=PAPER, linewidth=0.6 if len(rows) < _MANY else 0.2, gid=gid,
                    )  # fmt: skip
                    marks[gid] = [row[1] for row in mine]
        axes.set_yticks(range(len(workers)), [_short(worker) for worker in workers])
        axes.set_ylim(len(workers) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(f"Time since the first trial, {unit}")
        return marks

    return picture(
        draw,
        name="timeline",
        title="Workers over time",
        alt="A bar for each trial from its beginning to its end, a row for each worker.",
        tables=(trainings,),
        height=0.8 + 0.32 * len(workers),
    )


def _line(colour: str) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, lw=2)


def _time_unit(seconds: float) -> tuple[str, float]:
    for unit, size in (("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return unit, size
    return "seconds", 1.0


def _short(text: str) -> str:
    return text if len(text) <= 24 else text[:23] + "…"
