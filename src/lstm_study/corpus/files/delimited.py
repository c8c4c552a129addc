"""CSV and TSV: detects the delimiter, whether quotes are used, and columns without a name.

Quotes mean something only where the file quotes. A file in which every line is a row, and quotes
open that never close in their line, does not quote: they are part of its texts; unless read with
quotes it has texts of several lines that do not look like its rows. In a file that quotes, a row
that spans lines which look like rows themselves is refused, with the lines. A quote inside a quoted
text is doubled or, as Spark and MySQL write it, behind a backslash.
"""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

from lstm_study.corpus.files.encodings import Encoding
from lstm_study.corpus.files.members import Member
from lstm_study.corpus.files.opening import LINE_LIMIT, lines_of, open_text
from lstm_study.corpus.files.quotes import (
    MalformedError,
    are_escaped,
    doubled,
    records,
    uses_quotes,
)
from lstm_study.corpus.files.row_shapes import RowShapes, fitted
from lstm_study.corpus.files.rows import Rows, close_names
from lstm_study.errors import DataError

DELIMITERS = (",", ";", "\t", "|")
_HEADER_LINES = 20


@contextmanager
def open_delimited(
    member: Member, columns: Sequence[str] | None, encoding: Encoding, *, is_shard: bool = False
) -> Iterator[Rows]:
    """Opens a CSV or TSV file to be read a row at a time.

    The columns that are asked for, None for all, help to find the delimiter. A shard, one of
    several files whose first one named the columns, may spell them differently: "Text" for "text".

    Raises:
        DataError: It lacks a column or its rows are malformed, also while the block reads.
    """
    end = _line_end(member, encoding)
    with _limit_of_fields(), open_text(member, encoding, newline=end) as file:
        dialect = _Dialect(member, lines_of(file, member), columns)
        names = _names(dialect.header)
        with open_text(member, encoding, newline=end) as again:
            escaped = are_escaped(lines_of(again, member), dialect.delimiter)
        if escaped:
            dialect.lines = map(doubled, dialect.lines)

        def lines() -> Iterator[str]:
            with open_text(member, encoding, newline=end) as again:
                yield from (
                    map(doubled, lines_of(again, member)) if escaped else lines_of(again, member)
                )

        is_quoted = uses_quotes(lines, dialect.delimiter, names, skipped=dialect.skipped + 1)
        rows = _Reading(member, dialect, names, is_quoted=is_quoted, is_shard=is_shard)
        if escaped:
            rows.notes["quotes behind a backslash are read as part of the texts"] = 0
        yield Rows(
            names=tuple(name for name in names if name),
            each=rows.each(columns),
            position=file.position,
            delimiter=dialect.delimiter,
            line_end=dialect.line_end,
            notes=rows.notes,
        )


@contextmanager
def _limit_of_fields() -> Iterator[None]:
    before = csv.field_size_limit(LINE_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _line_end(member: Member, encoding: Encoding) -> str:
    """Returns what ends a line: a line feed; in files of an old Macintosh a carriage return."""
    with open_text(member, encoding, newline="") as file:
        is_old = file.readline(LINE_LIMIT).endswith("\r")
        # "\r\r\n" is what Windows makes of "\r\n" when it is written as text.
        return "\r" if is_old and file.readline(2) not in ("\n", "\r\n") else "\n"


class _Dialect:
    """A file's delimiter and header; `lines` continue after the header."""

    def __init__(self, member: Member, lines: Iterator[str], columns: Sequence[str] | None) -> None:
        first = next(lines, "")
        self.skipped = 0
        self.delimiter = ""
        said = first.rstrip("\r\n").strip('"')
        if said.lower().startswith("sep=") and len(said) == 5:
            self.delimiter = said[4]
            first = next(lines, "")
            self.skipped = 1
        self.line_end = "\r\n" if first.endswith("\r\n") else "\n"
        if not first.strip():
            raise DataError(
                f"{member}: must begin with a line of column names. Received: "
                f"{'an empty line' if first else 'no columns, an empty file'}."
            )
        if not self.delimiter:
            self.delimiter = _delimiter(first, columns, is_tsv=member.kind in (".tsv", ".tab"))
        first, lines = _whole_header(first, lines)
        self.skipped += first.count("\n") - first.endswith("\n")
        self.header = _split(first, self.delimiter)
        self.lines = lines


def _whole_header(first: str, lines: Iterator[str]) -> tuple[str, Iterator[str]]:
    """Adds the lines that a quoted name of a column spans, and returns the lines after them."""
    more: list[str] = []
    while ("".join((first, *more)).count('"')) % 2 and len(more) < _HEADER_LINES:
        more.append(next(lines, ""))
    if len(more) == _HEADER_LINES:
        return first, chain(more, lines)
    return "".join((first, *more)), lines


def _delimiter(first: str, columns: Sequence[str] | None, *, is_tsv: bool) -> str:
    """Returns the first delimiter with which the header holds the columns, or makes the most."""
    if is_tsv and "\t" in first:
        return "\t"
    headers = {each: [name.strip() for name in _split(first, each)] for each in DELIMITERS}
    fitting = [each for each in DELIMITERS if columns and set(columns) <= set(headers[each])]
    most = max(DELIMITERS, key=lambda each: len(headers[each]))
    if is_tsv and len(headers[most]) == 1:
        return "\t"
    return fitting[0] if fitting else most


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader(line.splitlines(keepends=True), delimiter=delimiter), [])


def _names(header: Sequence[str]) -> list[str]:
    """Returns the columns' names, "" for a nameless one; a second "x" is called "x (2)"."""
    names = [name.strip() for name in header]
    counts = [names[: place + 1].count(name) for place, name in enumerate(names)]
    return [
        f"{name} ({count})" if name and count > 1 else name
        for name, count in zip(names, counts, strict=True)
    ]


class _Reading:
    """The rows of one file, with what was noticed on the way."""

    def __init__(
        self,
        member: Member,
        dialect: _Dialect,
        names: Sequence[str],
        *,
        is_quoted: bool,
        is_shard: bool,
    ) -> None:
        self._member, self._dialect, self._names = member, dialect, names
        self._is_quoted, self._is_shard = is_quoted, is_shard
        self.notes: dict[str, int] = {"rows that span lines": 0}
        if not is_quoted:
            self.notes[
                "quotes are read as part of the texts: the file does not use them to delimit fields"
            ] = 0

    def each(self, columns: Sequence[str] | None) -> Iterator[tuple[int, list[str]]]:
        """Yields the line on which each row begins, and its values."""
        if columns is None:
            positions = [place for place, name in enumerate(self._names) if name]
        else:
            positions = [
                _position(name, self._names, self._member, is_shard=self._is_shard)
                for name in columns
            ]
        width, nameless = len(self._names), _Nameless(self._names)
        for number, (line, row) in enumerate(self._records(), start=1):
            if len(row) != width:
                row = self._fitted(row, line, number)  # noqa: PLW2901
            if nameless.places:
                nameless.add(row, line)
            yield line, [row[position] for position in positions]
        self.notes.update(nameless.notes("" if self._is_shard else f": see {self._member}"))

    def _fitted(self, row: list[str], line: int, number: int) -> list[str]:
        found = fitted(row, self._names)
        if found is None:
            raise DataError(
                f"{self._member}:{line} (row {number}): must have {len(self._names)} fields, as "
                f"the header has. Received: {len(row)}. Put texts that hold the delimiter in "
                "quotes."
            )
        return found

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        line, delimiter = self._dialect.skipped + 2, self._dialect.delimiter
        shapes = RowShapes(delimiter, self._names)
        try:
            for record, row in records(self._dialect.lines, delimiter, is_quoted=self._is_quoted):
                if len(record) > 1:
                    self.notes["rows that span lines"] += 1
                    shapes.add(record, line, row)
                elif row != [""]:
                    shapes.learn(row)
                if row != [""]:
                    yield line, row
                line += len(record)
        except MalformedError as error:
            raise DataError(
                f"{self._member}:{line + error.opened}: a quote opens here that is not closed "
                f"before the next {delimiter!r} or the line's end ({error.__cause__}). Close it, "
                "or double the quotes inside a quoted text."
            ) from error
        for first, count in shapes.swallowed():
            raise DataError(
                f"{self._member}:{first}: a quote that opens here closes on line "
                f"{first + count - 1}, and each of these {count} lines looks like a row of its "
                "own. Double the quotes inside quoted texts, or remove them; if it is one text, "
                "save the table as JSON lines."
            )


class _Nameless:
    """The values in columns without a name: of numbered rows, or what a stray delimiter cut off."""

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

    def notes(self, where: str) -> dict[str, int]:
        """Returns what to tell of them; nothing of columns that are empty."""
        return {
            "columns without a name, left out": int(bool(self._index)),
            "rows with a value in a column without a name, which is left out"
            + (where and f"{where}:{self._first}, and name the column or join it to the text"): (
                self._others
            ),
        }


def _position(name: str, names: Sequence[str], member: Member, *, is_shard: bool) -> int:
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
    raise DataError(close_names(name, [each for each in names if each], where=str(member)))
