"""Standard output and error that can't be written: closed, a pipe without a reader, a full disk."""

import contextlib
import os
import sys
from typing import Any, TextIO

EXIT_NOBODY_READS = 141  # 128 + SIGPIPE, as of a program that the signal ends
EXIT_UNWRITTEN = 1
_CONTINUES = (
    "{why}: the command continues without it. `lstm-study status` shows where a study stands.\n"
)
_ENDS = "error: {why}. Make room, or write it elsewhere.\n"


class Readers:
    """What a command does once its output is closed: end, or continue to write its records."""

    continues = False


class Guarded:
    """A stream whose output is discarded once writing to it fails.

    A command that only prints then ends, silently if its pipe was closed; one that continues says
    so once, on standard error.
    """

    def __init__(self, stream: TextIO, *, ends: bool) -> None:
        self._stream, self._ends = stream, ends

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes a text, or discards it."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self._discard(error)
            return len(text)

    def flush(self) -> None:
        """Flushes what was written, or discards it."""
        try:
            self._stream.flush()
        except OSError as error:
            self._discard(error)

    def _discard(self, error: OSError) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        if not self._ends:
            return
        is_unread = isinstance(error, BrokenPipeError)
        if not Readers.continues and is_unread:
            raise SystemExit(EXIT_NOBODY_READS)
        why = "The output is no longer read"
        if not is_unread:
            why = f"The output can't be written ({error.strerror})"
        with contextlib.suppress(OSError):
            sys.stderr.write((_CONTINUES if Readers.continues else _ENDS).format(why=why))
        if not Readers.continues:
            raise SystemExit(EXIT_UNWRITTEN)


def open_missing_streams() -> None:
    """Opens the null device in place of standard streams that this process was started without.

    Else the next file that is opened gets such a stream's descriptor, and in it what libraries
    print. Comes before any file is opened.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            assert nowhere == descriptor, "the lowest free descriptor is the missing stream's"
            os.set_inheritable(nowhere, True)
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(nowhere, mode, encoding="utf-8"))


def guard_streams() -> None:
    """Guards standard output and error of this process."""
    for name, ends in (("stdout", True), ("stderr", False)):
        setattr(sys, name, Guarded(getattr(sys, name), ends=ends))
