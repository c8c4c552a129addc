"""Columns out of CSV, TSV, JSONL and Parquet files, with the place of each row."""

import codecs
import csv
import difflib
import io
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_study.errors import DataError, DependencyError

_DELIMITERS = (",", ";", "\t", "|")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FIELD_LIMIT = 1 << 27

_log = logging.getLogger(__name__)


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


def read_table(path: Path, *, columns: Sequence[str], encoding: str | None = None) -> Table:
    """Reads some columns of a file; its suffix says what it is.

    `.csv` (with commas, semicolons, tabs or bars), `.tsv` and `.tab`, `.jsonl` and `.ndjson`,
    `.parquet`. Without `encoding`, a byte order mark decides; else UTF-8 is tried; else Windows's
    Western European or Latin-1 is taken, which the log says.

    Raises:
        DataError: The file is missing or no such file, or lacks a column.
        DependencyError: Parquet needs pyarrow, which is not installed.
    """
    readers: dict[str, Callable[[Path, Sequence[str], str | None], Table]] = {
        ".csv": _read_csv,
        ".tsv": _read_csv,
        ".tab": _read_csv,
        ".jsonl": _read_jsonl,
        ".ndjson": _read_jsonl,
        ".parquet": _read_parquet,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{path}: its name must end in {', '.join(readers)}. Received: {path.suffix!r}."
        )
    if not path.is_file():
        raise DataError(f"{path}: no such file. Give the path of your reviews as data.path.")
    return reader(path, columns, encoding)


def decode(raw: bytes, *, encoding: str | None, where: str) -> str:
    """Returns the text of a file's bytes; see `read_table` for how its encoding is found.

    Raises:
        DataError: The bytes are not text in the encoding given, or no text at all.
    """
    if encoding is None:
        encoding = _detect(raw, where=where)
    try:
        text = raw.decode(encoding)
    except LookupError:
        raise DataError(
            f"{where}: data.encoding must be an encoding that Python knows. Received: "
            f"{encoding!r}. Usual ones: utf-8, utf-16, latin-1, cp1252."
        ) from None
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        line = raw.count(b"\n", 0, start) + 1
        raise DataError(
            f"{where}:{line}: is not {encoding} "
            f"(byte 0x{raw[start : start + 1].hex()}). Set data.encoding, for example to latin-1."
        ) from error
    return text.removeprefix("\ufeff")


def _detect(raw: bytes, *, where: str) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return encoding
    if b"\0" in raw[:4096]:
        raise DataError(
            f"{where}: must be text, and holds zero bytes. If it is UTF-16 without a byte order "
            "mark, set data.encoding to utf-16-le or utf-16-be."
        )
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        # Bytes 80 to 9f are control characters in Latin-1: in a text they are Windows's quotes.
        windows = any(0x80 <= byte <= 0x9F for byte in set(raw))
        encoding = "cp1252" if windows else "latin-1"
        _log.warning("%s: is not UTF-8; read as %s. data.encoding sets another.", where, encoding)
        return encoding
    return "utf-8"


def _read_csv(path: Path, columns: Sequence[str], encoding: str | None) -> Table:
    text = decode(_bytes(path), encoding=encoding, where=str(path))
    delimiter = "\t"
    if path.suffix.lower() == ".csv":
        delimiter = _delimiter(text, columns)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = csv.field_size_limit(_FIELD_LIMIT)
    try:
        return _csv_rows(reader, path, columns)
    except csv.Error as error:
        raise DataError(
            f"{path}:{reader.line_num}: is not well formed ({error}). Put texts that hold "
            "quotes or line breaks in quotes, and double the quotes inside."
        ) from error
    finally:
        csv.field_size_limit(before)


def _csv_rows(reader: Any, path: Path, columns: Sequence[str]) -> Table:
    header = [name.strip() for name in next(reader, [])]
    positions = [_position(name, header, path) for name in columns]
    values: list[list[str]] = [[] for _ in columns]
    lines: list[int] = []
    line = reader.line_num + 1
    for row in reader:
        if row:
            if len(row) != len(header):
                raise DataError(
                    f"{path}:{line} (row {len(lines) + 1}): must have {len(header)} fields, as "
                    f"the header has. Received: {len(row)}. "
                    "Put texts that hold the delimiter in quotes."
                )
            for column, position in zip(values, positions, strict=True):
                column.append(row[position])
            lines.append(line)
        line = reader.line_num + 1
    return Table(path, dict(zip(columns, values, strict=True)), lines)


def _delimiter(text: str, columns: Sequence[str]) -> str:
    """Returns the first delimiter with which the header holds the columns; the comma if none."""
    first_line = text.partition("\n")[0]
    for delimiter in _DELIMITERS:
        header = next(csv.reader([first_line], delimiter=delimiter), [])
        if set(columns) <= {name.strip() for name in header}:
            return delimiter
    return ","


def _read_jsonl(path: Path, columns: Sequence[str], encoding: str | None) -> Table:
    text = decode(_bytes(path), encoding=encoding, where=str(path))
    values: list[list[Any]] = [[] for _ in columns]
    lines: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
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
        for column, name in zip(values, columns, strict=True):
            if name not in record:
                _position(name, list(record), Path(f"{path}:{number}"))
            column.append(record[name])
        lines.append(number)
    return Table(path, dict(zip(columns, values, strict=True)), lines)


def _read_parquet(path: Path, columns: Sequence[str], encoding: str | None) -> Table:
    if encoding is not None:
        raise DataError(f"{path}: data.encoding does not fit Parquet. Remove it.")
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise DependencyError(
            f"{path}: reading Parquet needs pyarrow, which is not installed. "
            "Run: pip install 'lstm-study[parquet]'"
        ) from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            for name in columns:
                _position(name, names, path)
            table = file.read(columns=list(columns))
    except (pyarrow.ArrowException, OSError) as error:
        text = " ".join(str(error).split())
        raise DataError(f"{path}: is damaged, or no Parquet file ({text}).") from error
    return Table(path, {name: table.column(name).to_pylist() for name in columns}, None)


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


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}).") from error
