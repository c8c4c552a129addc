"""A figure of the report, and how it is rendered as SVG and PNG."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from lstm_study.report.figures.style import CSS_FONTS, CSS_VARIABLES, WIDTH, report_style
from lstm_study.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Marks = Mapping[str, Sequence[str]]
"""The trials of the points, lines or bars of each collection, by its gid."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One figure of the report, drawn in its style when it is asked for.

    Attributes:
        name: File name without suffix, and the anchor in the page.
        title: What it shows, as a heading.
        alt: What a reader would see in it, in a sentence or two.
        tables: The tables it is drawn from, and nothing else.
        draw: Draws on an empty figure. May return, for collections of points, lines or bars by gid,
            the trial of each, for highlighting in the page.
        height: In inches.
        width: In inches.
        leaves_out: Whether some arms of its tables are not drawn, which its caption then says.
    """

    name: str
    title: str
    alt: str
    tables: tuple[Table, ...]
    draw: Callable[["Figure"], "Marks | None"] = field(repr=False)
    height: float
    width: float = WIDTH
    leaves_out: bool = False

    def figure(self) -> "Figure":
        """Draws it as a Matplotlib figure; matplotlib's own settings are restored."""
        with report_style():
            figure, _ = self._laid_out()
        # A notebook that has no backend of its own for figures shows this.
        setattr(figure, "_repr_png_", lambda: self.png)  # noqa: B010 - no attribute of Figure
        return figure

    @property
    def svg(self) -> str:
        """A whole SVG document."""
        return self._drawn[0]

    @cached_property
    def png(self) -> bytes:
        """The same as PNG."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        _, figure = self._drawn
        raster = io.BytesIO()
        with report_style():
            FigureCanvasAgg(figure)
            figure.savefig(
                raster, format="png", metadata={"Software": None}, pil_kwargs={"compress_level": 2}
            )
        return raster.getvalue()

    @property
    def files(self) -> dict[str, bytes]:
        """Both, by their paths within a report's folder."""
        path = f"figures/{self.name}"
        return {f"{path}.svg": self.svg.encode(), f"{path}.png": self.png}

    @cached_property
    def _drawn(self) -> "tuple[str, Figure]":
        with report_style():
            figure, marks = self._laid_out()
            vector = io.BytesIO()
            figure.savefig(
                vector, format="svg",
                metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
            )  # fmt: skip
        return _tidied(vector.getvalue().decode("utf-8"), marks), figure

    def _laid_out(self) -> "tuple[Figure, Marks]":
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        figure = Figure(figsize=(self.width, self.height), layout="constrained")
        FigureCanvasSVG(figure)
        marks = self.draw(figure) or {}
        engine = figure.get_layout_engine()
        assert engine is not None
        engine.execute(figure)  # once, for all formats, and without drawing
        # With "none" it would keep a placeholder, for which every savefig draws twice.
        figure.set_layout_engine(None)
        return figure, marks

    @property
    def inline(self) -> str:
        """The SVG for use inside HTML: colours are the page's, ids are this figure's own."""
        text = self.svg[self.svg.index("<svg") :]
        text = re.sub(r"<style.*?</style>", "", text, count=1, flags=re.DOTALL)
        text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
        text = re.sub(r'\bid="trial-([^"]*)"', r'data-trial="\1"', text)
        text = re.sub(r'\b(id="|xlink:href="#|url\(#)', rf"\g<1>{self.name}-", text)
        text = re.sub(r' xmlns(?::xlink)?="[^"]*"', "", text)
        text = text.replace("xlink:href", "href")
        for colour, variable in CSS_VARIABLES.items():
            text = text.replace(colour, f"var({variable})")
        label = f'role="img" aria-label="{escape(self.alt)}" focusable="false"'
        if self.width < WIDTH:
            label += ' class="narrow"'
        return text.replace("<svg", f"<svg {label}", 1).strip()


def _tidied(svg: str, marks: Marks) -> str:
    """Removes comments, rounds coordinates, numbers ids, and adds the trial to each point."""
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;\"]*", f"font-family: {CSS_FONTS}", svg)
    svg = re.sub(r' d="[^"]*"', _rounded, svg)
    svg = re.sub(r' (?:x|y)="-?\d+\.\d{3,}"', _rounded, svg)
    svg = _numbered(re.sub(r"\n\s*", "\n", svg))
    for gid, trials in marks.items():
        start = svg.find(f'<g id="{gid}">')
        if start < 0:
            continue
        end = svg.index("</g>", start)
        svg = svg[:start] + _marked(svg[start:end], trials) + svg[end:]
    return svg


def _numbered(svg: str) -> str:
    """Numbers markers and clipping areas in the order in which they appear.

    Matplotlib names them by a digest of their coordinates, all digits of which depend on the
    processor: logarithms place ticks, and ticks take room from the axes.
    """
    numbers: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        kind = match["kind"]
        return match["before"] + numbers.setdefault(match["id"], f"{kind}_{len(numbers) + 1}")

    pattern = r'(?P<before> id="|url\(#|href="#)(?P<id>(?P<kind>[a-z]+)[0-9a-f]{10})(?=["\)])'
    return re.sub(pattern, number, svg)


def _marked(group: str, trials: Sequence[str]) -> str:
    """Adds data-trial to each point or path, and moves shared attributes to their group."""
    tag = "use" if "<use" in group else "path"
    remaining = iter(trials)
    elements = re.findall(rf"<{tag} [^>]*>", group)
    shared = ""
    for name in ("style", "clip-path"):
        found = {match[0] for item in elements for match in re.finditer(rf' {name}="[^"]*"', item)}
        if len(found) == 1:
            shared += found.pop()

    def mark(match: re.Match[str]) -> str:
        element = match[0]
        for attribute in re.findall(r' [a-z-]+="[^"]*"', shared):
            element = element.replace(attribute, "")
        return element.replace(f"<{tag}", f'<{tag} data-trial="{escape(next(remaining))}"', 1)

    group = re.sub(rf"<{tag} [^>]*>", mark, group)
    if tag == "path":
        return group.replace("<g ", f"<g{shared} ", 1)
    return group.replace("<g clip-path", f"<g{shared} clip-path", 1)


def _rounded(match: re.Match[str]) -> str:
    text = re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", match[0])
    return re.sub(r"\s*\n\s*", "", re.sub(r" \n", "", text)) if " d=" in text else text
