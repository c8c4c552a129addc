"""Rows `start` and `help`: how long it takes until something happens.

A trial starts when its worker has its record, and has started with the first training step done:
building, tracing and compiling are in between. The trials of one process come one after the other,
as in a worker: a first one, one of equal shape, one with other dropout rates, one with more units.
"""

import contextlib
import sys
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import (
    LSTM_STUDY,
    Clock,
    Row,
    Settings,
    alternate,
    compared,
    has_tensorflow,
    not_measured,
    values,
)
from tests.benchmarks.processes import command, fresh
from tests.benchmarks.sides import (
    KERAS,
    SIDES,
    Side,
    configuration_of,
    model_of,
    prepare,
    random_batch,
    reviews,
)

TRIALS: dict[str, dict[str, Any]] = {
    "the first trial of a process": {},
    "a second trial of equal shape": {},
    "a trial of equal shape, other rates": {"dropout": 0.3, "recurrent_dropout": 0.1},
    "a trial with other units": {"lstm_units": 64},
}


_MOST_ROUNDS = 2


class _FirstStepDoneError(Exception):
    """Raised to end a training after its first step."""


def starts(side: Side, cache: str, maxlen: int) -> dict[str, Any]:
    """Starts trials one after the other; runs in a separate process.

    Returns:
        Wall seconds for each of `TRIALS`, the same of processor time as "… processor", and "ready":
        what a worker needs before its first trial, imports and reviews.
    """
    clock = Clock()
    prepare(side)
    corpus = reviews(cache, train=640, validation=100)
    from lstm_study.training.training import Training, train

    found = {"ready": clock.read()[0]}
    for seed, (name, changed) in enumerate(TRIALS.items(), start=1):
        configuration = configuration_of("500 × 128/100", maxlen=maxlen, **changed)
        clock = Clock()
        if side == "ours":
            from lstm_study.spec import ProtocolTable

            training = Training(
                configuration=configuration, protocol=ProtocolTable(), seed=seed, epochs=1,
                masked=True,
            )  # fmt: skip
            with contextlib.suppress(_FirstStepDoneError):
                train(
                    training, reviews=corpus.train, validation=None, start=None, save=Path(),
                    where="", on_step=_end, on_epoch=lambda checkpoint: None,
                )  # fmt: skip
        else:
            model_of(side, configuration, masked=False).train_on_batch(*random_batch(configuration))
        found[name], found[f"{name} processor"] = clock.read()
    return found


def _end(_: object) -> None:
    raise _FirstStepDoneError


def rows(settings: Settings) -> list[Row]:
    """Measures starts of trials, with each backend that is here."""
    found = []
    for backend in ("tensorflow", "jax"):
        if backend == "tensorflow" and not has_tensorflow():
            found.append(not_measured("start", "TensorFlow is not installed", case="tensorflow"))
            continue
        # Fills the caches of compiled programs, as the first training on a machine does.
        fresh(starts, backend=backend, side="ours", cache=settings.cache, maxlen=8)
        maxlen = settings.size(500, 40)
        results = alternate(
            {
                side: partial(fresh, starts, backend=backend, side=side, cache=settings.cache,
                              maxlen=maxlen)
                for side in SIDES
            },
            rounds=min(settings.rounds, _MOST_ROUNDS),
        )  # fmt: skip
        found.append(
            Row(row="start", case=backend, quantity="a worker: imports and warm reviews", unit="s",
                ours=values(results["ours"], "ready"))
        )  # fmt: skip
        found += [
            compared(
                results, f"{name} processor", row="start", case=backend,
                quantity=f"processor time until the first step of {name}", unit="s", against=KERAS,
                bound="nothing compiled again" if "second" in name else "",
            )
            for name in TRIALS
        ]  # fmt: skip
    return found


def help_rows(settings: Settings) -> list[Row]:
    """Measures `lstm-study --help`, and what a report imports."""
    runs = settings.size(5, 1)
    helps = [command([*LSTM_STUDY, "--help"], cwd=settings.scratch) for _ in range(runs)]
    checks = [
        command([sys.executable, "-c", _REPORT_IMPORTS], cwd=settings.scratch)
        for _ in range(settings.rounds)
    ]
    return [
        Row(row="help", case="lstm-study --help", quantity="wall time", unit="s",
            ours=values(helps, "wall_s"), bound="under 0.3 s"),
        Row(row="help", case="lstm-study --help", quantity="peak memory", unit="MB",
            ours=values(helps, "peak_mb")),
        Row(row="help", case="lstm-study report", quantity="wall time of its imports", unit="s",
            ours=values(checks, "wall_s"), bound="no TensorFlow",
            note=checks[0]["out"].strip().splitlines()[-1]),
    ]  # fmt: skip


_REPORT_IMPORTS = """
import sys
import lstm_study.cli
import lstm_study.report.formats.optuna
import lstm_study.report.content, lstm_study.report.write
slow = sorted({"tensorflow", "keras", "jax", "keras_tuner"} & set(sys.modules))
print("imports " + (", ".join(slow) or "no TensorFlow, Keras, JAX or Keras Tuner"))
"""
