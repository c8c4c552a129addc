"""Figures of the search over time: best so far, learning curves, workers."""

import math
from typing import TYPE_CHECKING, Any

from lstm_study.report import numbers
from lstm_study.report.columns import in_words
from lstm_study.report.style import (
    MUTED,
    PAPER,
    SERIES,
    WINNER,
    Picture,
    percent_axis,
    picture,
    whole_axis,
)
from lstm_study.report.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MANY = 150


def best_so_far(progress: Table, *, objective: str) -> Picture | None:
    """Draws scores and the best of them against trials, epochs and time."""
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
                ls=(0, (4, 2)), label="best so far, any budget",
            )  # fmt: skip
            axes.step(places, full, where="post", color=WINNER, lw=2,
                      label="best so far, full budget")  # fmt: skip
            axes.set_xlabel(label)
            whole_axis(axes, bins=5)
        panels[0].set_ylabel(in_words(objective).capitalize())
        percent_axis(panels[0], form)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
        return marks

    last = [row["best_full_budget_score"] for row in rows][-1]
    told = (
        f"It ends at {numbers.show(last, form)} at full budget."
        if last is not None
        else "No trial of full budget has ended yet."
    )
    return picture(
        draw,
        name="best_so_far",
        title="Best score so far",
        alt=f"Score of each trial and the best so far against trials, epochs and time. {told}",
        tables=(progress,),
        height=2.9,
    )


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

    def draw(figure: "Figure") -> None:
        grid = figure.subplots(
            math.ceil(len(brackets) / columns), columns, sharex=True, sharey=True, squeeze=False
        )
        for axes, bracket in zip(grid.flat, brackets, strict=False):
            for trial_id, line in lines[bracket].items():
                colour = SERIES[int(line[0]["round"] or 0) % len(SERIES)]
                axes.plot(
                    [row["epoch"] for row in line], [row["value"] for row in line],
                    color=colour, lw=0.8 if faint else 1.3, alpha=0.35 if faint else 0.8,
                    marker="o" if len(line) == 1 or not faint else None, ms=2.6,
                    gid=f"trial-{trial_id}",
                )  # fmt: skip
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

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for worker, training_id, status, started, ended in rows:
            axes.barh(
                workers.index(worker), (ended - started).total_seconds() / size, height=0.6,
                left=(started - beginning).total_seconds() / size,
                color=SERIES[2] if status == "failed" else SERIES[0], alpha=0.85,
                edgecolor=PAPER, linewidth=0.6, gid=f"trial-{training_id}",
            )  # fmt: skip
        axes.set_yticks(range(len(workers)), [_short(worker) for worker in workers])
        axes.set_ylim(len(workers) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(f"Time since the first trial, {unit}")

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
