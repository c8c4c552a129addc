"""Row `growth`: how cost grows with reviews, maxlen, units and trials.

Each is measured at several sizes, the others held, and said as the exponent p of cost ~ sizeᵖ, by
least squares over logarithms: 1 is proportional, below 1 a fixed part weighs in.
"""

import shutil
import statistics
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import (
    Clock,
    Row,
    Settings,
    alternate,
    has_tensorflow,
    median,
    not_measured,
    slope,
    values,
)
from tests.benchmarks.processes import fresh
from tests.benchmarks.reports import report
from tests.benchmarks.sides import configuration_of, model_of, prepare, random_batch, reviews


def steps(name: str, sizes: list[int], maxlen: int) -> dict[str, Any]:
    """Processor seconds of a training step at each maxlen or number of units; a process."""
    prepare("ours")
    found = {}
    for size in sizes:
        configuration = configuration_of("500 × 128/100", **({"maxlen": maxlen} | {name: size}))
        model = model_of("ours", configuration, masked=False)
        token_ids, labels = random_batch(configuration)
        times = []
        for _ in range(6):
            clock = Clock()
            model.train_on_batch(token_ids, labels)
            times.append(clock.read()[1])
        found[str(size)] = statistics.median(times[2:])
    return found


def epochs(sizes: list[int], scratch: str) -> dict[str, Any]:
    """Processor seconds of an epoch of 32/32 on so many reviews, compiled before; a process."""
    prepare("ours")
    from lstm_study.spec import ProtocolTable
    from lstm_study.training.training import Training, train

    found = {}
    for size in sizes:
        cache = tempfile.mkdtemp(dir=scratch)
        corpus = reviews(cache, train=size - size // 20, validation=size // 20)
        clock = Clock()
        ends: list[float] = []
        training = Training(
            configuration=configuration_of("160 × 32/32"), protocol=ProtocolTable(), seed=1,
            epochs=2, masked=True,
        )  # fmt: skip
        train(
            training, reviews=corpus.train, validation=corpus.validation, start=None,
            save=Path(cache) / "checkpoint.npz", where="", on_step=lambda step: None,
            on_epoch=lambda checkpoint, clock=clock, ends=ends: ends.append(clock.read()[1]),  # type: ignore[misc]
        )  # fmt: skip
        found[str(size)] = ends[1] - ends[0]
        shutil.rmtree(cache)
    return found


def encoding(sizes: list[int], scratch: str) -> dict[str, Any]:
    """Processor seconds of loading so many reviews from an empty cache; a process."""
    found = {}
    for size in sizes:
        cache = tempfile.mkdtemp(dir=scratch)
        clock = Clock()
        reviews(cache, train=size - size // 5, validation=size // 5)
        found[str(size)] = clock.read()[1]
        shutil.rmtree(cache)
    return found


def rows(settings: Settings) -> list[Row]:
    """Measures each growth, in one round whatever was asked for: several sizes make the fit."""
    scratch = str(settings.scratch)
    counts = [1_000, 5_000, 24_900] if not settings.quick else [200, 400]
    trials = [100, 300, 1_000] if not settings.quick else [10, 20]

    def reporting() -> dict[str, Any]:
        return {str(size): fresh(report, trials=size)["processor_s"] for size in trials}

    found = [
        _row("reviews, read and encoded from an empty cache", counts,
             partial(fresh, encoding, sizes=counts, scratch=scratch)),
        _row("trials, report", trials, reporting),
    ]  # fmt: skip
    if not has_tensorflow():
        why = "TensorFlow is not installed"
        return [*found, not_measured("growth", why, case="reviews, maxlen, units of a training")]
    lengths = [125, 250, 500] if not settings.quick else [20, 40]
    units = [32, 64, 128, 256] if not settings.quick else [8, 16]
    maxlen = settings.size(200, 20)
    return [
        *found,
        _row("reviews, an epoch of 32/32 with 160 tokens", counts,
             partial(fresh, epochs, sizes=counts, scratch=scratch)),
        _row("maxlen, a step of 128/100", lengths,
             partial(fresh, steps, name="maxlen", sizes=lengths, maxlen=maxlen)),
        _row(f"units, a step of 128 inputs and {maxlen} tokens", units,
             partial(fresh, steps, name="lstm_units", sizes=units, maxlen=maxlen)),
    ]  # fmt: skip


def _row(case: str, sizes: list[int], work: Any) -> Row:
    results = alternate({"ours": work}, rounds=1)["ours"]
    exponents = [slope(sizes, [result[str(size)] for size in sizes]) for result in results]
    at = ", ".join(f"{size:,}: {median(values(results, str(size))):.3g} s" for size in sizes)
    return Row(row="growth", case=case, quantity="exponent of processor time", unit="",
               ours=exponents, note=at)  # fmt: skip
