"""Files out of a tar archive, read as a stream: nothing is extracted, nothing is trusted."""

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Self

from lstm_study.errors import DataError

_READ_BYTES = 1 << 20
_ARCHIVE_LIMIT_BYTES = 8 << 30
_HEADER_LIMIT_BYTES = 1 << 16
_FILE = (tarfile.REGTYPE, tarfile.AREGTYPE)
_EXTENSION = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME)
_GZIP_MAGIC = b"\x1f\x8b"


def stream_files(
    path: Path, *, wanted: Callable[[str], bool], limit_bytes: int
) -> Iterator[tuple[str, bytes]]:
    """Yields name and content of the wanted files of a `.tar` or `.tar.gz`, in its order.

    A wanted file may hold `limit_bytes` at most.

    Raises:
        DataError: The archive is missing, truncated or damaged, or holds a link, a device, an
            absolute name, a name with "..", or a wanted file beyond the limit.
    """
    if not path.is_file():
        raise DataError(
            f"{path}: no such file. Get aclImdb_v1.tar.gz from "
            "https://ai.stanford.edu/~amaas/data/sentiment/ and give its path with --data, or as "
            "data.path."
        )
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
            # The check sum of a gzip stream is at its end.
            while stream.read(_READ_BYTES):
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError, RecursionError) as error:
        raise DataError(
            f"{path}: is truncated or damaged, or not a tar archive ({error}). Download it again."
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}).") from error


class _Member(tarfile.TarInfo):
    """A header that is checked before `tarfile` reads what follows it.

    `tarfile` takes a damaged header after the first for the archive's end, and reads the long name
    of a GNU or pax header whole, however long it says it is.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        if not buf:
            raise EOFError("its end mark is missing")
        try:
            member = super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise EOFError(str(error)) from error
        if member.size < 0 or (member.type in _EXTENSION and member.size > _HEADER_LIMIT_BYTES):
            raise EOFError(f"a header of {member.size} bytes")
        if member.type not in (*_FILE, tarfile.DIRTYPE, *_EXTENSION):
            raise _NotAFileError(member.name)
        return member


class _NotAFileError(Exception):
    """A link, a device, or anything else that is neither file nor folder."""


def _files(
    stream: IO[bytes], *, path: Path, wanted: Callable[[str], bool], limit_bytes: int
) -> Iterator[tuple[str, bytes]]:
    total = 0
    try:
        with tarfile.open(
            fileobj=stream, mode="r|", bufsize=_READ_BYTES, tarinfo=_Member, errorlevel=1
        ) as archive:
            for member in archive:
                # A stream needs none of the members behind it, and would keep them all.
                archive.members = []  # type: ignore[attr-defined]
                name = member.name
                total += member.size
                if total > _ARCHIVE_LIMIT_BYTES:
                    raise DataError(
                        f"{path}: must unpack to under {_ARCHIVE_LIMIT_BYTES >> 30} GiB."
                    )
                if name.startswith("/") or ".." in name.split("/"):
                    raise DataError(
                        f"{path}: {name!r} leads out of the archive. Do not trust this file."
                    )
                if member.type not in _FILE or not wanted(name):
                    continue
                if member.size > limit_bytes:
                    raise DataError(
                        f"{path}: {name} must hold at most {limit_bytes} bytes. "
                        f"Received: {member.size}."
                    )
                content = archive.extractfile(member)
                assert content is not None, "a regular file has content"
                yield name, content.read()
    except _NotAFileError as error:
        raise DataError(f"{path}: {error} must be a file. Received: a link or a device.") from error
