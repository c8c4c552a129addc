"""How workers of one machine share its cores: busy workers also use the cores of idle ones.

Each worker has a byte in a small file that all of them map into memory: 1 while it computes, 0
while it waits. A busy worker takes its share of the cores, and looks again before every operation.
So the last trial of a round, or the last run of a comparison, is not left to one thread beside idle
cores. Two workers that look at the same moment may both take too large a share, until they look
again.
"""

import mmap
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


class CoreShares:
    """The file, for the process that starts the workers."""

    def __init__(self, workers: int) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        # Not `truncate`, which allocates nothing: on a full disk the workers would then die at
        # their first write to the map.
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
    """The file, for one worker.

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

        All busy workers get equally many; the remainder goes to the first of them.
        """
        busy = self._bytes[:]
        each, left = divmod(self._cores, max(1, sum(busy)))
        return max(1, each + (sum(busy[: self._index]) < left))
