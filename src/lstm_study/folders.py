"""Folders that are replaced whole or not at all.

Like a file, a folder is written beside its place under a hidden name that ends in "~". The two then
exchange their names in one step where the system can do that, so that neither is ever missing.
"""

import fcntl
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from glob import escape as glob_escape
from pathlib import Path

from lstm_study.errors import StoreError, StudyError
from lstm_study.files import (
    NEXT_STEP,
    hidden_prefix,
    refusals_as,
    synchronise,
    temporary_name,
    this_machine,
)

# Of linux/fcntl.h and linux/fs.h.
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
# Earlier versions named no machine.
_DRAFT = re.compile(r"(?:(?P<machine>[0-9a-f]{8})-)?(?P<process>\d+)-[0-9a-f]{4,8}~")
_DAY_SECONDS = 86_400


@contextmanager
def replacing_folder(
    folder: Path,
    *,
    durable: bool = True,
    error: type[StudyError] = StoreError,
    next_step: str = NEXT_STEP,
) -> Iterator[Path]:
    """Yields an empty folder beside `folder` that takes its place when the block ends well.

    The two exchange their names in one step where the system can do that. Elsewhere it takes two
    renames, between which there is no such folder; a process killed there leaves the earlier one
    under a hidden name, from which the next call restores it.

    A process killed while it writes leaves the earlier folder as it is; the next call deletes what
    it had half written. Several processes may replace one folder at the same time: the last one to
    end wins.

    The folder it lies in is made. For `durable`, `error` and `next_step` see `replacing`.

    Raises:
        StudyError: As `error`: the disk is full, or the folder can't be written to.
    """
    if folder.is_symlink() and folder.is_dir():  # what the link leads to is replaced
        folder = folder.resolve()
    with refusals_as(error, folder, next_step):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with drafting(folder) as draft:
            try:
                yield draft
                if durable:
                    for path in draft.rglob("*"):
                        if path.is_file():
                            synchronise(path)
                with locked(folder.parent):
                    _recover(folder)
                    _replace(draft, folder)
            finally:
                with locked(folder.parent):
                    _recover(folder)


@contextmanager
def drafting(folder: Path) -> Iterator[Path]:
    """Yields an empty hidden folder beside `folder`, and deletes it in the end.

    Deletes those of killed processes, too, and none that a running one has: see `_is_abandoned`.

    Raises:
        OSError: It can't be made.
    """
    draft = folder.parent / temporary_name(folder)
    with ExitStack() as stack:
        with locked(folder.parent):
            _recover(folder)
            draft.mkdir()
            # So that no other call takes it for a killed process's.
            stack.enter_context(locked(draft))
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def locked(folder: Path, *, wait: bool = True) -> Iterator[bool]:
    """Holds a folder's own lock, which ends with the process; yields whether it was acquired.

    Network file systems may lock no folders, or for one machine alone. Where they lock none, what a
    kill left half written stays.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


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


def _is_abandoned(draft: Path, name: re.Match[str]) -> bool:
    """Whether a draft that no lock holds was left by a killed process.

    `name` is its name's match with `_DRAFT`.

    Not every file system has locks that other machines see. So it is abandoned only if it is this
    machine's and its process has ended, or if it has not changed for a day.
    """
    if name["machine"] == this_machine():
        try:
            os.kill(int(name["process"]), 0)
        except (ProcessLookupError, OverflowError):
            return True
        except OSError:
            pass  # It is another user's.
    return time.time() - draft.stat().st_mtime > _DAY_SECONDS


def _replace(draft: Path, folder: Path) -> None:
    """Gives a draft the folder's name; the earlier one gets a hidden name that is deleted.

    The caller holds the lock of the folder it lies in, if there are such locks.
    """
    # Only folders are exchanged: `drafting` deletes nothing else that then has the draft's name.
    if folder.is_dir() and not folder.is_symlink() and exchange(draft, folder):
        return
    if os.path.lexists(folder):
        folder.rename(_earlier(folder))
    draft.rename(folder)


def _earlier(folder: Path) -> Path:
    """Returns where a folder lies between the two renames of its replacement."""
    return folder.with_name(f"{hidden_prefix(folder)}earlier~")


def _recover(folder: Path) -> None:
    """Restores a folder that lost its name to a kill, and deletes what a kill left over.

    The caller holds the lock of the folder it lies in.
    """
    earlier = _earlier(folder)
    if os.path.lexists(earlier) and not os.path.lexists(folder):
        earlier.rename(folder)
    # It may be anything that had the folder's name, such as a pipe, at which rmtree would wait.
    if earlier.is_dir() and not earlier.is_symlink():
        shutil.rmtree(earlier, ignore_errors=True)
    else:
        earlier.unlink(missing_ok=True)
    prefix = hidden_prefix(folder)
    for draft in folder.parent.glob(f"{glob_escape(prefix)}*-*~"):
        name = _DRAFT.fullmatch(draft.name[len(prefix) :])
        if name is None:
            continue  # It belongs to a folder whose name begins with this one's and a dot.
        # A locked draft belongs to another process that is writing it, or has just deleted it; one
        # that can't be opened, to another user.
        with suppress(OSError), locked(draft, wait=False) as is_locked:
            if is_locked and _is_abandoned(draft, name):
                shutil.rmtree(draft, ignore_errors=True)
