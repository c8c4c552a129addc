"""The script that a user of Keras Tuner writes from its guides: what a whole study is measured by.

    python tests/benchmarks/keras_tuner_script.py --data imdb.npz [--train 20000] [--max-epochs 10]

It needs Keras and Keras Tuner alone, nothing of this project. Reviews are NumPy arrays padded to
maxlen by `pad_sequences`, the layer is `keras.layers.LSTM`, the search is `Hyperband.search` with
Keras's defaults. `--data` is Keras's `imdb.npz`, or any file of that format; the reviews after the
first `--train` ones of its training half validate. `--builder FILE` searches what that file's
`build(hp)` declares, in place of the LSTM.

One thing is done for it: see `Hyperband`.
"""

import argparse
import json
import runpy
import tempfile
import time
from typing import Any

import keras
import keras_tuner
import numpy as np


class Hyperband(keras_tuner.Hyperband):  # type: ignore[misc]  # Keras Tuner is untyped
    """Keras Tuner's, which on TensorFlow imports `tensorboard` in every trial.

    Neither it nor TensorFlow 2.21 installs that, and all trials fail without: trap 1. There is no
    TensorBoard callback here to set up, so that nothing is lost.
    """

    def _configure_tensorboard_dir(self, callbacks: Any, trial: Any, execution: int = 0) -> None:
        pass


def read(options: argparse.Namespace) -> tuple[np.ndarray, ...]:
    """Reads the training half, as token ids padded to maxlen, and its labels."""
    with np.load(options.data, allow_pickle=True) as file:
        ranks, labels = file["x_train"], file["y_train"]
    # What `keras.datasets.imdb.load_data(num_words=...)` does, in the file's order.
    kept = [
        [1, *(rank + 3 if rank + 3 < options.vocabulary_size else 2 for rank in review)]
        for review in ranks
    ]
    token_ids = keras.utils.pad_sequences(kept, maxlen=options.maxlen)
    train = options.train or 4 * len(labels) // 5
    return token_ids[:train], labels[:train], token_ids[train:], labels[train:]


def search(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Searches, and returns each trial's hyperparameters, epochs and score."""
    x_train, y_train, x_validation, y_validation = read(options)

    def build(hp: Any) -> keras.Model:
        if options.builder:
            model = runpy.run_path(options.builder)["build"](hp)
            model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
            return model
        model = keras.Sequential(
            [
                keras.Input((options.maxlen,), dtype="int32"),
                keras.layers.Embedding(
                    options.vocabulary_size, hp.Choice("embedding_dim", options.embedding_dims)
                ),
                keras.layers.LSTM(
                    hp.Choice("lstm_units", options.lstm_units),
                    dropout=hp.Choice("dropout", options.dropouts),
                    recurrent_dropout=hp.Choice("recurrent_dropout", options.recurrent_dropouts),
                ),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
        return model

    with tempfile.TemporaryDirectory() as folder:
        tuner = Hyperband(
            build, objective="val_accuracy", max_epochs=options.max_epochs, factor=options.factor,
            seed=options.seed, directory=folder, project_name="search",
        )  # fmt: skip
        tuner.search(
            x_train, y_train, validation_data=(x_validation, y_validation),
            epochs=options.max_epochs, batch_size=64, verbose=0,
        )  # fmt: skip
        done = []
        for trial in tuner.oracle.trials.values():
            values = dict(trial.hyperparameters.values)
            first = values.pop("tuner/initial_epoch", 0)
            epochs = values.pop("tuner/epochs", options.max_epochs) - first
            done.append(
                {name: value for name, value in values.items() if not name.startswith("tuner/")}
                | {"epochs": epochs, "status": trial.status, "score": trial.score}
            )
        return done


def main() -> None:
    """Searches and prints, as one line of JSON, what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--builder", help="a file whose function build(hp) makes the network")
    parser.add_argument("--train", type=int, default=0)
    parser.add_argument("--vocabulary-size", type=int, default=20_000)
    parser.add_argument("--maxlen", type=int, default=500)
    parser.add_argument("--embedding-dims", type=int, nargs="+", default=[96, 128])
    parser.add_argument("--lstm-units", type=int, nargs="+", default=[96, 112])
    parser.add_argument("--dropouts", type=float, nargs="+", default=[0.2, 0.3])
    parser.add_argument("--recurrent-dropouts", type=float, nargs="+", default=[0.2, 0.3])
    parser.add_argument("--max-epochs", type=int, default=3)
    parser.add_argument("--factor", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.perf_counter()
    trials = search(options)
    print(json.dumps({"seconds": time.perf_counter() - began, "trials": trials}))


if __name__ == "__main__":
    main()
