"""Two folders that take each other's names in one step, so that neither name is ever missing."""

import os
import sys
from pathlib import Path

# Of linux/fcntl.h and linux/fs.h.
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def exchange(one: Path, other: Path) -> bool:
    """Exchanges the names of two files or folders of one file system.

    Returns:
        Whether it was done. Only Linux has such a call, and not on every file system.
    """
    if sys.platform != "linux":
        return False
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    # C libraries lacked it for long: glibc until 2018, musl until 2024.
    if not hasattr(library, "renameat2"):
        return False
    failed: int = library.renameat2(
        _AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), ctypes.c_uint(_RENAME_EXCHANGE)
    )
    return failed == 0
