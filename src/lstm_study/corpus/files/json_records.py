"""JSON lines and JSON arrays of objects, read a record at a time."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

from lstm_study.corpus.files.encodings import Encoding
from lstm_study.corpus.files.members import Member
from lstm_study.corpus.files.opening import LINE_LIMIT, Text, lines_of, open_text
from lstm_study.corpus.files.rows import MISSING, Rows
from lstm_study.errors import DataError

_LOOK_RECORDS = 1_000
_CHUNK = 1 << 16
_SPACE = " \t\r\n"


@contextmanager
def open_json(member: Member, columns: Sequence[str] | None, encoding: Encoding) -> Iterator[Rows]:
    """Opens JSON lines, or a JSON array, to be read a record at a time.

    The columns are the keys of the first thousand records, unless some are asked for. A record that
    lacks one has `MISSING`.

    Raises:
        DataError: A record is not a JSON object, also while the block reads.
    """
    names: dict[str, None] = {}
    with open_text(member, encoding, newline="\n") as file:
        for _, (_, record) in zip(range(_LOOK_RECORDS), _records(file, member), strict=False):
            names.update(dict.fromkeys(record))
    wanted = list(names) if columns is None else columns
    with open_text(member, encoding, newline="\n") as file:
        each = (
            (line, [record.get(name, MISSING) for name in wanted])
            for line, record in _records(file, member)
        )
        yield Rows(names=tuple(names), each=each, position=file.position)


def _records(file: Text, member: Member) -> Iterator[tuple[int, dict[str, Any]]]:
    start, skipped = file.readline(LINE_LIMIT), 0
    while start and not start.strip():
        start = file.readline(LINE_LIMIT)
        skipped += 1
    if start.lstrip().startswith("["):
        yield from _array(start.lstrip()[1:], file, member, line=skipped + 1)
        return
    lines = chain([start], lines_of(file, member))
    for number, text in enumerate(lines, start=skipped + 1):
        if text.strip():
            yield number, _object(text, f"{member}:{number}")


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: must be one JSON object ({error}).") from error
    if not isinstance(record, dict):
        raise DataError(f"{where}: must be one JSON object. Received: {type(record).__name__}.")
    return record


def _array(
    text: str, file: Text, member: Member, *, line: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the objects of an array; no more text is held than one object and a chunk."""
    decoder, chunk = json.JSONDecoder(), _CHUNK
    while True:
        rest = text.lstrip(_SPACE + ",")
        line += text.count("\n", 0, len(text) - len(rest))
        text = rest
        if text.startswith("]"):
            return
        if text and not text.startswith("{"):
            raise DataError(
                f"{member}:{line}: must be an array of objects. Received: {text[:20]!r}."
            )
        try:
            record, end = decoder.raw_decode(text) if text else (None, 0)
        except (ValueError, RecursionError) as error:
            record, end, problem = None, 0, str(error) or type(error).__name__
        else:
            problem = "it ends early"
        if record is None:
            more = file.read(chunk)
            if not more or len(text) > LINE_LIMIT:
                raise DataError(f"{member}:{line}: must be an array of objects ({problem}).")
            text += more
            # Twice as much each time, so that a long object is not tried over and over.
            chunk = max(_CHUNK, len(text))
            continue
        yield line, record
        line += text.count("\n", 0, end)
        text = text[end:]
        chunk = _CHUNK
