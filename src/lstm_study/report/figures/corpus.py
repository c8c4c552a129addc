"""Figures of the reviews, each drawn from tables alone."""

from typing import TYPE_CHECKING

from lstm_study.report import numbers
from lstm_study.report.figures.picture import Picture
from lstm_study.report.figures.style import BASELINE, INK, MUTED, WINNER, label, percent_axis
from lstm_study.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def lengths(bins: Table, choices: Table) -> Picture | None:
    """Draws the lengths of the training reviews, with the study's values of maxlen."""
    rows = bins.frame()
    total = rows["reviews"].sum()
    if not total:
        return None

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        widths = rows["to_tokens"] - rows["from_tokens"]
        limit = rows["to_tokens"][(rows["reviews"].cumsum() >= 0.985 * total).idxmax()]
        axes.bar(
            rows["from_tokens"], rows["reviews"] / total / widths * 50, width=widths,
            align="edge", color=BASELINE, alpha=0.55, linewidth=0.5, edgecolor="#fffffe",
        )  # fmt: skip
        top = axes.get_ylim()[1]
        marks = [row for row in choices.records() if float(row["maxlen"] or 0) <= limit * 1.05]
        for place, row in enumerate(marks):
            value = float(row["maxlen"] or 0)
            searched = row["used_by"] != "baseline"
            height = top * (1.03 + 0.085 * (place % 3))
            colour = WINNER if searched else INK
            axes.vlines(value, 0, height, color=colour, lw=1.1, ls="-" if searched else "--")
            name = numbers.plain(value)
            if row["used_by"] != "search":
                name += " (baseline)"
            # A long name would lie across the next line.
            is_long, room = name != numbers.plain(value), 0.15 * limit
            following = [float(each["maxlen"] or 0) - value for each in marks[place + 1 :]]
            beside = is_long and value > room and any(gap < room for gap in following)
            label(axes, name, (value, height), offset=(2 if beside else 0, 1), va="bottom",
                  ha="right" if beside else "center", fontsize=7.5, color=colour)  # fmt: skip
        axes.set_xlim(0, limit * 1.05)
        axes.set_ylim(0, top * 1.24)
        axes.grid(visible=False, axis="x")
        axes.set_xlabel("Tokens of a training review (lines: values of maxlen)")
        axes.set_ylabel("Share of reviews per 50 tokens")
        percent_axis(axes, "share")

    return Picture(
        draw=draw,
        name="lengths",
        title="Length of the reviews",
        alt="Histogram of the tokens of the training reviews, with a line at each value of maxlen: "
        + ", ".join(numbers.plain(float(value or 0)) for value in choices.column("maxlen"))
        + ".",
        tables=(bins, choices),
        height=2.6,
    )


def coverage(curve: Table) -> Picture | None:
    """Draws the share of validation tokens covered by a vocabulary of each size."""
    if len(curve.rows) < 2:
        return None
    sizes, shares = (curve.frame()[name].tolist() for name in ("vocabulary_size", "coverage"))

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        axes.plot(sizes, shares, color=BASELINE, marker="o", ms=4.5, lw=1.8)
        if min(sizes) > 0 and max(sizes) >= 8 * min(sizes):
            axes.set_xscale("log")
        for size, share in zip(sizes, shares, strict=True):
            label(axes, numbers.share(share), (size, share), offset=(0, 6), fontsize=7.5,
                  color=MUTED, bbox=None)  # fmt: skip
        axes.xaxis.set_major_formatter(lambda value, _: numbers.short_count(value))
        axes.xaxis.set_minor_formatter(lambda *_: "")
        axes.margins(x=0.07, y=0.16)
        axes.set_xlabel("Vocabulary size")
        axes.set_ylabel("Validation tokens covered")
        percent_axis(axes, "share")

    return Picture(
        draw=draw,
        name="coverage",
        title="Vocabulary coverage",
        alt="Share of validation tokens covered against vocabulary size, from "
        f"{numbers.share(shares[0])} at {numbers.plain(sizes[0])} to {numbers.share(shares[-1])} "
        f"at {numbers.plain(sizes[-1])}.",
        tables=(curve,),
        height=2.5,
    )
