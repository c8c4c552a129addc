"""Figures of the space: along each hyperparameter, by pairs, all at once, and importance."""

import math
from typing import TYPE_CHECKING, Any

from lstm_study.report import numbers
from lstm_study.report.columns import in_words
from lstm_study.report.style import (
    INK,
    MUTED,
    SERIES,
    WINNER,
    Picture,
    few_ticks,
    percent_axis,
    picture,
)
from lstm_study.report.tables import Table
from lstm_study.spec import StudySpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MANY = 150


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
