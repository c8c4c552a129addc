"""Sends what TensorFlow and other libraries print to a file, or discards it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def silence_tensorflow() -> None:
    """Makes TensorFlow log fatal errors only; call before its first import.

    What that import itself prints is for `redirect_output`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextmanager
def redirect_output(path: Path) -> Iterator[None]:
    """Appends stdout and stderr of this process to a file, those of C++ libraries included.

    TensorFlow writes to the file descriptors themselves, before its log level can be set.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    with path.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for target, source in enumerate(saved, start=1):
            os.dup2(source, target)
            os.close(source)
