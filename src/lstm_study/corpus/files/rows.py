"""A file that is open, and its rows: what the reader of each kind of file returns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from lstm_study.corpus.files.advice import option
from lstm_study.corpus.files.input_files import InputFile


class _Missing:
    """The value of a key that a record does not have."""

    def __repr__(self) -> str:
        return "nothing"


MISSING: Final = _Missing()


@dataclass(frozen=True, eq=False, kw_only=True)
class OpenFile:
    """One file, open to be read a row at a time.

    Attributes:
        names: Its columns.
        each: Yields the line on which a row begins (None where a file has no lines) and its values
            by column: all of the file's columns, or those asked for. `MISSING` is a key that the
            record does not have.
        position: Says how many bytes of the file were read.
        delimiter: Of CSV; "" for other kinds.
        line_end: The same.
        value_in_header: The same: a name that looks like a value, so that names may be missing.
        proposed_names: The same: names for the columns, if names are missing.
        notes: What was noticed → how often; complete when `each` has ended.
        schema: Of Parquet and Arrow, a `pyarrow.Schema`.
    """

    names: tuple[str, ...]
    each: Iterator[tuple[int | None, Sequence[Any]]]
    position: Callable[[], int]
    delimiter: str = ""
    line_end: str = ""
    value_in_header: str = ""
    proposed_names: tuple[str, ...] = ()
    notes: dict[str, int] = field(default_factory=dict)
    schema: Any = None


_SHOWN = 60


class Row(NamedTuple):
    """One row, and where it is.

    Attributes:
        member: Its file.
        line: On which line of it, from 1; None where a file has no lines.
        number: Which row of its file, from 1.
        values: By column.
    """

    member: InputFile
    line: int | None
    number: int
    values: Sequence[Any]

    @property
    def place(self) -> str:
        """What an error calls it: "reviews.csv:18 (row 17)"."""
        return place_of(self.member, self.line, self.number)


def place_of(member: InputFile, line: int | None, number: int) -> str:
    """Returns what an error calls a row."""
    if member.kind == ".txt":
        return str(member)
    return f"{member} (row {number})" if line is None else f"{member}:{line} (row {number})"


def not_text(value: Any, place: str) -> str:
    """Says that a value in the column of texts is none, and what to do."""
    if isinstance(value, bytes):
        advice = "Save the column as UTF-8 text; in pandas: df[column].str.decode(encoding)."
    elif isinstance(value, dict | list):
        advice = "Save each text as one value of its own, in a column of texts."
    else:
        advice = f"Name the texts' column with {option('text_column')}."
    shown = repr(value)
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    return f"{place}: the text must be text. Received: {shown} ({type(value).__name__}). {advice}"
