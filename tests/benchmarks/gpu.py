"""Rows `population`, `gpu-population`, `gpu-open`, ...: many networks at once, on JAX.

`gpu.sh` measures these and the other rows of a GPU in two calls.
"""

import logging
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lstm_study.configuration import BASELINE, Configuration
from lstm_study.spec import ProtocolTable
from tests.benchmarks.measure import (
    DATA_VARIABLE,
    LSTM_STUDY,
    ROOT,
    Row,
    Settings,
    command,
    fresh,
    not_measured,
    values,
)
from tests.benchmarks.sides import SIZES
from tests.support.classes import class_of

MEMBERS = (1, 4, 14, 32)
SEEDS = 14
_CHUNKS = 3
# What imdb-open.toml finds, with the words dropped that cost the processor something.
OPENED = {
    "bidirectional": True, "pooling": "mean", "pair_vocabulary_size": 50_000,
    "embedding_dropout": 0.5, "word_dropout": 0.1, "output_dropout": 0.4, "clip_norm": 1.0,
    "learning_rate_schedule": "linear", "weight_decay": 0.02,
}  # fmt: skip
_QUICK = Configuration(vocabulary_size=500, maxlen=20, embedding_dim=16, lstm_units=16)
_ON_CPU = "160 × 32/32"
_BOUND = {1: "10 ms", 14: "1.3 ms a member", 32: "0.85 ms a member"}


def population_steps(
    members: Sequence[int],
    rates: Sequence[float],
    quick: bool,
    is_open: bool = False,
    size: str = "500 × 128/100",
) -> dict[str, Any]:
    """Times training steps of populations; a process of its own.

    They are of the documented network, which reads its padding, or of an open one with all that
    `OPENED` names, which does not. Reviews are made up, in lengths from 50 to 1,000 tokens. The
    time of a call of 16 steps, positions, dropped words and losses included, is divided by 16.

    Returns:
        "MEMBERS RATE ms" of a step, "MEMBERS RATE compile_s" and "MEMBERS RATE gb" of device memory
        at its peak, where the device says.
    """
    from lstm_study.training.runtime import configure

    configure(threads=1)
    import jax

    from lstm_study.model.lstm.members import sweeps_for
    from lstm_study.training.member_state import padded_state
    from lstm_study.training.members import Seated
    from lstm_study.training.on_device import STEPS_AT_ONCE, OnDevice, initial_variables
    from lstm_study.training.one import Training

    split = with_pairs(made_up(400 if quick else STEPS_AT_ONCE * 64))
    network = _QUICK if quick else SIZES[size]
    if is_open:
        network = replace(network, **OPENED)
        if not quick:
            network = replace(network, maxlen=400, lstm_units=64, dropout=0.4)
    found: dict[str, Any] = {}
    for rate in rates:
        configuration = replace(network, recurrent_dropout=rate)
        for count in members:
            trainings = [
                Training(
                    configuration=configuration,
                    protocol=ProtocolTable(),
                    seed=seed,
                    epochs=9,
                    masked=is_open,
                )
                for seed in range(1, count + 1)
            ]
            shape = class_of(trainings)
            sweeps, why = sweeps_for(shape.lstm_units)
            began = time.perf_counter()
            device = OnDevice(shape, sweeps)
            device.resize(count, [])
            # The same for all: what their weights are makes no difference to the time.
            state = padded_state(initial_variables(trainings[0]), configuration, shape, where="")
            for place in range(count):
                device.put(place, state)
            device.set_trainings(trainings, reviews=len(split))
            seated = [Seated(_member(training), None, ()) for training in trainings]
            for each in seated:
                each.begin_epoch(split)
            batches = {place: each.batches[:STEPS_AT_ONCE] for place, each in enumerate(seated)}
            times = []
            for _ in range(1 + _CHUNKS):
                begun = time.perf_counter()
                dropped = {
                    place: each.dropped(0, STEPS_AT_ONCE)
                    for place, each in enumerate(seated)
                    if configuration.word_dropout
                }
                losses, _ = device.train(split, batches, dropped)
                np.asarray(losses)
                times.append(time.perf_counter() - begun)
            name = f"{count} {rate:g}"
            found[f"{name} compile_s"] = time.perf_counter() - began - sum(times[1:])
            found[f"{name} ms"] = 1_000 * statistics.median(times[1:]) / len(batches[0])
            peak = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0)
            found[f"{name} gb"] = peak / 1e9
            found["sweeps"] = f"{sweeps.name}: {why}"
            device.clear()
    return found


def baseline_seeds(path: str, seeds: int, epochs: int, quick: bool) -> dict[str, Any]:
    """Trains the documented baseline to the letter with many seeds; a process of its own.

    Padding read, all training reviews of Keras's file; all of test is read at the end.

    Returns:
        "wall_s", compiling included, "accuracy" on test and its "sd" over the seeds, in points.
    """
    from lstm_study.training.runtime import configure

    configure(threads=1)
    logging.basicConfig(level=logging.INFO)
    from lstm_study.training.members import Ended
    from lstm_study.training.one import Training
    from lstm_study.training.population import train_population

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
    with tempfile.TemporaryDirectory() as folder:
        members = [
            replace(_member(training, Path(folder)), on_end=end, reads=lambda: test)
            for training in trainings
        ]
        train_population(
            members, shape=class_of(trainings), reviews=training_reviews, validation=None,
            capacity=seeds,
        )  # fmt: skip
    return {
        "wall_s": time.perf_counter() - began,
        "accuracy": statistics.mean(accuracies),
        "sd": statistics.stdev(accuracies),
    }


def population_rows(settings: Settings) -> list[Row]:
    """Measures steps of populations on the GPU."""
    if settings.gpu is None:
        return [not_measured("gpu-population", "there is no GPU here")]
    run = partial(fresh, population_steps, backend="jax", device="gpu", quick=settings.quick)
    found = [run(members=MEMBERS, rates=[0.2]) for _ in range(settings.rounds)]
    plain = [run(members=[1, 14], rates=[0.0]) for _ in range(settings.rounds)]
    named: dict[str, Any] = {"row": "gpu-population"}
    rows = []
    for count in MEMBERS:
        case = f"{count} × 500 × 128/100, recurrent dropout 0.2"
        took = values(found, f"{count} 0.2 ms")
        rows += [
            Row(
                **named, case=case, quantity="wall time of a step, a member's share", unit="ms",
                ours=[each / count for each in took], bound=_BOUND.get(count, ""),
                note=found[0]["sweeps"],
            ),
            Row(
                **named, case=case, quantity="peak memory of the GPU", unit="GB",
                ours=values(found, f"{count} 0.2 gb"),
            ),
        ]  # fmt: skip
        if count in (1, 14):
            rows.append(
                Row(
                    **named, case=case, quantity="wall time of a step against none dropped",
                    unit="ms", ours=took, other=values(plain, f"{count} 0 ms"),
                    against="recurrent dropout 0", bound="ratio above 0.91 (1.1 times the cost)",
                )
            )  # fmt: skip
    compiling = values(found, "14 0.2 compile_s")
    rows.append(
        Row(
            **named, case="14 members", unit="s", ours=compiling,
            quantity="first 16 steps, weights made and program compiled",
        )
    )  # fmt: skip
    return rows


def cpu_population_rows(settings: Settings) -> list[Row]:
    """Measures steps of populations on the CPU, of one thread, beside one network alone."""
    run = partial(
        fresh, population_steps, backend="jax", device="cpu", quick=settings.quick, size=_ON_CPU
    )
    found = [run(members=[1, 4], rates=[0.2]) for _ in range(settings.rounds)]
    return [
        Row(
            row="population", case=f"jax, 4 × {_ON_CPU}, recurrent dropout 0.2",
            quantity="wall time of a step, a member's share", unit="ms",
            ours=[each / 4 for each in values(found, "4 0.2 ms")],
            other=values(found, "1 0.2 ms"), against="a population of one",
            note=found[0]["sweeps"],
        )
    ]  # fmt: skip


def open_rows(settings: Settings) -> list[Row]:
    """Measures steps of populations of an open network on the GPU."""
    if settings.gpu is None:
        return [not_measured("gpu-open", "there is no GPU here")]
    run = partial(
        fresh, population_steps, backend="jax", device="gpu", quick=settings.quick, is_open=True
    )
    found = [run(members=[1, 14], rates=[0.0]) for _ in range(settings.rounds)]
    rows = []
    for count in (1, 14):
        named: dict[str, Any] = {
            "row": "gpu-open", "case": f"{count} × 400 × 128/64 ↔ mean + 50,000 pairs",
        }  # fmt: skip
        took = values(found, f"{count} 0 ms")
        rows += [
            Row(
                **named, quantity="wall time of a step, a member's share", unit="ms",
                ours=[each / count for each in took], note=found[0]["sweeps"],
            ),
            Row(
                **named, quantity="peak memory of the GPU", unit="GB",
                ours=values(found, f"{count} 0 gb"),
            ),
        ]  # fmt: skip
    return rows


def baseline_rows(settings: Settings) -> list[Row]:
    """Measures all seeds of the documented baseline."""
    if settings.gpu is None:
        return [not_measured("gpu-baseline", "there is no GPU here")]
    path = settings.data / "imdb.npz" if settings.data else None
    if path is None or not path.is_file():
        return [not_measured("gpu-baseline", f"{DATA_VARIABLE} names no folder with imdb.npz")]
    found = fresh(
        baseline_seeds, backend="jax", device="gpu", path=str(path), seeds=SEEDS,
        epochs=settings.size(10, 1), quick=settings.quick,
    )  # fmt: skip
    accuracy = f"test accuracy {found['accuracy']:.2f}% ± {found['sd']:.2f} (σ over seeds)"
    return [
        Row(
            row="gpu-baseline", case="14 seeds, ten epochs of 25,000 unmasked reviews × 500",
            quantity="wall time, all of test read", unit="s", ours=values([found], "wall_s"),
            bound="120 s", note=accuracy,
        )
    ]  # fmt: skip


def search_rows(settings: Settings) -> list[Row]:
    """Measures the search of `imdb.toml`: 30 trials, 120 epochs."""
    if settings.gpu is None:
        return [not_measured("gpu-search", "there is no GPU here")]
    path = settings.data / "imdb.npz" if settings.data else None
    if path is None or not path.is_file():
        return [not_measured("gpu-search", f"{DATA_VARIABLE} names no folder with imdb.npz")]
    folder = settings.folder("search")
    spec = str(ROOT / "src" / "lstm_study" / "studies" / "imdb.toml")
    limit = ["--set", "search.max_trials=2"] if settings.quick else []
    done = command(
        [*LSTM_STUDY, "search", spec, "--data", str(path), "--set", "search.rerank=0", *limit],
        cwd=folder,
        KERAS_BACKEND="jax", LSTM_STUDY_CACHE=settings.cache,
    )  # fmt: skip
    named: dict[str, Any] = {"row": "gpu-search", "case": "imdb.toml, 30 trials, 120 epochs"}
    return [
        Row(**named, quantity="wall time", unit="s", ours=[done["wall_s"]], bound="180 s"),
        Row(**named, quantity="processor time", unit="s", ours=[done["processor_s"]]),
    ]


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
