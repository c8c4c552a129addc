"""CSV and TSV, read a row at a time: what quotes mean, and columns without a name.

Not every file uses quotes to delimit fields. If every line is a row, and some quotes never close on
their line, quotes are part of the texts; unless the file, read with quotes, has multi-line texts
that do not look like its rows. In a file that does use them, a quoted text of several lines is
refused, with the lines, if each of them looks like a row. A quote inside a quoted text is doubled
or, as Spark and MySQL write it, escaped by a backslash.
"""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice

from lstm_study.corpus.files.advice import option
from lstm_study.corpus.files.column_names import close_names, without_names
from lstm_study.corpus.files.decompression import LINE_LIMIT, lines_of, open_text
from lstm_study.corpus.files.dialect import Dialect, find_dialect
from lstm_study.corpus.files.encodings import Encoding
from lstm_study.corpus.files.input_files import InputFile
from lstm_study.corpus.files.quotes import (
    MalformedError,
    are_escaped,
    doubled,
    records,
    uses_quotes,
)
from lstm_study.corpus.files.row_shapes import RowShapes, fitted, is_blank
from lstm_study.corpus.files.rows import OpenFile
from lstm_study.errors import DataError

_MOST_CUT = 0.05
_CARRIAGE_RETURN = (
    "holds a carriage return, which may be the end of a row. End all rows alike, with a line feed."
)


@contextmanager
def open_delimited(
    member: InputFile,
    columns: Sequence[str] | None,
    encoding: Encoding,
    *,
    names: Sequence[str] = (),
    is_shard: bool = False,
) -> Iterator[OpenFile]:
    """Opens a CSV or TSV file to be read a row at a time.

    The columns that are asked for, None for all, help to find the delimiter. A shard, one of
    several files whose first one named the columns, may spell them differently: "Text" for "text".
    With `names`, those of all columns, the first line is a row already.

    Raises:
        DataError: It lacks a column or its rows are malformed, also while the block reads.
    """
    end = _line_end(member, encoding)

    def lines() -> Iterator[str]:
        with open_text(member, encoding, newline=end) as again:
            yield from lines_of(again, member)

    with _limit_of_fields(), open_text(member, encoding, newline=end) as file:
        dialect = find_dialect(member, lines, columns, names)
        escaped = are_escaped(lines(), dialect.delimiter)
        unescaped = partial(map, doubled) if escaped else iter
        is_quoted = uses_quotes(
            lambda: islice(unescaped(lines()), dialect.skipped, None),
            dialect.delimiter,
            dialect.names,
        )
        rows = _Reading(member, dialect, is_quoted=is_quoted, is_shard=is_shard)
        if escaped:
            rows.notes["quotes behind a backslash are read as part of the texts"] = 0
        body = islice(lines_of(file, member), dialect.skipped, None)
        yield OpenFile(
            names=tuple(name for name in dialect.names if name),
            each=rows.each(unescaped(body), columns),
            position=file.position,
            delimiter=dialect.delimiter,
            line_end=dialect.line_end,
            value_in_header=dialect.value_in_header,
            proposed_names=dialect.proposed_names,
            notes=rows.notes,
        )


@contextmanager
def _limit_of_fields() -> Iterator[None]:
    before = csv.field_size_limit(LINE_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _line_end(member: InputFile, encoding: Encoding) -> str:
    """Returns what ends a line: a line feed; in files of an old Macintosh a carriage return."""
    with open_text(member, encoding, newline="") as file:
        is_old = file.readline(LINE_LIMIT).endswith("\r")
        # "\r\r\n" is what Windows makes of "\r\n" when it is written as text.
        return "\r" if is_old and file.readline(2) not in ("\n", "\r\n") else "\n"


class _Reading:
    """The rows of one file, with notes on how they were read."""

    def __init__(
        self,
        member: InputFile,
        dialect: Dialect,
        *,
        is_quoted: bool,
        is_shard: bool,
    ) -> None:
        self._member, self._dialect, self._names = member, dialect, dialect.names
        self._is_quoted, self._is_shard = is_quoted, is_shard
        self.notes: dict[str, int] = {"rows that span lines": 0}
        if not is_quoted:
            self.notes[
                "quotes are read as part of the texts: the file does not use them to delimit fields"
            ] = 0

    def each(
        self, lines: Iterator[str], columns: Sequence[str] | None
    ) -> Iterator[tuple[int, list[str]]]:
        """Yields the line on which each row begins, and its values."""
        if columns is None:
            positions = [place for place, name in enumerate(self._names) if name]
        else:
            positions = [
                _position(name, self._dialect, self._member, is_shard=self._is_shard)
                for name in columns
            ]
        width, nameless = len(self._names), _Nameless(self._names)
        # Of names that were given, one is empty to leave its column out.
        has_nameless = bool(nameless.places) and not self._dialect.are_given
        for number, (line, record, row) in enumerate(self._records(lines), start=1):
            if len(row) != width:
                row = self._fitted(row, record, f"{self._member}:{line} (row {number})")  # noqa: PLW2901
            if has_nameless:
                nameless.add(row, line)
            yield line, [row[position] for position in positions]
        nameless.check(self._member)
        self.notes.update(nameless.notes("" if self._is_shard else f": see {self._member}"))

    def _fitted(self, row: list[str], record: Sequence[str], where: str) -> list[str]:
        found = fitted(row, self._names)
        if found is None:
            width, text = len(self._names), "".join(record)
            if self._dialect.are_given:
                rule = f"one for each name in {option('columns')}"
                advice = "Name each column, and put texts that hold the delimiter in quotes."
            else:
                rule = "as the header has"
                advice = _advice(row, text, width, self._dialect.delimiter)
            raise DataError(
                f"{where}: must have {width} field{'s' * (width > 1)}, {rule}. "
                f"Received: {len(row)}, in {text.strip()[:30]!r}. {advice}"
            )
        return found

    def _records(self, lines: Iterator[str]) -> Iterator[tuple[int, list[str], list[str]]]:
        line, delimiter = self._dialect.skipped + 1, self._dialect.delimiter
        shapes = RowShapes(delimiter, self._names)
        try:
            for record, row in records(lines, delimiter, is_quoted=self._is_quoted):
                # Of one column, a line of spaces is a row without a text.
                if row != [""] and not (len(self._names) > 1 and is_blank(row)):
                    self.notes["rows that span lines"] += len(record) > 1
                    shapes.add(record, line, row)
                    yield line, record, row
                line += len(record)
        except MalformedError as error:
            where = f"{self._member}:{line + error.opened}"
            if _has_carriage_return(error.record[-1]):
                raise DataError(f"{where}: {_CARRIAGE_RETURN}") from error
            raise DataError(
                f"{where}: a quote opens here that is not closed before the next {delimiter!r} or "
                f"the line's end ({error.__cause__}). Close it, or double the quotes inside a "
                "quoted text."
            ) from error
        for first, count in shapes.swallowed():
            raise DataError(
                f"{self._member}:{first}: a quote that opens here closes on line "
                f"{first + count - 1}, and each of these {count} lines looks like a row of its "
                "own. Double the quotes inside quoted texts, or remove them; if it is one text, "
                "save the table as JSON lines."
            )


def _advice(row: Sequence[str], text: str, width: int, delimiter: str) -> str:
    """Says what to do about a row with too few or too many fields."""
    quote = "Put texts that hold the delimiter in quotes"
    is_single = text.startswith("'") or f"{delimiter}'" in text
    causes = (
        (_has_carriage_return(text), f"It {_CARRIAGE_RETURN}"),
        (len(row) < width, "If it is not a row, remove it; put texts of several lines in quotes."),
        (f'{delimiter} "' in text, "Remove the space in front of the quote."),
        (width == 1, f"{quote}, or name each column in the first line."),
        (f"\\{delimiter}" in text, f"{quote}; a backslash does not replace them."),
        (is_single, f'{quote}: double ones (").'),
    )
    return next((sentence for applies, sentence in causes if applies), f"{quote}.")


def _has_carriage_return(text: str) -> bool:
    return "\r" in text.rstrip("\r\n")


class _Nameless:
    """Values in columns without a name: row numbers, or text that a stray delimiter cut off."""

    def __init__(self, names: Sequence[str]) -> None:
        self.places = [place for place, name in enumerate(names) if not name]
        self._has_index = names[0] == ""
        self._index = self._rows = self._others = self._first = 0

    def add(self, row: Sequence[str], line: int) -> None:
        """Notes the row that begins on a line."""
        self._rows += 1
        self._index += self._has_index and bool(row[0].strip())
        if any(row[place].strip() for place in self.places if place):
            self._others += 1
            self._first = self._first or line

    def check(self, member: InputFile) -> None:
        """Refuses a file in which many texts, but not all, continue in such a column."""
        if _MOST_CUT * self._rows < self._others < self._rows:
            raise DataError(
                f"{member}:{self._first}: must have a name for each column with values. Received: "
                f"{self._others:,} of {self._rows:,} rows with a value in a column without one, "
                "this row first. Name the columns, or put texts that hold the delimiter in quotes."
            )

    def notes(self, where: str) -> dict[str, int]:
        """Returns the notes on them, with counts; a count is 0 for columns that are empty."""
        return {
            "columns without a name, left out": int(bool(self._index)),
            "rows with a value in a column without a name, which is left out"
            + (where and f"{where}:{self._first}, and name the column or join it to the text"): (
                self._others
            ),
        }


def _position(name: str, dialect: Dialect, member: InputFile, *, is_shard: bool) -> int:
    names = dialect.names
    if f"{name} (2)" in names:
        count = sum(other == name or other.startswith(f"{name} (") for other in names)
        raise DataError(
            f"{member}: must have one column {name!r}. Received: {count} of them. Rename one."
        )
    if name in names:
        return names.index(name)
    alike = [place for place, other in enumerate(names) if other.casefold() == name.casefold()]
    if is_shard and len(alike) == 1:
        return alike[0]
    if dialect.value_in_header:
        lacking = without_names(member, dialect.value_in_header, dialect.proposed_names)
        raise DataError(f"{lacking}; or, if it has the names, name the column {name!r} there.")
    raise DataError(close_names(name, [each for each in names if each], where=str(member)))
