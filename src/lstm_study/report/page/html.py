"""The report as one self-contained HTML file, which loads nothing.

Every number in it is a cell of a table and names it: `data-source="tables/trials.csv#3,score"` on
an element, or `data-source` on a table, `data-row` on its rows and `data-column` on its headers.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from lstm_study.analysis.answer.verdict import Verdict
from lstm_study.report import numbers
from lstm_study.report.content import Content
from lstm_study.report.figures.style import Picture
from lstm_study.report.tables.table import Column, Table

SECTIONS = (
    ("answer", "The answer"),
    ("winner", "Winner and baseline"),
    ("comparison", "Comparison on test"),
    ("search", "The search"),
    ("optimism", "Optimism of the search"),
    ("failures", "Failed and interrupted"),
    ("data", "The reviews"),
    ("method", "How it was done"),
    ("glossary", "Glossary"),
)
HEADLINES = {
    "better": "The winner is better than the baseline.",
    "worse": "The winner is worse than the baseline.",
    "no difference shown": "No difference between winner and baseline was shown.",
    "cannot say": "Too few seeds to say whether the winner is better.",
}


REFRESH_SECONDS = 15


def render(content: Content, *, version: str = "") -> str:
    """Renders the report; equal content gives equal text.

    Args:
        content: The report.
        version: Of a report that is served while the study runs, and asks its server for a newer
            one. "" for a report that makes no requests.
    """
    tables = content.tables
    arms = [str(arm) for arm in tables["comparison"].column("arm")]
    gain = tables["differing_reviews"].numbers("gain")
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            content=content,
            records=content.records,
            spec=content.spec,
            tables=tables,
            sections=SECTIONS,
            headline=headline(content.verdict),
            n=cell_writer(tables),
            grid=grid_writer(tables),
            figure=figure_writer(content.pictures),
            **frame(version=version),
            arms=arms,
            beside=[arm for arm in ("baseline", "winner", "baseline-masked") if arm in arms],
            gains=[row for row, value in enumerate(gain) if value > 0],
            losses=[row for row, value in enumerate(gain) if value < 0],
            commands=_commands(content),
            date=numbers.date,
        )
    )


def headline(verdict: Verdict) -> str:
    """Says the answer in a line or two: what was not learned, the difference, the failures."""
    lines = [f"The {name} {why}." for name, why in verdict.learned_nothing.items()]
    lines.append(HEADLINES[verdict.kind])
    if verdict.kind == "cannot say" and len(verdict.arms) < 2:
        lines[-1] = "It cannot be said yet whether the winner is better."
    failures = verdict.failures
    if failures is not None and failures.kind != "no difference shown":
        lines.append(f"Its training fails {failures.kind}.")
    return " ".join(lines)


def frame(*, version: str = "") -> dict[str, Any]:
    """Returns what every page needs: style, scripts, and the content security policy.

    Args:
        version: As in `render`.
    """
    script, watch_script = _asset("report.js"), _asset("watch.js")
    allowed = [script, watch_script] if version else [script]
    return {
        "style": Markup(_asset("report.css")),  # noqa: S704 - the package's own file
        "script": Markup(script),  # noqa: S704 - the package's own file
        "watch_script": Markup(watch_script),  # noqa: S704 - the package's own file
        "script_digests": Markup(" ".join(_digest(text) for text in allowed)),  # noqa: S704 - base64
        "live": REFRESH_SECONDS if version else None,
        "version": version,
    }


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def cell(table: Table, row: int, column: str, form: str | None = None) -> Markup:
    """Writes one cell of a table as an element that names its source.

    Args:
        table: The table.
        row: Position of the row, from 0.
        column: Name of the column.
        form: Number format, if not the column's.
    """
    value = table.value(row, column)
    form = form or table.columns[table.index(column)].form
    source = f"{table.path}#{row},{column}"
    tag = "span" if isinstance(value, str) or value is None else "data"
    raw = Markup("") if tag == "span" else Markup(' value="{}"').format(value)
    return Markup('<{tag}{raw} data-source="{source}" data-form="{form}">{text}</{tag}>').format(
        tag=Markup(tag),  # noqa: S704 - one of two literals
        raw=raw,
        source=source,
        form=form,
        text=numbers.show(value, form),
    )


def grid(
    table: Table,
    *,
    caption: str,
    columns: Sequence[str] = (),
    rows: Sequence[int] | None = None,
    heads: Mapping[str, str] | None = None,
    kind: str = "",
    trial: str | None = None,
) -> Markup:
    """Writes a table, or some of its columns and rows, each traced to its CSV.

    Args:
        table: The table.
        caption: Its caption.
        columns: Which columns; all if none are named.
        rows: Which rows, by position; all if not given.
        heads: Labels for some columns.
        kind: CSS classes.
        trial: The column that names a row's trial, for highlighting.
    """
    chosen = [table.columns[table.index(name)] for name in columns] or list(table.columns)
    places = [table.index(column.name) for column in chosen]
    opening = (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f'<table class="{escape(kind)}" data-source="{escape(table.path)}">'
        f"<caption>{escape(caption)}</caption><thead><tr>"
    )
    out = [opening]
    out += [_head(column, heads or {}, first=not place) for place, column in enumerate(chosen)]
    out.append("</tr></thead><tbody>")
    trial_place = table.index(trial) if trial else None
    for number in rows if rows is not None else range(len(table.rows)):
        row = table.rows[number]
        mark = f' data-trial="{escape(str(row[trial_place]))}"' if trial_place is not None else ""
        out.append(f'<tr data-row="{number}"{mark}>')
        for position, (place, column) in enumerate(zip(places, chosen, strict=True)):
            out.append(_data_cell(row[place], column, first=position == 0))
        out.append("</tr>")
    out.append("</tbody></table></div>")
    return Markup("".join(out))  # noqa: S704 - every part above is escaped


def _head(column: Column, heads: Mapping[str, str], *, first: bool) -> str:
    words = heads.get(column.name, column.name.replace("_", " "))
    numeric = ' class="number"' if column.form not in ("text", "date") and not first else ""
    return (
        f'<th scope="col" data-column="{escape(column.name)}" data-form="{column.form}"{numeric} '
        f'title="{escape(column.meaning)}">{escape(words)}</th>'
    )


def _data_cell(value: Any, column: Column, *, first: bool) -> str:
    text = escape(numbers.show(value, column.form))
    if first:
        return f'<th scope="row">{text}</th>'
    if isinstance(value, int | float) and not isinstance(value, bool):
        raw = "" if text == str(value) else f' data-v="{value}"'
        return f'<td class="number"{raw}>{text}</td>'
    if value is None and column.form not in ("text", "date"):
        return f'<td class="number">{text}</td>'
    return f"<td>{text}</td>"


def cell_writer(tables: Mapping[str, Table]) -> Callable[..., Markup]:
    """Returns the function by which templates write one cell by its name."""

    def write(name: str, row: int, column: str, form: str | None = None) -> Markup:
        return cell(tables[name], row, column, form)

    return write


def grid_writer(tables: Mapping[str, Table]) -> Callable[..., Markup]:
    """Returns the function by which templates write a table by its name."""

    def write(name: str, caption: str, **options: Any) -> Markup:
        return grid(tables[name], caption=caption, **options)

    return write


def figure_writer(pictures: Mapping[str, Picture]) -> Callable[..., Markup]:
    """Returns the function by which templates show a figure; an absent one is empty."""
    template = environment().get_template("figure.html.j2")

    def write(name: str, caption: str) -> Markup:
        picture = pictures.get(name)
        if picture is None:
            return Markup("")
        return Markup(  # noqa: S704 - rendered by the autoescaping environment
            template.render(picture=picture, svg=Markup(picture.inline), caption=caption)  # noqa: S704 - matplotlib escapes its text
        )

    return write


def _commands(content: Content) -> list[int]:
    """Returns the first session of each distinct command and settings."""
    seen: dict[tuple[object, object], int] = {}
    table = content.tables["sessions"]
    for number in range(len(table.rows)):
        seen.setdefault((table.value(number, "command"), table.value(number, "settings")), number)
    return list(seen.values())


@cache
def _asset(name: str) -> str:
    return (resources.files("lstm_study.report.page") / "templates" / name).read_text(
        encoding="utf-8"
    )


@cache
def environment() -> Environment:
    """Returns the environment of the report's templates, with autoescaping."""
    return Environment(
        loader=PackageLoader("lstm_study.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
