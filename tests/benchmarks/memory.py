"""Row `memory`: a worker's resident memory, its peak and its growth from trial to trial.

The worker trains 128/100 for one epoch on all of IMDB and validates; it is compared with a script
that fits Keras's LSTM on the padded reviews for some steps. Then one process runs thirty trials of
three shapes and reports its resident memory after each.
"""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import (
    DATA_VARIABLE,
    Row,
    Settings,
    alternate,
    compared,
    has_tensorflow,
    median,
    not_measured,
    peak_mb,
    resident_mb,
)
from tests.benchmarks.processes import fresh
from tests.benchmarks.sides import (
    BATCH,
    SIDES,
    Side,
    configuration_of,
    model_of,
    prepare,
    reviews,
)

_SHAPES: tuple[dict[str, Any], ...] = (
    {},
    {"lstm_units": 64, "dropout": 0.3},
    {"embedding_dim": 64, "recurrent_dropout": 0.0},
)
_SCRIPT_STEPS = 40


def encode(path: str, cache: str, limit: int | None) -> dict[str, Any]:
    """Caches all of IMDB; runs in another process."""
    _imdb(path, cache, limit)
    return {}


def _imdb(path: str, cache: str, limit: int | None) -> Any:
    from lstm_study.corpus.load import load
    from lstm_study.spec import DataTable

    return load(DataTable(source="imdb", path=path, train_limit=limit), seed=1, cache=Path(cache))


def one_training(side: Side, path: str, cache: str, limit: int | None) -> dict[str, Any]:
    """Trains 128/100 once on all of IMDB; runs in another process, whose peak is measured."""
    prepare(side)
    configuration = configuration_of("500 × 128/100")
    if side == "keras":
        import keras
        import numpy as np

        with np.load(path, allow_pickle=True) as file:
            lists, labels = [*file["x_train"]], file["y_train"]
        token_ids = keras.utils.pad_sequences(lists, maxlen=500)
        np.minimum(token_ids, configuration.vocabulary_size - 1, out=token_ids)
        model = model_of(side, configuration, masked=False)
        steps = 1 if limit else _SCRIPT_STEPS
        model.fit(token_ids, labels, batch_size=BATCH, steps_per_epoch=steps, verbose=0)
        return {}
    corpus = _imdb(path, cache, limit)
    _train(configuration, corpus.train, corpus.validation, seed=1)
    return {}


def many_trials(cache: str, trials: int, maxlen: int) -> dict[str, Any]:
    """Runs trials one after the other; returns the resident memory after each."""
    prepare("ours")
    corpus = reviews(cache, train=2 * BATCH + 10, validation=100)
    held = []
    for number in range(trials):
        configuration = configuration_of(
            "500 × 128/100", maxlen=maxlen, **_SHAPES[number % len(_SHAPES)]
        )
        _train(configuration, corpus.train, corpus.validation, seed=number)
        held.append(resident_mb())
    return {"resident_mb": held, "peak": peak_mb()}


def _train(configuration: Any, train: Any, validation: Any, *, seed: int) -> None:
    from lstm_study.spec import ProtocolTable
    from lstm_study.training.training import Training
    from lstm_study.training.training import train as train_network

    training = Training(
        configuration=configuration, protocol=ProtocolTable(), seed=seed, epochs=1, masked=True
    )
    with tempfile.TemporaryDirectory() as folder:
        train_network(
            training, reviews=train, validation=validation, start=None,
            save=Path(folder) / "checkpoint.npz", where="", on_step=lambda step: None,
            on_epoch=lambda checkpoint: None,
        )  # fmt: skip


def rows(settings: Settings) -> list[Row]:
    """Measures on TensorFlow."""
    if not has_tensorflow():
        return [not_measured("memory", "TensorFlow is not installed")]
    # The first process compiles the Numba kernels, and has the compiler in memory.
    fresh(many_trials, cache=settings.cache, trials=1, maxlen=8)
    return [*_whole_rows(settings), *_many_rows(settings)]


def _whole_rows(settings: Settings) -> list[Row]:
    path = settings.data / "imdb.npz" if settings.data else None
    if path is None or not path.is_file():
        why = f"{DATA_VARIABLE} names no folder with imdb.npz"
        return [not_measured("memory", why, case="all of IMDB")]
    limit = 200 if settings.quick else None
    # As in a study, where the command has encoded the reviews before a worker loads them.
    fresh(encode, path=str(path), cache=settings.cache, limit=limit)
    found = alternate(
        {
            side: partial(fresh, one_training, side=side, path=str(path), cache=settings.cache,
                          limit=limit)
            for side in SIDES
        },
        rounds=1,
    )  # fmt: skip
    return [
        compared(
            found, "peak_mb", row="memory", case="all of IMDB, 500 × 128/100",
            quantity="peak memory of a training", unit="MB",
            against="keras.layers.LSTM, fit on padded arrays", bound="under 1,500 MB",
        )
    ]  # fmt: skip


def _many_rows(settings: Settings) -> list[Row]:
    trials, maxlen = settings.size(30, 6), settings.size(500, 40)
    found = fresh(many_trials, cache=settings.cache, trials=trials, maxlen=maxlen)
    held = found["resident_mb"]
    third = len(held) // 3
    early, late = median(held[third : 2 * third]), median(held[2 * third :])
    case = f"{trials} trials of {len(_SHAPES)} shapes in one worker"
    return [
        Row(row="memory", case=case, quantity="resident, last third against second", unit="MB",
            ours=[late], other=[early], against="the second third", bound="flat: ratio about 1"),
        Row(row="memory", case=case, quantity="peak memory", unit="MB", ours=[found["peak"]],
            bound="under 1,500 MB"),
    ]  # fmt: skip
