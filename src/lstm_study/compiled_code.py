"""Compiled code in files, behind its digest: damaged code is never run, but compiled again."""

import hashlib
import logging
from pathlib import Path

from lstm_study.errors import StoreError
from lstm_study.files import read_bytes, replacing

_DIGEST_BYTES = hashlib.sha256().digest_size

log = logging.getLogger(__name__)


def read_code(path: Path, *, what: str) -> bytes | None:
    """Reads what `write_code` wrote; None where there is none to run, of which the log says why.

    Args:
        path: Its file.
        what: What is compiled, for the log: "function" or "program".
    """
    try:
        data = read_bytes(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        log.warning("%s: cannot be read (%s); compiling the %s.", path, error.strerror, what)
        return None
    digest, code = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if hashlib.sha256(code).digest() != digest:
        log.warning("%s: is damaged; compiling the %s again.", path, what)
        return None
    return code


def write_code(path: Path, code: bytes, *, what: str) -> None:
    """Writes code behind its digest, whole or not at all; where it can't, the log says so."""
    try:
        with replacing(path, durable=False) as temporary:
            temporary.write_bytes(hashlib.sha256(code).digest() + code)
    except StoreError as error:
        log.warning("%s Until then each process compiles the %s itself.", error, what)
