"""Text files of any usual encoding, read a line at a time: memory does not grow with the file."""

import codecs
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from lstm_study.errors import DataError

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK_BYTES = 1 << 20
# Bytes 80 to 9f are control characters in Latin-1: in a text they are Windows's quotes.
_WINDOWS = bytes(range(0x80, 0xA0))

_log = logging.getLogger(__name__)


@contextmanager
def open_text(path: Path, *, encoding: str | None, newline: str) -> Iterator[TextIO]:
    """Opens a file to be read as text.

    Args:
        path: The file.
        encoding: A name that Python knows; None to find out, see `encoding_of`.
        newline: As of `open`.

    Raises:
        DataError: The file can't be read, or is not text in the encoding given, or no text at all.
            So do errors of decoding that come up while the block reads.
    """
    name = encoding or encoding_of(path)
    try:
        codecs.lookup(name)
    except LookupError:
        raise DataError(
            f"{path}: data.encoding must be an encoding that Python knows. Received: {name!r}. "
            "Usual ones: utf-8, utf-16, latin-1, cp1252."
        ) from None
    try:
        with path.open("r", encoding=name, newline=newline) as file:
            if file.read(1) != "\ufeff":
                file.seek(0)
            yield file
    except UnicodeError as error:
        raise DataError(_not_text(path, name)) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}).") from error


def encoding_of(path: Path) -> str:
    """Finds out a file's encoding.

    A byte order mark decides; else UTF-8 is tried; else Windows's Western European or Latin-1 is
    taken, which the log says.

    Raises:
        DataError: It can't be read, or holds zero bytes.
    """
    try:
        with path.open("rb") as file:
            begins = file.read(4096)
        for mark, encoding in _BYTE_ORDER_MARKS:
            if begins.startswith(mark):
                return encoding
        if b"\0" in begins:
            raise DataError(
                f"{path}: must be text, and holds zero bytes. If it is UTF-16 without a byte "
                "order mark, set data.encoding to utf-16-le or utf-16-be."
            )
        if _is_utf_8(path):
            return "utf-8"
        windows = any(chunk.translate(None, _WINDOWS) != chunk for chunk in _chunks(path))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}).") from error
    encoding = "cp1252" if windows else "latin-1"
    _log.warning("%s: is not UTF-8; read as %s. data.encoding sets another.", path, encoding)
    return encoding


def _is_utf_8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in _chunks(path):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _not_text(path: Path, encoding: str) -> str:
    """Says where a file is not what it should be; only now is it read whole."""
    raw = path.read_bytes()
    try:
        raw.decode(encoding)
        start = 0
    except UnicodeError as error:
        start = getattr(error, "start", 0)
    line = raw.count(b"\n", 0, start) + 1
    return (
        f"{path}:{line}: is not {encoding} (byte 0x{raw[start : start + 1].hex()}). "
        "Set data.encoding, for example to latin-1."
    )
