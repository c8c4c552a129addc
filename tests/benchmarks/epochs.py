"""Rows `epoch` and `predict`: reviews in the lengths they have, as a study reads them.

Ours reads masked batches of similar length (the project's training, checkpoint and all); beside it
stands Keras's LSTM on the same reviews padded to maxlen and not masked, by `fit` and `predict`.
"""

import statistics
import tempfile
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import (
    Clock,
    Row,
    Settings,
    alternate,
    compared,
    has_tensorflow,
    not_measured,
)
from tests.benchmarks.processes import fresh
from tests.benchmarks.sides import BATCH, SIDES, Side, configuration_of, model_of, prepare, reviews

SIZE = "500 × 128/100"
_AGAINST = "keras.layers.LSTM, padded to 500"
_EPOCHS = 2


def epochs(side: Side, cache: str, train: int, maxlen: int) -> dict[str, Any]:
    """Trains a few epochs; runs in a separate process.

    Returns:
        Wall and processor seconds of the first epoch, which compiles, and of the next.
    """
    prepare(side)
    corpus = reviews(cache, train=train, validation=100)
    configuration = configuration_of(SIZE, maxlen=maxlen)
    clock = Clock()
    ends = [clock.read()]

    def end_epoch(*_: Any) -> None:
        ends.append(clock.read())

    if side == "ours":
        from lstm_study.spec import ProtocolTable
        from lstm_study.training.training import Training
        from lstm_study.training.training import train as train_network

        training = Training(
            configuration=configuration, protocol=ProtocolTable(), seed=1, epochs=_EPOCHS,
            masked=True,
        )  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            train_network(
                training, reviews=corpus.train, validation=None, start=None,
                save=Path(folder) / "checkpoint.npz", where="", on_step=lambda step: None,
                on_epoch=end_epoch,
            )  # fmt: skip
    else:
        import keras

        from lstm_study.corpus.batches import view

        model = model_of(side, configuration, masked=False)
        token_ids = view(corpus.train, vocabulary_size=configuration.vocabulary_size, maxlen=maxlen)
        model.fit(
            token_ids, corpus.train.labels, batch_size=BATCH, epochs=_EPOCHS, verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=end_epoch)],
        )  # fmt: skip
    took = [
        {"wall": later[0] - earlier[0], "processor": later[1] - earlier[1]}
        for earlier, later in pairwise(ends)
    ]
    return {
        f"{name}_{kind}": statistics.median(epoch[kind] for epoch in some)
        for kind in ("wall", "processor")
        for name, some in (("first", took[:1]), ("later", took[1:]))
    }


def predictions(side: Side, cache: str, count: int, maxlen: int) -> dict[str, Any]:
    """Reads reviews twice; runs in a separate process.

    Returns:
        "per_second" of processor time, of the second time.
    """
    prepare(side)
    corpus = reviews(cache, train=count, validation=100)
    configuration = configuration_of(SIZE, maxlen=maxlen)
    model = model_of(side, configuration, masked=side == "ours")
    seconds = 0.0
    for _ in range(2):
        clock = Clock()
        if side == "ours":
            from lstm_study.training.training import predict

            predict(model, corpus.train, configuration)
        else:
            from lstm_study.corpus.batches import view

            token_ids = view(
                corpus.train, vocabulary_size=configuration.vocabulary_size, maxlen=maxlen
            )
            model.predict(token_ids, verbose=0)
        seconds = clock.read()[1]
    return {"per_second": count / seconds}


def epoch_rows(settings: Settings) -> list[Row]:
    """Measures epochs on TensorFlow."""
    if not has_tensorflow():
        return [not_measured("epoch", "TensorFlow is not installed")]
    train, maxlen = settings.size(1_500, 130), settings.size(500, 60)
    found = alternate(
        {
            side: partial(fresh, epochs, side=side, cache=settings.cache, train=train,
                          maxlen=maxlen)
            for side in SIDES
        },
        rounds=settings.rounds,
    )  # fmt: skip
    words = {"row": "epoch", "case": f"{train:,} reviews, {SIZE}", "against": _AGAINST}
    return [
        compared(
            found, f"{name}_{kind}", **words, quantity=f"{kind} time of {what}", unit="s",
            bound="4.5 times" if (name, kind) == ("later", "processor") else "",
        )
        for name, what in (("later", "the second epoch"), ("first", "the first epoch"))
        for kind in ("processor", "wall")
    ] + [compared(found, "peak_mb", **words, quantity="peak memory", unit="MB")]  # fmt: skip


def predict_rows(settings: Settings) -> list[Row]:
    """Measures predictions on TensorFlow."""
    if not has_tensorflow():
        return [not_measured("predict", "TensorFlow is not installed")]
    count, maxlen = settings.size(2_000, 130), settings.size(500, 60)
    found = alternate(
        {
            side: partial(fresh, predictions, side=side, cache=settings.cache, count=count,
                          maxlen=maxlen)
            for side in SIDES
        },
        rounds=settings.rounds,
    )  # fmt: skip
    words = {"row": "predict", "case": f"{count:,} reviews, {SIZE}", "against": _AGAINST}
    return [
        compared(found, "per_second", **words, quantity="reviews read", unit="per processor s",
                 more_is_better=True),
        compared(found, "peak_mb", **words, quantity="peak memory", unit="MB"),
    ]  # fmt: skip
