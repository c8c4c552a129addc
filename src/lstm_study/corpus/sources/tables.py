"""Columns out of CSV, TSV, JSONL and Parquet files, with the place of each row."""

import csv
import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from lstm_study.corpus.sources.text_files import open_text
from lstm_study.errors import DataError, DependencyError

_DELIMITERS = (",", ";", "\t", "|")
_FIELD_LIMIT = 1 << 27
_BATCH_ROWS = 4_096


@dataclass(frozen=True, eq=False)
class Table:
    """Some columns of a file.

    Attributes:
        path: The file.
        columns: Values by column name; all lists are equally long.
        lines: The line on which each row begins, from 1; None where a file has no lines.
    """

    path: Path
    columns: dict[str, list[Any]]
    lines: list[int] | None

    def place(self, row: int) -> str:
        """Returns how an error calls a row (from 0): "reviews.csv:18 (row 17)"."""
        if self.lines is None:
            return f"{self.path} (row {row + 1})"
        return f"{self.path}:{self.lines[row]} (row {row + 1})"


@dataclass(frozen=True, eq=False)
class Rows:
    """A file read a row at a time.

    Attributes:
        path: The file.
        names: Its columns; of JSONL those of the first object.
        each: Yields the line on which a row begins (None where a file has no lines) and its values
            by column: all of the file's columns, or those asked for.
    """

    path: Path
    names: list[str]
    each: Iterator[tuple[int | None, Sequence[Any]]]


def read_table(path: Path, *, columns: Sequence[str], encoding: str | None = None) -> Table:
    """Reads some columns of a file; its suffix says what it is.

    `.csv` (with commas, semicolons, tabs or bars), `.tsv` and `.tab`, `.jsonl` and `.ndjson`,
    `.parquet`. Without `encoding` it is found out, see `text_files.encoding_of`.

    Raises:
        DataError: The file is missing or no such file, or lacks a column.
        DependencyError: Parquet needs pyarrow, which is not installed.
    """
    values: list[list[Any]] = [[] for _ in columns]
    lines: list[int] = []
    with open_rows(path, columns=columns, encoding=encoding) as rows:
        for line, row in rows.each:
            for column, value in zip(values, row, strict=True):
                column.append(value)
            if line is not None:
                lines.append(line)
    by_name = dict(zip(columns, values, strict=True))
    has_lines = path.suffix.lower() != ".parquet"
    return Table(path, by_name, lines if has_lines else None)


@contextmanager
def open_rows(
    path: Path, *, columns: Sequence[str] | None, encoding: str | None = None
) -> Iterator[Rows]:
    """Opens a file to be read a row at a time; see `read_table`.

    Args:
        path: The file.
        columns: Names of the columns to read; None for all. A key that a JSONL object lacks is
            then None.
        encoding: None to find out.

    Raises:
        DataError: The file is missing or no such file, or lacks a column; or a row is malformed,
            while the block reads.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{path}: its name must end in {', '.join(_READERS)}. Received: {path.suffix!r}."
        )
    if not path.is_file():
        raise DataError(f"{path}: no such file. Give the path of your reviews as data.path.")
    with reader(path, columns, encoding) as rows:
        yield rows


@contextmanager
def _csv(path: Path, columns: Sequence[str] | None, encoding: str | None) -> Iterator[Rows]:
    before = csv.field_size_limit(_FIELD_LIMIT)
    reader: Any = None
    try:
        with open_text(path, encoding=encoding, newline="") as file:
            first_line = file.readline()
            lines = chain([first_line], file)
            is_csv = path.suffix.lower() == ".csv"
            delimiter = _delimiter(first_line, columns) if is_csv else "\t"
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            names = [name.strip() for name in next(reader, [])]
            yield Rows(path, names, _csv_rows(reader, path, names, columns))
    except csv.Error as error:
        raise DataError(
            f"{path}:{reader.line_num}: is not well formed ({error}). Put texts that hold "
            "quotes or line breaks in quotes, and double the quotes inside."
        ) from error
    finally:
        csv.field_size_limit(before)


def _csv_rows(
    reader: Any, path: Path, names: Sequence[str], columns: Sequence[str] | None
) -> Iterator[tuple[int, list[str]]]:
    positions = [_position(name, names, path) for name in names if columns is None] + [
        _position(name, names, path) for name in columns or ()
    ]
    number, line = 0, reader.line_num + 1
    for row in reader:
        if row:
            number += 1
            if len(row) != len(names):
                raise DataError(
                    f"{path}:{line} (row {number}): must have {len(names)} fields, as "
                    f"the header has. Received: {len(row)}. "
                    "Put texts that hold the delimiter in quotes."
                )
            yield line, [row[position] for position in positions]
        line = reader.line_num + 1


def _delimiter(first_line: str, columns: Sequence[str] | None) -> str:
    """Returns the first delimiter with which the header holds the columns; the comma if none.

    Where no columns are asked for, it is the one that makes the most of them.
    """
    headers = {
        delimiter: [
            name.strip() for name in next(csv.reader([first_line], delimiter=delimiter), [])
        ]
        for delimiter in _DELIMITERS
    }
    if columns is None:
        return max(_DELIMITERS, key=lambda delimiter: len(headers[delimiter]))
    fitting = (d for d, header in headers.items() if set(columns) <= set(header))
    return next(fitting, _DELIMITERS[0])


@contextmanager
def _jsonl(path: Path, columns: Sequence[str] | None, encoding: str | None) -> Iterator[Rows]:
    with open_text(path, encoding=encoding, newline="\n") as file:
        records = _json_records(enumerate(file, start=1), path)
        first = next(records, None)
        names = [] if first is None else list(first[1])
        each = () if first is None else chain([first], records)
        yield Rows(path, names, _json_rows(each, path, names if columns is None else columns,
                                           is_exact=columns is not None))  # fmt: skip


def _json_records(
    lines: Iterable[tuple[int, str]], path: Path
) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}:{number}: must be one JSON object ({error}).") from error
        if not isinstance(record, dict):
            raise DataError(
                f"{path}:{number}: must be one JSON object. Received: {type(record).__name__}."
            )
        yield number, record


def _json_rows(
    records: Iterable[tuple[int, dict[str, Any]]],
    path: Path,
    columns: Sequence[str],
    *,
    is_exact: bool,
) -> Iterator[tuple[int, list[Any]]]:
    for number, record in records:
        for name in columns if is_exact else ():
            if name not in record:
                _position(name, list(record), Path(f"{path}:{number}"))
        yield number, [record.get(name) for name in columns]


@contextmanager
def _parquet(path: Path, columns: Sequence[str] | None, encoding: str | None) -> Iterator[Rows]:
    if encoding is not None:
        raise DataError(f"{path}: data.encoding does not fit Parquet. Remove it.")
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise DependencyError(
            f"{path}: reading Parquet needs pyarrow, which is not installed. "
            "Run: pip install pyarrow"
        ) from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = list(file.schema_arrow.names)
            wanted = names if columns is None else list(columns)
            for name in wanted:
                _position(name, names, path)
            yield Rows(path, names, _parquet_rows(file, wanted))
    except (pyarrow.ArrowException, OSError) as error:
        text = " ".join(str(error).split())
        raise DataError(f"{path}: is damaged, or no Parquet file ({text}).") from error


def _parquet_rows(file: Any, columns: list[str]) -> Iterator[tuple[None, tuple[Any, ...]]]:
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns):
        lists = [batch.column(name).to_pylist() for name in columns]
        for row in zip(*lists, strict=True):
            yield None, row


def _position(name: str, header: Sequence[str], path: Path) -> int:
    found = [position for position, other in enumerate(header) if other == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(f"{path}: must have one column {name!r}. Received: {len(found)} of them.")
    near = difflib.get_close_matches(name, header, n=1)
    shown = ", ".join(repr(other[:30]) for other in header[:8]) or "no columns"
    raise DataError(
        f"{path}: must have a column {name!r}. Received: {shown}. "
        + (f"Did you mean {near[0]!r}? " if near else "")
        + "Name the columns with text_column, label_column and split_column under [data]."
    )


_READERS: dict[
    str, Callable[[Path, Sequence[str] | None, str | None], AbstractContextManager[Rows]]
] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".tab": _csv,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".parquet": _parquet,
}
