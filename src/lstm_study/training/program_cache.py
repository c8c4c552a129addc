"""JAX's compiled programs on disk, with a digest: a damaged one is never run, and is replaced.

JAX's own file has none. A changed bit may give a program that computes other numbers (where the
package zstandard is installed, JAX compresses without a checksum), and a file that a killed process
wrote in part stays: each later process reports it, and compiles the program itself.
"""

import logging
from pathlib import Path
from typing import Any

from lstm_study.errors import StoreError
from lstm_study.files import read_with_digest, write_with_digest

log = logging.getLogger(__name__)


class ProgramCache:
    """Takes the place of JAX's `LRUCache`.

    Args:
        folder: Where its files are.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder

    def get(self, key: str) -> bytes | None:
        """Returns a program as JAX has serialized it; None where there is none to run."""
        path = self._file(key)
        try:
            return read_with_digest(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("%s: cannot be read (%s); compiling the program.", path, error.strerror)
        except ValueError:
            log.warning("%s: is damaged; compiling the program again.", path)
        return None

    def put(self, key: str, value: bytes) -> None:
        """Keeps a program; where it can't be written, the log says so."""
        try:
            write_with_digest(self._file(key), value)
        except StoreError as error:
            log.warning("%s Until then each process compiles the program itself.", error)

    def _file(self, key: str) -> Path:
        return self._path / f"{key}.jaxc"


def keep_programs_with_digests() -> None:
    """Has JAX keep its programs in a `ProgramCache`; call it before the first one is compiled."""
    from jax._src import compilation_cache

    def file_cache(path: str) -> tuple[Any, str]:
        return ProgramCache(Path(path)), path

    compilation_cache.get_file_cache = file_cache
