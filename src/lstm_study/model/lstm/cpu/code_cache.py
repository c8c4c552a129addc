"""The compiled code of a Numba function on disk, with a digest: damaged code is never run.

Numba's own cache file has none. A file that a power failure or the disk damaged would fail the
training, or compute other numbers. Two processes that compile one function for different types at
the same time may also give both the same file. Here each signature has a file of its own.
"""

import hashlib
import logging
import pickle
from pathlib import Path
from typing import Any

import numba
from numba.core.serialize import dumps

from lstm_study.errors import StoreError
from lstm_study.files import read_with_digest, write_with_digest

log = logging.getLogger(__name__)


class CodeCache:
    """Takes the place of Numba's `IndexDataCacheFile` for one function.

    Args:
        folder: Where its files are.
        name: What their names begin with.
        stamp: Identifies the function's source: code compiled from another version is not loaded.
    """

    def __init__(self, folder: Path, *, name: str, stamp: Any) -> None:
        self._folder, self._name, self._stamp = folder, name, stamp

    def load(self, key: Any) -> Any:
        """Returns what was saved for a signature; None where there is none to run."""
        path = self._path(key)
        try:
            data = read_with_digest(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("%s: cannot be read (%s); compiling the function.", path, error.strerror)
            return None
        except ValueError:
            log.warning("%s: is damaged; compiling the function again.", path)
            return None
        return pickle.loads(data)  # noqa: S301 - as Numba does, from the user's own cache

    def save(self, key: Any, data: Any) -> None:
        """Saves the code for a signature; where that can't be written, the log says so."""
        try:
            write_with_digest(self._path(key), dumps(data))
        except StoreError as error:
            log.warning("%s Until then each process compiles the function itself.", error)

    def _path(self, key: Any) -> Path:
        made_from = repr((numba.__version__, self._stamp, key))
        digest = hashlib.sha256(made_from.encode()).hexdigest()
        return self._folder / f"{self._name}.{digest[:32]}.nbc"
