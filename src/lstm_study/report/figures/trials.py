"""Figures of the trials: learning curves, workers, distribution of scores, cost, coordinates."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lstm_study.report import numbers
from lstm_study.report.figures.style import (
    HEAT,
    MUTED,
    PAPER,
    SERIES,
    WINNER,
    Picture,
    label_box,
    pareto,
    percent_axis,
    whole_axis,
)
from lstm_study.report.tables.columns import in_words
from lstm_study.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure
from typing import TYPE_CHECKING

from lstm_study.report.figures.style import (
    few_ticks,
    log_axis,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
from lstm_study.report.figures.style import (
    INK,
)
from lstm_study.spec import StudySpec

_MANY = 150


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

    return Picture(
        draw=draw,
        name="trial_curves",
        title="Learning curve of every trial, by bracket",
        alt=f"{in_words(objective).capitalize()} against epochs, a line for each trial, a panel "
        "for each bracket, a colour for each round. Promoted trials continue their parents' lines.",
        tables=(curves,),
        height=0.5 + 2.4 * math.ceil(len(brackets) / columns),
    )


def timeline(trainings: Table) -> Picture | None:
    """Draws which worker trained which trial, over time."""
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
    unit, size = numbers.time_unit(whole)
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

    return Picture(
        draw=draw,
        name="timeline",
        title="Workers over time",
        alt="A bar for each trial from its start to its end, a row for each worker.",
        tables=(trainings,),
        height=0.8 + 0.32 * len(workers),
    )


def distribution(trials: Table, *, objective: str, full: int) -> Picture | None:
    """Draws the empirical distribution of the scores of completed trials, for each budget."""
    form = trials.columns[trials.index("score")].form
    groups: dict[int, list[float]] = {}
    for row in trials.records():
        scored = row["status"] == "completed" and isinstance(row["score"], float)
        if scored and row["role"] == "search":
            groups.setdefault(int(row["budget_epochs"] or 0), []).append(float(row["score"] or 0))
    if not groups:
        return None

    def draw(figure: "Figure") -> None:
        import seaborn

        axes = figure.add_subplot()
        for place, (budget, scores) in enumerate(sorted(groups.items())):
            seaborn.ecdfplot(
                x=scores, ax=axes,
                color=WINNER if budget == full else SERIES[place % len(SERIES)],
                lw=2 if budget == full else 1.3,
                label=f"{budget} epoch{'s' if budget > 1 else ''} ({len(scores)})",
            )  # fmt: skip
        axes.set_xlabel(in_words(objective).capitalize())
        axes.set_ylabel("Share of trials")
        axes.legend(title="Budget (trials)", loc="upper left", bbox_to_anchor=(1.0, 1.0))
        percent_axis(axes, form, which="x")
        percent_axis(axes, "share")

    return Picture(
        draw=draw,
        name="distribution",
        title="Distribution of scores",
        alt="Empirical distribution of the scores of completed trials, a line for each budget.",
        tables=(trials,),
        height=2.7,
    )


def cost(trials: Table, *, objective: str, direction: str, full: int) -> Picture | None:
    """Draws full-budget scores against seconds and parameters, the Pareto front marked."""
    rows = [
        row
        for row in trials.records()
        if row["status"] == "completed"
        and row["role"] == "search"
        and row["budget_epochs"] == full
        and isinstance(row["score"], float)
        and row["seconds_per_epoch"] is not None
    ]
    if len(rows) < 2:
        return None
    form = trials.columns[trials.index("score")].form
    form_of = {"seconds_per_epoch": "duration", "parameter_count": "short_count"}

    def draw(figure: "Figure") -> dict[str, list[str]]:
        panels = figure.subplots(1, 2, sharey=True)
        marks = {}
        for axes, name, label in zip(
            panels, ("seconds_per_epoch", "parameter_count"),
            ("Training time per epoch", "Parameters"), strict=True,
        ):  # fmt: skip
            places = [float(row[name] or 0) for row in rows]
            scores = [float(row["score"] or 0) for row in rows]
            gid = f"points-cost-{name}"
            axes.scatter(places, scores, s=20, color=MUTED, alpha=0.7, linewidths=0, gid=gid)
            marks[gid] = [str(row["trial_id"]) for row in rows]
            front = pareto(places, scores, direction)
            axes.plot(
                [places[index] for index in front], [scores[index] for index in front],
                color=WINNER, lw=1.5, marker="o", ms=5, drawstyle="steps-post",
                label="Pareto front",
            )  # fmt: skip
            if max(places) > 20 * max(min(places), 1e-9):
                log_axis(axes, places, form_of[name])
            else:
                axes.xaxis.set_major_locator(few_ticks(4))
                axes.xaxis.set_major_formatter(
                    lambda value, _, form=form_of[name]: numbers.show(float(value), form)
                )
            axes.set_xlabel(label)
        panels[0].set_ylabel(in_words(objective).capitalize())
        panels[0].legend(loc="lower right")
        percent_axis(panels[0], form)
        return marks

    return Picture(
        draw=draw,
        name="cost_of_accuracy",
        title="Score and cost",
        alt="Score of the full-budget trials against seconds per epoch and against parameters; the "
        "Pareto front connects those that no other beats on both.",
        tables=(trials,),
        height=2.8,
    )


def parallel(trials: Table, spec: StudySpec) -> Picture | None:
    """Draws each trial of the full budget as a line through its hyperparameters to its score."""
    names, known = spec.space.searched(), spec.space.rows
    full = spec.search.max_epochs
    rows = [
        row
        for row in trials.records()
        if row["status"] == "completed"
        and row["role"] == "search"
        and row["budget_epochs"] == full
        and isinstance(row["score"], float)
    ]
    if len(rows) < 2 or not names:
        return None
    form = trials.columns[trials.index("score")].form
    rows.sort(key=lambda row: float(row["score"] or 0), reverse=spec.study.direction == "min")

    def position(name: str, row: Mapping[str, Any]) -> float:
        return float(row[name]) if name == "score" else known[name].position(row[name])

    values = {name: sorted({position(name, row) for row in rows}) for name in (*names, "score")}

    def height(name: str, value: float) -> float:
        low, high = values[name][0], values[name][-1]
        return (value - low) / (high - low) if high > low else 0.5

    def draw(figure: "Figure") -> dict[str, list[str]]:
        import seaborn
        from matplotlib.collections import LineCollection

        axes = figure.add_subplot()
        shades = seaborn.color_palette(HEAT, as_cmap=True)
        better = [height("score", float(row["score"] or 0)) for row in rows]
        if spec.study.direction == "min":
            better = [1 - value for value in better]
        gid = "lines-parallel"
        axes.add_collection(
            LineCollection(
                [
                    [(place, height(name, position(name, row)))
                     for place, name in enumerate(values)]
                    for row in rows
                ],
                colors=[shades(value) for value in better], gid=gid, zorder=2,
                linewidths=1.5 if len(rows) < _MANY else 0.7,
                alpha=0.9 if len(rows) < _MANY else 0.4,
            )
        )  # fmt: skip
        for place, (name, found) in enumerate(values.items()):
            axes.axvline(place, color=INK, lw=0.8, zorder=3)
            shown = form if name == "score" else "plain"
            ticks = () if name == "score" else known[name].ticks
            for value in _labelled(found):
                words = ticks[int(value)] if ticks else numbers.show(value, shown)
                axes.annotate(
                    words, (place, height(name, value)), xytext=(-4, 0),
                    textcoords="offset points", ha="right", va="center", fontsize=7, color=INK,
                    bbox=label_box(), zorder=4,
                )  # fmt: skip
        axes.set_xticks(range(len(values)), [name.replace("_", "\n") for name in values])
        axes.tick_params(axis="x", length=0, pad=8)
        axes.set_yticks([])
        axes.set_ylim(-0.05, 1.05)
        axes.set_xlim(-0.5, len(values) - 0.8)
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return {gid: [str(row["trial_id"]) for row in rows]}

    return Picture(
        draw=draw,
        name="parallel",
        title="Hyperparameters and score of the trials at the full budget",
        alt=f"Parallel coordinates: a line for each completed trial of the full budget through "
        f"{', '.join(names)} to its score; the darker a line, the better its score.",
        tables=(trials,),
        height=3.3,
    )


def _labelled(values: list[float]) -> list[float]:
    """Returns at most five of an axis's values, both ends included, with room between them."""
    room = 0.12 * (values[-1] - values[0])
    kept = [values[0]]
    for value in values[1:-1]:
        if value - kept[-1] >= room and values[-1] - value >= room:
            kept.append(value)
    if len(kept) > 4:
        kept = kept[:: -(-len(kept) // 4)]
    return kept if values[-1] == values[0] else [*kept, values[-1]]


def _line(colour: str) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, lw=2)


def _short(text: str) -> str:
    return text if len(text) <= 24 else text[:23] + "…"
