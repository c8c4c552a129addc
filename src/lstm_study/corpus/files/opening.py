"""Files opened as bytes, unpacked on the way, and never more of them than there may be."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from lstm_study.corpus.files.members import Member
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
def open_bytes(member: Member) -> Iterator[IO[bytes]]:
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


def position_of(stream: Any) -> int:
    """Returns how many bytes of the file on disk were read."""
    limited = getattr(stream, "raw", None)
    if isinstance(limited, _Limited):
        return limited.base.tell()
    return int(stream.tell())


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
