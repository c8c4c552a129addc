"""Figures of the search, each drawn from tables alone."""

import math
from typing import TYPE_CHECKING, Any

from lstm_study.report import numbers
from lstm_study.report.columns import in_words
from lstm_study.report.style import (
    INK,
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
from lstm_study.spec import StudySpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
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


def slices(points: Table, spec: StudySpec) -> Picture | None:
    """Draws every completed trial's score along each searched hyperparameter."""
    names = list(dict.fromkeys(str(value) for value in points.column("hyperparameter")))
    if not names:
        return None
    form = points.columns[points.index("score")].form
    full = spec.search.max_epochs
    columns = min(3, len(names))
    dimensions = spec.space.dimensions()

    def draw(figure: "Figure") -> dict[str, list[str]]:
        grid = figure.subplots(math.ceil(len(names) / columns), columns, sharey=True, squeeze=False)
        marks = {}
        for axes, name in zip(grid.flat, names, strict=False):
            rows = [row for row in points.records() if row["hyperparameter"] == name]
            for kind, colour, size, label in (
                ("partial", MUTED, 9, "smaller budget"),
                ("full", WINNER, 20, f"full budget, {full} epochs"),
            ):
                mine = [row for row in rows if (row["budget_epochs"] == full) == (kind == "full")]
                gid = f"points-{kind}-{name}"
                values = [float(row["value"] or 0) for row in mine]
                axes.scatter(
                    values, [float(row["score"] or 0) for row in mine], s=size, color=colour,
                    alpha=0.5 if kind == "partial" else 0.8, linewidths=0, gid=gid, label=label,
                )  # fmt: skip
                marks[gid] = [str(row["trial_id"]) for row in mine]
            _value_axis(axes, dimensions[name].model_dump())
            axes.set_title(name)
        for axes in list(grid.flat)[len(names) :]:
            axes.set_visible(False)
        for line in grid:
            line[0].set_ylabel(in_words(spec.study.objective).capitalize())
        percent_axis(grid[0][0], form)
        figure.legend(
            *grid[0][0].get_legend_handles_labels(), loc="outside upper left", ncols=2,
        )  # fmt: skip
        return marks

    return picture(
        draw,
        name="slices",
        title="Score along each hyperparameter",
        alt=f"A panel for each of {', '.join(names)}: the scores of all completed trials against "
        "its value. Trials of full budget stand out.",
        tables=(points,),
        height=0.5 + 2.05 * math.ceil(len(names) / columns),
    )


def distribution(trials: Table, *, objective: str, full: int) -> Picture | None:
    """Draws which share of completed trials scored at most so much, for each budget."""
    form = trials.columns[trials.index("score")].form
    groups: dict[int, list[float]] = {}
    for row in trials.records():
        if row["status"] == "completed" and isinstance(row["score"], float):
            groups.setdefault(int(row["budget_epochs"] or 0), []).append(row["score"])
    if not groups:
        return None

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for place, (budget, scores) in enumerate(sorted(groups.items())):
            ordered = sorted(scores)
            heights = [(number + 1) / len(ordered) for number in range(len(ordered))]
            axes.step(
                [ordered[0], *ordered], [0, *heights], where="post",
                color=WINNER if budget == full else SERIES[place % len(SERIES)],
                lw=2 if budget == full else 1.3,
                label=f"{budget} epoch{'s' if budget > 1 else ''} ({len(ordered)})",
            )  # fmt: skip
        axes.set_xlabel(in_words(objective).capitalize())
        axes.set_ylabel("Share of trials")
        axes.legend(title="Budget (trials)", loc="upper left", bbox_to_anchor=(1.0, 1.0))
        percent_axis(axes, form, which="x")
        percent_axis(axes, "share")

    return picture(
        draw,
        name="distribution",
        title="Distribution of scores",
        alt="Empirical distribution of the scores of completed trials, a line for each budget.",
        tables=(trials,),
        height=2.7,
    )


def agreement(points: Table, taus: Table, *, full: int) -> Picture | None:
    """Draws early values against final scores: do a few epochs foretell the ranking?"""
    rows = points.records()
    known = {int(row["epoch"] or 0): row["tau"] for row in taus.records()}
    epochs = sorted(known)[:3]
    if not epochs:
        return None
    form = points.columns[points.index("early")].form

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
            axes.xaxis.set_major_locator(_ticks(4))
            percent_axis(axes, form, which="x")
        panels[0].set_ylabel(f"Score after {full} epochs")
        percent_axis(panels[0], form)
        return marks

    told = ", ".join(
        f"{numbers.coefficient(float(known[epoch] or 0))} after {epoch}" for epoch in epochs
    )
    return picture(
        draw,
        name="agreement",
        title="Do early ranks foretell final ranks?",
        alt="Each full-budget configuration's early value against its final score. "
        f"Kendall's tau: {told}.",
        tables=(points, taus),
        height=2.7,
    )


def cost(trials: Table, *, objective: str, direction: str, full: int) -> Picture | None:
    """Draws full-budget scores against seconds and parameters, the Pareto front marked."""
    rows = [
        row
        for row in trials.records()
        if row["status"] == "completed"
        and row["budget_epochs"] == full
        and isinstance(row["score"], float)
        and row["seconds_per_epoch"] is not None
    ]
    if len(rows) < 2:
        return None
    form = trials.columns[trials.index("score")].form

    def draw(figure: "Figure") -> dict[str, list[str]]:
        panels = figure.subplots(1, 2, sharey=True)
        marks = {}
        for axes, name, label in zip(
            panels, ("seconds_per_epoch", "parameter_count"),
            ("Seconds per epoch", "Parameters"), strict=True,
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
                axes.set_xscale("log")
            else:
                axes.xaxis.set_major_locator(_ticks(5))
            if name == "parameter_count":
                axes.xaxis.set_major_formatter(lambda value, _: numbers.short_count(value))
                axes.xaxis.set_minor_formatter(lambda *_: "")
            axes.set_xlabel(label)
        panels[0].set_ylabel(in_words(objective).capitalize())
        panels[0].legend(loc="lower right")
        percent_axis(panels[0], form)
        return marks

    return picture(
        draw,
        name="cost_of_accuracy",
        title="What a better score costs",
        alt="Score of the full-budget trials against seconds per epoch and against parameters; the "
        "Pareto front joins those that none beats on both.",
        tables=(trials,),
        height=2.8,
    )


def parallel(trials: Table, spec: StudySpec) -> Picture | None:
    """Draws each completed trial as a line through its hyperparameters to its score."""
    names = spec.space.searched()
    rows = [
        row
        for row in trials.records()
        if row["status"] == "completed" and isinstance(row["score"], float)
    ]
    if len(rows) < 2 or not names:
        return None
    axes_names = [*names, "score"]
    form = trials.columns[trials.index("score")].form
    spans = {
        name: (min(values), max(values))
        for name in axes_names
        if (values := [float(row[name] or 0) for row in rows])
    }
    full = spec.search.max_epochs
    ranked = [row for row in rows if row["rank"] is not None]
    top = {str(row["trial_id"]) for row in ranked if int(row["rank"] or 0) <= _top(len(ranked))}

    def height(name: str, value: float) -> float:
        low, high = spans[name]
        return (value - low) / (high - low) if high > low else 0.5

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for row in sorted(rows, key=lambda row: str(row["trial_id"]) in top):
            best = str(row["trial_id"]) in top
            axes.plot(
                range(len(axes_names)),
                [height(name, float(row[name] or 0)) for name in axes_names],
                color=WINNER if best else MUTED, lw=1.4 if best else 0.7,
                alpha=0.9 if best else 0.5 if len(rows) < _MANY else 0.18,
                gid=f"trial-{row['trial_id']}",
            )  # fmt: skip
        for place, name in enumerate(axes_names):
            axes.axvline(place, color=INK, lw=0.8, zorder=3)
            shown = form if name == "score" else "plain"
            for value, level, side in (
                (spans[name][0], -0.03, "top"),
                (spans[name][1], 1.03, "bottom"),
            ):
                axes.text(place, level, numbers.show(value, shown), ha="center", va=side,
                          fontsize=7.5, color=MUTED)  # fmt: skip
        axes.set_xticks(range(len(axes_names)), [name.replace("_", "\n") for name in axes_names])
        axes.tick_params(axis="x", length=0, pad=14)
        axes.set_yticks([])
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlim(-0.4, len(axes_names) - 0.6)
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)

    return picture(
        draw,
        name="parallel",
        title="Hyperparameters and score, trial by trial",
        alt=f"Parallel coordinates: a line for each completed trial through {', '.join(names)} to "
        f"its score. The best of the trials of {full} epochs stand out.",
        tables=(trials,),
        height=3.1,
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


def pareto(costs: list[float], scores: list[float], direction: str) -> list[int]:
    """Returns the positions that no other beats on both cost and score, cheapest first."""
    sign = -1 if direction == "max" else 1
    found: list[int] = []
    for index in sorted(range(len(costs)), key=lambda i: (costs[i], sign * scores[i])):
        if not found or sign * scores[index] < sign * scores[found[-1]]:
            found.append(index)
    return found


def _top(count: int) -> int:
    return max(1, min(10, count // 5))


def _value_axis(axes: "Axes", dimension: dict[str, Any]) -> None:
    """Marks the values that the search drew from, on a log scale where they grow by ratio."""
    choices = sorted(dimension.get("choices", []))
    wide = (choices or [dimension.get("min", 0)])[0] > 0 and (
        (choices or [0, dimension.get("max", 0)])[-1]
        >= 8 * (choices or [dimension.get("min", 0)])[0]
    )
    if dimension.get("sampling") == "log" or (choices and wide):
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(_ticks(None))
    if 0 < len(choices) <= 5:
        axes.set_xticks(choices, [numbers.plain(value) for value in choices])
    elif dimension.get("step") and dimension.get("sampling") == "linear":
        steps = round((dimension["max"] - dimension["min"]) / dimension["step"])
        stride = math.ceil((steps + 1) / 5)
        values = [dimension["min"] + dimension["step"] * n for n in range(0, steps + 1, stride)]
        axes.set_xticks(values, [numbers.plain(round(value, 10)) for value in values])
    elif dimension.get("sampling") != "log":
        axes.xaxis.set_major_locator(_ticks(5))
        axes.xaxis.set_major_formatter(lambda value, _: numbers.plain(value))
    axes.margins(x=0.08)


def _ticks(count: int | None) -> Any:
    from matplotlib.ticker import MaxNLocator, NullLocator

    return NullLocator() if count is None else MaxNLocator(count)


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
