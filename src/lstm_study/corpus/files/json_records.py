"""JSON lines and JSON arrays of objects, read a record at a time."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any

from lstm_study.corpus.files.decompression import LINE_LIMIT, Text, lines_of, open_text
from lstm_study.corpus.files.encodings import Encoding
from lstm_study.corpus.files.input_files import InputFile
from lstm_study.corpus.files.json_advice import (
    FEW_LINES,
    FLAT,
    GENERAL,
    TEXT_WORDS,
    about_line,
    about_lists,
    about_some_lines,
    first_list,
    frame_of_lists,
    table_within,
    words_of,
)
from lstm_study.corpus.files.rows import MISSING, OpenFile
from lstm_study.corpus.files.shell_commands import to_json_lines
from lstm_study.errors import DataError

_LOOK_RECORDS = 1_000
_CHUNK = 1 << 16
_IN_ARRAY = re.compile(r"[^ \t\r\n,]")
_OUTSIDE = re.compile(r"[^ \t\r\n]")
_SHOWN = 30


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

    def is_array() -> bool:
        with open_text(member, encoding, newline="\n") as again:
            return again.read(_CHUNK).lstrip().startswith("[")

    _check_shape(head, names, member, is_array)
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


def _check_shape(
    head: Sequence[dict[str, Any]],
    names: Iterable[str],
    member: InputFile,
    is_array: Callable[[], bool],
) -> None:
    """Refuses files with records, or texts, inside other objects; says how to write them plainly.

    Args:
        head: The first records.
        names: Their keys.
        member: The file.
        is_array: Reads whether it begins as an array.
    """
    top = max(map(words_of, head), default=0)
    if len(head) == 1:
        inner = table_within(head[0])
        if inner is not None and inner.words > top:
            of_array = "[0]" if is_array() else ""
            what = f"which has {inner.rows:,} of them in {inner.place}"
            raise DataError(
                f"{member}: must hold an object for each review. Received: one object, "
                f"{what if inner.place else f'of {inner.rows:,} reviews'}. Write an object for "
                f"each: {to_json_lines(member, inner.frame, value=of_array + inner.place)}"
            )
        if all(isinstance(value, dict | list) for value in head[0].values()):
            raise DataError(
                f"{member}: must hold an object for each review. Received: one object, of "
                f"{', '.join(map(repr, list(names)[:4]))}. {GENERAL}"
            )
    if top >= TEXT_WORDS:
        return
    for record in head:
        for name, value in record.items():
            if words_of(value) >= TEXT_WORDS:
                where, frame = f"of the objects {name!r}", FLAT
            elif (found := frame_of_lists(name, record)) is not None:
                where, frame = f"of the lists {name!r}", found
            else:
                continue
            if {"data", "annotations"} <= record.keys():
                advice = "If Label Studio wrote it, export JSON-MIN or CSV."
            else:
                advice = f"Flatten them: {to_json_lines(member, frame, is_lines=not is_array())}"
            raise DataError(
                f"{member}: must hold the texts as values of its records. Received: texts inside "
                f"{where}. {advice}"
            )


def _records(file: Text, member: InputFile) -> Iterator[tuple[int, dict[str, Any]]]:
    # An array on one line may be longer than any line of other files: no more than a piece is read.
    start, skipped = file.readline(_CHUNK), 0
    while start and not start.strip():
        skipped += start.endswith("\n")
        start = file.readline(_CHUNK)
    if start.lstrip().startswith("["):
        stream = _Stream(start.lstrip()[1:], file, member, line=skipped + 1)
        yield from _arrays(stream, of_lists=about_lists(start, member))
        return
    if not start.endswith("\n"):
        start += file.readline(LINE_LIMIT - len(start))
    if _is_unfinished(start):
        yield from _indented(_Stream(start, file, member, line=skipped + 1))
        return
    lines = enumerate(chain([start], lines_of(file, member)), start=skipped + 1)
    good = 0
    for number, text in lines:
        if text.strip():
            try:
                record = _object(text, f"{member}:{number}")
            except DataError as error:
                raise _with_advice(error, text, (number, good), lines, member) from error
            good += 1
            yield number, record


def _with_advice(
    error: DataError,
    text: str,
    found: tuple[int, int],
    lines: Iterator[tuple[int, str]],
    member: InputFile,
) -> DataError:
    """Returns the error on a line with what to do about it: of all lines, or of a few.

    Args:
        error: On this line alone.
        text: The line.
        found: Its number, and how many objects are above it.
        lines: Those below it.
        member: The file.
    """
    number, good = found
    if not good and (advice := about_line(text, member)):
        return DataError(f"{error} {advice}")
    bad, count = [number], 1
    for below, other in lines:
        if other.strip():
            try:
                _object(other, "")
            except DataError:
                count += 1
                bad += [below] if count <= FEW_LINES else []
            else:
                good += 1
    if count > good:
        return DataError(f"{error} {GENERAL}")
    verb = "is" if count == 1 else "are"
    of_all = f"{count:,} of {count + good:,} lines {verb} not an object."
    return DataError(f"{error} {of_all} {about_some_lines(bad, count, member)}")


def _is_unfinished(text: str) -> bool:
    """Whether an object may continue on the next line: the only error is at the line's end.

    Of a line that is too long to be read the end is missing.
    """
    if len(text) >= LINE_LIMIT:
        return text.lstrip().startswith("{")
    text = text.strip()
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return text.startswith("{") and error.pos == len(text)
    except (ValueError, RecursionError):
        return False
    return False


def _object(text: str, where: str) -> dict[str, Any]:
    text = text.strip()
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{where}: must be one JSON object ({error}). Received: {text[:_SHOWN]!r}."
        ) from error
    if not isinstance(record, dict):
        raise DataError(f"{where}: must be one JSON object. Received: {type(record).__name__}.")
    return record


def _indented(stream: "_Stream") -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields objects that span lines; mostly it is one, which `_check_shape` judges."""
    while letter := stream.next_letter(_OUTSIDE):
        if letter != "{":
            raise DataError(
                f"{stream.place}: must be one JSON object. Received: {stream.shown}. {GENERAL}"
            )
        line = stream.line
        yield line, stream.take_object("one JSON object")


def _arrays(stream: "_Stream", *, of_lists: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the objects of one array or several, from behind the first one's bracket.

    `of_lists` is what to do if it holds no objects; "" for what is said in general.
    """
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
                f"{stream.place}: must be an array of objects. Received: {stream.shown}. "
                + (of_lists or GENERAL)
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
                    place = first_list(self._text) if more else ""
                    advice = (
                        f"Write the list in {place} alone: "
                        + to_json_lines(self._member, FLAT, value=place)
                        if place
                        else GENERAL
                    )
                    raise DataError(
                        f"{self.place}: must be {rule}{most} ({problem}). {advice}"
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
