"""A first look at a file of reviews: which column holds the text, which the label, which the split.

Nothing is split or numbered here: `own_reviews` does that once the columns are known.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_study.corpus.sources.own_files import ROLES, label_text
from lstm_study.corpus.sources.tables import open_rows
from lstm_study.corpus.sources.text_files import encoding_of
from lstm_study.errors import DataError

TEXT_NAMES = ("text", "review", "review_text", "reviewtext", "content", "comment", "tweet",
              "message", "body", "sentence", "document", "rezension", "kommentar")  # fmt: skip
LABEL_NAMES = ("label", "sentiment", "polarity", "target", "class", "category", "rating",
               "stars", "score", "overall", "bewertung", "sterne", "y")  # fmt: skip
SPLIT_NAMES = ("split", "set", "fold", "partition", "subset")
_SAMPLE_ROWS = 2_000
_MOST_VALUES = 12
_TEXT_WORDS = 3.0
_TIMES_LONGER = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnLook:
    """One column at a glance.

    Attributes:
        name: Its name.
        values: Distinct values as text → rows that have it, empty ones left out; None where there
            are more than twelve.
        words: Words per value, the mean of the first rows.
        is_text: Whether the first rows hold text, and not numbers.
    """

    name: str
    values: dict[str, int] | None
    words: float
    is_text: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was found in a file of reviews.

    Attributes:
        path: The file.
        encoding: "" for Parquet.
        rows: Reviews in it.
        columns: All of them, in order.
        text_column: The one that holds the text.
        label_column: The one that holds the label.
        split_column: The one that marks train, validation and test; None without one.
        has_test: Whether it marks test rows.
    """

    path: Path
    encoding: str
    rows: int
    columns: tuple[ColumnLook, ...]
    text_column: str
    label_column: str
    split_column: str | None
    has_test: bool


def survey(
    path: Path, *, text_column: str | None = None, label_column: str | None = None
) -> Survey:
    """Looks at a file, and finds out which column is what.

    Args:
        path: CSV, TSV, JSONL or Parquet.
        text_column: Where it is known already.
        label_column: Where it is known already.

    Raises:
        DataError: The file can't be read; which column is what can't be told; or the labels are
            not two. Each says what to do.
        DependencyError: Parquet without pyarrow.
    """
    encoding = _encoding(path)
    rows, columns = _look(path, encoding)
    if not rows:
        raise DataError(f"{path}: must hold reviews. Received: no rows.")
    split = next((c for c in columns if _is_split(c)), None)
    others = [c for c in columns if c is not split]
    text = _named(text_column, columns, path) or _text_column(others, path)
    label = _named(label_column, columns, path) or _label_column(
        [c for c in others if c is not text], path
    )
    _check_labels(label, rows, path)
    return Survey(
        path=path,
        encoding=encoding,
        rows=rows,
        columns=tuple(columns),
        text_column=text.name,
        label_column=label.name,
        split_column=split.name if split is not None else None,
        has_test=split is not None and any(_role(v) == "test" for v in split.values or ()),
    )


def _encoding(path: Path) -> str:
    """Finds out the encoding once; what is no text file is refused when it is read."""
    is_text = path.is_file() and path.suffix.lower() != ".parquet"
    return encoding_of(path) if is_text else ""


def _look(path: Path, encoding: str) -> tuple[int, list[ColumnLook]]:
    count = 0
    with open_rows(path, columns=None, encoding=encoding or None) as rows:
        seen = [_Seen() for _ in rows.names]
        for _, values in rows.each:
            for column, value in zip(seen, values, strict=True):
                column.add(value, is_sample=count < _SAMPLE_ROWS)
            count += 1
        _check_header(rows.names, path)
        return count, [each.look(name) for name, each in zip(rows.names, seen, strict=True)]


class _Seen:
    """Counts one column's values as they pass."""

    def __init__(self) -> None:
        self._values: dict[str, int] | None = {}
        self._words = self._filled = self._texts = 0

    def add(self, value: Any, *, is_sample: bool) -> None:
        if is_sample and isinstance(value, str) and value.strip():
            self._filled += 1
            self._words += len(value.split())
            self._texts += not _is_number(value)
        if self._values is None:
            return
        text = label_text(value)
        if text:
            self._values[text] = self._values.get(text, 0) + 1
            if len(self._values) > _MOST_VALUES:
                self._values = None

    def look(self, name: str) -> ColumnLook:
        return ColumnLook(
            name=name,
            values=self._values,
            words=self._words / self._filled if self._filled else 0.0,
            is_text=self._texts * 2 > self._filled,
        )


def _check_header(names: Sequence[str], path: Path) -> None:
    """Refuses a file whose first line is a review already."""
    for name in names:
        if len(name.split()) > 5 or (name and _is_number(name)):
            raise DataError(
                f"{path}: must begin with a line of column names. Received: {name[:40]!r}. Add "
                "one, such as text,label."
            )


def _named(name: str | None, columns: Sequence[ColumnLook], path: Path) -> ColumnLook | None:
    if name is None:
        return None
    found = [column for column in columns if column.name == name]
    if not found:
        raise DataError(f"{path}: must have a column {name!r}. Received: {_names(columns)}.")
    return found[0]


def _text_column(columns: Sequence[ColumnLook], path: Path) -> ColumnLook:
    texts = [c for c in columns if c.is_text and (c.values is None or c.words > 1)]
    found = _by_name(texts, TEXT_NAMES)
    if found is not None:
        return found
    texts = sorted((c for c in texts if c.words >= _TEXT_WORDS), key=lambda c: -c.words)
    if not texts:
        raise DataError(
            f"{path}: no column looks like reviews. Received: {_names(columns)}. "
            "Name it with --text-column."
        )
    if len(texts) > 1 and texts[0].words < _TIMES_LONGER * texts[1].words:
        raise DataError(
            f"{path}: {_names(texts)} may each hold the reviews. Name the one with --text-column."
        )
    return texts[0]


def _label_column(columns: Sequence[ColumnLook], path: Path) -> ColumnLook:
    known = [c for c in columns if c.values]
    two = [c for c in known if len(c.values or ()) == 2]
    # A column that is named for it, but has not two labels, is refused for what it holds: stars
    # beside "verified: yes or no" are not to be passed over.
    found = _by_name(two, LABEL_NAMES) or _by_name(known, LABEL_NAMES)
    if found is None and len(two) == 1:
        found = two[0]
    if found is not None:
        return found
    if two:
        raise DataError(
            f"{path}: {_names(two)} may each hold the label. Name the one with --label-column."
        )
    raise DataError(
        f"{path}: no column holds two labels. Received: {_names(columns)}. Name the label's with "
        "--label-column."
    )


def _check_labels(column: ColumnLook, rows: int, path: Path) -> None:
    values = column.values
    if values is None:
        raise DataError(
            f"{path}: {column.name} must hold two labels. Received: more than {_MOST_VALUES}. "
            "Name another column with --label-column."
        )
    shown = ", ".join(f"{name!r} ({count:,} rows)" for name, count in values.items())
    if len(values) < 2:
        raise DataError(
            f"{path}: {column.name} must hold two labels. Received: {shown or 'none'}. Add "
            "reviews of the other label, or name another column with --label-column."
        )
    if len(values) > 2:
        raise DataError(
            f"{path}: {column.name} must hold two labels. Received {len(values)}: {shown}. A study "
            "tells two apart: leave out the rows between (of 1 to 5 stars the 3), and write one "
            "label for each side (1 and 2 as neg, 4 and 5 as pos), or name another column with "
            "--label-column."
        )


def _by_name(columns: Iterable[ColumnLook], names: Sequence[str]) -> ColumnLook | None:
    by_name = {re.sub(r"[\s-]+", "_", column.name.lower()): column for column in columns}
    return next((by_name[name] for name in names if name in by_name), None)


def _is_split(column: ColumnLook) -> bool:
    is_named = column.name.lower() in SPLIT_NAMES
    return is_named and bool(column.values) and all(_role(v) for v in column.values or ())


def _role(value: str) -> str:
    names: Callable[[str], int | None] = ROLES.get
    role = names(value.strip().lower())
    return "" if role is None else ("train", "validation", "test")[role]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _names(columns: Iterable[ColumnLook]) -> str:
    names = [repr(column.name[:30]) for column in columns]
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "") if names else "no columns"
