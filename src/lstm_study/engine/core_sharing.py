"""How workers of one machine share its processors: by who is at work now.

Each worker has a byte in a small file that all of them map into memory: 1 while it trains, 0 while
it waits. Whoever trains takes its share of the processors, and looks again before every operation.
So the last trial of a round, or the last run of a comparison, is not left to one thread beside idle
ones. Two that look in the same moment may both take a share too large, for that moment.
"""

import mmap
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Seats:
    """The supervisor's side.

    Args:
        names: The workers.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._numbers = {name: number for number, name in enumerate(names)}
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        # A file of no length can't be mapped, and a crew may be without workers.
        self._file.truncate(max(1, len(names)))

    @property
    def descriptor(self) -> int:
        """The file's descriptor, for workers to inherit."""
        return self._file.fileno()

    def number_of(self, name: str) -> int:
        """Returns which byte is a worker's."""
        return self._numbers[name]

    def vacate(self, name: str) -> None:
        """Takes a worker that died from its seat."""
        self._file.seek(self._numbers[name])
        self._file.write(b"\0")
        self._file.flush()

    def close(self) -> None:
        """Closes the file; the workers' own maps of it stay."""
        self._file.close()


class Seat:
    """A worker's side.

    Args:
        descriptor: The inherited file.
        number: Which byte is this worker's.
        processors: Those that the workers share.
    """

    def __init__(self, descriptor: int, *, number: int, processors: int) -> None:
        self._bytes = mmap.mmap(descriptor, 0)
        self._number, self._processors = number, processors

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Marks this worker as at work while the block lasts."""
        self._bytes[self._number] = 1
        try:
            yield
        finally:
            self._bytes[self._number] = 0

    def share(self) -> int:
        """Returns how many processors are this worker's now, >= 1.

        All get as many; what is left over goes to those that come first.
        """
        taken = self._bytes[:]
        each, left = divmod(self._processors, max(1, sum(taken)))
        return max(1, each + (sum(taken[: self._number]) < left))
