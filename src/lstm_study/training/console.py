"""Sends what TensorFlow and other libraries print to a file, or discards it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lstm_study.files import open_log


def silence_tensorflow() -> None:
    """Makes TensorFlow log fatal errors only; call before its first import.

    What that import itself prints is for `redirect_output`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextmanager
def redirect_output(path: Path) -> Iterator[None]:
    """Appends stdout and stderr of this process to a file, those of C++ libraries included.

    TensorFlow writes to the file descriptors themselves, before its log level can be set.

    Raises:
        StoreError: The file can't be written to.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with open_log(path) as file:
        saved = [os.dup(1), os.dup(2)]
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
