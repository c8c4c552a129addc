"""The lock of a study's folder: one process works on a study, others are told which one."""

import fcntl
import os
import platform
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from lstm_study.errors import LockedError, StoreError
from lstm_study.files import make_folder, refuse_pipe

_LOOK_SECONDS = 0.5
# What `hold` writes; the group is the machine.
_HOLDER = re.compile(r"process \d+ on (.*?) \(`")


@contextmanager
def hold(folder: Path, command: str) -> Iterator[str]:
    """Holds the study for one process; others are told which one holds it. Yields what they read.

    Raises:
        LockedError: Another process holds it.
        StoreError: The folder's file system has no locks, or a pipe has the lock's name.
    """
    make_folder(folder)
    refuse_pipe(folder / "lock")
    with (folder / "lock").open("a+", encoding="utf-8") as file:
        try:
            _lock(file)
        except BlockingIOError:
            file.seek(0)
            other = file.read().strip() or "another process"
            raise LockedError(
                f"{folder}: is in use by {other}. "
                "Wait for it, or end it, then run the same command again."
            ) from None
        except OSError as error:
            raise StoreError(
                f"{folder}: cannot be locked ({error.strerror}). Keep studies on a file system "
                "with locks (flock), such as this machine's own disk."
            ) from None
        file.seek(0)
        file.truncate()
        text = f"process {os.getpid()} on {platform.node()} (`{command}`)\n"
        file.write(text)
        file.flush()
        try:
            yield text
        finally:
            file.seek(0)
            # Else it is another machine's, whose file system did not tell it of this lock.
            if file.read() == text:
                file.seek(0)
                file.truncate()


def _lock(file: TextIO) -> None:
    """Takes the lock; waits a little, since `holder` takes it for a moment in order to look.

    Raises:
        BlockingIOError: Another process keeps it.
        OSError: The file system has no locks.
    """
    deadline = time.monotonic() + _LOOK_SECONDS
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_LOOK_SECONDS / 20)


def is_in_place(folder: Path, text: str) -> bool:
    """Whether the lock that this process holds still has its name; `text` is what it wrote there.

    Told by its text: not every file system keeps the number of an inode.
    """
    try:
        return (folder / "lock").read_bytes() == text.encode()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # What is wrong with the disk is told by what is written next.


def other_machines_process(folder: Path) -> str:
    """Describes the process that the lock names, if that is another machine's; else "".

    It was killed; or it is at work, where file systems keep locks to one machine, and where the
    folder is a copy.
    """
    try:
        text = (folder / "lock").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
    found = _HOLDER.match(text)
    return text if found and found[1] != platform.node() else ""


def holder(folder: Path) -> str:
    """Describes the process that holds the study; "" if there is none, or no lock to tell by."""
    path = folder / "lock"
    if not path.is_file():
        return ""
    with path.open("r", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read().strip() or "another process"
        except OSError:
            return ""
    return ""
