"""Tables of the report, and how they are written as CSV.

Every figure and every number of the report comes from one of these, and each is written beside it.
"""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lstm_study.printable import printable
from lstm_study.report import numbers

_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | float | None


# The unit of a column that names none, by its number format.
_UNITS = {
    "percent": "share",
    "share": "share",
    "points": "share; the report shows percentage points",
    "bare_points": "share; the report shows percentage points",
    "duration": "seconds",
    "size": "bytes",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, what it means, its unit, and its number format.

    Attributes:
        name: As in the CSV's header.
        meaning: One line for the data dictionary.
        unit: "epochs", "reviews", ...; "" for text, bare numbers and where `form` has one.
        form: A key of `numbers.FORMATS`.
    """

    name: str
    meaning: str
    unit: str = ""
    form: str = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A tidy table.

    Attributes:
        name: File name without its suffix.
        title: What one row is.
        columns: In order.
        rows: Values in order of the columns.
        suffix: ".csv", or ".csv.gz" where the file is packed.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    suffix: str = ".csv"

    @property
    def path(self) -> str:
        """Where the report's folder holds it."""
        return f"tables/{self.name}{self.suffix}"

    def index(self, column: str) -> int:
        """Returns a column's position.

        Raises:
            KeyError: The table has no such column.
        """
        for position, candidate in enumerate(self.columns):
            if candidate.name == column:
                return position
        raise KeyError(f"{self.name} has no column {column}")

    def form(self, column: str) -> str:
        """Returns a column's number format."""
        return self.columns[self.index(column)].form

    def value(self, row: int, column: str) -> Cell:
        """Returns one cell."""
        return self.rows[row][self.index(column)]

    def column(self, name: str) -> list[Cell]:
        """Returns one column's values."""
        position = self.index(name)
        return [row[position] for row in self.rows]

    def where(self, **values: Cell) -> list[int]:
        """Returns the positions of the rows in which the named columns hold these values."""
        wanted = [(self.index(name), value) for name, value in values.items()]
        return [
            number
            for number, row in enumerate(self.rows)
            if all(row[position] == value for position, value in wanted)
        ]

    def records(self) -> list[dict[str, Cell]]:
        """Returns the rows as dictionaries."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def text(self, row: int, column: str) -> str:
        """Returns one cell in its column's number format."""
        return numbers.show(self.value(row, column), self.form(column))

    def frame(self) -> Any:
        """Returns the table as a pandas data frame, for drawing; empty cells are NaN."""
        import pandas as pd

        frame = pd.DataFrame(self.rows, columns=[column.name for column in self.columns])
        empty = frame.columns[frame.isna().all()] if self.rows else ()
        return frame.astype(dict.fromkeys(empty, float))


def table(name: str, title: str, columns: Sequence[Column], rows: Iterable[Any]) -> Table:
    """Builds a table from rows that hold every column: as a dictionary, or as attributes.

    NaN and infinity become empty cells, truth values "yes" and "no", NumPy's numbers Python's.
    """
    names = [column.name for column in columns]
    dictionaries = (row if isinstance(row, Mapping) else cells_of(row, columns) for row in rows)
    return Table(
        name=name,
        title=title,
        columns=tuple(columns),
        rows=tuple(tuple(_cell(row[name]) for name in names) for row in dictionaries),
    )


def cells_of(item: Any, columns: Sequence[Column], /, **others: Any) -> dict[str, Any]:
    """Returns the attributes of an item that columns are named after, and `others`.

    Of None every cell is empty.
    """
    if item is None:
        return dict.fromkeys(column.name for column in columns) | others
    names = [column.name for column in columns if hasattr(item, column.name)]
    return {name: getattr(item, name) for name in names} | others


def to_csv(value: Table) -> str:
    """Writes a table as CSV: comma, LF, a header; safe to open in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in value.columns])
    writer.writerows([safe_cell(cell) for cell in row] for row in value.rows)
    return out.getvalue()


def safe_cell(value: Cell) -> str:
    """Writes one cell; a text that a spreadsheet would run as a formula gets a leading quote.

    Control characters are written as what they are, such as `\\x1b`.

    Numbers stay numbers, negative ones included: -0.5 → "-0.5", "-0.5" → "'-0.5".

    Source: OWASP, "CSV Injection".
    """
    if value is None:
        return ""
    if isinstance(value, int | float):
        return repr(value)
    text = printable(value, keep="\n\r\t")
    return f"'{text}" if value.startswith(_FORMULA) else text


def dictionary(tables: Iterable[Table]) -> Table:
    """Builds the data dictionary: every column of every table, with meaning and unit."""
    return table(
        "README",
        "One row per column of every table",
        (
            Column("table", "File name"),
            Column("rows", "What one row of it is"),
            Column("column", "Column name"),
            Column("meaning", "What it holds"),
            Column("unit", "Its unit"),
        ),
        (
            {
                "table": f"{entry.name}{entry.suffix}",
                "rows": entry.title,
                "column": column.name,
                "meaning": column.meaning,
                "unit": column.unit or _UNITS.get(column.form, ""),
            }
            for entry in tables
            for column in entry.columns
        ),
    )


def _cell(value: Any) -> Cell:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, str | int):
        return value
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, float) and not math.isfinite(number):
        return None
    return number  # type: ignore[no-any-return]
