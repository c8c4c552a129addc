"""JSON lines and JSON arrays of objects, read a record at a time."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any

from lstm_study.corpus.files.decompression import LINE_LIMIT, Text, lines_of, open_text
from lstm_study.corpus.files.encodings import Encoding
from lstm_study.corpus.files.input_files import InputFile
from lstm_study.corpus.files.rows import MISSING, OpenFile
from lstm_study.errors import DataError

_LOOK_RECORDS = 1_000
_CHUNK = 1 << 16
_IN_ARRAY = re.compile(r"[^ \t\r\n,]")
_OUTSIDE = re.compile(r"[^ \t\r\n]")
_TEXT_WORDS = 3
_TO_JSON = "to_json(path, orient='records', lines=True)"
_WAY_OUT = f"Write an object per line, or an array of objects; in pandas: df.{_TO_JSON}."


@contextmanager
def open_json(
    member: InputFile, columns: Sequence[str] | None, encoding: Encoding
) -> Iterator[OpenFile]:
    """Opens JSON lines, or a JSON array, to be read a record at a time.

    The columns are the keys of the first thousand records, unless some are asked for. A record that
    lacks one has `MISSING`.

    Raises:
        DataError: A record is not a JSON object, also while the block reads; or the records or
            their texts are inside other objects.
    """
    names: dict[str, None] = {}
    with open_text(member, encoding, newline="\n") as file:
        head = [record for _, record in islice(_records(file, member), _LOOK_RECORDS)]
    for record in head:
        names.update(dict.fromkeys(record))
    _check_shape(head, names, member)
    wanted = list(names) if columns is None else columns
    late = "keys that only records after the first 1,000 have, left out"
    notes: dict[str, int] = {late: 0}

    def each(file: Text) -> Iterator[tuple[int, list[Any]]]:
        for line, record in _records(file, member):
            if columns is None and not record.keys() <= names.keys():
                notes[late] += len(record.keys() - names.keys())
            yield line, [record.get(name, MISSING) for name in wanted]

    with open_text(member, encoding, newline="\n") as file:
        yield OpenFile(names=tuple(names), each=each(file), position=file.position, notes=notes)


def _check_shape(head: Sequence[dict[str, Any]], names: Iterable[str], member: InputFile) -> None:
    """Refuses files with records, or texts, inside other objects."""
    top = max((_words(record) for record in head), default=0)
    if len(head) == 1:
        for name, value in head[0].items():
            if isinstance(value, list) and value and _words(value[0]) > top:
                raise DataError(
                    f"{member}: must hold an object for each review. Received: one object, which "
                    f"has {len(value):,} of them in {name!r}. Write this list alone; in pandas: "
                    f"pandas.json_normalize(json.load(open(path))[{name!r}]).{_TO_JSON}."
                )
        if all(isinstance(value, dict | list) for value in head[0].values()):
            raise DataError(
                f"{member}: must hold an object for each review. Received: one object, of "
                f"{', '.join(map(repr, list(names)[:4]))}. {_WAY_OUT}"
            )
    if top >= _TEXT_WORDS:
        return
    for record in head:
        for name, value in record.items():
            if _words(value) >= _TEXT_WORDS:
                advice = f"Flatten them; in pandas: pandas.json_normalize(records).{_TO_JSON}."
                if {"data", "annotations"} <= record.keys():
                    advice = "If Label Studio wrote it, export JSON-MIN or CSV."
                raise DataError(
                    f"{member}: must hold the texts as values of its records. Received: texts "
                    f"inside of the objects {name!r}. {advice}"
                )


def _words(value: Any) -> int:
    """Counts the words of an object's longest text; 0 for other values."""
    texts = value.values() if isinstance(value, dict) else ()
    return max((len(text.split()) for text in texts if isinstance(text, str)), default=0)


def _records(file: Text, member: InputFile) -> Iterator[tuple[int, dict[str, Any]]]:
    # An array on one line may be longer than any line of other files: no more than a piece is read.
    start, skipped = file.readline(_CHUNK), 0
    while start and not start.strip():
        skipped += start.endswith("\n")
        start = file.readline(_CHUNK)
    if start.lstrip().startswith("["):
        yield from _arrays(_Stream(start.lstrip()[1:], file, member, line=skipped + 1))
        return
    if not start.endswith("\n"):
        start += file.readline(LINE_LIMIT - len(start))
    if _is_unfinished(start):
        yield from _indented(_Stream(start, file, member, line=skipped + 1))
        return
    lines = chain([start], lines_of(file, member))
    for number, text in enumerate(lines, start=skipped + 1):
        if text.strip():
            yield number, _object(text, f"{member}:{number}")


def _is_unfinished(text: str) -> bool:
    """Whether an object may continue on the next line: the only error is at the line's end."""
    text = text.strip()
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return text.startswith("{") and error.pos == len(text)
    except (ValueError, RecursionError):
        return False
    return False


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: must be one JSON object ({error}). {_WAY_OUT}") from error
    if not isinstance(record, dict):
        raise DataError(
            f"{where}: must be one JSON object. Received: {type(record).__name__}. {_WAY_OUT}"
        )
    return record


def _indented(stream: "_Stream") -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields objects that span lines; mostly it is one, which `_check_shape` judges."""
    while letter := stream.next_letter(_OUTSIDE):
        if letter != "{":
            raise DataError(
                f"{stream.place}: must be one JSON object. Received: {stream.shown}. {_WAY_OUT}"
            )
        line = stream.line
        yield line, stream.take_object("one JSON object")


def _arrays(stream: "_Stream") -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the objects of one array or several, from behind the first one's bracket."""
    is_open = True
    while letter := stream.next_letter(_IN_ARRAY if is_open else _OUTSIDE):
        if is_open and letter == "{":
            line = stream.line
            yield line, stream.take_object("an array of objects")
        elif letter == ("]" if is_open else "["):
            stream.skip()
            is_open = not is_open
        elif is_open:
            raise DataError(
                f"{stream.place}: must be an array of objects. Received: {stream.shown}. {_WAY_OUT}"
            )
        else:
            raise DataError(
                f"{stream.place}: must hold arrays of objects alone, or objects alone. Received: "
                f"{stream.shown} behind an array."
            )
    if is_open:
        raise DataError(f"{stream.place}: must be an array of objects (it ends early).")


class _Stream:
    """Reads JSON objects from a text; holds no more than one object and one chunk of it."""

    def __init__(self, text: str, file: Text, member: InputFile, *, line: int) -> None:
        self._text, self._at = text, 0
        self._file, self._member, self.line = file, member, line
        self._decoder = json.JSONDecoder()

    @property
    def place(self) -> str:
        return f"{self._member}:{self.line}"

    @property
    def shown(self) -> str:
        return repr(self._text[self._at : self._at + 20])

    def next_letter(self, wanted: re.Pattern[str]) -> str:
        """Skips to the next character that matches and returns it; "" at the end."""
        while True:
            found = wanted.search(self._text, self._at)
            self._go(found.start() if found else len(self._text))
            if found:
                return found[0]
            self._text, self._at = self._file.read(_CHUNK), 0
            if not self._text:
                return ""

    def skip(self) -> None:
        """Skips one character."""
        self._at += 1

    def take_object(self, rule: str) -> dict[str, Any]:
        """Reads the object that begins here; `rule` is what the error says must be here."""
        chunk = _CHUNK
        record: dict[str, Any]
        while True:
            try:
                record, end = self._decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                # Else it is parsed again, so that the error counts from the object's start.
                is_cut = self._at == 0
                more = self._file.read(chunk)
                if is_cut and (not more or len(self._text) > LINE_LIMIT):
                    problem = str(error) or type(error).__name__
                    most = f", none longer than {LINE_LIMIT:,} characters" if more else ""
                    raise DataError(
                        f"{self.place}: must be {rule}{most} ({problem}). {_WAY_OUT}"
                    ) from error
                self._text, self._at = self._text[self._at :] + more, 0
                # Doubled each time, so that a long object is parsed only a few times.
                chunk = max(_CHUNK, len(self._text))
            else:
                self._go(end)
                return record

    def _go(self, end: int) -> None:
        self.line += self._text.count("\n", self._at, end)
        self._at = end
