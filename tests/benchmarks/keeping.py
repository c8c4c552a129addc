"""Takes one row of the benchmarks, and keeps what it has found whatever ends it."""

import signal
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from typing import Any

from tests.benchmarks.measure import (
    BenchmarkError,
    Row,
    Settings,
    StoppedError,
    median,
    not_measured,
    told,
)


def take(
    name: str,
    measure: Callable[[Settings], Iterable[Row]],
    settings: Settings,
    keep: Callable[[Sequence[Row]], None],
) -> BenchmarkError | None:
    """Measures one row of the table.

    Args:
        name: The row's.
        measure: Returns its lines, or yields them as they are measured; a later one replaces an
            earlier one of the same case and quantity.
        settings: How to measure.
        keep: Writes the lines so far. As long as there may be more, the last one says that the run
            ended before it was done, for a process that is killed has no time to say so.

    Returns:
        What made it fail; None if it did not. The last line says it, too.
    """
    found: dict[tuple[str, str], Row] = {}
    unfinished = not_measured(name, "the run ended before this row did", case="the rest")
    try:
        with closing(_begun(measure, settings)) as rows:
            for row in rows:
                before = found.get((row.case, row.quantity))
                if before != row:
                    found[row.case, row.quantity] = row
                    keep([*found.values(), unfinished])
                    if row.ours and (before is None or before.ours != row.ours):
                        say(f"  {row.case}: {row.quantity}: {median(row.ours):.4g} {row.unit}")
    except BenchmarkError as error:
        say(f"{name}: FAILED. {'; '.join([str(error), *getattr(error, '__notes__', [])])}")
        case = "the rest" if found else "all"
        keep([*found.values(), not_measured(name, f"failed: {told(error)}", case=case)])
        return error
    keep(list(found.values()))
    return None


def heed_sigterm() -> None:
    """Has SIGTERM raise `StoppedError`, once: `timeout` sends it twice."""

    def stop(*_: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise StoppedError("stopped by SIGTERM")

    signal.signal(signal.SIGTERM, stop)


def say(text: str) -> None:
    """Prints a line of progress."""
    print(text, file=sys.stderr, flush=True)


def _begun(
    measure: Callable[[Settings], Iterable[Row]], settings: Settings
) -> Generator[Row, None, None]:
    yield from measure(settings)
