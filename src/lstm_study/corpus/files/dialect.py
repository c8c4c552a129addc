"""The header of a CSV file and its delimiter, judged by the rows below it."""

import csv
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from shlex import quote

from lstm_study.corpus.files.column_names import are_positions
from lstm_study.corpus.files.input_files import InputFile
from lstm_study.corpus.files.quotes import are_escaped, doubled
from lstm_study.corpus.files.row_shapes import MOST_VALUES, Mark, fitted, is_blank
from lstm_study.corpus.files.shell_commands import new_name, rewritten_in_utf8
from lstm_study.errors import DataError

DELIMITERS = (",", ";", "\t", "|")
_LOOK_LINES = 50
_HEADER_LINES = 20
_LONG_NAME = 5
_TITLE_ROWS, _SHOWN = 12, 30
_NUMBERS = re.compile(r"(^|[\W_])(id|index|no|nr|row|number)\W*$|^[#n]$", re.IGNORECASE)
_FEWEST_ROWS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a file is written.

    Attributes:
        delimiter: What separates fields.
        names: Of the columns, "" for a nameless one; a second "x" is called "x (2)".
        line_end: What ends its lines.
        skipped: How many lines there are before the rows.
        value_in_header: A name that looks like a value of the rows; "" if the first line is
            plainly one of names, or the names were given.
        proposed_names: For the columns, where there is such a value.
        are_given: Whether the names were given, as the file has none.
    """

    delimiter: str
    names: tuple[str, ...]
    line_end: str
    skipped: int
    value_in_header: str = ""
    proposed_names: tuple[str, ...] = ()
    are_given: bool = False


def find_dialect(
    member: InputFile,
    open_lines: Callable[[], Iterator[str]],
    columns: Sequence[str] | None,
    names: Sequence[str] = (),
) -> Dialect:
    """Looks at a file's first lines; the columns asked for help to find the delimiter.

    Args:
        member: The file.
        open_lines: Reads its lines from the first.
        columns: Those asked for; None for all.
        names: Of all columns, if the file does not begin with them; a first line of just these
            is skipped.

    Raises:
        DataError: It does not begin with the names of its columns, and none are given.
    """
    lines = islice(open_lines(), _HEADER_LINES + _LOOK_LINES)
    first, skipped, given = next(lines, ""), 1, ""
    said = first.rstrip("\r\n").strip('"')
    if said.lower().startswith("sep=") and len(said) == 5:
        first, skipped, given = next(lines, ""), 2, said[4]
    if names:
        body = [first, *lines][:_LOOK_LINES]
        looks = [_Look(first, body, each, names) for each in (given or DELIMITERS)]
        look = _best(looks, columns, is_tsv=member.kind in (".tsv", ".tab"))
        return Dialect(
            delimiter=look.delimiter,
            names=tuple(names),
            line_end=_end_of(first),
            skipped=skipped if look.begins_with_names else skipped - 1,
            are_given=True,
        )
    if not first.strip():
        raise DataError(
            f"{member}: must begin with a line of column names. Received: "
            f"{'an empty line' if first else 'no columns, an empty file'}."
        )
    body = list(lines)
    more = _more_of_header(first, body)
    first, body = "".join((first, *body[:more])), body[more:][:_LOOK_LINES]
    looks = [_Look(first, body, each) for each in (given or DELIMITERS)]
    look = _best(looks, columns, is_tsv=member.kind in (".tsv", ".tab"))
    # Where all rows fit the first line, another delimiter is one within texts.
    if look.share < 1 or len(look.header) == 1:
        _refuse_title([each for each in looks if not each.is_prose], body, member, skipped + more)
    else:
        _refuse_title([look], body, member, skipped + more)
    look.check(looks, member)
    return Dialect(
        delimiter=look.delimiter,
        names=_numbered(look.header),
        line_end=_end_of(first),
        skipped=skipped + more,
        value_in_header=look.value_in_header(),
        proposed_names=look.proposed_names(),
    )


def _end_of(line: str) -> str:
    return "\r\n" if line.endswith("\r\n") else "\n"


def _more_of_header(first: str, body: Sequence[str]) -> int:
    """Returns how many further lines a quoted name of a column spans."""
    quotes = first.count('"')
    for more in range(min(_HEADER_LINES, len(body) + 1)):
        if quotes % 2 == 0:
            return more
        quotes += body[more].count('"') if more < len(body) else 0
    return 0


def _refuse_title(
    looks: Sequence["_Look"], body: Sequence[str], member: InputFile, above: int
) -> None:
    """Refuses a file whose first line is a title, or names of groups of columns, if names follow.

    Args:
        looks: The first lines, by each delimiter that may be the file's.
        body: The lines below the first.
        member: The file.
        above: How many lines are above these.
    """
    for look in looks:
        names = look.names_below()
        lines = [each for each, line in enumerate(body) if _split(line, look.delimiter) == names]
        if names and lines:
            line = above + lines[0] + 1
            shown = ", ".join(repr(name[:_SHOWN]) for name in names[:4])
            target = quote(new_name(member, f"-table{member.path.suffix}"))
            command = f": tail -n +{line} {quote(str(member.path))} > {target}"
            if member.encoding.startswith(("utf-16", "utf-32")):  # tail counts single bytes
                command = f": {rewritten_in_utf8(member)}"
            raise DataError(
                f"{member}: must begin with a line of column names. Received: "
                f"{look.first[0][:_SHOWN]!r} above what seems to be the names, "
                f"{shown}{', ...' * (len(names) > 4)}, on line {line}. Remove the lines above "
                f"it{'.' if member.is_packed else command}"
            )


class _Look:
    """The first lines, split by one delimiter; the first holds names, unless these are given."""

    def __init__(
        self, first: str, body: Sequence[str], delimiter: str, given: Sequence[str] = ()
    ) -> None:
        self.delimiter = delimiter
        self.first = [name.strip() for name in _split(first, delimiter)]
        self.header = list(given) or list(self.first)
        if are_escaped(body, delimiter):
            body = list(map(doubled, body))
        lines = [line.rstrip("\r\n").replace("\r", " ") for line in body]
        quoted = list(csv.reader((f"{line}\n" for line in lines), delimiter=delimiter))
        if len(body) == _LOOK_LINES:
            quoted.pop()  # It may have further lines.
        plain = [line.split(delimiter) for line in lines]
        self.rows = [row for row in quoted if not is_blank(row)]
        starts = {line.partition(delimiter)[0] for line in lines}
        is_quoted = first.rstrip("\r\n") == delimiter.join(f'"{name}"' for name in self.header)
        if not given and _are_named(self.rows, self.header, starts if is_quoted else ()):
            self.header.insert(0, "")
        self.share = max(self._share(self.rows), self._share(plain))
        later = [field for row in self.rows for field in row[1:]]
        self.is_prose = sum(field.startswith(" ") for field in later) * 2 > len(later)

    def _share(self, rows: Sequence[list[str]]) -> float:
        rows = [row for row in rows if not is_blank(row)]
        fitting = sum(fitted(row, self.header) is not None for row in rows)
        return fitting / len(rows) if rows else 1.0

    def check(self, others: Sequence["_Look"], member: InputFile) -> None:
        """Refuses a header of another delimiter or below a title, and lines quoted as a whole."""
        names = [name for name in self.header if name]
        for other in others:
            if len(names) > 1 and self._share(self.rows) < 1 and other.splits_only_rows(len(names)):
                raise DataError(
                    f"{member}: must have one delimiter. Received: {self.delimiter!r} between the "
                    f"names of the columns, {other.delimiter!r} between the values below. Write "
                    f"the names with {other.delimiter!r} between them."
                )
        if len(names) != 1 or not self.header[0]:
            return
        filled = [sum(map(bool, row)) for row in self.rows if any(row)]
        if len(self.header) == 1:
            inner = [
                _Look(names[0], [row[0].replace("\n", " ") for row in self.rows], delimiter)
                for delimiter in DELIMITERS
                if set(self.widths) == {1}
            ]
            if any(look.has_even_rows and look.widths[0] == len(look.header) for look in inner):
                raise DataError(
                    f"{member}: must have quotes around fields. Received: quotes around whole "
                    f"lines, such as {names[0][:40]!r}. Remove these, and write each doubled "
                    "quote inside as one."
                )
            filled = next((other.widths for other in others if other.has_even_rows), [])
        if filled and min(filled) > 1:
            raise DataError(
                f"{member}: must begin with a line of column names. Received: one name, "
                f"{names[0][:40]!r}, above rows of {max(filled)} values. Name each column, and "
                "remove what is above the names."
            )

    @property
    def begins_with_names(self) -> bool:
        """Whether the first line holds the names that were given."""
        return [name.casefold() for name in self.first] == [name.casefold() for name in self.header]

    @property
    def widths(self) -> list[int]:
        """How many fields each row has."""
        return [len(row) for row in self.rows]

    @property
    def has_even_rows(self) -> bool:
        """Whether all rows have the same number of fields, more than one: prose does not."""
        return (
            len(self.rows) >= _FEWEST_ROWS
            and len(set(self.widths)) == 1
            and self.widths[0] > 1
            and not self.is_prose
        )

    def splits_only_rows(self, width: int) -> bool:
        """Whether all rows have this many fields, or one more, while the header is one field."""
        names = [name for name in self.header if name]
        return len(names) == 1 and self.has_even_rows and self.widths[0] - width in (0, 1)

    def names_below(self) -> list[str]:
        """Returns a row that seems to name the columns, below a first line that names fewer."""
        before = sum(map(bool, self.first))
        for place, row in enumerate(self.rows[:_TITLE_ROWS]):
            rest = [each for each in self.rows[place + 1 :] if len(each) == len(row)]
            is_wider = len(row) > before and len(row) > 1 and all(name.strip() for name in row)
            if is_wider and len(rest) >= max(_FEWEST_ROWS, 0.9 * (len(self.rows) - place - 1)):
                return row if _are_names(row, rest) else []
            before = max(before, sum(map(bool, row)))
        return []

    def value_in_header(self) -> str:
        """Returns a long name or a number, unless the column below shows that it is a name."""
        names = [name for name in self.header if name]
        doubtful = [name for name in names if len(name.split()) > _LONG_NAME or _is_number(name)]
        if not doubtful or are_positions(names):
            return ""
        rows = [row for each in self.rows if (row := fitted(each, self.header)) is not None]
        for place, name in enumerate(self.header):
            mark = Mark()
            for row in rows:
                mark.add(row[place])
            if mark.is_known and not mark.fits(name):
                return ""
        return doubtful[0]

    def proposed_names(self) -> tuple[str, ...]:
        """Returns names for the columns: text, label, and column2 for the second of others."""
        rows = [row for each in self.rows if (row := fitted(each, self.header)) is not None]
        columns = list(zip(self.first, *rows, strict=False)) if rows else []
        if len(columns) != len(self.header):
            return ("text", "label")
        if len(columns) == 1:
            return ("text",)
        places = range(len(columns))
        counts = [len(set(column)) for column in columns]
        words = [sum(len(value.split()) for value in column) for column in columns]
        text = max(places, key=lambda place: (counts[place] > 1, words[place]))
        # The first rows of a file that is sorted by its labels have one.
        label = min(
            (place for place in places if place != text),
            key=lambda place: (counts[place] > MOST_VALUES, counts[place] == 1, counts[place]),
        )
        known = {text: "text", label: "label"}
        return tuple(known.get(place, f"column{place + 1}") for place in places)


def _best(looks: Sequence[_Look], columns: Sequence[str] | None, *, is_tsv: bool) -> _Look:
    """Returns the look with the columns in its header, else the one that fits its rows best."""
    by_delimiter = {look.delimiter: look for look in looks}
    tab = by_delimiter.get("\t")
    if is_tsv and tab is not None and len(tab.header) > 1:
        return tab
    several = [look for look in looks if len(look.header) > 1]
    if not several:
        # Lines of one text each may hold a delimiter: another one leaves them whole.
        return tab if is_tsv and tab is not None else max(looks, key=lambda look: look.share)
    fitting = [look for look in several if columns and set(columns) <= set(look.header)]
    return max(
        fitting or several, key=lambda look: (look.share, not look.is_prose, len(look.header))
    )


def _are_named(rows: Sequence[list[str]], names: Sequence[str], starts: Collection[str]) -> bool:
    """Whether rows have one field more than the header, and begin with row names, as R writes them.

    Row names are increasing numbers, or, if the header is quoted, different quoted words (`starts`
    is what the lines begin with). If the first column has the name of a number, they are its
    values, and the missing name is that of another column.
    """
    first = [row[0] for row in rows if row]
    return (
        len(rows) > 1
        and _NUMBERS.search(names[0]) is None
        and all(len(row) == len(names) + 1 for row in rows)
        and (_are_growing(first) or _are_quoted_words(first, starts))
        and any(row[-1] for row in rows)
    )


def _are_names(row: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether a row names the columns of those below: it is as short as names, and unlike them."""
    is_unlike = False
    for name, column in zip(row, zip(*rest, strict=True), strict=True):
        if len(name.split()) > _LONG_NAME or name[0].isdigit() or name in column:
            return False
        mark = Mark()
        for value in column:
            mark.add(value)
        words = sum(len(value.split()) for value in column) / len(column)
        is_unlike = is_unlike or words > _LONG_NAME or (mark.is_known and not mark.fits(name))
    return is_unlike and len({name.casefold() for name in row}) == len(row)


def _are_growing(values: Sequence[str]) -> bool:
    return all(value.isdecimal() for value in values) and all(
        int(value) < int(after) for value, after in pairwise(values)
    )


def _are_quoted_words(values: Sequence[str], starts: Collection[str]) -> bool:
    return len(set(values)) == len(values) and all(
        len(value.split()) == 1 and f'"{value}"' in starts for value in values
    )


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    counts = [names[: place + 1].count(name) for place, name in enumerate(names)]
    return tuple(
        f"{name} ({count})" if name and count > 1 else name
        for name, count in zip(names, counts, strict=True)
    )


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader(line.splitlines(keepends=True), delimiter=delimiter), [])


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[-+]?\d+([.,]\d+)?", text) is not None
