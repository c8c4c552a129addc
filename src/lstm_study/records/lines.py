"""Files of one record a line, appended to: each line's digest covers all lines before it."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from lstm_study.errors import RecordError
from lstm_study.files import appending
from lstm_study.records.codec import from_json, to_json

T = TypeVar("T")


def append_line(path: Path, record: Any) -> str:
    """Appends a record, and waits until it is on the disk; returns the line's digest.

    Raises:
        StoreError: The disk is full, or the file can't be written to.
    """
    with appending(path) as file:
        file.seek(0)
        whole, end, _torn = file.read().rpartition(b"\n")
        # A line that a kill tore must not be joined to this one.
        file.truncate(len(whole) + len(end))
        previous = _digest(whole.rpartition(b"\n")[2]) if end else ""
        line = to_json(record, previous=previous).encode()
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return _digest(line)


def read_lines(path: Path, kind: type[T]) -> dict[str, T]:
    """Reads all records in order, by their lines' digests; none where there is no file.

    A torn last line is a killed process's, and is passed over.

    Raises:
        RecordError: A line was changed, lost or moved.
    """
    found: dict[str, T] = {}
    previous = ""
    whole = path.read_bytes().rpartition(b"\n")[0] if path.is_file() else b""
    for number, line in enumerate(whole.split(b"\n") if whole else (), start=1):
        text, where = line.decode(errors="replace"), f"{path}:{number}"
        record = from_json(text, kind, where=where, previous=previous)
        previous = _digest(line)
        found[previous] = record
    return found


def whole_lines(path: Path, kind: type[T]) -> list[T]:
    """Reads the records of a damaged file that are whole, in order.

    A line's digest covers the line before it: where one was changed, it and the next are left out.
    """
    found, previous = [], ""
    for line in path.read_bytes().split(b"\n") if path.is_file() else ():
        with suppress(RecordError):
            text = line.decode(errors="replace")
            found.append(from_json(text, kind, where=str(path), previous=previous))
        previous = _digest(line)
    return found


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
