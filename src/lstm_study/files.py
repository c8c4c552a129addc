"""Files that are replaced whole or not at all, and digests of files; `folders` is for folders.

A process killed at any moment leaves what was there before, or what should be there: everything is
written beside its place under a hidden name that ends in "~", and moved in by a rename.
"""

import errno
import fcntl
import hashlib
import io
import json
import math
import os
import platform
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any

from lstm_study.errors import StoreError, StudyError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SEAL = re.compile(r',\s*"seal": "(?P<seal>[0-9a-f]{64})"(?P<end>\s*\}\s*)\Z')
_HEADERS = {(1, 0): "read_array_header_1_0", (2, 0): "read_array_header_2_0"}
_MOST_NAME_BYTES = 200
NEXT_STEP = "Free space or correct the folder's permissions, then run the same command again."


@contextmanager
def replacing(
    path: Path,
    *,
    durable: bool = True,
    error: type[StudyError] = StoreError,
    next_step: str = NEXT_STEP,
) -> Iterator[Path]:
    """Yields a temporary file beside `path` that takes its place when the block ends well.

    Args:
        path: The file to replace; its folder is made.
        durable: Whether to wait until the bytes are on the disk.
        error: What a refusal of the system becomes; `next_step` is what it advises.

    Raises:
        StudyError: As `error`: the disk is full, or the folder can't be written to.
    """
    with refusals_as(error, path, next_step):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / temporary_name(path)
        temporary.touch(exist_ok=False)
        try:
            yield temporary
            if durable:
                synchronise(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Writes a text file whole or not at all; see `replacing`.

    Raises:
        StoreError: The disk is full, or the folder can't be written to.
    """
    with replacing(path, durable=durable) as temporary:
        temporary.write_text(text, encoding="utf-8")


def synchronise_names(folder: Path) -> None:
    """Waits until the names of a folder's files are on the disk: that they were replaced, too."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        # Some network file systems know no such thing.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(number)


def write_array(path: Path, array: "NDArray[Any]") -> None:
    """Writes one NumPy array whole or not at all; see `replacing`."""
    with replacing(path) as temporary:
        save_array(temporary, array)


def save_array(path: Path, array: "NDArray[Any]") -> None:
    """Writes one NumPy array, without pickles.

    To a file itself NumPy writes by `tofile`, whose error doesn't say that the disk is full.

    Raises:
        OSError: It can't be written; with the system's number and words.
    """
    import numpy as np

    with path.open("wb") as file:
        writer: Any = SimpleNamespace(write=file.write)
        np.save(writer, array, allow_pickle=False)


@contextmanager
def appending(path: Path) -> Iterator[IO[bytes]]:
    """Opens a file to read and to append to, held against other processes; its folder is made.

    Raises:
        StoreError: The disk is full, or the file can't be written to.
    """
    with refusals_as(StoreError, path, NEXT_STEP):
        path.parent.mkdir(parents=True, exist_ok=True)
        refuse_pipe(path)
        with path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file


def open_log(path: Path) -> io.BufferedWriter:
    """Opens a log to append to; its folder is made. It may be a link to a device, as /dev/null.

    Raises:
        StoreError: The disk is full, the file can't be written to, or it is a pipe.
    """
    with refusals_as(StoreError, path, NEXT_STEP):
        path.parent.mkdir(parents=True, exist_ok=True)
        refuse_pipe(path)
        return path.open("ab")


def refuse_pipe(path: Path) -> None:
    """Refuses what has a file's name and is none: at a pipe a writer would wait for a reader.

    Raises:
        StoreError: It is a pipe, a socket or a folder.
    """
    if path.exists() and not path.is_file() and not path.is_char_device():
        found = "a pipe" if path.is_fifo() else "a folder" if path.is_dir() else "no file"
        raise StoreError(
            f"{path}: must be a file. Received: {found}. "
            "Move it away, then run the same command again."
        )


def move(source: Path, path: Path) -> None:
    """Moves a file within one file system, in place of an earlier one.

    Raises:
        StoreError: The folder can't be written to.
    """
    with refusals_as(StoreError, path, NEXT_STEP):
        path.parent.mkdir(parents=True, exist_ok=True)
        source.replace(path)


def make_folder(folder: Path) -> None:
    """Creates a folder and its parents.

    Raises:
        StoreError: It can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be made ({error.strerror or error}). "
            "Choose a folder that you may write to."
        ) from error


def step_after(refusal: OSError, *, otherwise: str) -> str:
    """Returns what to do where the system refuses to write; free space makes none writable."""
    if refusal.errno != errno.EROFS:
        return otherwise
    other = otherwise.removeprefix("Free space, or ")
    if other.startswith("Free space"):
        other = "choose a folder on another file system."
    return f"Mount it writable, or {other[0].lower()}{other[1:]}"


def open_regular(path: Path) -> io.BufferedReader:
    """Opens a file to read, unless it is a pipe, which would block, or a device, which may not end.

    Raises:
        OSError: It can't be read, or is no regular file.
    """
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return os.fdopen(number, "rb")


def read_bytes(path: Path, *, limit: int = sys.maxsize) -> bytes:
    """Reads a regular file whole, unless it is too large.

    Raises:
        OSError: It can't be read, or is no regular file.
        ValueError: It has more than `limit` bytes.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise ValueError(f"has {size:,} bytes, where {limit:,} are the most")
        return file.read()


def read_object(path: Path) -> dict[str, Any]:
    """Reads the JSON object in a file; an empty one where there is none that can be read."""
    try:
        found = json.loads(read_bytes(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a regular file's bytes, in hexadecimal.

    Raises:
        OSError: It can't be read, or is no regular file.
    """
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(text: str, *, previous: str = "") -> str:
    """Adds to a JSON object its digest, as its last key.

    Args:
        text: The object, as it would be written; not empty.
        previous: The digest of the line before it, in a file of one object a line: a line that is
            changed, lost or moved then breaks every digest after it.

    Example:
        >>> seal('{"a": 1}')[:25]
        '{"a": 1, "seal": "f9d8602'
    """
    body = text[: text.rindex("}")].rstrip()
    end = text[len(body) :]
    separator = ",\n " if end.startswith("\n") else ", "
    return f'{body}{separator}"seal": "{chained(text, previous)}"{end}'


def unseal(text: str, *, previous: str = "") -> tuple[str, str]:
    """Checks and removes the digest that `seal` added.

    Returns:
        The object without it, and the digest; as it is, and "", where it has none.

    Raises:
        ValueError: The text is not the one that was sealed.
    """
    found = _SEAL.search(text)
    if found is None:
        return text, ""
    body = text[: found.start()] + found["end"]
    if chained(body, previous) != found["seal"]:
        raise ValueError("its digest does not match: a part of it was changed")
    return body, found["seal"]


def chained(text: str, previous: str) -> str:
    """Returns the digest of a text that follows another one."""
    return hashlib.sha256(f"{previous}{text}".encode()).hexdigest()


def digest_of(array: "NDArray[Any]") -> str:
    """Returns the SHA-256 of an array: its type, its shape and its numbers."""
    import numpy as np

    found = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    found.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def array_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, "np.dtype[Any]"]:
    """Reads the header of a `.npy` file: shape, whether columns come first, and type.

    Raises:
        ValueError: It is damaged.
    """
    from numpy.lib import format as npy

    try:
        found: tuple[tuple[int, ...], bool, np.dtype[Any]] = getattr(
            npy, _HEADERS[npy.read_magic(file)]
        )(file)
    except Exception as error:  # One wrong bit raises errors of many kinds.
        raise ValueError(f"is not a complete array: {error}") from error
    return found


def array_from(data: bytes) -> "NDArray[Any]":
    """Reads the bytes of a `.npy` file, whose header is compared with their number first.

    Raises:
        ValueError: It is damaged, or holds something other than numbers.
    """
    import numpy as np

    file = io.BytesIO(data)
    shape, is_fortran, dtype = array_header(file)
    if dtype.hasobject or dtype.names or (is_fortran and len(shape) > 1):
        raise ValueError(f"must hold plain numbers. Received: {dtype}")
    count, size = math.prod(shape), len(data) - file.tell()
    if count * dtype.itemsize != size:
        raise ValueError(f"must have {shape} numbers of type {dtype}. Received: {size} bytes")
    return np.frombuffer(data, dtype, count, file.tell()).reshape(shape)


@contextmanager
def refusals_as(error: type[StudyError], path: Path, next_step: str) -> Iterator[None]:
    """Raises `error` where the system refuses to write, with the reason and what to do."""
    try:
        yield
    except OSError as refusal:
        reason, step = refusal.strerror or refusal, step_after(refusal, otherwise=next_step)
        raise error(f"{path}: cannot be written ({reason}). {step}") from refusal


def temporary_name(path: Path) -> str:
    """Names a draft by its machine, whose name is not written, and its process."""
    return f"{hidden_prefix(path)}{this_machine()}-{os.getpid()}-{secrets.token_hex(4)}~"


def hidden_prefix(path: Path) -> str:
    """Returns how the hidden names beside a file or folder begin; a name may have 255 bytes."""
    encoded = os.fsencode(path.name)
    is_short = len(encoded) <= _MOST_NAME_BYTES
    return f".{path.name if is_short else hashlib.sha256(encoded).hexdigest()[:16]}."


def this_machine() -> str:
    """Returns a short digest of this machine's name."""
    return hashlib.sha256(platform.node().encode("utf-8", "surrogateescape")).hexdigest()[:8]


def synchronise(path: Path) -> None:
    """Waits until a file's bytes are on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
