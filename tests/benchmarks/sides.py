"""The two sides of a comparison: a network as workers train it, and as a user of Keras would.

Both run with one thread on a CPU. Ours has op determinism on, as every worker has; Keras's has
Keras's defaults.
"""

import os
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
_SCHEDULE_STEPS = 1_000
SIZES = {
    "500 × 128/100": BASELINE,
    "160 × 32/32": Configuration(
        vocabulary_size=10_000, maxlen=160, embedding_dim=32, lstm_units=32
    ),
    "400 × 128/64 open": Configuration(
        vocabulary_size=30_000,
        maxlen=400,
        embedding_dim=128,
        lstm_units=64,
        recurrent_dropout=0.0,
        bidirectional=True,
        pooling="all",
        embedding_dropout=0.4,
        output_dropout=0.4,
        clip_norm=1.0,
        learning_rate_schedule="linear",
        summed_gradients=True,
    ),
}
KERAS = "keras.layers.LSTM"


def prepare(side: Side) -> None:
    """Makes this process ready for one side; comes before the first import of Keras."""
    if side == "ours":
        from lstm_study.engine.worker import load_libraries
        from lstm_study.training.runtime import configure

        configure(threads=1)
        load_libraries()
    elif os.environ["KERAS_BACKEND"] == "jax":
        from lstm_study.training.runtime import configure

        configure(threads=1)
    else:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def model_of(side: Side, configuration: Configuration, *, seed: int = 1, masked: bool) -> Any:
    """Builds and compiles a network by the project's builder, with either side's LSTM and Adam."""
    import keras

    from lstm_study.model import network, optimizer

    if side == "keras":
        network.LSTM = keras.layers.LSTM
        optimizer.uses_cpu_kernels = lambda dtype="float32": False
    return network.build_model(
        configuration, protocol=ProtocolTable(), seed=seed, masked=masked, steps=_SCHEDULE_STEPS
    )


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
