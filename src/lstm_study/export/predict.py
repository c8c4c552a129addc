"""Reads the texts of a CSV file with a bundle, as a stream."""

import csv
import difflib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np

from lstm_study.errors import ExportError
from lstm_study.export.load import Bundle
from lstm_study.files import replacing

Progress = Callable[[str, int, int], None]

_DELIMITERS = (",", ";", "\t", "|")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
ROWS_AT_ONCE = 2_048
_FIELD_LIMIT = 1 << 27


def predict_csv(
    bundle: Bundle,
    source: Path,
    target: Path,
    *,
    text_column: str = "text",
    encoding: str | None = None,
    progress: Progress | None = None,
) -> int:
    """Copies a CSV file with two more columns: `probability` and `label`.

    The other columns keep their values, whatever they hold, and the file its delimiter (comma,
    semicolon, tab or bar), line ends and encoding. A column of the file's own that has one of the
    two names keeps it, and the new one is called `predicted_probability` or `predicted_label`.
    About two thousand rows are held at a time. A failure leaves an earlier target as it was.

    Args:
        bundle: The model.
        source: The file, with a header.
        target: Where the copy goes; not the source.
        text_column: The column that holds the texts.
        encoding: The file's; by default what its byte order mark says, else UTF-8.
        progress: Called with "predicting", bytes read and bytes in all.

    Returns:
        How many texts were read.

    Raises:
        ExportError: The bundle does not know words; the file is missing, empty, in another
            encoding, not well formed, or lacks the column; the target can't be written.
    """
    if target.exists() and source.exists() and target.samefile(source):
        raise ExportError(f"{target}: is the file to read. Give another one to write.")
    writing = replacing(
        target,
        durable=False,
        error=ExportError,
        next_step="Free space, or choose another file.",
    )
    with _open(source, encoding) as (file, found), writing as temporary:
        table = _Rows(file, source, text_column)
        added = [_free_name(name, table.header, source) for name in ("probability", "label")]
        rows = 0
        with temporary.open("w", encoding=found, newline="") as out:
            writer = csv.writer(out, delimiter=table.delimiter, lineterminator=table.line_end)
            writer.writerow([*table.header, *added])
            for chunk in table.chunks():
                texts = (row[table.position] for row in chunk)
                probabilities = np.concatenate(list(bundle.predict_texts(texts, len(chunk))))
                for row, value in zip(chunk, probabilities, strict=True):
                    writer.writerow([*row, f"{value:.8f}", bundle.label_of(float(value))])
                rows += len(chunk)
                if progress is not None:
                    progress("predicting", file.buffer.tell(), source.stat().st_size)
    return rows


class _Rows:
    """A CSV file's header and rows, with errors that say where they are."""

    def __init__(self, file: TextIO, path: Path, text_column: str) -> None:
        self.path = path
        first = file.readline()
        if not first.strip():
            raise ExportError(
                f"{path}: must begin with a header that names its columns. Received: "
                f"{'an empty line' if first else 'an empty file'}. Give a CSV file with a header."
            )
        file.seek(0)
        self.line_end = "\r\n" if first.endswith("\r\n") else "\n"
        self.delimiter = _delimiter(first, path, text_column)
        self._reader = csv.reader(file, delimiter=self.delimiter, strict=True)
        self._rows = self._checked_rows()
        self.header = next(self._rows)
        self.position = _position(text_column, self.header, path)

    def chunks(self) -> Iterator[list[list[str]]]:
        """Yields the rows in order, about two thousand at a time; blank lines are no rows."""
        while chunk := list(islice(self._rows, ROWS_AT_ONCE)):
            yield chunk

    def _checked_rows(self) -> Iterator[list[str]]:
        before = csv.field_size_limit(_FIELD_LIMIT)
        width = 0
        try:
            for row in self._reader:
                width = width or len(row)
                if row and len(row) != width:
                    raise ExportError(
                        f"{self.path}:{self._reader.line_num}: must have {width} fields, as the "
                        f"header has. Received: {len(row)}. "
                        "Put texts that hold the delimiter in quotes."
                    )
                if row:
                    yield row
        except csv.Error as error:
            raise ExportError(
                f"{self.path}:{self._reader.line_num}: is not well formed ({error}). Put texts "
                "that hold quotes or line breaks in quotes, and double the quotes inside."
            ) from error
        finally:
            csv.field_size_limit(before)


def _delimiter(first_line: str, path: Path, text_column: str) -> str:
    """Returns the first delimiter with which the header has the column; else the likeliest."""
    if path.suffix.lower() in (".tsv", ".tab"):
        return "\t"
    for delimiter in _DELIMITERS:
        header = next(csv.reader([first_line], delimiter=delimiter), [])
        if text_column in _names(header):
            return delimiter
    return max(_DELIMITERS, key=first_line.count)


def _position(name: str, header: Sequence[str], path: Path) -> int:
    names = _names(header)
    if names.count(name) == 1:
        return names.index(name)
    if name in names:
        raise ExportError(
            f"{path}: must have one column {name!r}. Received: {names.count(name)}. "
            "Rename the others."
        )
    by_lower = {other.lower(): other for other in reversed(names)}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    shown = ", ".join(repr(other[:30]) for other in names[:8])
    advice = f"Did you mean {by_lower[near[0]]!r}? " if near else ""
    raise ExportError(
        f"{path}: must have a column {name!r}. Received: {shown}. {advice}"
        "Name the column that holds the texts."
    )


def _names(header: Sequence[str]) -> list[str]:
    return [name.strip() for name in header]


def _free_name(name: str, header: Sequence[str], path: Path) -> str:
    for candidate in (name, f"predicted_{name}"):
        if candidate not in _names(header):
            return candidate
    raise ExportError(
        f"{path}: has columns {name!r} and 'predicted_{name}' already, so a new one has no name. "
        "Rename one of them."
    )


@contextmanager
def _open(path: Path, encoding: str | None) -> Iterator[tuple[TextIO, str]]:
    try:
        with path.open("rb") as raw:
            start = raw.read(4)
        found = encoding or next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
        file = path.open(encoding=found, newline="")
    except FileNotFoundError:
        raise ExportError(f"{path}: no such file. Give the path of a CSV file.") from None
    except LookupError:
        raise ExportError(
            f"{path}: the encoding must be one that Python knows, such as utf-8 or cp1252. "
            f"Received: {encoding!r}."
        ) from None
    except OSError as error:
        raise ExportError(f"{path}: cannot be read ({error.strerror or error}).") from error
    with file:
        try:
            yield file, found
        except UnicodeError as error:
            raise ExportError(
                f"{path}: must be {found.upper()} ({error}). "
                "Save it as UTF-8, or say which encoding it is in."
            ) from error
