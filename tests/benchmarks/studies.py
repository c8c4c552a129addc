"""Rows `study`, `own-builder`, `workers`, `gpu-study`: whole searches from the command line.

`study` runs `lstm-study search` beside `keras_tuner_script.py`: the same reviews, the same space,
Hyperband with the same budgets, so as many trials and epochs. Each has the whole machine. The two
draw their configurations by generators of their own, so one may meet larger networks than the
other; "for equal work" divides by the arithmetic of the networks that were drawn. What a machine
compiles once is compiled before, which on JAX is nothing. `own-builder` is the same for a network
of one's own, the convolution of `study/convolution.py`.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lstm_study.corpus.load import load
from lstm_study.corpus.text.vocabulary import RESERVED
from lstm_study.corpus.types import Corpus
from lstm_study.spec import parse_spec
from lstm_study.store import Store
from tests.benchmarks.arithmetic import operations, products
from tests.benchmarks.measure import (
    LSTM_STUDY,
    NO_GPU,
    ROOT,
    Backend,
    BenchmarkError,
    Device,
    Found,
    Row,
    Settings,
    alternate,
    alternating,
    compared,
    has_tensorflow,
    median,
    not_measured,
    values,
)
from tests.benchmarks.processes import command
from tests.benchmarks.sides import BATCH

_MOST_ROUNDS = 2
_STUDY_REVIEWS: dict[Device, int] = {"cpu": 4_000, "gpu": 24_000}
SCRIPT = ROOT / "tests" / "benchmarks" / "keras_tuner_script.py"
BUILDER = ROOT / "study" / "convolution.py"
_TOML = """
[study]
name = "benchmark"
seed = {seed}
[data]
source = "reviews"
train_limit = {reviews}
test_limit = 100
validation_fraction = 0.2
[space]
vocabulary_size = {vocabulary_size}
maxlen = {maxlen}
embedding_dim = {{ choices = {embedding_dims} }}
lstm_units = {{ choices = {lstm_units} }}
dropout = {{ choices = {dropouts} }}
recurrent_dropout = {{ choices = {recurrent_dropouts} }}
[search]
max_epochs = {max_epochs}
factor = 3
rerank = 0
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is searched; budgets are Hyperband's at factor 3."""

    reviews: int
    max_epochs: int
    maxlen: int
    vocabulary_size: int = 20_000
    embedding_dims: tuple[int, ...] = (96, 128)
    lstm_units: tuple[int, ...] = (96, 112)
    dropouts: tuple[float, ...] = (0.2, 0.3)
    recurrent_dropouts: tuple[float, ...] = (0.2, 0.3)

    @property
    def train(self) -> int:
        """Reviews to train on; the others validate."""
        return self.reviews * 4 // 5

    def toml(self, seed: int) -> str:
        """Returns the study file."""
        lists = {
            name: list(getattr(self, name))
            for name in ("embedding_dims", "lstm_units", "dropouts", "recurrent_dropouts")
        }
        return _TOML.format(
            seed=seed, reviews=self.reviews, maxlen=self.maxlen, max_epochs=self.max_epochs,
            vocabulary_size=self.vocabulary_size, **lists,
        )  # fmt: skip

    def options(self, seed: int) -> list[str]:
        """Returns the script's options."""

        def listed(numbers: Iterable[float]) -> list[str]:
            return [f"{number:g}" for number in numbers]

        return [
            "--train", f"{self.train}", "--maxlen", f"{self.maxlen}",
            "--vocabulary-size", f"{self.vocabulary_size}", "--max-epochs", f"{self.max_epochs}",
            "--seed", f"{seed}",
            "--embedding-dims", *listed(self.embedding_dims),
            "--lstm-units", *listed(self.lstm_units),
            "--dropouts", *listed(self.dropouts),
            "--recurrent-dropouts", *listed(self.recurrent_dropouts),
        ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a search runs on: a backend, and whether the GPU is seen."""

    backend: Backend
    device: Device

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of the command."""
        return {"KERAS_BACKEND": self.backend} | (NO_GPU if self.device == "cpu" else {})


def by_us(
    plan: Plan,
    *,
    seed: int,
    on: Machine,
    settings: Settings,
    options: tuple[str, ...] = (),
    log: Path | None = None,
) -> dict[str, Any]:
    """Runs `lstm-study search` in a folder of its own."""
    folder = settings.folder("study")
    (folder / "benchmark.toml").write_text(plan.toml(seed))
    done = command(
        [*LSTM_STUDY, "search", "benchmark.toml", *options], cwd=folder, log=log,
        LSTM_STUDY_CACHE=settings.cache, **on.environment,
    )  # fmt: skip
    store = Store(folder / "study" / "runs" / "benchmark")
    trials = [
        trial.configuration.as_dict()
        | {"epochs": len(trial.epochs), "status": trial.status.upper(), "score": trial.score}
        for trial in store.read_trials()
    ]
    worked = sum(session.seconds for session in store.read_sessions())
    return _measured(done, trials, plan) | {"rate": 60 * len(trials) / worked}


def by_script(
    plan: Plan, *, seed: int, on: Machine, settings: Settings, log: Path | None = None
) -> dict[str, Any]:
    """Runs the script on a file of the same reviews."""
    folder = settings.folder("script")
    data = _as_npz(plan, seed, folder, settings)
    done = command(
        [sys.executable, str(SCRIPT), "--data", str(data), *plan.options(seed)],
        cwd=folder, log=log, **on.environment,
    )  # fmt: skip
    trials = json.loads(done["out"].strip().splitlines()[-1])["trials"]
    return _measured(done, trials, plan)


def study_rows(settings: Settings) -> Iterable[Row]:
    """Measures a whole search on the CPU."""
    if not has_tensorflow():
        return [not_measured("study", "TensorFlow is not installed")]
    return _study_rows("study", Machine(backend="tensorflow", device="cpu"), settings)


def gpu_rows(settings: Settings) -> Iterable[Row]:
    """Measures a whole search on the GPU, with JAX."""
    if settings.gpu is None:
        return [not_measured("gpu-study", "there is no GPU here")]
    return _study_rows("gpu-study", Machine(backend="jax", device="gpu"), settings)


def worker_rows(settings: Settings) -> list[Row]:
    """Measures trials a minute with one worker and with two, on the CPU."""
    if not has_tensorflow():
        return [not_measured("workers", "TensorFlow is not installed")]
    plan = Plan(
        reviews=settings.size(1_500, 100), max_epochs=settings.size(4, 2),
        maxlen=settings.size(120, 30), vocabulary_size=5_000, embedding_dims=(16, 32),
        lstm_units=(16, 32), recurrent_dropouts=(0.0, 0.2),
    )  # fmt: skip
    on = Machine(backend="tensorflow", device="cpu")

    def with_workers(count: int) -> dict[str, Any]:
        return by_us(plan, seed=7, on=on, settings=settings, options=("--workers", str(count)))

    _compile(on, settings)
    found = alternate(
        {"ours": lambda: with_workers(2), "keras": lambda: with_workers(1)},
        rounds=min(settings.rounds, _MOST_ROUNDS),
    )
    named = {"row": "workers", "against": "1 worker with all threads"}
    first = found["ours"][0]
    case = f"2 workers, {first['trials']} trials, {first['epochs']} epochs"
    return [
        compared(found, "rate", **named, case=case, quantity="trials", unit="per minute",
                 more_is_better=True, bound="more than with 1 worker"),
        compared(found, "wall_s", **named, case=case, quantity="wall time of the command",
                 unit="s"),
    ]  # fmt: skip


def builder_rows(settings: Settings) -> Iterator[Row]:
    """Measures a whole search of a custom network, on the CPU."""
    if not has_tensorflow():
        yield not_measured("own-builder", "TensorFlow is not installed")
        return
    on = Machine(backend="tensorflow", device="cpu")
    for found, trials, epochs in _beside_the_script(
        "own-builder",
        ours=lambda seed, log: _builder_by_us(seed, on, settings, log),
        script=lambda seed, log: _builder_by_script(seed, on, settings, log),
        settings=settings,
    ):
        named: dict[str, Any] = {
            "row": "own-builder", "against": "keras_tuner_script.py --builder",
            "case": f"convolution.py, {_builder_reviews(settings):,} reviews × 200, {trials} "
                    f"trials, {epochs} epochs",
            "is_partial": True,
        }  # fmt: skip
        yield compared(found, "wall_s", **named, quantity="wall time, start and end included",
                       unit="s")  # fmt: skip
        yield compared(found, "processor_s", **named, quantity="processor time", unit="s")
        yield compared(found, "peak_mb", **named, quantity="peak memory of the largest process",
                       unit="MB")  # fmt: skip


def _builder_reviews(settings: Settings) -> int:
    return settings.size(20_000, 200)


def _builder_study(seed: int, settings: Settings) -> str:
    text = (BUILDER.parent / "convolution.toml").read_text(encoding="utf-8")
    limit = f'source = "reviews"\ntrain_limit = {_builder_reviews(settings)}\n'
    for before, after in (
        ("rerank = 2", "rerank = 0"),
        ("seed = 20", f"seed = {seed}"),
        ('source = "reviews"\n', limit),
    ):
        if before not in text:
            raise BenchmarkError(f"convolution.toml has no {before!r}")
        text = text.replace(before, after)
    return text


def _builder_by_us(seed: int, on: Machine, settings: Settings, log: Path | None) -> dict[str, Any]:
    folder = settings.folder("own-builder")
    (folder / "convolution.toml").write_text(_builder_study(seed, settings), encoding="utf-8")
    shutil.copy(BUILDER, folder)
    done = command(
        [*LSTM_STUDY, "search", "convolution.toml"], cwd=folder, log=log,
        LSTM_STUDY_CACHE=settings.cache, **on.environment,
    )  # fmt: skip
    trials = Store(folder / "study" / "runs" / "convolution").read_trials()
    return done | {
        "trials": len(trials), "epochs": sum(len(trial.epochs) for trial in trials),
    }  # fmt: skip


def _builder_by_script(
    seed: int, on: Machine, settings: Settings, log: Path | None
) -> dict[str, Any]:
    folder = settings.folder("script")
    spec = parse_spec(
        _builder_study(seed, settings), where=str(BUILDER.parent / "convolution.toml")
    )
    corpus = load(spec.data, seed=seed, cache=Path(settings.cache))
    done = command(
        [
            sys.executable, str(SCRIPT), "--data", str(_written_npz(corpus, folder)),
            "--builder", str(BUILDER), "--train", str(len(corpus.train)), "--maxlen", "200",
            "--max-epochs", "3", "--seed", str(seed),
        ],
        cwd=folder, log=log, **on.environment,
    )  # fmt: skip
    trials = json.loads(done["out"].strip().splitlines()[-1])["trials"]
    return done | {"trials": len(trials), "epochs": sum(trial["epochs"] for trial in trials)}


def _beside_the_script(
    row: str,
    *,
    ours: Callable[[int, Path | None], dict[str, Any]],
    script: Callable[[int, Path | None], dict[str, Any]],
    settings: Settings,
) -> Iterator[tuple[Found, int, int]]:
    """Runs both searches in turn, each side with the seeds 1, 2, ...

    Yields:
        After each search, side → what it measured, by round; trials and epochs, which are equal for
        all.
    """

    def searched(side: str, number: int) -> Iterator[dict[str, Any]]:
        log = settings.log(row, side, number + 1)
        yield (ours if side == "ours" else script)(number + 1, log)

    for found in alternating(
        {side: partial(searched, side) for side in ("ours", "keras")},
        rounds=min(settings.rounds, _MOST_ROUNDS),
    ):
        counts = {(each["trials"], each["epochs"]) for side in found.values() for each in side}
        if len(counts) != 1:
            raise BenchmarkError(
                f"{row}: trials and epochs must be equal. Received: {sorted(counts)}"
            )
        ((trials, epochs),) = counts
        yield found, trials, epochs


def _study_rows(row: str, on: Machine, settings: Settings) -> Iterator[Row]:
    plan = Plan(
        reviews=settings.size(settings.study_reviews or _STUDY_REVIEWS[on.device], 120),
        max_epochs=settings.size(3, 2),
        maxlen=settings.size(500, 30),
    )
    # On JAX there is nothing that the next search would use again.
    if on.backend == "tensorflow":
        _compile(on, settings)
    for found, trials, epochs in _beside_the_script(
        row,
        ours=lambda seed, log: by_us(plan, seed=seed, on=on, settings=settings, log=log),
        script=lambda seed, log: by_script(plan, seed=seed, on=on, settings=settings, log=log),
        settings=settings,
    ):
        named: dict[str, Any] = {
            "row": row, "against": "keras_tuner_script.py", "is_partial": True,
            "case": f"{on.backend}, {plan.reviews:,} reviews × {plan.maxlen}, {trials} trials, "
                    f"{epochs} epochs",
        }  # fmt: skip
        bound = "6 times" if on.device == "cpu" else "10 times"
        yield compared(found, "wall_s", **named, quantity="wall time, start and end included",
                       unit="s", bound=bound, note=_chosen(plan, found, trials))  # fmt: skip
        yield compared(found, "wall_s_per_tflop", **named, quantity="wall time for equal work",
                       unit="s per unmasked TFLOP", bound=bound)  # fmt: skip
        yield compared(found, "processor_s", **named, quantity="processor time", unit="s")
        yield compared(found, "peak_mb", **named, quantity="peak memory of the largest process",
                       unit="MB")  # fmt: skip


def _chosen(plan: Plan, found: Found, trials: int) -> str:
    best = [f"{median(values(results, 'best')):.1%}" for results in found.values() if results]
    return (
        f"best of {trials} on {plan.reviews - plan.train} validation reviews, chosen by them: ours "
        f"{best[0]}, the script's {best[1] if len(best) > 1 else 'not known'}; no test of accuracy"
    )


def _compile(on: Machine, settings: Settings) -> None:
    """Compiles the Numba kernels, as the first training on a machine does."""
    by_us(Plan(reviews=120, max_epochs=2, maxlen=8), seed=1, on=on, settings=settings)


def _measured(
    done: Mapping[str, Any], trials: Sequence[Mapping[str, Any]], plan: Plan
) -> dict[str, Any]:
    """Adds trials, epochs, and the arithmetic of the trials' networks on padded reviews."""
    failed = [trial for trial in trials if trial["status"] != "COMPLETED"]
    if failed or not trials:
        raise BenchmarkError(f"{len(failed)} of {len(trials)} trials did not complete: {failed}")
    steps = plan.train / BATCH
    tflop = sum(
        trial["epochs"] * steps * operations(
            products(
                embedding_dim=trial["embedding_dim"], lstm_units=trial["lstm_units"], batch=BATCH,
                steps=plan.maxlen,
            )
        ) / 1e12
        for trial in trials
    )  # fmt: skip
    return {
        **done,
        "trials": len(trials),
        "epochs": sum(trial["epochs"] for trial in trials),
        "wall_s_per_tflop": done["wall_s"] / tflop,
        "best": max(trial["score"] for trial in trials),
    }


def _as_npz(plan: Plan, seed: int, folder: Path, settings: Settings) -> Path:
    """Writes the reviews that ours reads, train first, in the format of Keras's `imdb.npz`."""
    spec = parse_spec(plan.toml(seed), where="benchmark.toml")
    corpus = load(spec.data, seed=seed, cache=Path(settings.cache))
    if len(corpus.train) != plan.train:
        raise BenchmarkError(f"{len(corpus.train)} reviews to train on, not {plan.train}")
    return _written_npz(corpus, folder)


def _written_npz(corpus: Corpus, folder: Path) -> Path:
    # Keras's file has ranks, and no start token.
    ranks = [
        (split[number][1:] - RESERVED).tolist()
        for split in (corpus.train, corpus.validation)
        for number in range(len(split))
    ]
    x_train = np.empty(len(ranks), dtype=object)
    x_train[:] = ranks
    labels = np.concatenate([corpus.train.labels, corpus.validation.labels])
    path = folder / "reviews.npz"
    np.savez(path, x_train=x_train, y_train=labels.astype(np.int64))
    return path
