"""What a benchmark measures with: fresh processes, alternating rounds, medians, ratios."""

import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).parents[2]
LSTM_STUDY = [sys.executable, "-m", "lstm_study.cli"]
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
_TAIL_CHARACTERS = 2_000
DATA_VARIABLE = "LSTM_STUDY_DATA"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# The first process that needs the Numba kernels compiles them for the others.
_NUMBA_CACHE = tempfile.TemporaryDirectory(prefix="numba-")
NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
Backend = Literal["tensorflow", "jax"]
Device = Literal["cpu", "gpu"]


class BenchmarkError(Exception):
    """A measurement that could not be taken; its text has the end of what the process said."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the rows are measured.

    Attributes:
        rounds: Alternating runs of each side.
        quick: Whether sizes are those of a smoke test, whose numbers mean nothing.
        data: The folder that LSTM_STUDY_DATA names; None if it names none.
        scratch: An empty folder to work in.
        gpu: The GPU's name; None where there is none.
        study_reviews: Reviews of the whole search; None for a row's own choice.
    """

    rounds: int
    quick: bool
    data: Path | None
    scratch: Path
    gpu: str | None = None
    study_reviews: int | None = None

    def size(self, full: int, quick: int) -> int:
        """Returns one of two sizes."""
        return quick if self.quick else full

    @property
    def cache(self) -> str:
        """The folder for encoded reviews, shared by all rows."""
        return str(self.scratch / "cache")

    def folder(self, name: str) -> Path:
        """Makes an empty folder of its own in the scratch folder."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.scratch))


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the result: a quantity of ours, and of what it is compared with.

    Attributes:
        row: The benchmark's name, as `--only` takes it.
        case: Which of its cases.
        quantity: What was measured.
        unit: "ms", "s", "MB", ...
        ours: One value for each round.
        other: The same of what it is compared with, of the same rounds.
        against: What it is compared with.
        more_is_better: Whether a larger value is the better one; ratios are "times better".
        share: Share of the arithmetic limit, for each round.
        bound: What the project holds it to, in words.
        note: What else a reader should know; of a row without values, why there are none.
    """

    row: str
    case: str
    quantity: str = ""
    unit: str = ""
    ours: Sequence[float] = ()
    other: Sequence[float] = ()
    against: str = ""
    more_is_better: bool = False
    share: Sequence[float] = ()
    bound: str = ""
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        """How many times better ours is, round by round; empty if there is nothing beside it."""
        pairs = zip(self.ours, self.other, strict=True) if self.other else ()
        return [ours / other if self.more_is_better else other / ours for ours, other in pairs]


def not_measured(row: str, why: str, *, case: str = "all") -> Row:
    """A row that says why it has no values."""
    return Row(row=row, case=case, note=f"not measured: {why}")


def has_tensorflow() -> bool:
    """Whether TensorFlow is installed; it is not imported."""
    return importlib.util.find_spec("tensorflow") is not None


def a_backend() -> Backend:
    """Returns TensorFlow where it is installed, else JAX."""
    return "tensorflow" if has_tensorflow() else "jax"


def compared(found: Mapping[str, Sequence[Mapping[str, Any]]], key: str, **words: Any) -> Row:
    """Makes a row of one measurement of both sides, "ours" and "keras", of `alternate`.

    Args:
        found: Side → what it measured, by round.
        key: The measurement.
        words: What `Row` says beside its values.
    """
    other = values(found["keras"], key) if "keras" in found else ()
    return Row(ours=values(found["ours"], key), other=other, **words)


def alternate(
    sides: Mapping[str, Callable[[], dict[str, Any]]], *, rounds: int
) -> dict[str, list[dict[str, Any]]]:
    """Measures every side once in each round, in turn from either end.

    Returns:
        Side → what it measured, by round.
    """
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    for number in range(rounds):
        order = list(sides) if number % 2 == 0 else list(reversed(sides))
        for side in order:
            found[side].append(sides[side]())
    return found


def values(results: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    """Returns one measurement out of each round's."""
    return [float(result[key]) for result in results]


def fresh(
    function: Callable[..., dict[str, Any]],
    *,
    backend: Backend = "tensorflow",
    device: Device = "cpu",
    **arguments: Any,
) -> dict[str, Any]:
    """Calls a function of a benchmark's module in a process of its own.

    Args:
        function: Of a module's top level; takes and returns what JSON can hold.
        backend: Keras's, in that process.
        device: Whether it sees a GPU; without one it has a single thread for products.
        arguments: The function's.

    Returns:
        What it returned, and "peak_mb", the most memory that was resident.

    Raises:
        BenchmarkError: The process failed.
    """
    message = {"module": function.__module__, "name": function.__name__, "arguments": arguments}
    confined = ONE_THREAD | NO_GPU if device == "cpu" else {}
    # With a cache of its own, no process finds what XLA compiled for another one.
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.child"],
            input=json.dumps(message),
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=_environment(KERAS_BACKEND=backend, LSTM_STUDY_CACHE=cache, **confined),
            check=False,
        )
    if done.returncode != 0:
        raise BenchmarkError(f"{function.__module__}: {done.stderr[-_TAIL_CHARACTERS:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def command(arguments: Sequence[str], *, cwd: Path, **environment: str) -> dict[str, Any]:
    """Runs a command, and returns its "wall_s", "processor_s", "peak_mb" and "out".

    Processes that it starts and waits for count: their processor time is added, and the peak is
    that of the largest one.

    Raises:
        BenchmarkError: It failed.
    """
    log = cwd / "benchmark-command.log"
    began = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(
            arguments, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            env=_environment(**environment),
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    said = log.read_text(errors="replace")
    if process.returncode != 0:
        raise BenchmarkError(f"{' '.join(arguments)}: {said[-_TAIL_CHARACTERS:]}")
    return {
        "wall_s": wall,
        "processor_s": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss * _MAXRSS_UNIT / 1e6,
        "out": said,
    }


class Clock:
    """Wall and processor seconds since it was made, of all threads of this process."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), processor_seconds()

    def read(self) -> tuple[float, float]:
        """Returns wall seconds and processor seconds."""
        return time.perf_counter() - self._wall, processor_seconds() - self._processor


def processor_seconds() -> float:
    """Returns the processor time of this process, of all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mb() -> float:
    """Returns the most memory that this process had resident, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT / 1e6


def resident_mb() -> float:
    """Returns the memory that this process has resident now, in megabytes; its peak if unknown."""
    status = Path("/proc/self/statm")
    if not status.is_file():
        return peak_mb()
    return int(status.read_text().split()[1]) * resource.getpagesize() / 1e6


def median(samples: Sequence[float]) -> float:
    """Returns the median."""
    return statistics.median(samples)


def slope(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Returns the exponent p of cost ~ size ** p, by least squares over logarithms.

    Example:
        >>> round(slope([1, 10, 100], [2, 20, 200]), 6)
        1.0
    """
    import math

    fit = statistics.linear_regression([math.log(x) for x in sizes], [math.log(y) for y in costs])
    return fit.slope


def _environment(**changes: str) -> dict[str, str]:
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "NO_COLOR": "1", "TERM": "dumb", "PYTHONWARNINGS": ""}
    return os.environ | quiet | {"NUMBA_CACHE_DIR": _NUMBA_CACHE.name} | changes
