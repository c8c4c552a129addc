"""Figures of the space: along each hyperparameter, by pairs, and importance."""

import math
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from lstm_study.objectives import titled
from lstm_study.report import numbers
from lstm_study.report.figures.picture import Picture
from lstm_study.report.figures.style import (
    HEAT,
    MUTED,
    PAPER,
    SERIES,
    WINNER,
    few_ticks,
    legend,
    panels,
    percent_axis,
)
from lstm_study.report.tables.table import Table
from lstm_study.spec import StudySpec
from lstm_study.spec.quantities import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_SHADES = (SERIES[0], WINNER)
# Characters that fit under a cell of a pair of hyperparameters, and below which numbers have many.
_CELL = 5
_TICKS = 5
_SMALL = Decimal("0.1")


def slices(points: Table, spec: StudySpec) -> Picture | None:
    """Draws every completed trial's score along each searched hyperparameter."""
    rows = points.frame()
    names = rows["hyperparameter"].unique().tolist()
    if not names:
        return None
    form = points.form("score")
    full = spec.search.max_epochs
    columns = min(3, len(names))
    dimensions, known = spec.space.dimensions(), spec.space.rows

    def positions(name: str, rows: Any) -> list[float]:
        return [known[name].position(value) for value in rows["value"]]

    # Words stand side by side: those that are searched, and those that trials have beside them.
    places = {
        name: sorted(
            {known[name].position(value) for value in getattr(dimensions[name], "choices", ())}
            | set(positions(name, rows[rows["hyperparameter"] == name]))
        )
        for name in names
        if known[name].ticks
    }

    def draw(figure: "Figure") -> dict[str, list[str]]:
        import seaborn

        grid, leftmost = panels(figure, len(names), columns=columns, sharey=True)
        marks = {}
        for axes, name in zip(grid, names, strict=True):
            for kind, colour, size, alpha, words in (
                ("partial", MUTED, 9, 0.5, "smaller budget"),
                ("full", WINNER, 20, 0.8, f"full budget, {counted(full, 'epoch')}"),
            ):
                is_kind = (rows["budget_epochs"] == full) == (kind == "full")
                mine = rows[is_kind & (rows["hyperparameter"] == name)]
                gid = f"points-{kind}-{name}"
                if mine.empty:
                    continue
                along = positions(name, mine)
                if name in places:
                    along = [places[name].index(position) for position in along]
                seaborn.scatterplot(
                    x=along,
                    y=mine["score"].tolist(), ax=axes, s=size, color=colour, alpha=alpha,
                    linewidth=0, label=words, legend=False,
                )  # fmt: skip
                axes.collections[-1].set_gid(gid)
                marks[gid] = mine["trial_id"].tolist()
            if ticks := known[name].ticks:
                shown = [ticks[int(place)] for place in places[name]]
                axes.set_xticks(range(len(shown)), shown)
                axes.margins(x=0.15)
            else:
                _value_axis(axes, dimensions[name].model_dump())
            axes.set_title(name)
        for axes in leftmost:
            axes.set_ylabel(titled(spec.study.objective))
        percent_axis(grid[0], form)
        legend(figure, grid[0], ncols=2)
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
    rows = cells.frame()
    if rows.empty:
        return None
    by_pair = rows.groupby(["first", "second"], sort=False)
    alone = dict.fromkeys(name for pair in by_pair.groups for name in pair)
    form = cells.form("mean")
    least, most = rows["mean"].min(), rows["mean"].max()
    columns = min(3, len(by_pair))
    epoch = rows["epoch"][0]

    def draw(figure: "Figure") -> None:
        import numpy as np
        import seaborn

        shades = seaborn.color_palette(HEAT, as_cmap=True)
        grid, _ = panels(figure, len(by_pair), columns=columns)
        for axes, ((first, second), mine) in zip(grid, by_pair, strict=True):
            values = mine.pivot(index="second_place", columns="first_place", values="mean")
            across, up = (
                mine.drop_duplicates(f"{side}_place").sort_values(f"{side}_place")[f"{side}_values"]
                for side in ("first", "second")
            )
            # Like seaborn.heatmap, which would draw the whole figure once more to measure labels.
            axes.pcolormesh(
                np.ma.masked_invalid(values), vmin=least, vmax=most, cmap=shades,
                edgecolors=PAPER, linewidth=1,
            )  # fmt: skip
            (across, unit), (up, unit_up) = _in_cells(across.tolist()), _in_cells(up.tolist())
            axes.set_xticks(np.arange(len(across)) + 0.5, across)
            axes.set_yticks(np.arange(len(up)) + 0.5, up)
            for spine in axes.spines.values():
                spine.set_visible(False)
            axes.tick_params(length=0, labelsize=7)
            axes.grid(visible=False)
            axes.set_xlabel(first + unit)
            axes.set_ylabel(second + unit_up)
        figure.legend(
            handles=_swatches(least, most, form), loc="outside upper left", ncols=5,
            handlelength=1.2,
        )  # fmt: skip

    return Picture(
        draw=draw,
        name="pairs",
        title="Pairs of hyperparameters",
        alt=f"A heat map for each pair of {', '.join(alone)}: "
        f"the mean over configurations after {counted(epoch, 'epoch')}, from "
        f"{numbers.show(least, form)} to {numbers.show(most, form)}.",
        tables=(cells,),
        height=0.7 + 2.0 * math.ceil(len(by_pair) / columns),
    )


def _in_cells(values: Sequence[str]) -> tuple[list[str], str]:
    """Writes values beside narrow cells: an interval in two lines, small numbers in a unit.

    Numbers in a unit have two digits; the table has the others.

    >>> _in_cells(["0.000734–0.000842", "0.00157"])
    (['0.73–\\n0.84', '1.6'], ' (× 0.001)')
    """
    parts = [words.split("–") for words in values]
    unit = ""
    if max(len(part) for each in parts for part in each) > _CELL:
        try:
            known = [[Decimal(part.replace("−", "-")) for part in each] for each in parts]
        except InvalidOperation:  # words, such as those of a builder's own hyperparameter
            known = []
        largest = max((abs(part) for each in known for part in each), default=Decimal(1))
        if 0 < largest < _SMALL:
            size = Decimal(10) ** largest.adjusted()
            unit = f" (× {size:f})"
            # Rounding may leave one number of an interval.
            parts = [
                list(dict.fromkeys(f"{float(part / size):.2g}" for part in each)) for each in known
            ]
    return ["–\n".join(each) for each in parts], unit


def importances(shares: Table) -> Picture | None:
    """Draws each hyperparameter's importance with its interval, early and at full budget."""
    rows = shares.frame()
    if rows.empty:
        return None
    epochs = rows["epoch"].unique().tolist()
    names = rows["hyperparameter"].unique().tolist()

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for place, epoch in enumerate(epochs):
            mine = rows[rows["epoch"] == epoch].set_index("hyperparameter").loc[names]
            count = mine["configurations"].iloc[0]
            offset = (place - (len(epochs) - 1) / 2) * 0.28
            for level, (low, high) in enumerate(zip(mine["low"], mine["high"], strict=True)):
                axes.plot(
                    [low, high], [level + offset] * 2, color=_SHADES[place], lw=2.4, alpha=0.45,
                    solid_capstyle="butt",
                )  # fmt: skip
            axes.plot(
                mine["importance"], [level + offset for level in range(len(names))], "o", ms=5.5,
                color=_SHADES[place],
                label=f"after {counted(epoch, 'epoch')}, {counted(count, 'configuration')}",
            )  # fmt: skip
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("Share of importance (line: 90% of resamples of the configurations)")
        percent_axis(axes, "share", which="x")
        legend(figure, axes, ncols=2)

    first = rows[rows["epoch"] == epochs[0]]
    told = ", ".join(
        f"{name} {numbers.share(share)}"
        for name, share in zip(first["hyperparameter"], first["importance"], strict=True)
    )
    return Picture(
        draw=draw,
        name="importance",
        title="Which hyperparameters matter",
        alt="Importance of each hyperparameter with its interval. After "
        f"{counted(epochs[0], 'epoch')}: {told}.",
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


def _value_axis(axes: "Axes", dimension: dict[str, Any]) -> None:
    """Puts ticks at the values that the search samples from, on a log scale if geometric."""
    choices = sorted(dimension.get("choices", []))
    is_wide = choices and 0 < 8 * choices[0] <= choices[-1]
    if dimension.get("sampling") == "log" or is_wide:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(few_ticks(None))
    if choices:
        marks = _apart(choices, log=axes.get_xscale() == "log")
        axes.set_xticks(marks, _written(marks))
    elif dimension.get("step") and dimension.get("sampling") == "linear":
        steps = round((dimension["max"] - dimension["min"]) / dimension["step"])
        stride = math.ceil((steps + 1) / 5)
        values = [dimension["min"] + dimension["step"] * n for n in range(0, steps + 1, stride)]
        axes.set_xticks(values, [numbers.plain(round(value, 10)) for value in values])
    elif dimension.get("sampling") == "log":
        marks = _log_ticks(dimension["min"], dimension["max"], step=dimension.get("step"))
        axes.set_xticks(marks, _written(marks))
    elif dimension.get("sampling") is not None:
        axes.xaxis.set_major_locator(few_ticks(5))
        axes.xaxis.set_major_formatter(lambda value, _: numbers.plain(value))
    axes.margins(x=0.08)


def _written(marks: list[float]) -> list[str]:
    return [numbers.short_count(v) if v >= 10_000 else numbers.plain(v) for v in marks]


def _log_ticks(low: float, high: float, *, step: float | None) -> list[float]:
    """Returns ticks within a range on a log scale: round numbers, or the values of its step."""
    if step is not None:
        count = math.floor(math.log(high / low, step) + 1e-9) + 1
        return _apart([low * step**number for number in range(count)], log=True)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 3, 5, 7), (1, 3), (1,)):
        # From the text, so that 7e-4 is what the study file has.
        marks = [mark for power in powers for digit in digits
                 if low <= (mark := float(f"{digit}e{power}")) <= high]  # fmt: skip
        if 2 <= len(marks) <= _TICKS:
            return marks
    return _apart(marks, log=True) if len(marks) > _TICKS else [low, high]


def _apart(values: list[float], *, log: bool) -> list[float]:
    """Returns the values whose labels do not overlap, including the largest."""
    places = [math.log(value) if log else value for value in values]
    room = 0.14 * (places[-1] - places[0])
    kept = [len(values) - 1]
    for index in range(len(values) - 2, -1, -1):
        if places[kept[-1]] - places[index] >= room:
            kept.append(index)
    return [values[index] for index in reversed(kept)]
