"""A clock for what is recorded and waited for: it stands while this process does not run."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LOOK_SECONDS = 1.0
# Between two looks: of a process that runs, however busy the machine is, its thread looks sooner.
_SUSPENDED_SECONDS = 10.0


def seconds_running() -> float:
    """Returns seconds of wall time, as a difference to an earlier call, less those suspended.

    A process is suspended for as long as someone stops it (Ctrl-Z), pauses its container or virtual
    machine, or has a batch system suspend its job; suspensions below ten seconds count as running.
    A thread that looks at the time each second notices them, from the first call on.
    """
    return _clock.seconds()


@contextmanager
def not_counted() -> Iterator[None]:
    """Stops this process's clock in a `with` block, for one thread at a time."""
    with _clock.stopped():
        yield


class _Clock:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked_at = time.perf_counter()
        self._lost = 0.0
        self._stands_at: float | None = None
        self._thread: threading.Thread | None = None

    def seconds(self) -> float:
        # A fork has no thread but the one that forked, and a lock that another held stays locked.
        if self._thread is None or not self._thread.is_alive():
            self._lock = threading.Lock()
            self._thread = threading.Thread(target=self._keep_looking, name="clock", daemon=True)
            self._looked_at = time.perf_counter()
            self._thread.start()
        moment = self._look()
        return moment if self._stands_at is None else self._stands_at

    @contextmanager
    def stopped(self) -> Iterator[None]:
        self._stands_at = began = self.seconds()
        try:
            yield
        finally:
            ended = self._look()
            with self._lock:
                self._lost += ended - began
            self._stands_at = None

    def _look(self) -> float:
        with self._lock:
            moment = time.perf_counter()
            gap = moment - self._looked_at
            if gap > _SUSPENDED_SECONDS:
                self._lost += gap - _LOOK_SECONDS
            self._looked_at = moment
            return moment - self._lost

    def _keep_looking(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            self._look()


_clock = _Clock()
