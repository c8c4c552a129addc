"""What the rows of a CSV file have in common, to tell a row from a line of a text."""

import csv
from collections.abc import Sequence

MOST_VALUES = 12
"""How many different values a column of labels may have."""
_VALUE_LENGTH, _MOST_ROWS = 40, 10_000
_MOST_SUSPECTS = 1_000


class Mark:
    """What the values of one column have in common: few values, or a digit at their beginning."""

    def __init__(self) -> None:
        self._values: set[str] | None = set()
        self._count, self._has_digits, self._has_spaces = 0, True, False

    def add(self, value: str) -> None:
        """Notes a value; an empty one says nothing."""
        if not value:
            return
        self._count += 1
        self._has_spaces = self._has_spaces or value[0] == " "
        self._has_digits = self._has_digits and _begins_with_digit(value)
        if self._values is not None:
            self._values.add(value)
            if len(self._values) > MOST_VALUES or len(value) > _VALUE_LENGTH:
                self._values = None

    @property
    def _has_few(self) -> bool:
        return self._values is not None and self._count >= 2 * len(self._values)

    @property
    def is_known(self) -> bool:
        """Whether the values have anything in common."""
        return self._count > 0 and (self._has_few or self._has_digits)

    def fits(self, value: str) -> bool:
        """Returns whether a value may be one of the column.

        Prose has a space behind a comma, rows seldom have: where no value begins with one, this one
        must not.
        """
        if not value:
            return True
        if value[0] == " " and not self._has_spaces:
            return False
        if self._has_few:
            return value in (self._values or ())
        return not self.is_known or _begins_with_digit(value)


class RowShapes:
    """Finds rows that a quote swallowed: texts of several lines that each look like a row.

    A line looks like a row if it has as many fields, and each column's `Mark` fits. With tabs the
    number of fields is enough: texts hold none.
    """

    def __init__(self, delimiter: str, names: Sequence[str]) -> None:
        self._delimiter, self._names = delimiter, names
        self._marks = [Mark() for _ in names]
        self._rows, self._has_plain = 0, False
        self._suspects: list[tuple[int, int, list[list[str]]]] = []
        self._found: list[tuple[int, int]] = []

    def add(self, record: Sequence[str], line: int, row: list[str]) -> None:
        """Notes a row: what its fields are, or if it spans lines that these may be rows."""
        if len(record) == 1:
            self._has_plain = self._has_plain or '"' not in record[0]
        elif rows := self._rows_in(record):
            self._suspects.append((line, len(record), rows))
            if len(self._suspects) == _MOST_SUSPECTS:
                self._judge()
            return
        if self._rows < _MOST_ROWS and (values := fitted(row, self._names)) is not None:
            self._rows += 1
            for mark, value in zip(self._marks, values, strict=True):
                mark.add(value)

    def _rows_in(self, record: Sequence[str]) -> list[list[str]]:
        """Returns the lines of a record as rows, none if not all have as many fields."""
        first, *rest = record
        rows = [self._opening(first), *(fitted(self._fields(each), self._names) for each in rest)]
        found = [row for row in rows if row is not None]
        return found if len(found) == len(rows) and len(self._names) > 1 else []

    def swallowed(self) -> list[tuple[int, int]]:
        """Returns the first line, and how many they are, of each record that looks like rows."""
        self._judge()
        return self._found

    def _judge(self) -> None:
        for line, count, rows in self._suspects:
            # Where all rows have quotes, a line without them is none.
            if self._has_plain and all(map(self._is_row, rows)):
                self._found.append((line, count))
        self._suspects.clear()

    def _is_row(self, row: Sequence[str]) -> bool:
        if self._delimiter == "\t":
            return True
        return any(mark.is_known for mark in self._marks) and all(
            mark.fits(value) for mark, value in zip(self._marks, row, strict=True)
        )

    def _fields(self, line: str) -> list[str]:
        return next(
            csv.reader([line.rstrip("\r\n").replace("\r", " ")], delimiter=self._delimiter), []
        )

    def _opening(self, line: str) -> list[str] | None:
        """Returns the fields of a line in which a quote opens that another line closes.

        Behind the quote may stand any number of delimiters: the last fields are counted from the
        line's end.
        """
        *before, opened = self._fields(line) or [""]
        parts = opened.split(self._delimiter)
        behind = len(self._names) - 1 - len(before)
        if behind < 0 or len(parts) <= behind:
            return fitted([*before, *parts], self._names)
        split = len(parts) - behind
        return [*before, self._delimiter.join(parts[:split]), *parts[split:]]


def fitted(row: list[str], names: Sequence[str]) -> list[str] | None:
    """Returns a row with as many fields as there are names, None if it has others.

    Empty fields at its end are added or left out, where no name says what they would be.
    """
    width = len(names)
    if len(row) > width and not any(row[width:]):
        return row[:width]
    if len(row) < width and not any(names[len(row) :]):
        return row + [""] * (width - len(row))
    return row if len(row) == width else None


def is_blank(row: Sequence[str]) -> bool:
    """Returns whether a row is an empty line, one of spaces, or the end sign of old DOS files."""
    return not row or (len(row) == 1 and not row[0].strip(" \t\r\n\x1a"))


def _begins_with_digit(value: str) -> bool:
    return value.lstrip("-+.")[:1].isdigit()
