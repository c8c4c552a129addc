"""CSV and TSV: detects the delimiter, whether quotes are used, and columns without a name.

Quotes mean something only where the file quotes. A file in which every line is a row, and quotes
open that never close in their line, does not quote: they are part of its texts. In a file that
quotes, a row that spans lines which look like rows themselves is refused, with the lines. A quote
inside a quoted text is doubled or, as Spark and MySQL write it, behind a backslash.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

from lstm_study.corpus.files.encodings import Encoding
from lstm_study.corpus.files.members import Member
from lstm_study.corpus.files.opening import LINE_LIMIT, lines_of, open_text
from lstm_study.corpus.files.rows import Rows, close_names
from lstm_study.errors import DataError

DELIMITERS = (",", ";", "\t", "|")
_SEEN_ROWS, _MOST_VALUES, _VALUE_LENGTH = 20, 12, 40
_HEADER_LINES = 20
_ESCAPED = re.compile(r'(\\+)"')


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
            escaped = _are_escaped(lines_of(again, member), dialect.delimiter)
        if escaped:
            dialect.lines = map(_doubled, dialect.lines)
        with open_text(member, encoding, newline=end) as again:
            lines = lines_of(again, member)
            is_quoted = _is_quoted(map(_doubled, lines) if escaped else lines, dialect)
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


def _are_escaped(lines: Iterable[str], delimiter: str) -> bool:
    """Whether backslashes escape the quotes inside quoted texts; else these are doubled.

    Where they are doubled, a quote behind a backslash ends its text or is followed by another one.
    """
    opens = ('"', delimiter + '"')
    end = re.escape(delimiter) + r'"\r\n'
    escaped = re.compile(rf'(?<!\\)(?:\\\\)*\\"(?=[^{end}])')
    doubled = re.compile(rf'[^{end}\\]""[^{end}]')
    found = False
    for line in lines:
        if '"' not in line:
            continue
        if '""' in line and doubled.search(line):
            return False
        if '\\"' in line and (line.startswith(opens[0]) or opens[1] in line):
            found = found or escaped.search(line) is not None
    return found


def _doubled(line: str) -> str:
    """Doubles the quotes of a line that backslashes escape."""
    if '\\"' not in line:
        return line
    return _ESCAPED.sub(lambda found: found[1][: len(found[1]) // 2] + _quote(found[1]), line)


def _quote(backslashes: str) -> str:
    return '""' if len(backslashes) % 2 else '"'


def _is_quoted(lines: Iterable[str], dialect: _Dialect) -> bool:
    """Finds out whether quotes delimit fields, from the lines as they are."""
    width = len(dialect.header)
    rows = stray = quoted = doubled = 0
    for number, line in enumerate(lines):
        if number <= dialect.skipped or '"' not in line:
            rows += 1
            if line.count(dialect.delimiter) != width - 1 and line.strip():
                return True
            continue
        fields = line.rstrip("\r\n").split(dialect.delimiter)
        if len(fields) != width:
            return True
        rows += 1
        starts = [field for field in fields if field.startswith('"')]
        inner = [field[1:-1] for field in starts if len(field) > 1 and field.endswith('"')]
        whole = ['"' not in field.replace('""', "") for field in inner]
        stray += len(starts) - sum(whole)
        doubled += sum(
            is_whole and '""' in field for is_whole, field in zip(whole, inner, strict=True)
        )
        quoted += any(whole)
    return not stray or quoted * 2 > rows or doubled > stray


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
        if nameless := sum(not name for name in names):
            self.notes["columns without a name, left out"] = nameless
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
        width = len(self._names)
        for number, (line, row) in enumerate(self._records(), start=1):
            if len(row) != width:
                row = self._fitted(row, line, number)  # noqa: PLW2901
            yield line, [row[position] for position in positions]

    def _fitted(self, row: list[str], line: int, number: int) -> list[str]:
        """Adds or leaves out empty fields at the end, where no name says what they would be."""
        names, width = self._names, len(self._names)
        if len(row) > width and not any(row[width:]):
            return row[:width]
        if len(row) < width and not any(names[len(row) :]):
            return row + [""] * (width - len(row))
        raise DataError(
            f"{self._member}:{line} (row {number}): must have {width} fields, as the header has. "
            f"Received: {len(row)}. Put texts that hold the delimiter in quotes."
        )

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        dialect, record = self._dialect, list[str]()
        line = dialect.skipped + 2
        looks = _LooksLikeRow(dialect.delimiter, len(self._names))

        def rest_of_record() -> Iterator[str]:
            yield record[0]
            for each in dialect.lines:
                record.append(each)
                yield each

        for first in dialect.lines:
            record[:] = [first]
            if self._is_quoted and '"' in first:
                row = self._quoted(rest_of_record(), record, line)
            else:
                # Without quotes a carriage return is part of a text.
                row = first.rstrip("\r\n").split(dialect.delimiter)
            if len(record) > 1:
                self.notes["rows that span lines"] += 1
                self._refuse_swallowed(record, line, looks)
            elif row != [""]:
                looks.learn(row)
            if row != [""]:
                yield line, row
            line += len(record)

    def _quoted(self, lines: Iterator[str], record: list[str], line: int) -> list[str]:
        try:
            return next(csv.reader(lines, delimiter=self._dialect.delimiter, strict=True), [""])
        except csv.Error as error:
            opened = line + _opening_line(record, self._dialect.delimiter)
            raise DataError(
                f"{self._member}:{opened}: a quote opens here that is not closed before the next "
                f"{self._dialect.delimiter!r} or the line's end ({error}). Close it, or double the "
                "quotes inside a quoted text."
            ) from error

    def _refuse_swallowed(self, record: list[str], line: int, looks: "_LooksLikeRow") -> None:
        if all(looks(each) for each in record):
            raise DataError(
                f"{self._member}:{line}: a quote that opens here closes on line "
                f"{line + len(record) - 1}, and each of these {len(record)} lines looks like a row "
                "of its own. Double the quotes inside quoted texts, or remove them."
            )


class _LooksLikeRow:
    """Whether a line has as many fields as a row, and a value that rows have.

    With tabs the number of fields is enough: texts hold none.
    """

    def __init__(self, delimiter: str, width: int) -> None:
        self._delimiter, self._width, self._rows = delimiter, width, 0
        self._values: list[set[str] | None] = [set() for _ in range(width)]

    def learn(self, row: Sequence[str]) -> None:
        """Notes the values of a row; a column of many values is no mark of a row."""
        if self._rows > 10_000 or len(row) != self._width:
            return
        self._rows += 1
        for place, value in enumerate(row):
            known = self._values[place]
            if known is not None:
                known.add(value)
                if len(known) > _MOST_VALUES or len(value) > _VALUE_LENGTH:
                    self._values[place] = None

    def __call__(self, line: str) -> bool:
        fields = line.rstrip("\r\n").split(self._delimiter)
        if len(fields) != self._width or self._width < 2:
            return False
        return self._delimiter == "\t" or (
            self._rows >= _SEEN_ROWS
            and any(
                value in known
                for value, known in zip(fields, self._values, strict=True)
                if known is not None
            )
        )


def _opening_line(record: Sequence[str], delimiter: str) -> int:
    """Returns the place in some lines of the quote that opens the first malformed field."""
    opened, state = 0, "start"
    for place, line in enumerate(record):
        for letter in line:
            is_end = letter in (delimiter, "\n", "\r")
            if state == "open":
                state = "closed" if letter == '"' else "open"
            elif state == "closed" and letter == '"':
                state = "open"  # a doubled quote
            elif state == "closed" and not is_end:
                return opened
            elif state == "start" and letter == '"':
                opened, state = place, "open"
            else:
                state = "start" if is_end else "plain"
    return opened


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
