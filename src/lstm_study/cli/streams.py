"""Standard output and error that nobody may read to the end, as in `lstm-study list | head -1`."""

import contextlib
import os
import sys
from typing import Any, TextIO

EXIT_NOBODY_READS = 141  # 128 + SIGPIPE, as of a program that the signal ends
_GOES_ON = (
    "Nobody reads the output any more: the command goes on without it. `lstm-study status` "
    "shows where a study stands.\n"
)


class Readers:
    """What a command does once nobody reads its output: end quietly, or go on for its records."""

    goes_on = False


class Guarded:
    """A stream that is discarded from the moment on when its pipe has no reader.

    Standard output then ends a command that only prints. One that goes on says so once, on standard
    error.
    """

    def __init__(self, stream: TextIO, *, ends: bool) -> None:
        self._stream, self._ends = stream, ends

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes a text, or discards it."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._discard()
            return len(text)

    def flush(self) -> None:
        """Flushes what was written, or discards it."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._discard()

    def _discard(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        if not self._ends:
            return
        if not Readers.goes_on:
            raise SystemExit(EXIT_NOBODY_READS)
        with contextlib.suppress(OSError):
            sys.stderr.write(_GOES_ON)


def guard_streams() -> None:
    """Guards standard output and error of this process, where there are any."""
    for name, ends in (("stdout", True), ("stderr", False)):
        if (stream := getattr(sys, name)) is not None:
            setattr(sys, name, Guarded(stream, ends=ends))
