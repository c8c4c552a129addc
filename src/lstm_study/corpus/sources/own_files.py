"""A user's own reviews: two labels and a text per row, in one file or two."""

import difflib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.documents import TEST, TRAIN, VALIDATION, Documents
from lstm_study.corpus.sources.labels import order_labels
from lstm_study.corpus.sources.located import Located, Progress, checked_sha256, given
from lstm_study.corpus.sources.tables import Table, read_table
from lstm_study.corpus.text.tokens import number_words
from lstm_study.corpus.types import Split
from lstm_study.errors import DataError
from lstm_study.spec import DataTable

ROLES = {
    "train": TRAIN,
    "training": TRAIN,
    "validation": VALIDATION,
    "valid": VALIDATION,
    "val": VALIDATION,
    "dev": VALIDATION,
    "test": TEST,
}
_SHOWN_CHARACTERS = 40


def locate(
    data: DataTable, *, base: Path, cache: Path, progress: Progress | None = None
) -> Located:
    """Finds the file that `data.path` names, and that of `data.test_path`."""
    assert data.path is not None, "the spec requires it"
    path = given(data.path, base)
    sha256 = checked_sha256(path, data.sha256)
    extra = None if data.test_path is None else given(data.test_path, base)
    return Located(
        path=path,
        shown=data.path,
        sha256=sha256,
        content_sha256=sha256,
        extra=extra,
        extra_sha256="" if extra is None else checked_sha256(extra, None),
    )


def read_texts(
    split: Split, positions: Sequence[int], *, data: DataTable, base: Path
) -> dict[int, str]:
    """Reads the texts of some reviews again, by their rows."""
    of_test = split.name == "test" and data.test_path is not None
    named = data.test_path if of_test else data.path
    assert named is not None, "the spec requires it"
    column = data.text_column
    texts = read_table(given(named, base), columns=(column,), encoding=data.encoding)
    return {
        each: str(texts.columns[column][int(split.document_ids[each]) - 1]) for each in positions
    }


def read_documents(
    located: Located, *, data: DataTable, progress: Progress | None = None
) -> Documents:
    """Reads reviews from tables.

    Args:
        located: The file of reviews and, as its extra, a file that is the test half.
        data: Names of the columns, the positive label and the encoding.
        progress: Called with "encoding", reviews done, reviews in all.

    Returns:
        The reviews in the order of their rows; `document_ids` are row numbers, from 1.

    Raises:
        DataError: A row breaks a rule (it is named), or the rows together do.
        DependencyError: Parquet without pyarrow.
    """
    path, test_path = located.path, located.extra
    columns = [data.text_column, data.label_column]
    own = [*columns, data.split_column] if data.split_column is not None else columns
    tables = [read_table(path, columns=own, encoding=data.encoding)]
    if test_path is not None:
        tables.append(read_table(test_path, columns=columns, encoding=data.encoding))
    places = _Places(tables)
    if not len(places):
        raise DataError(f"{path}: must hold reviews. Received: a header and no rows.")
    roles = _roles(tables, data=data)
    values = [label_text(value) for value in _column(tables, data.label_column)]
    _refuse_unlabelled(values, places=places)
    names = order_labels(
        _two_labels(values, places=places), positive_label=data.positive_label, where=str(path)
    )
    texts = list(_column(tables, data.text_column))

    def report(done: int) -> None:
        if progress is not None:
            progress("encoding", done, len(texts))

    numbered = number_words(
        (_text(text, places=places, row=row) for row, text in enumerate(texts)), on_progress=report
    )
    _refuse_empty(np.flatnonzero(np.diff(numbered.offsets) == 0), texts, places=places)
    return Documents(
        where=str(path),
        numbers=numbered.numbers,
        offsets=numbered.offsets,
        labels=np.array([value == names[1] for value in values], dtype=np.int8),
        roles=roles,
        document_ids=np.concatenate([np.arange(1, _rows(table) + 1) for table in tables]),
        words=numbered.words,
        ranked=False,
        label_names=names,
    )


class _Places:
    """How errors call the rows of several tables taken together."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = tables

    @property
    def path(self) -> Path:
        return self._tables[0].path

    def __len__(self) -> int:
        return sum(map(_rows, self._tables))

    def __getitem__(self, row: int) -> str:
        for table in self._tables:
            if row < _rows(table):
                return table.place(row)
            row -= _rows(table)
        raise IndexError(row)


def _rows(table: Table) -> int:
    return len(next(iter(table.columns.values())))


def _column(tables: Sequence[Table], name: str) -> "chain[Any]":
    return chain.from_iterable(table.columns[name] for table in tables)


def _roles(tables: Sequence[Table], *, data: DataTable) -> NDArray[np.int8]:
    first = tables[0]
    roles = np.full(_rows(first), TRAIN, dtype=np.int8)
    if data.split_column is not None:
        for row, value in enumerate(first.columns[data.split_column]):
            name = str(value).strip().lower()
            if name not in ROLES:
                near = difflib.get_close_matches(name, ROLES, n=1)
                raise DataError(
                    f"{first.place(row)}: {data.split_column} must be train, validation or test. "
                    f"Received: {value!r}." + (f" Did you mean {near[0]!r}?" if near else "")
                )
            roles[row] = ROLES[name]
    ways = {
        f"rows that {data.split_column} calls test": bool((roles == TEST).any()),
        "data.test_path": len(tables) > 1,
        "data.test_fraction": data.test_fraction is not None,
    }
    given = [way for way, is_given in ways.items() if is_given]
    if len(given) > 1:
        raise DataError(
            f"{first.path}: the test half must be given in one way. "
            f"Received: {' and '.join(given)}."
        )
    return np.concatenate([roles, *(np.full(_rows(t), TEST, dtype=np.int8) for t in tables[1:])])


def label_text(value: Any) -> str:
    """Returns a label as text, "" for none: 1, 1.0 and "1" are one, as are true and "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None or value != value else str(value).strip()  # noqa: PLR0124 - NaN


def _refuse_unlabelled(values: Sequence[str], *, places: _Places) -> None:
    missing = [row for row, value in enumerate(values) if not value]
    if missing:
        raise DataError(
            f"{places[missing[0]]}: the label must not be empty{_and_more(len(missing) - 1)}. "
            "Fill it in or drop the row."
        )


def _and_more(rows: int) -> str:
    if not rows:
        return ""
    return f", and {rows:,} more {'row' if rows == 1 else 'rows'} like it"


def _two_labels(values: Sequence[str], *, places: _Places) -> tuple[str, str]:
    distinct = list(dict.fromkeys(values))
    if len(distinct) == 1:
        raise DataError(
            f"{places.path}: must hold two labels. Received: {distinct[0]!r} in all {len(values)} "
            "rows. Check data.label_column."
        )
    if len(distinct) > 2:
        row = values.index(distinct[2])
        shown = ", ".join(map(repr, distinct[:5])) + (", ..." if len(distinct) > 5 else "")
        raise DataError(
            f"{places[row]}: must hold one of two labels, {distinct[0]!r} or {distinct[1]!r}. "
            f"Received: {distinct[2]!r} (all labels: {shown}). Drop such rows, or check "
            "data.label_column."
        )
    return distinct[0], distinct[1]


def _text(value: Any, *, places: _Places, row: int) -> bytes:
    if value is None or value != value:  # noqa: PLR0124 - NaN
        value = ""
    if not isinstance(value, str):
        raise DataError(
            f"{places[row]}: the text must be text. Received: {value!r} ({type(value).__name__}). "
            "Check data.text_column."
        )
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(f"{places[row]}: the text holds half a character ({error}).") from error


def _refuse_empty(empty: NDArray[np.int64], texts: Sequence[Any], *, places: _Places) -> None:
    if not len(empty):
        return
    text = str(texts[empty[0]] or "")
    raise DataError(
        f"{places[int(empty[0])]}: the text must hold words. Received: "
        f"{text[:_SHOWN_CHARACTERS]!r}{_and_more(len(empty) - 1)}. Fill it in or drop the row."
    )
