"""Figures of the space: along each hyperparameter, by pairs, and importance."""

import math
from typing import TYPE_CHECKING, Any

from lstm_study.report import numbers
from lstm_study.report.figures.style import (
    HEAT,
    MUTED,
    PAPER,
    SERIES,
    WINNER,
    Picture,
    few_ticks,
    percent_axis,
)
from lstm_study.report.tables.columns import in_words
from lstm_study.report.tables.table import Table
from lstm_study.spec import StudySpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_SHADES = (SERIES[0], WINNER)


def slices(points: Table, spec: StudySpec) -> Picture | None:
    """Draws every completed trial's score along each searched hyperparameter."""
    names = list(dict.fromkeys(str(value) for value in points.column("hyperparameter")))
    if not names:
        return None
    form = points.columns[points.index("score")].form
    full = spec.search.max_epochs
    columns = min(3, len(names))
    dimensions, rows_of = spec.space.dimensions(), spec.space.rows
    records = points.records()

    def draw(figure: "Figure") -> dict[str, list[str]]:
        import seaborn

        grid = figure.subplots(math.ceil(len(names) / columns), columns, sharey=True, squeeze=False)
        marks = {}
        for axes, name in zip(grid.flat, names, strict=False):
            rows = [row for row in records if row["hyperparameter"] == name]
            for kind, colour, size, label in (
                ("partial", MUTED, 9, "smaller budget"),
                ("full", WINNER, 20, f"full budget, {full} epochs"),
            ):
                mine = [row for row in rows if (row["budget_epochs"] == full) == (kind == "full")]
                gid = f"points-{kind}-{name}"
                if not mine:
                    continue
                seaborn.scatterplot(
                    x=[rows_of[name].position(row["value"]) for row in mine],
                    y=[float(row["score"] or 0) for row in mine], ax=axes, s=size, color=colour,
                    alpha=0.5 if kind == "partial" else 0.8, linewidth=0, label=label, legend=False,
                )  # fmt: skip
                axes.collections[-1].set_gid(gid)
                marks[gid] = [str(row["trial_id"]) for row in mine]
            if ticks := rows_of[name].ticks:
                axes.set_xticks(range(len(ticks)), ticks)
                axes.margins(x=0.15)
            else:
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

    return Picture(
        draw=draw,
        name="slices",
        title="Score along each hyperparameter",
        alt=f"A panel for each of {', '.join(names)}: the scores of all completed trials against "
        "its value. Trials at the full budget are highlighted.",
        tables=(points,),
        height=0.5 + 2.05 * math.ceil(len(names) / columns),
    )


def pairs(cells: Table) -> Picture | None:
    """Draws the mean value by pairs of hyperparameters, a small heat map for each pair."""
    rows = cells.records()
    names = list(dict.fromkeys((str(row["first"]), str(row["second"])) for row in rows))
    if not names:
        return None
    form = cells.columns[cells.index("mean")].form
    alone = dict.fromkeys(name for pair in names for name in pair)
    means = [float(row["mean"] or 0) for row in rows]
    columns = min(3, len(names))
    lines = math.ceil(len(names) / columns)
    epoch = int(rows[0]["epoch"] or 0)

    def draw(figure: "Figure") -> None:
        import numpy as np
        import seaborn

        shades = seaborn.color_palette(HEAT, as_cmap=True)
        grid = figure.subplots(lines, columns, squeeze=False)
        for axes, (first, second) in zip(grid.flat, names, strict=False):
            mine = [row for row in rows if (row["first"], row["second"]) == (first, second)]
            across = _labels(mine, "first")
            up = _labels(mine, "second")
            values = np.full((len(up), len(across)), np.nan)
            for row in mine:
                place = (
                    up.index(str(row["second_values"])),
                    across.index(str(row["first_values"])),
                )
                values[place] = float(row["mean"] or 0)
            # Like seaborn.heatmap, which would draw the whole figure once more to measure labels.
            axes.pcolormesh(
                np.ma.masked_invalid(values), vmin=min(means), vmax=max(means), cmap=shades,
                edgecolors=PAPER, linewidth=1,
            )  # fmt: skip
            axes.set_xticks(np.arange(len(across)) + 0.5, across)
            axes.set_yticks(np.arange(len(up)) + 0.5, up)
            for spine in axes.spines.values():
                spine.set_visible(False)
            crowded = sum(len(words) for words in across) > 14
            axes.tick_params(axis="x", length=0, labelsize=7, rotation=25 if crowded else 0)
            axes.tick_params(axis="y", length=0, labelsize=7, rotation=0)
            axes.grid(visible=False)
            axes.set_xlabel(first)
            axes.set_ylabel(second)
        for axes in list(grid.flat)[len(names) :]:
            axes.set_visible(False)
        figure.legend(
            handles=_swatches(min(means), max(means), form), loc="outside upper left", ncols=5,
            handlelength=1.2,
        )  # fmt: skip

    return Picture(
        draw=draw,
        name="pairs",
        title="Pairs of hyperparameters",
        alt=f"A heat map for each pair of {', '.join(alone)}: "
        f"the mean over configurations after {epoch} epoch{'s' if epoch > 1 else ''}, from "
        f"{numbers.show(min(means), form)} to {numbers.show(max(means), form)}.",
        tables=(cells,),
        height=0.7 + 2.0 * lines,
    )


def importances(shares: Table) -> Picture | None:
    """Draws each hyperparameter's importance with its interval, early and at full budget."""
    rows = shares.records()
    if not rows:
        return None
    epochs = list(dict.fromkeys(int(row["epoch"] or 0) for row in rows))
    names = list(dict.fromkeys(str(row["hyperparameter"]) for row in rows))

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for place, epoch in enumerate(epochs):
            mine = {str(row["hyperparameter"]): row for row in rows if row["epoch"] == epoch}
            count = next(iter(mine.values()))["configurations"]
            offset = (place - (len(epochs) - 1) / 2) * 0.28
            for level, name in enumerate(names):
                row = mine[name]
                axes.plot(
                    [float(row["low"] or 0), float(row["high"] or 0)], [level + offset] * 2,
                    color=_SHADES[place], lw=2.4, alpha=0.45, solid_capstyle="butt",
                )  # fmt: skip
            axes.plot(
                [float(mine[name]["importance"] or 0) for name in names],
                [level + offset for level in range(len(names))], "o", ms=5.5,
                color=_SHADES[place],
                label=f"after {epoch} epoch{'s' if epoch > 1 else ''}, {count} configurations",
            )  # fmt: skip
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("Share of importance (line: 90% of resamples of the configurations)")
        percent_axis(axes, "share", which="x")
        figure.legend(
            *axes.get_legend_handles_labels(), loc="outside upper left", ncols=2,
        )  # fmt: skip

    first = [row for row in rows if row["epoch"] == epochs[0]]
    told = ", ".join(
        f"{row['hyperparameter']} {numbers.share(float(row['importance'] or 0))}" for row in first
    )
    return Picture(
        draw=draw,
        name="importance",
        title="Which hyperparameters matter",
        alt=f"Importance of each hyperparameter with its interval. After {epochs[0]} "
        f"epoch{'s' if epochs[0] > 1 else ''}: {told}.",
        tables=(shares,),
        height=0.9 + 0.32 * len(names),
    )


def _swatches(low: float, high: float, form: str) -> list[Any]:
    """Returns a legend of five colours: matplotlib's colour bar would be a bitmap."""
    import seaborn
    from matplotlib.patches import Patch

    shades = seaborn.color_palette(HEAT, as_cmap=True)
    steps = [0.0, 0.25, 0.5, 0.75, 1.0] if high > low else [0.5]
    return [
        Patch(color=shades(step), label=numbers.show(low + step * (high - low), form))
        for step in steps
    ]


def _labels(rows: list[dict[str, Any]], side: str) -> list[str]:
    places = {int(row[f"{side}_place"]): str(row[f"{side}_values"]) for row in rows}
    return [places[place] for place in sorted(places)]


def _value_axis(axes: "Axes", dimension: dict[str, Any]) -> None:
    """Puts ticks at the values that the search samples from, on a log scale if geometric."""
    choices = sorted(dimension.get("choices", []))
    wide = (choices or [dimension.get("min", 0)])[0] > 0 and (
        (choices or [0, dimension.get("max", 0)])[-1]
        >= 8 * (choices or [dimension.get("min", 0)])[0]
    )
    if dimension.get("sampling") == "log" or (choices and wide):
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(few_ticks(None))
    if choices:
        marks = _apart(choices, log=axes.get_xscale() == "log")
        axes.set_xticks(marks, [numbers.short_count(v) if v >= 10_000 else numbers.plain(v)
                                for v in marks])  # fmt: skip
    elif dimension.get("step") and dimension.get("sampling") == "linear":
        steps = round((dimension["max"] - dimension["min"]) / dimension["step"])
        stride = math.ceil((steps + 1) / 5)
        values = [dimension["min"] + dimension["step"] * n for n in range(0, steps + 1, stride)]
        axes.set_xticks(values, [numbers.plain(round(value, 10)) for value in values])
    elif dimension.get("sampling") != "log":
        axes.xaxis.set_major_locator(few_ticks(5))
        axes.xaxis.set_major_formatter(lambda value, _: numbers.plain(value))
    axes.margins(x=0.08)


def _apart(values: list[float], *, log: bool) -> list[float]:
    """Returns the values whose labels do not overlap, including the largest."""
    places = [math.log(value) if log else value for value in values]
    room = 0.14 * (places[-1] - places[0])
    kept = [len(values) - 1]
    for index in range(len(values) - 2, -1, -1):
        if places[kept[-1]] - places[index] >= room:
            kept.append(index)
    return [values[index] for index in reversed(kept)]
