"""JAX's compiled programs on disk, with a digest: a damaged one is never run, and is replaced.

JAX's own file has none. A changed bit may give a program that computes other numbers (where the
package zstandard is installed, JAX compresses without a checksum), and a file that a killed process
wrote in part stays: each later process reports it, and compiles the program itself.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from lstm_study.compiled_code import read_code, write_code


class ProgramCache:
    """Takes the place of JAX's `LRUCache`.

    Args:
        folder: Where its files are.
        most_bytes: The size of all of them at most: the least recently used are deleted. -1 for no
            limit.
    """

    def __init__(self, folder: Path, *, most_bytes: int = -1) -> None:
        self._path = folder
        self._most_bytes = most_bytes

    def get(self, key: str) -> bytes | None:
        """Returns a program as JAX has serialized it; None where there is none to run."""
        path = self._file(key)
        program = read_code(path, what="program")
        # Its time is that of its last use.
        with suppress(OSError):
            os.utime(path)
        return program

    def put(self, key: str, value: bytes) -> None:
        """Keeps a program; where it can't be written, the log says so."""
        if 0 <= self._most_bytes < len(value):
            return
        write_code(self._file(key), value, what="program")
        self._delete_beyond_limit()

    def _delete_beyond_limit(self) -> None:
        left, used = self._most_bytes, []
        for path in self._path.glob("*.jaxc") if left >= 0 else ():
            with suppress(OSError):  # another process may delete it
                found = path.stat()
                used.append((found.st_mtime_ns, found.st_size, path))
        for _, size, path in sorted(used, reverse=True):
            left -= size
            if left < 0:
                with suppress(OSError):
                    path.unlink()

    def _file(self, key: str) -> Path:
        return self._path / f"{key}.jaxc"


def keep_programs_with_digests() -> None:
    """Has JAX keep its programs in a `ProgramCache`; call it before the first one is compiled.

    JAX's limit on their size applies, JAX_COMPILATION_CACHE_MAX_SIZE.
    """
    import jax
    from jax._src import compilation_cache

    def file_cache(path: str) -> tuple[Any, str]:
        most_bytes = jax.config.jax_compilation_cache_max_size
        return ProgramCache(Path(path), most_bytes=most_bytes), path

    compilation_cache.get_file_cache = file_cache
