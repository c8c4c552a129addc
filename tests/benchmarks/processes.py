"""The processes that a benchmark times: functions in fresh ones, and whole commands.

What a process has said before it failed or was stopped is kept: its results one by one, and its log
in a file.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import (
    MAXRSS_UNIT,
    NO_GPU,
    ONE_THREAD,
    ROOT,
    Backend,
    BenchmarkError,
    Device,
)

_TAIL_CHARACTERS = 2_000
_SECONDS_TO_END = 5
# The first process that needs the Numba kernels compiles them for the others.
_NUMBA_CACHE = tempfile.TemporaryDirectory(prefix="numba-")


def growing(
    function: Callable[..., Any],
    *,
    backend: Backend = "tensorflow",
    device: Device = "cpu",
    log: Path | None = None,
    **arguments: Any,
) -> Iterator[dict[str, Any]]:
    """Calls a function of a benchmark's module in a process of its own, and yields as it measures.

    Args:
        function: Of a module's top level; takes what JSON can hold, and returns a dictionary of
            that. One with a parameter `tell` is given a function for it, to be called with a
            dictionary after each case.
        backend: Keras's, in that process.
        device: Whether it sees a GPU; without one it has a single thread for products.
        log: Where its standard error goes; None to keep the end of it for an error alone.
        arguments: The function's.

    Yields:
        All that it has told and returned so far, joined; at the end with "peak_mb", the most memory
        that was resident.

    Raises:
        BenchmarkError: The process failed.
    """
    message = {"module": function.__module__, "name": function.__name__, "arguments": arguments}
    confined = ONE_THREAD | NO_GPU if device == "cpu" else {}
    found: dict[str, Any] = {}
    # With a cache of its own, no process finds what XLA compiled for another one.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as cache:
        path = log or Path(cache) / "benchmark-child.log"
        with path.open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.benchmarks.child", json.dumps(message)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True,
                cwd=ROOT,
                env=_environment(KERAS_BACKEND=backend, LSTM_STUDY_CACHE=cache, **confined),
            )  # fmt: skip
        assert process.stdout is not None
        with _ended(process), process.stdout:
            for line in process.stdout:
                # A killed process may leave half a line.
                if line.endswith("\n"):
                    found |= json.loads(line)
                    yield dict(found)
            process.wait()
        if process.returncode != 0:
            raise _failure(function.__name__, process.returncode, path, is_kept=log is not None)


def fresh(function: Callable[..., Any], **options: Any) -> dict[str, Any]:
    """Calls a function in a process of its own, as `growing`, and returns what it found at the end.

    Raises:
        BenchmarkError: The process failed.
    """
    found: dict[str, Any] = {}
    for so_far in growing(function, **options):
        found = so_far
    return found


def command(
    arguments: Sequence[str], *, cwd: Path, log: Path | None = None, **environment: str
) -> dict[str, Any]:
    """Runs a command, and returns its "wall_s", "processor_s", "peak_mb" and "out".

    Processes that it starts and waits for count: their processor time is added, and the peak is
    that of the largest one.

    Args:
        arguments: The command.
        cwd: Where it runs.
        log: Where its output goes; None for a file in `cwd`.
        environment: Variables that are set for it.

    Raises:
        BenchmarkError: It failed.
    """
    path = log or cwd / "benchmark-command.log"
    began = time.perf_counter()
    with path.open("wb") as out:
        process = subprocess.Popen(
            arguments, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            env=_environment(**environment),
        )  # fmt: skip
    with _ended(process):
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if process.returncode != 0:
        what = " ".join(arguments)
        raise _failure(what, process.returncode, path, is_kept=log is not None)
    return {
        "wall_s": wall,
        "processor_s": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss * MAXRSS_UNIT / 1e6,
        "out": path.read_text(errors="replace"),
    }


def _failure(what: str, status: int, log: Path, *, is_kept: bool) -> BenchmarkError:
    """Makes an error of the end of a log; its last line is what a table says."""
    said = log.read_text(errors="replace")[-_TAIL_CHARACTERS:].strip()
    error = BenchmarkError(f"{what}: exit status {status}\n{said}".strip())
    if is_kept:
        error.add_note(f"log: {log.name}")
    return error


@contextmanager
def _ended(process: "subprocess.Popen[Any]") -> Iterator[None]:
    """Ends a process at the end of a `with` block if it still runs, as after an error."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment(**changes: str) -> dict[str, str]:
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "NO_COLOR": "1", "TERM": "dumb", "PYTHONWARNINGS": ""}
    return os.environ | quiet | {"NUMBA_CACHE_DIR": _NUMBA_CACHE.name} | changes
