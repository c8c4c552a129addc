"""The compiled code of a Numba function on disk, with a digest: damaged code is never run.

Numba's own cache file has none. A file that a power failure or the disk damaged would fail the
training, or compute other numbers. Two processes that compile one function for different types at
the same time may also give both the same file. Here each signature has a file of its own.
"""

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numba
from numba.core.serialize import dumps

from lstm_study.compiled_code import read_code, write_code


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
        data = read_code(self._path(key), what="function")
        if data is None:
            return None
        return pickle.loads(data)  # noqa: S301 - as Numba does, from the user's own cache

    def save(self, key: Any, data: Any) -> None:
        """Saves the code for a signature; where that can't be written, the log says so."""
        write_code(self._path(key), dumps(data), what="function")

    def _path(self, key: Any) -> Path:
        made_from = repr((numba.__version__, self._stamp, key))
        digest = hashlib.sha256(made_from.encode()).hexdigest()
        return self._folder / f"{self._name}.{digest[:32]}.nbc"
