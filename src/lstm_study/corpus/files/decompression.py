"""Opens files as bytes or as text, decompressed, with a limit on their size."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any

from lstm_study.corpus.files.advice import option
from lstm_study.corpus.files.encodings import Encoding, find_encoding, given_encoding
from lstm_study.corpus.files.input_files import InputFile
from lstm_study.errors import DataError

LINE_LIMIT = 1 << 24
"""Bytes that one line, one record and one text may have."""

_FREE_BYTES = 1 << 25
_MOST_TIMES = 100
_OPENERS: dict[str, Callable[[IO[bytes]], Any]] = {
    ".gz": lambda raw: gzip.GzipFile(fileobj=raw),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}


@contextmanager
def open_bytes(member: InputFile) -> Iterator[IO[bytes]]:
    """Opens a file, unpacked.

    Raises:
        DataError: It cannot be read, is damaged or encrypted, or unpacks to more than a hundred
            times its size (32 MiB are free); so do errors while the block reads.
    """
    try:
        with ExitStack() as stack:
            status = member.path.stat()
            size = status.st_size
            raw: IO[bytes]
            if member.inside:
                archive = _archive(member.path, status.st_mtime_ns, status.st_size)
                assert archive.fp is not None, "an archive in the cache is open"
                base = archive.fp
                size = archive.getinfo(member.inside).compress_size
                raw = stack.enter_context(archive.open(member.inside))
            else:
                raw = base = stack.enter_context(member.path.open("rb"))
            is_packed = bool(member.inside)
            if member.compression:
                raw = stack.enter_context(_OPENERS[member.compression](raw))
                is_packed = True
            if is_packed:
                limited = _Limited(raw, base, str(member), max(_FREE_BYTES, _MOST_TIMES * size))
                raw = io.BufferedReader(limited, 1 << 20)
            yield raw
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError,
            KeyError, RuntimeError, gzip.BadGzipFile) as error:  # fmt: skip
        raise DataError(f"{member}: is damaged, cut short or encrypted ({error}).") from error
    except OSError as error:
        raise DataError(f"{member}: cannot be read ({error.strerror or error}).") from error


@lru_cache(maxsize=1)
def _archive(path: Path, _changed_ns: int, _size: int) -> zipfile.ZipFile:
    """Opens an archive once for all files in it: its list of files may be long."""
    return zipfile.ZipFile(path)


class _Limited(io.RawIOBase):
    """Bytes of an unpacked stream, up to a limit."""

    def __init__(self, stream: IO[bytes], base: IO[bytes], where: str, limit: int) -> None:
        self.base = base
        self._stream, self._where, self._limit, self._done = stream, where, limit, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._stream.read(len(buffer))
        self._done += len(found)
        if self._done > self._limit:
            raise DataError(
                f"{self._where}: unpacks to more than {self._limit >> 20} MiB, a hundred times its "
                "size. Do not trust this file; if it is yours, unpack it first."
            )
        buffer[: len(found)] = found
        return len(found)


class Text:
    """A text file that is open, without its byte order mark."""

    def __init__(self, file: TextIOWrapper) -> None:
        self._file, self._is_first = file, True

    def position(self) -> int:
        """Returns how many bytes of the file on disk were read."""
        buffer: Any = self._file.buffer
        limited = getattr(buffer, "raw", None)
        return int(limited.base.tell() if isinstance(limited, _Limited) else buffer.tell())

    def readline(self, limit: int = -1) -> str:
        return self._without_mark(self._file.readline(limit))

    def read(self, count: int) -> str:
        return self._without_mark(self._file.read(count))

    def _without_mark(self, text: str) -> str:
        is_first, self._is_first = self._is_first, False
        return text.removeprefix("\ufeff") if is_first else text


def encoding_of(member: InputFile, given: str | None) -> Encoding:
    """Returns the encoding that was given for a file, or finds it out.

    Raises:
        DataError: See `encodings.find_encoding`.
    """
    if given is not None:
        return given_encoding(given, str(member))
    return find_encoding(
        lambda: _pieces(member), place=lambda n: f"{member}:{n}" if n else str(member)
    )


@contextmanager
def open_text(member: InputFile, encoding: Encoding, *, newline: str) -> Iterator[Text]:
    """Opens a file to be read as text, without a byte order mark; `newline` is as of `open`.

    Raises:
        DataError: It is not in that encoding, also while the block reads; the line is named.
    """
    try:
        with open_bytes(member) as raw:
            file = TextIOWrapper(raw, encoding.name, encoding.errors, newline)
            yield Text(file)
    except UnicodeError as error:
        raise DataError(_not_text(member, encoding)) from error


def lines_of(file: Text, where: object) -> Iterator[str]:
    """Yields the lines of a text with their ends.

    Raises:
        DataError: One is longer than `LINE_LIMIT`.
    """
    number = 0
    while line := file.readline(LINE_LIMIT):
        number += 1
        if len(line) == LINE_LIMIT:
            raise DataError(
                f"{where}:{number}: must have at most {LINE_LIMIT:,} characters in a line. Is it "
                "text, with line breaks between the rows?"
            )
        yield line


def _pieces(member: InputFile) -> Iterator[bytes]:
    with open_bytes(member) as raw:
        while line := raw.readline(LINE_LIMIT):
            yield line


def _not_text(member: InputFile, encoding: Encoding) -> str:
    """Says where a file is not in its encoding: only now is it decoded line by line."""
    has_wide_letters = encoding.name.startswith(("utf-16", "utf-32"))
    for number, line in enumerate(() if has_wide_letters else _pieces(member), start=1):
        try:
            line.decode(encoding.name)
        except UnicodeError as error:
            byte = line[getattr(error, "start", 0) :][:1].hex()
            way_out = f"Name its encoding with {option('encoding', 'cp1252')}, or whichever it is."
            if encoding.name == "utf-8-sig":
                # What begins with the mark is UTF-8: another encoding would read the mark as text.
                way_out = (
                    "Correct the line, or read invalid bytes as replacement characters with "
                    f"{option('encoding', 'utf-8-replace')}."
                )
            return f"{member}:{number}: is not {encoding.name} (byte 0x{byte}). {way_out}"
    return (
        f"{member}: is not {encoding.name}. Name its encoding with {option('encoding', 'utf-8')}, "
        "or whichever it is."
    )
