"""Processes for tests of the benchmarks: they die or wait after their first cases."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.benchmarks.measure import Row, Settings
from tests.benchmarks.processes import growing

Tell = Callable[[Mapping[str, Any]], None]


def dies_after_two_cases(tell: Tell) -> None:
    """Tells two cases, and is killed in the third."""
    print("a library's line on standard output")
    tell({"1 ms": 10.0})
    tell({"4 ms": 20.0})
    print("the card fell off the bus", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def returns_after_a_case(factor: float, tell: Tell) -> dict[str, Any]:
    """Tells a case, and returns another."""
    tell({"1 ms": 10.0 * factor})
    return {"4 ms": 20.0 * factor}


def waits_after_a_case(tell: Tell) -> None:
    """Tells a case, and does not end by itself."""
    tell({"ms": 10.0, "process": os.getpid()})
    time.sleep(600)


def waiting_rows(settings: Settings) -> Iterator[Row]:
    """Measures a row whose process waits."""
    for found in growing(waits_after_a_case, log=settings.log("gpu-step")):
        yield Row(row="gpu-step", case="first", quantity="wall time", unit="ms", ours=[found["ms"]],
                  note=f"process {found['process']}")  # fmt: skip
