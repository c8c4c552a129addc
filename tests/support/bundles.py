"""A small network trained on real reviews, and bundles of it."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.configuration import Configuration
from lstm_study.corpus.text.vocabulary import Vocabulary
from lstm_study.export import Bundle, layout, predict_some, write_bundle
from lstm_study.records import Run, StudyRecords
from tests.support.fake_study import completed_study

CONFIGURATION = Configuration(
    vocabulary_size=3_000, maxlen=100, embedding_dim=8, lstm_units=8, dropout=0.2,
    recurrent_dropout=0.2,
)  # fmt: skip
MADE_AT = "2025-03-02T10:00:00.000Z"
SENTENCE = "The winner reads the test reviews better than the baseline: 87.1% against 85.7%."
WORDS = (
    "the",
    "film",
    "was",
    "great",
    "awful",
    "br",
    "it's",
    "caffè",
    "i̇stanbul",
    "straße",
    "a\rb",
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Trained:
    """A finished run: its weights, and what it gave for the test reviews, whose texts are here."""

    configuration: Configuration
    weights: tuple[NDArray[Any], ...]
    vocabulary: Vocabulary
    texts: tuple[str, ...]
    token_ids: tuple[NDArray[np.int32], ...]
    probabilities: NDArray[np.float32]


@cache
def trained() -> Trained:
    """Trains a small network on 600 of the packaged IMDB reviews; 400 others are its test."""
    from lstm_study.corpus.files.table import open_table
    from lstm_study.corpus.load import load
    from lstm_study.corpus.sources.packaged import packaged_csv
    from lstm_study.spec import DataTable, ProtocolTable
    from lstm_study.training.training import Training, predict, train

    with tempfile.TemporaryDirectory() as folder:
        data = DataTable(source="reviews", train_limit=600, test_limit=400)
        corpus = load(data, seed=5, cache=Path(folder))
        test = corpus.open_test(on_open=lambda: None)
        model = train(
            Training(
                configuration=CONFIGURATION,
                protocol=ProtocolTable(learning_rate=0.02, batch_size=32),
                seed=5,
                epochs=2,
            ),
            reviews=corpus.training,
            validation=None,
            start=None,
            save=Path(folder) / "checkpoint.npz",
            where="checkpoint",
            on_step=lambda step: None,
            on_epoch=lambda checkpoint: None,
        )
        assert corpus.vocabulary is not None
        rows = open_table([packaged_csv()], encoding="utf-8").rows(("text",))
        texts = [str(row.values[0]) for row in rows]
        return Trained(
            configuration=CONFIGURATION,
            weights=tuple(model.get_weights()),
            vocabulary=corpus.vocabulary,
            texts=tuple(texts[number - 1] for number in test.document_ids),
            token_ids=tuple(np.array(test[review]) for review in range(len(test))),
            probabilities=predict(model, test, CONFIGURATION),
        )


def study(configuration: Configuration = CONFIGURATION) -> tuple[StudyRecords, Run]:
    """Returns a complete fake study whose winner has this configuration, and one of its runs."""
    records = completed_study(seeds=3)
    runs = tuple(
        replace(run, configuration=configuration) if run.arm == "winner" else run
        for run in records.runs
    )
    records = replace(records, runs=runs)
    return records, next(run for run in runs if run.run_id == "winner-s2")


class BundlePaths:
    """Where a bundle's files lie; None for a file that it does not have."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("NETWORK", "NETWORK_H5", "ENSEMBLE", "ONNX", "TEXT_MODEL", "VOCABULARY",
                     "PAIRS", "CONFIGURATION", "CARD", "EXAMPLE", "SUMS"):  # fmt: skip
            path = folder / getattr(layout, name)
            setattr(self, name.lower(), path if path.exists() else None)


def write(
    folder: Path,
    *,
    weights: tuple[NDArray[Any], ...],
    vocabulary: Vocabulary | None,
    configuration: Configuration = CONFIGURATION,
    **changes: Any,
) -> BundlePaths:
    """Writes a bundle of the fake study's run with the given network."""
    records, run = study(configuration)
    values: dict[str, Any] = {
        "run": run,
        "chosen": "the median of 3 runs by validation loss; never by test",
        "labels": ("negative", "positive"),
        "records": records,
        "verdict_sentence": SENTENCE,
        "made_at": MADE_AT,
        "versions": {"keras": "3.15.1", "numpy": "2.4.6"},
    }
    write_bundle(weights=weights, vocabulary=vocabulary, folder=folder, **(values | changes))
    return BundlePaths(folder)


def small(*, maxlen: int = 6, layers: int = 1, size: int = 10) -> Configuration:
    """A configuration whose network is made in no time."""
    return CONFIGURATION.with_values(
        vocabulary_size=size, maxlen=maxlen, embedding_dim=3, lstm_units=4, lstm_layers=layers
    )


def random_weights(configuration: Configuration, *, seed: int = 1) -> tuple[NDArray[Any], ...]:
    """Weights for a configuration that read every token differently."""
    from lstm_study.export.network import plain_network

    random = np.random.default_rng(seed)
    return tuple(
        random.normal(0, 0.7, weight.shape).astype(np.float32)
        for weight in plain_network(configuration).get_weights()
    )


def predictions(bundle: Bundle, texts: Any) -> NDArray[np.float32]:
    """All probabilities of some texts."""
    return predict_some(bundle, texts)[0]


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a fresh Python, without TensorFlow's own remarks."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
