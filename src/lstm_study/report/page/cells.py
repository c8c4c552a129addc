"""Numbers and tables of the page, each with the cell of the CSV file that it shows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup, escape

from lstm_study.report import numbers
from lstm_study.report.tables.table import Column, Table

_SENTENCE_END = re.compile(r"(?<=[a-z0-9)%][.]) (?=[A-Z])")


def cell(
    table: Table,
    row: int,
    column: str,
    *,
    by_sentence: bool = False,
    beside: Sequence[int] | None = None,
) -> Markup:
    """Writes one cell of a table as an element that names its source.

    With `by_sentence` each sentence of its text is an element, to stand on a line of its own. A
    duration has the unit that fits those of the rows `beside`, if they are given.
    """
    value = table.value(row, column)
    shown = table.columns[table.index(column)]
    if beside is not None:
        shown = _in_one_unit(shown, table, beside)
    form = _form(value, shown)
    text = numbers.show(value, form)
    if by_sentence:
        said = _SENTENCE_END.split(text)
        text = Markup(" ").join(
            Markup('<span class="said">{}</span>').format(each) for each in said
        )
    source = f"{table.path}#{row},{column}"
    tag = "span" if isinstance(value, str) or value is None else "data"
    raw = Markup("") if tag == "span" else Markup(' value="{}"').format(value)
    return Markup('<{tag}{raw} data-source="{source}" data-form="{form}">{text}</{tag}>').format(
        tag=Markup(tag),  # noqa: S704 - one of two literals
        raw=raw,
        source=source,
        form=form,
        text=text,
    )


def html_table(
    table: Table,
    *,
    caption: str,
    columns: Sequence[str] = (),
    rows: Sequence[int] | None = None,
    heads: Mapping[str, str] | None = None,
    kind: str = "",
    trial: str | None = None,
    marked: Mapping[int, str] | None = None,
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
        marked: CSS classes of some rows, by position.
    """
    shown = list(rows) if rows is not None else list(range(len(table.rows)))
    chosen = [table.columns[table.index(name)] for name in columns] or list(table.columns)
    chosen = [_in_one_unit(column, table, shown) for column in chosen]
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
    for number in shown:
        row = table.rows[number]
        mark = f' data-trial="{escape(str(row[trial_place]))}"' if trial_place is not None else ""
        if marked and number in marked:
            mark += f' class="{escape(marked[number])}"'
        out.append(f'<tr data-row="{number}"{mark}>')
        for position, (place, column) in enumerate(zip(places, chosen, strict=True)):
            out.append(_data_cell(row[place], column, first=position == 0))
        out.append("</tr>")
    out.append("</tbody></table></div>")
    return Markup("".join(out))  # noqa: S704 - every part above is escaped


def _in_one_unit(column: Column, table: Table, rows: Sequence[int]) -> Column:
    """Returns a column of durations with the format that writes all of them in one unit."""
    if column.form != "duration":
        return column
    values = [table.value(row, column.name) for row in rows]
    known = [float(value) for value in values if isinstance(value, int | float)]
    return replace(column, form=numbers.duration_form(known))


def _form(value: Any, column: Column) -> str:
    is_number = isinstance(value, int | float)
    return numbers.form_of_short(value, column.form) if is_number else column.form


def _head(column: Column, heads: Mapping[str, str], *, first: bool) -> str:
    words = heads.get(column.name, column.name.replace("_", " "))
    numeric = ' class="number"' if column.form not in ("text", "date") and not first else ""
    return (
        f'<th scope="col" data-column="{escape(column.name)}" data-form="{column.form}"{numeric} '
        f'title="{escape(column.meaning)}">{escape(words)}</th>'
    )


def _data_cell(value: Any, column: Column, *, first: bool) -> str:
    form = _form(value, column)
    text = escape(numbers.show(value, form))
    if first:
        return f'<th scope="row">{text}</th>'
    if isinstance(value, int | float):
        raw = "" if text == str(value) else f' data-v="{value}"'
        raw += f' data-form="{form}"' if form != column.form else ""
        return f'<td class="number"{raw}>{text}</td>'
    if value is None and column.form not in ("text", "date"):
        return f'<td class="number">{text}</td>'
    return f"<td>{text}</td>"
