"""What the reader of each kind of file returns: names of columns, and rows."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lstm_study.corpus.files.advice import has_option, option


class _Missing:
    """The value of a key that a record does not have."""

    def __repr__(self) -> str:
        return "nothing"


MISSING: Final = _Missing()


@dataclass(frozen=True, eq=False, kw_only=True)
class Rows:
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
        schema: Of Parquet, a `pyarrow.Schema`.
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


def are_positions(names: Sequence[str]) -> bool:
    """Returns whether names are 0, 1, 2 …, as pandas writes them for columns that have none."""
    return list(names) == [str(place) for place in range(len(names))]


def without_names(where: object, value: str, names: Sequence[str], *, why: str = "") -> str:
    """Says that a file has no line of column names, and how to name the columns."""
    return (
        f"{where}: must begin with a line of column names. Received: {value[:40]!r}, "
        f"{why or 'which looks like a value'}. Name the columns in their order with "
        f"{option('columns', tuple(names))}"
    )


def close_names(name: str, names: Sequence[str], *, where: str) -> str:
    """Says that a column does not exist, which ones do, and which one may be meant."""
    by_lower = {other.lower(): other for other in reversed(names)}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    shown = ", ".join(repr(other[:30]) for other in names[:8]) or "no columns"
    options = [
        option(key)
        for key in ("text_column", "label_column", "split_column", "group_column")
        if has_option(key)
    ]
    named = f"{', '.join(options[:-1])} or {options[-1]}" if len(options) > 1 else options[0]
    return (
        f"{where}: must have a column {name!r}. Received: {shown}"
        + (", ..." if len(names) > 8 else "")
        + ". "
        + (f"Did you mean {by_lower[near[0]]!r}? " if near else "")
        + f"Name the column with {named}."
    )
