"""What a benchmark measures with: rows, alternating rounds, medians, ratios."""

import importlib.util
import re
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).parents[2]
LSTM_STUDY = [sys.executable, "-m", "lstm_study.cli"]
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
DATA_VARIABLE = "LSTM_STUDY_DATA"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
Backend = Literal["tensorflow", "jax"]
Device = Literal["cpu", "gpu"]


class BenchmarkError(Exception):
    """A measurement that could not be taken; its text has the end of what the process said."""


class StoppedError(BenchmarkError):
    """The benchmarks were told to end, by SIGTERM, as `timeout` does."""


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
        logs: The folder where logs of what is run are kept; None to keep none.
        until: When the run will be stopped, as `time.time()` counts; None if it will not.
    """

    rounds: int
    quick: bool
    data: Path | None
    scratch: Path
    gpu: str | None = None
    study_reviews: int | None = None
    logs: Path | None = None
    until: float | None = None

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

    def log(self, *names: object) -> Path | None:
        """Returns where the log of a process is to be kept, "ROW-CASE-ROUND.log"."""
        if self.logs is None:
            return None
        self.logs.mkdir(parents=True, exist_ok=True)
        slug = re.sub(r"[^A-Za-z0-9]+", "-", "-".join(map(str, names)))
        return self.logs / f"{slug}.log"


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


def told(error: BenchmarkError) -> str:
    """Returns an error in one line: the last one of its text, and its notes."""
    last = (str(error).strip().splitlines() or ["no reason given"])[-1]
    return "; ".join([last.strip().rstrip("."), *getattr(error, "__notes__", [])])


def has_tensorflow() -> bool:
    """Whether TensorFlow is installed; it is not imported."""
    return importlib.util.find_spec("tensorflow") is not None


def a_backend() -> Backend:
    """Returns TensorFlow where it is installed, else JAX."""
    return "tensorflow" if has_tensorflow() else "jax"


def compared(
    found: Mapping[str, Sequence[Mapping[str, Any]]],
    key: str,
    *,
    is_partial: bool = False,
    **words: Any,
) -> Row:
    """Makes a row of one measurement of both sides, "ours" and "keras", of `alternate`.

    Args:
        found: Side → what it measured, by round.
        key: The measurement.
        is_partial: Whether some of it may be missing yet; then the row has the rounds that both
            sides have measured, or ours alone.
        words: What `Row` says beside its values.
    """
    read = values_so_far if is_partial else values
    ours, other = (read(found.get(side, ()), key) for side in ("ours", "keras"))
    if is_partial and other:
        rounds = min(len(ours), len(other))
        ours, other = ours[:rounds], other[:rounds]
    return Row(ours=ours, other=other, **words)


Found = dict[str, list[dict[str, Any]]]


def alternating(
    sides: Mapping[str, Callable[[int], Iterable[dict[str, Any]]]], *, rounds: int
) -> Iterator[Found]:
    """Measures every side once in each round, in turn from either end.

    Args:
        sides: Side → what measures it, called with the round, from 0; yields all it has so far.
        rounds: How many.

    Yields:
        Side → what it measured, by round, whenever there is more of it.
    """
    found: Found = {side: [] for side in sides}
    for number in range(rounds):
        order = list(sides) if number % 2 == 0 else list(reversed(sides))
        for side in order:
            found[side].append({})
            for so_far in sides[side](number):
                found[side][-1] = so_far
                yield found


def alternate(sides: Mapping[str, Callable[[], dict[str, Any]]], *, rounds: int) -> Found:
    """Measures every side once in each round, in turn from either end.

    Returns:
        Side → what it measured, by round.
    """
    found: Found = {}
    at_once = {side: lambda _, measure=measure: [measure()] for side, measure in sides.items()}
    for so_far in alternating(at_once, rounds=rounds):
        found = so_far
    return found


def values(results: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    """Returns one measurement out of each round's."""
    return [float(result[key]) for result in results]


def values_so_far(results: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    """Returns one measurement out of each round's that has it."""
    return [float(result[key]) for result in results if key in result]


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
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT / 1e6


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
