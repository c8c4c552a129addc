"""What a process of the rows of populations times: steps of many networks, seeds of a baseline.

`gpu.py` starts these and makes rows of what they tell.
"""

import collections
import functools
import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lstm_study.configuration import BASELINE, Configuration
from lstm_study.spec import ProtocolTable
from tests.benchmarks.sides import SIZES
from tests.support.classes import class_of

_CHUNKS = 3
# How many times longer than the case before it another one may take.
_MARGIN = 2
# What imdb-open.toml finds, with the words dropped that cost the processor something.
OPENED = {
    "bidirectional": True, "pooling": "mean", "pair_vocabulary_size": 50_000,
    "embedding_dropout": 0.5, "word_dropout": 0.1, "output_dropout": 0.4, "clip_norm": 1.0,
    "learning_rate_schedule": "linear", "weight_decay": 0.02,
}  # fmt: skip
_QUICK = Configuration(vocabulary_size=500, maxlen=20, embedding_dim=16, lstm_units=16)


def population_steps(
    cases: Sequence[tuple[int, float]],
    quick: bool,
    tell: Callable[[Mapping[str, Any]], None],
    *,
    is_open: bool = False,
    size: str = "500 × 128/100",
    more: Sequence[tuple[int, float]] = (),
    until: float | None = None,
    compiler_options: Mapping[str, Any] | None = None,
) -> None:
    """Times training steps of populations; a process of its own.

    They are of the documented network, which reads its padding, or of an open one with all that
    `OPENED` names, which does not. Reviews are made up, in lengths from 50 to 1,000 tokens. The
    time of a call of 16 steps, positions and losses included, is divided by 16. Words to drop are
    drawn before, as the product draws them while the card works.

    Args:
        cases: Members and recurrent dropout of each. Rates are data: they share a program.
        quick: Whether sizes are those of a smoke test.
        tell: Told of each case: "MEMBERS RATE ms" of a step, "MEMBERS RATE draw_ms" of the words it
            drops, "MEMBERS RATE compile_s" and "MEMBERS RATE gb" of device memory at its peak,
            where the device says; or "MEMBERS RATE why_not".
        is_open: Which network.
        size: The documented network's, of `SIZES`.
        more: Cases that are measured last, as far as memory and time suffice.
        until: When the process will be stopped, as `time.time()` counts; None if it will not.
        compiler_options: XLA's, for the training step, beside the product's.
    """
    from lstm_study.training.runtime import configure

    configure(threads=1)

    from lstm_study.training.failures import classify
    from lstm_study.training.training import Training

    if compiler_options:
        _compile_with(compiler_options)
    network = _QUICK if quick else SIZES[size]
    if is_open:
        network = replace(network, **OPENED)
        if not quick:
            network = replace(network, maxlen=400, lstm_units=64, dropout=0.4)
    latest = 0.0
    for number, (count, rate) in enumerate([*cases, *more]):
        trainings = [
            Training(
                configuration=replace(network, recurrent_dropout=rate), protocol=ProtocolTable(),
                seed=seed, epochs=9, masked=is_open,
            )
            for seed in range(1, count + 1)
        ]  # fmt: skip
        name, is_more = f"{count} {rate:g}", number >= len(cases)
        why_not = _why_not(trainings, until=until, latest=latest) if is_more else ""
        if not why_not:
            began = time.perf_counter()
            try:
                found = _timed(trainings, quick=quick)
            except Exception as error:
                why_not = _excused(error, is_more=is_more, kind=classify(error).kind)
                if not why_not:
                    raise
            else:
                tell({f"{name} {key}": value for key, value in found.items()})
            latest = time.perf_counter() - began
        if why_not:
            tell({f"{name} why_not": why_not})


def _timed(trainings: Sequence[Any], *, quick: bool) -> dict[str, Any]:
    """Times steps of one population; see `population_steps`."""
    import jax

    from lstm_study.model.lstm.members import sweeps_for
    from lstm_study.training.member_state import padded_state
    from lstm_study.training.members import Seated
    from lstm_study.training.on_device import STEPS_AT_ONCE, OnDevice, initial_variables

    split = _reviews(400 if quick else STEPS_AT_ONCE * 64)
    configuration, shape = trainings[0].configuration, class_of(trainings)
    sweeps, why = sweeps_for(shape.lstm_units)
    began = time.perf_counter()
    device = OnDevice(shape, sweeps)
    device.resize(len(trainings), [])
    # The same for all: what their weights are makes no difference to the time.
    state = padded_state(initial_variables(trainings[0]), configuration, shape, where="")
    for place in range(len(trainings)):
        device.put(place, state)
    device.set_trainings(trainings, reviews=len(split))
    seated = [Seated(_member(training), None, ()) for training in trainings]
    with ThreadPoolExecutor() as threads:
        for each in seated:
            each.begin_epoch(split, threads)
    batches = {place: each.batches[:STEPS_AT_ONCE] for place, each in enumerate(seated)}
    drawing, times, first = [], [], 0.0
    for number in range(1 + _CHUNKS):
        begun = time.perf_counter()
        dropped = {
            place: each.dropped(0, STEPS_AT_ONCE)
            for place, each in enumerate(seated)
            if configuration.word_dropout
        }
        drawn = time.perf_counter()
        losses, _ = device.train(split, batches, dropped)
        np.asarray(losses)
        ended = time.perf_counter()
        if number == 0:
            first = ended - began
            continue
        drawing.append(drawn - begun)
        times.append(ended - drawn)
    device.clear()
    steps = len(batches[0])
    drew = {"draw_ms": 1_000 * statistics.median(drawing) / steps}
    return {
        "ms": 1_000 * statistics.median(times) / steps,
        **(drew if configuration.word_dropout else {}),
        "compile_s": first,
        "gb": (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0) / 1e9,
        "sweeps": f"{sweeps.name}: {why}",
    }


def _why_not(trainings: Sequence[Any], *, until: float | None, latest: float) -> str:
    """Says why a case that may be left out is; "" if it is not."""
    from lstm_study.training.runtime import population_limit

    count = len(trainings)
    fitting = population_limit(count, member_bytes=class_of(trainings).member_bytes)
    if fitting < count:
        return f"memory is expected to hold {fitting} members"
    if until is not None and time.time() + _MARGIN * latest > until:
        return f"{until - time.time():.0f} s are left"
    return ""


def _excused(error: Exception, *, is_more: bool, kind: str) -> str:
    """Says why a case may go without numbers after an error; "" if it may not."""
    if is_more and kind == "out_of_memory":
        return "memory does not hold them"
    if "No such compile option" in str(error):
        return f"this JAX does not know the option ({str(error).splitlines()[0]})"
    return ""


def _compile_with(options: Mapping[str, Any]) -> None:
    """Has training steps of this process compiled with other options, beside the product's."""
    import jax

    from lstm_study.model.population import steps
    from lstm_study.training import on_device

    on_device.train_steps = jax.jit(
        steps.train_steps.__wrapped__,
        static_argnames=("maxlen", "sweeps"),
        donate_argnums=(0,),
        compiler_options=steps._SAME_BITS | dict(options),
    )


@functools.cache
def _reviews(count: int) -> Any:
    return with_pairs(made_up(count))


def baseline_seeds(
    path: str,
    seeds: int,
    epochs: int,
    quick: bool,
    tell: Callable[[Mapping[str, Any]], None],
) -> dict[str, Any]:
    """Trains the documented baseline to the letter with many seeds; a process of its own.

    Padding read, all training reviews of Keras's file; all of test is read at the end. `tell` is
    told after each epoch of all seeds: "ended_s", when the epochs so far were saved.

    Returns:
        "wall_s", compiling included, "accuracy" on test and its "sd" over the seeds, in points.
    """
    from lstm_study.training.runtime import configure

    configure(threads=1)
    logging.basicConfig(level=logging.INFO)
    from lstm_study.training.checkpoint import Checkpoint
    from lstm_study.training.members import Ended
    from lstm_study.training.population import train_population
    from lstm_study.training.training import Training

    if quick:
        training_reviews, test = made_up(300), made_up(300, seed=2)
    else:
        from lstm_study.corpus.load import load
        from lstm_study.spec import DataTable

        corpus = load(DataTable(source="imdb", path=path), seed=1)
        training_reviews, test = corpus.training, corpus.open_test(on_open=lambda: None)
    accuracies: list[float] = []

    def end(ended: Ended) -> None:
        if ended.error is not None:
            raise ended.error
        assert ended.probabilities is not None
        accuracies.append(100 * float(np.mean((ended.probabilities > 0.5) == test.labels)))

    trainings = [
        Training(
            configuration=_QUICK if quick else BASELINE, protocol=ProtocolTable(), seed=seed,
            epochs=epochs,
        )
        for seed in range(1, seeds + 1)
    ]  # fmt: skip
    began = time.perf_counter()
    saved: dict[int, int] = collections.Counter()
    ended_s: list[float] = []

    def count_epoch(checkpoint: Checkpoint) -> None:
        number = len(checkpoint.epochs)
        saved[number] += 1
        if saved[number] == seeds:
            ended_s.append(time.perf_counter() - began)
            tell({"ended_s": ended_s})

    with tempfile.TemporaryDirectory() as folder:
        members = [
            replace(
                _member(training, Path(folder)), on_epoch=count_epoch, on_end=end,
                reads=lambda: test,
            )
            for training in trainings
        ]  # fmt: skip
        train_population(
            members, shape=class_of(trainings), reviews=training_reviews, validation=None,
            capacity=seeds,
        )  # fmt: skip
    return {
        "wall_s": time.perf_counter() - began,
        "accuracy": statistics.mean(accuracies),
        "sd": statistics.stdev(accuracies),
    }


def made_up(reviews: int, *, seed: int = 1) -> Any:
    """Returns reviews of random words, of 50 to 1,000 tokens."""
    from lstm_study.corpus.types import Split

    random = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(random.integers(50, 1_000, reviews))])
    return Split(
        name="train",
        token_ids=random.integers(3, 50_000, offsets[-1]).astype(np.int32),
        offsets=offsets.astype(np.int64),
        labels=random.integers(0, 2, reviews).astype(np.int8),
        document_ids=np.arange(reviews),
    )


def with_pairs(split: Any) -> Any:
    """Returns a split that knows its own pairs of words."""
    from lstm_study.corpus.text.pairs import TrainingPairs

    return replace(split, pairs=TrainingPairs(split.token_ids, split.offsets))


def _member(training: Any, folder: Path = Path()) -> Any:
    from lstm_study.training.members import Member

    return Member(
        training=training,
        start=None,
        save=folder / f"{training.seed}.npz",
        where="",
        on_step=lambda step: None,
        on_epoch=lambda checkpoint: None,
        on_end=lambda ended: None,
    )
