"""The style of figures, and what several of them draw: the only place that sets rcParams.

Colours are from or near Okabe and Ito's palette, which is safe for colour blindness. In the report
each colour is a CSS variable, so that one drawing serves light and dark pages.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lstm_study.arm_names import (
    CONTROL,
    ENSEMBLE,
    LAST_EPOCHS_SUFFIX,
    MASKED_BASELINE,
    OWN_EPOCH_SUFFIX,
    RECIPE_BASELINE,
    RUNNER_UP,
)
from lstm_study.report import numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1f2a35"
MUTED = "#5d6b7a"
GRID = "#e3e7eb"
PAPER = "#fffffe"
BASELINE = "#5f7f9f"
WINNER = "#d55e01"
SERIES = (
    "#0072b3", "#008f69", "#b35a8f", "#a67500", "#3d8fc4", "#7a5195", "#666f1a", "#8c4a2f",
    "#3c4fa0", "#2b8587",
)  # fmt: skip
# Decreases in lightness throughout, with contrast to white and to black pages.
HEAT = "blend:#ecc765,#cf6a3d,#784f90"
CSS_VARIABLES = {
    INK: "--ink", MUTED: "--muted", GRID: "--grid", PAPER: "--paper",
    BASELINE: "--baseline", WINNER: "--winner",
} | {colour: f"--series-{number}" for number, colour in enumerate(SERIES)}  # fmt: skip

WIDTH = 7.6
_MOST_ARMS = 4
CSS_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"
RC: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "lstm-study",
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.titlepad": 7,
    "axes.labelsize": 8.5,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "xtick.major.width": 0.7,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.4,
    "figure.facecolor": PAPER,
    "figure.constrained_layout.w_pad": 0.09,
    "figure.constrained_layout.h_pad": 0.06,
    "figure.dpi": 100,
    "savefig.dpi": 160,
    "path.simplify": True,
    "patch.linewidth": 0.7,
}


@contextmanager
def report_style() -> Iterator[None]:
    """Sets the report's style, and restores matplotlib's settings."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)  # type: ignore[arg-type]
        yield


def arm_colours(arms: Sequence[str]) -> dict[str, str]:
    """Returns a colour for each arm, the same in every figure; later runner-ups share one."""
    fixed = {
        "baseline": BASELINE, f"baseline{OWN_EPOCH_SUFFIX}": SERIES[5],
        f"baseline{LAST_EPOCHS_SUFFIX}": SERIES[4], MASKED_BASELINE: SERIES[0],
        RECIPE_BASELINE: SERIES[6], "winner": WINNER, f"winner{OWN_EPOCH_SUFFIX}": SERIES[3],
        f"winner{LAST_EPOCHS_SUFFIX}": SERIES[7], f"{RUNNER_UP}1": SERIES[8],
        CONTROL: SERIES[1], ENSEMBLE: SERIES[2],
    }  # fmt: skip
    return {arm: fixed.get(arm, SERIES[9]) for arm in arms}


def main_arms(arms: Sequence[str]) -> list[str]:
    """Returns the arms to draw: of more than four, those that the answer speaks of.

    Of baselines that are trained as the winner is, that is the one with all of its training.
    """
    if len(arms) <= _MOST_ARMS:
        return list(arms)
    trained_alike = RECIPE_BASELINE if RECIPE_BASELINE in arms else MASKED_BASELINE
    main = {"baseline", trained_alike, "winner", ENSEMBLE, CONTROL}
    return [arm for arm in arms if arm in main]


def percent_axis(axes: "Axes", form: str, *, which: str = "y") -> None:
    """Labels axes of shares ("x", "y" or "xy") as percentages; leaves other axes unchanged."""
    if form in ("percent", "share"):
        for name in which:
            axis = axes.xaxis if name == "x" else axes.yaxis
            axis.set_major_formatter(lambda value, _: numbers.tick_percent(value))


def whole_axis(axes: "Axes", *, bins: int = 6) -> None:
    """Puts ticks at whole numbers only on the horizontal axis."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(bins, integer=True))
    axes.xaxis.set_major_formatter(lambda value, _: numbers.plain(value))


def label(
    axes: "Axes",
    text: str,
    place: tuple[float, float],
    *,
    offset: tuple[float, float] = (0, 3),
    **style: Any,
) -> None:
    """Writes a text beside a point, offset in points; no line strikes through it."""
    box = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.8}
    style = {"ha": "center", "bbox": box, "textcoords": "offset points"} | style
    axes.annotate(text, place, xytext=offset, **style)


def panels(
    figure: "Figure", count: int, *, columns: int, **shared: Any
) -> "tuple[list[Axes], list[Axes]]":
    """Returns so many panels in rows of `columns`, and those of them that are leftmost."""
    grid = figure.subplots(math.ceil(count / columns), columns, squeeze=False, **shared)
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    return list(grid.flat[:count]), list(grid[:, 0])


def cost_axis(axes: "Axes", values: Sequence[float], form: str, *, span: float) -> None:
    """Labels a horizontal axis of costs; on a log scale where they span more than this factor."""
    low, high = min(values), max(values)
    if low <= 0 or high <= span * low:
        axes.xaxis.set_major_locator(few_ticks(4))
        axes.xaxis.set_major_formatter(lambda value, _: numbers.show(float(value), form))
        return
    axes.set_xscale("log")
    axes.set_xlim(low / (high / low) ** 0.12, high * (high / low) ** 0.12)
    bases = (
        (1e-3, 1e-2, 0.1, 0.3, 1, 3, 10, 30, 60, 180, 600, 1800, 3600, 10800, 36000, 86400)
        if form == "duration"
        else [part * 10.0**power for power in range(-3, 10) for part in (1, 3)]
    )
    start, end = axes.get_xlim()
    inside = [value for value in bases if start <= value <= end]
    ticks = inside[:: -(-len(inside) // 4)] if inside else [low]
    axes.set_xticks(ticks, [numbers.show(float(value), form) for value in ticks])
    axes.xaxis.set_minor_locator(few_ticks(None))


def few_ticks(count: int | None) -> Any:
    """Returns a locator of at most so many ticks; no ticks for None."""
    from matplotlib.ticker import MaxNLocator, NullLocator

    return NullLocator() if count is None else MaxNLocator(count)


def legend(figure: "Figure", axes: "Axes", *, ncols: int) -> None:
    """Puts one panel's legend above the figure."""
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=ncols)


def pareto(costs: Sequence[float], scores: Sequence[float], direction: str) -> list[int]:
    """Returns the positions that no other beats on both cost and score, cheapest first."""
    sign = -1 if direction == "max" else 1
    found: list[int] = []
    for index in sorted(range(len(costs)), key=lambda i: (costs[i], sign * scores[i])):
        if not found or sign * scores[index] < sign * scores[found[-1]]:
            found.append(index)
    return found
