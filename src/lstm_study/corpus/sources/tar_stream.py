"""Files out of a tar archive, one after the other: nothing is extracted, nothing is trusted.

Python's `tarfile` needs several times as long for 50,000 small members, takes a gzip stream that
ends early for a whole archive, and knows many kinds of member; here regular files and folders are
read, and every other kind is refused.
"""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from lstm_study.errors import DataError

_BLOCK = 512
_READ_BYTES = 1 << 20
_ARCHIVE_LIMIT_BYTES = 8 << 30
_FILE, _FOLDER, _EXTENSION = b"0\0", b"5", b"xgL"
_GZIP_MAGIC = b"\x1f\x8b"


def stream_files(
    path: Path, *, wanted: Callable[[str], bool], limit_bytes: int
) -> Iterator[tuple[str, bytes]]:
    """Yields name and content of the wanted files of a `.tar` or `.tar.gz`, in its order.

    Args:
        path: The archive.
        wanted: Whether a file of this name is.
        limit_bytes: What a wanted file may hold at most.

    Raises:
        DataError: The archive is missing, truncated or damaged, or holds a link, a device, an
            absolute name, a name with "..", or a wanted file beyond the limit.
    """
    try:
        with ExitStack() as stack:
            raw = stack.enter_context(path.open("rb"))
            zipped = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            stream: IO[bytes] = raw
            if zipped:
                unzipped = stack.enter_context(gzip.GzipFile(fileobj=raw))
                stream = io.BufferedReader(unzipped, _READ_BYTES)
            yield from _files(stream, path=path, wanted=wanted, limit_bytes=limit_bytes)
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file. Get aclImdb_v1.tar.gz from "
            "https://ai.stanford.edu/~amaas/data/sentiment/ and give its path as data.path."
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: is truncated or damaged ({error}). Get it anew.") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}).") from error


def _files(
    stream: IO[bytes], *, path: Path, wanted: Callable[[str], bool], limit_bytes: int
) -> Iterator[tuple[str, bytes]]:
    total = 0
    while any(header := stream.read(_BLOCK)):
        name, kind, size = _parse(header, path=path)
        total += size
        if total > _ARCHIVE_LIMIT_BYTES:
            raise DataError(f"{path}: must unpack to under {_ARCHIVE_LIMIT_BYTES >> 30} GiB.")
        if kind not in _FILE + _FOLDER + _EXTENSION:
            raise DataError(f"{path}: {name} must be a file. Received: a link or a device.")
        if name.startswith("/") or ".." in name.split("/"):
            raise DataError(f"{path}: {name!r} leads out of the archive. Do not trust this file.")
        padded = -(-size // _BLOCK) * _BLOCK
        if kind in _FILE and wanted(name):
            if size > limit_bytes:
                raise DataError(
                    f"{path}: {name} must hold at most {limit_bytes} bytes. Received: {size}."
                )
            content = stream.read(padded)
            if len(content) < padded:
                raise EOFError(f"{name} ends early")
            yield name, content[:size]
        else:
            _skip(stream, padded, name=name)
    # The check sum of a gzip stream stands at its end.
    while stream.read(_READ_BYTES):
        pass
    if len(header) < _BLOCK:
        raise EOFError("its end mark is missing")


def _parse(header: bytes, *, path: Path) -> tuple[str, bytes, int]:
    if len(header) < _BLOCK:
        raise EOFError("a header ends early")
    try:
        expected = int(header[148:156].rstrip(b" \0"), 8)
        size = int(header[124:136].rstrip(b" \0") or b"0", 8)
        name = header[:100].rstrip(b"\0").decode("utf-8")
        prefix = (
            header[345:500].rstrip(b"\0").decode("utf-8") if header[257:263] == b"ustar\0" else ""
        )
    except ValueError as error:
        raise DataError(f"{path}: is damaged, or no tar archive ({error}). Get it anew.") from error
    # The check sum is taken with its own eight bytes as spaces.
    if sum(header) - sum(header[148:156]) + 8 * ord(" ") != expected:
        raise DataError(f"{path}: is damaged, or no tar archive (check sum). Get it anew.")
    return (f"{prefix}/{name}" if prefix else name), header[156:157], size


def _skip(stream: IO[bytes], count: int, *, name: str) -> None:
    while count:
        got = len(stream.read(min(count, _READ_BYTES)))
        if not got:
            raise EOFError(f"{name} ends early")
        count -= got
