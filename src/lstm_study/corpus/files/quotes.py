"""Whether a CSV file uses quotes to delimit fields, how it writes those inside, and its records."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from lstm_study.corpus.files.row_shapes import RowShapes, fitted, is_blank

_ESCAPED = re.compile(r'(\\+)"')


class MalformedError(Exception):
    """A quote is not where the format wants one; `opened` is its line, from 0, in the record."""

    def __init__(self, record: Sequence[str], delimiter: str) -> None:
        super().__init__()
        self.record, self.opened = record, _opening_line(record, delimiter)


def records(
    lines: Iterator[str], delimiter: str, *, is_quoted: bool
) -> Iterator[tuple[list[str], list[str]]]:
    """Yields the lines of each row, and its fields.

    Raises:
        MalformedError: While it yields: a quote opens and is not closed where a field may end.
    """
    record = list[str]()

    def rest_of_record() -> Iterator[str]:
        yield record[0]
        for each in lines:
            record.append(each)
            yield each

    for first in lines:
        record = [first]
        if is_quoted and '"' in first:
            try:
                row = next(csv.reader(rest_of_record(), delimiter=delimiter, strict=True), [""])
            except csv.Error as error:
                raise MalformedError(record, delimiter) from error
        else:
            # Without quotes a carriage return is part of a text.
            row = first.rstrip("\r\n").split(delimiter)
        yield record, row


def are_escaped(lines: Iterable[str], delimiter: str) -> bool:
    """Whether backslashes escape the quotes inside quoted texts; else these are doubled.

    In a file that doubles them, a quote after a backslash ends its text or is doubled itself.
    """
    opens = ('"', delimiter + '"')
    end = re.escape(delimiter) + r'"\r\n'
    escaped = re.compile(rf'(?<!\\)(?:\\\\)*\\"(?=[^{end}])')
    twice = re.compile(rf'[^{end}\\]""[^{end}]')
    found = False
    for line in lines:
        if '"' not in line:
            continue
        if '""' in line and twice.search(line):
            return False
        if '\\"' in line and (line.startswith(opens[0]) or opens[1] in line):
            found = found or escaped.search(line) is not None
    return found


def doubled(line: str) -> str:
    """Doubles the quotes of a line that backslashes escape."""
    if '\\"' not in line:
        return line
    return _ESCAPED.sub(lambda found: found[1][: len(found[1]) // 2] + _quote(found[1]), line)


def _quote(backslashes: str) -> str:
    return '""' if len(backslashes) % 2 else '"'


def uses_quotes(
    open_lines: Callable[[], Iterator[str]], delimiter: str, names: Sequence[str]
) -> bool:
    """Finds out whether quotes delimit fields, from the lines behind the header.

    They do not if every line is a row and some quotes never close on their line; unless most rows
    have quoted fields, or the file, read with quotes, has multi-line texts that do not look like
    rows.
    """
    rows = stray = quoted = doubled_ones = 0
    for line in open_lines():
        fields = line.rstrip("\r\n").split(delimiter)
        if fitted(fields, names) is None:
            if not is_blank(fields):
                return True
            continue
        rows += 1
        if '"' not in line:
            continue
        starts = [field for field in fields if field.startswith('"')]
        inner = [field[1:-1] for field in starts if len(field) > 1 and field.endswith('"')]
        whole = ['"' not in field.replace('""', "") for field in inner]
        stray += len(starts) - sum(whole)
        doubled_ones += sum(
            is_whole and '""' in field for is_whole, field in zip(whole, inner, strict=True)
        )
        quoted += any(whole)
    if not stray or quoted * 2 > rows or doubled_ones > stray:
        return True
    return delimiter != "\t" and _has_texts_of_lines(open_lines(), delimiter, names)


def _has_texts_of_lines(lines: Iterator[str], delimiter: str, names: Sequence[str]) -> bool:
    """Whether lines can be read with quotes, and some texts then span lines that are not rows."""
    shapes, line, several = RowShapes(delimiter, names), 0, 0
    try:
        for record, row in records(lines, delimiter, is_quoted=True):
            line += len(record)
            if not is_blank(row) and fitted(row, names) is None:
                return False
            several += len(record) > 1
            shapes.add(record, line, row)
    except MalformedError:
        return False
    return len(shapes.swallowed()) < several


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
