"""The two sides of a comparison: our network as our workers train it, and Keras's as a user would.

Both run with one thread on a CPU. Ours has op determinism on, as every worker has; Keras's has
Keras's defaults.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstm_study.configuration import BASELINE, Configuration
from lstm_study.corpus.types import Corpus
from lstm_study.spec import DataTable, ProtocolTable

Side = Literal["ours", "keras"]
SIDES: tuple[Side, ...] = ("ours", "keras")
BATCH = 64
SIZES = {
    "500 × 128/100": BASELINE,
    "160 × 32/32": Configuration(
        vocabulary_size=10_000, maxlen=160, embedding_dim=32, lstm_units=32
    ),
}
KERAS = "keras.layers.LSTM"


def prepare(side: Side) -> None:
    """Makes this process ready for one side; comes before the first import of Keras."""
    if side == "ours":
        from lstm_study.engine.worker import load
        from lstm_study.training.runtime import configure

        configure(threads=1)
        load()
    elif os.environ["KERAS_BACKEND"] == "jax":
        from lstm_study.training.runtime import configure

        configure(threads=1)
    else:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def model_of(side: Side, configuration: Configuration, *, seed: int = 1, masked: bool) -> Any:
    """Builds and compiles a network by the project's one builder, with either LSTM and Adam."""
    import keras

    from lstm_study.model import network as builder

    if side == "keras":
        builder.LSTM = keras.layers.LSTM
        builder.uses_cpu_kernels = lambda: False
    return builder.build_model(configuration, protocol=ProtocolTable(), seed=seed, masked=masked)


def random_batch(
    configuration: Configuration, *, length: int | None = None, batch: int = BATCH
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Returns made-up token ids, without padding, and labels."""
    random = np.random.default_rng(1)
    shape = (batch, length or configuration.maxlen)
    token_ids = random.integers(3, configuration.vocabulary_size, shape, dtype=np.int32)
    return token_ids, random.integers(0, 2, (batch, 1)).astype(np.float32)


def reviews(cache: str, *, train: int, validation: int) -> Corpus:
    """Loads a stratified part of the packaged IMDB reviews, in lengths as they come."""
    from lstm_study.corpus.load import load

    together = train + validation
    data = DataTable(
        source="reviews", train_limit=together, validation_fraction=validation / together,
        test_limit=100,
    )  # fmt: skip
    return load(data, seed=1, cache=Path(cache))


def configuration_of(size: str, **values: Any) -> Configuration:
    """Returns one of `SIZES` with some hyperparameters changed."""
    return SIZES[size].with_values(**values)


def rates_in_words(rates: Sequence[float]) -> str:
    """Names recurrent dropout rates."""
    return " and ".join(f"{rate:g}" for rate in rates)
