"""Standard output and error that may take no more: a pipe without a reader, a full disk."""

import contextlib
import os
import sys
from typing import Any, TextIO

EXIT_NOBODY_READS = 141  # 128 + SIGPIPE, as of a program that the signal ends
EXIT_UNWRITTEN = 1
_GOES_ON = (
    "{why}: the command goes on without it. `lstm-study status` shows where a study stands.\n"
)
_ENDS = "error: {why}. Make room, or write it elsewhere.\n"


class Readers:
    """What a command does once its output is lost: end, or go on for its records."""

    goes_on = False


class Guarded:
    """A stream that is discarded from the moment on when it takes no more.

    Standard output then ends a command that only prints: quietly where its pipe has no reader. One
    that goes on says so once, on standard error.
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
        if not Readers.goes_on and is_unread:
            raise SystemExit(EXIT_NOBODY_READS)
        why = "Nobody reads the output any more"
        if not is_unread:
            why = f"The output can't be written ({error.strerror})"
        with contextlib.suppress(OSError):
            sys.stderr.write((_GOES_ON if Readers.goes_on else _ENDS).format(why=why))
        if not Readers.goes_on:
            raise SystemExit(EXIT_UNWRITTEN)


def guard_streams() -> None:
    """Guards standard output and error of this process, where there are any."""
    for name, ends in (("stdout", True), ("stderr", False)):
        if (stream := getattr(sys, name)) is not None:
            setattr(sys, name, Guarded(stream, ends=ends))
