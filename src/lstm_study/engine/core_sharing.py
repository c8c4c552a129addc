"""How workers of one machine share its cores: busy workers also use the cores of idle ones.

Each worker has a byte in a small file that all of them map into memory: 1 while it computes, 0
while it waits. A busy worker takes its share of the cores, and looks again before every operation.
So the last trial of a round, or the last run of a comparison, is not left to one thread beside idle
cores. Two that look in the same moment may both take a share too large, for that moment.
"""

import mmap
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


class CoreShares:
    """The file, on the side of the process that starts the workers."""

    def __init__(self, workers: int) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        # Not `truncate`, which takes no room: on a full disk it is the workers that would die of
        # that, of their first write into the map.
        self._file.write(bytes(workers))
        self._file.flush()

    @property
    def descriptor(self) -> int:
        """The file's descriptor, for workers to inherit."""
        return self._file.fileno()

    def clear(self, index: int) -> None:
        """Marks a worker that died as idle."""
        self._file.seek(index)
        self._file.write(b"\0")
        self._file.flush()

    def close(self) -> None:
        """Closes the file; the workers' own maps of it stay."""
        self._file.close()


class CoreShare:
    """One worker's side.

    Args:
        descriptor: The inherited file.
        index: Which byte is this worker's.
        cores: Those that the workers share.
    """

    def __init__(self, descriptor: int, *, index: int, cores: int) -> None:
        self._bytes = mmap.mmap(descriptor, 0)
        self._index, self._cores = index, cores

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Marks this worker as busy while the block lasts."""
        self._bytes[self._index] = 1
        try:
            yield
        finally:
            self._bytes[self._index] = 0

    def threads(self) -> int:
        """Returns how many cores are this worker's now, >= 1.

        All busy workers get as many; what is left over goes to those that come first.
        """
        busy = self._bytes[:]
        each, left = divmod(self._cores, max(1, sum(busy)))
        return max(1, each + (sum(busy[: self._index]) < left))
