"""Loads a model bundle, and classifies texts with it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.configuration import Configuration
from lstm_study.corpus.text.pairs import PairVocabulary
from lstm_study.corpus.text.vocabulary import START, Vocabulary
from lstm_study.corpus.types import Split
from lstm_study.errors import ExportError
from lstm_study.export.classical import ClassicalBundle, is_classical, load_classical
from lstm_study.export.layout import (
    CONFIGURATION,
    ENSEMBLE,
    NETWORK,
    PAIRS,
    VOCABULARY,
    check,
    read_sums,
)
from lstm_study.export.network import fast_networks, load_network
from lstm_study.export.own_network import load_own_network
from lstm_study.export.settings import Settings, read_settings

TokenIds = Sequence[int] | NDArray[np.integer]


@dataclass(frozen=True, eq=False, kw_only=True)
class Bundle:
    """A model that was exported, ready to read texts.

    Attributes:
        folder: Where it was loaded from.
        run_id: The run that its network is from; an ensemble's runs are joined by "+".
        configuration: The network's hyperparameters.
        labels: Names of the negative and the positive label.
        threshold: A probability above it is read as the positive label.
        vocabulary: The words behind the token ids; None if the bundle does not know them.
        text_column: The column of the study's own files that held the texts.
        networks: The Keras models whose mean probability it gives: one, or an ensemble's. They have
            the saved weights, and the LSTM that the runs were trained and evaluated with.
        pairs: The pairs of words that they know; None without pairs.
    """

    folder: Path
    run_id: str
    configuration: Configuration
    labels: tuple[str, str]
    threshold: float
    vocabulary: Vocabulary | None = field(repr=False)
    networks: tuple[Any, ...] = field(repr=False)
    text_column: str = "text"
    pairs: PairVocabulary | None = field(default=None, repr=False)

    def predict_texts(
        self, texts: Iterable[str], batch_size: int = 256
    ) -> Iterator[NDArray[np.float32]]:
        """Reads texts as a stream: no more than one batch is held at a time.

        Args:
            texts: Raw texts, as many as there are; an empty one is read as one without words.
            batch_size: Texts at a time, >= 1. A network with a mask reads many at a time faster
                than few, for it takes them in the order of their lengths.

        Returns:
            The probabilities of the positive label in order, float32 [batch_size] for each batch,
            the last one shorter.

        Raises:
            ExportError: The bundle does not know the words.
        """
        if isinstance(texts, str):
            raise TypeError(f"texts must be several texts. Received: one string, {texts[:40]!r}")
        words = self.words()
        return self.predict_token_ids(map(words.encode, texts), batch_size)

    def predict_token_ids(
        self, reviews: Iterable[TokenIds], batch_size: int = 256
    ) -> Iterator[NDArray[np.float32]]:
        """Reads reviews that are token ids already, uncut: the bundle cuts and pads them.

        Args:
            reviews: Integers >= 0 [tokens] for each review, beginning with 1.
            batch_size: Reviews at a time, >= 1.

        Returns:
            As `predict_texts`.

        Raises:
            ExportError: A review holds something that is no token id.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be >= 1. Received: {batch_size}")
        return self._batches(iter(reviews), batch_size)

    def label_of(self, probability: float) -> str:
        """Returns the name of the label that a probability is read as."""
        return self.labels[1] if probability > self.threshold else self.labels[0]

    def words(self) -> Vocabulary:
        """Returns the words behind the token ids.

        Raises:
            ExportError: The bundle does not know them.
        """
        if self.vocabulary is None:
            raise ExportError(
                f"{self.folder}: knows token ids but not their words, so it cannot read text. "
                "Put imdb_word_index.json beside the study's imdb.npz, and export it again."
            )
        return self.vocabulary

    def _batches(
        self, reviews: Iterator[TokenIds], batch_size: int
    ) -> Iterator[NDArray[np.float32]]:
        done = 0
        while batch := list(islice(reviews, batch_size)):
            rows = [_checked(row, number) for number, row in enumerate(batch, start=done + 1)]
            yield self._read(rows)
            done += len(rows)

    def _read(self, rows: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        from lstm_study.training.one import EVALUATION_BATCH, predict

        reviews = Split(
            name="texts",
            token_ids=np.concatenate(rows),
            offsets=np.cumsum([0, *map(len, rows)], dtype=np.int64),
            labels=np.zeros(len(rows), dtype=np.int8),
            document_ids=np.arange(len(rows)),
            pairs=self.pairs,
        )
        # Sizes are powers of two, so that one text is no whole batch, and little is compiled.
        size = min(EVALUATION_BATCH, 1 << (len(rows) - 1).bit_length())
        read = [
            predict(network, reviews, self.configuration, batch_size=size)
            for network in self.networks
        ]
        mean: NDArray[np.float32] = np.mean(read, axis=0, dtype=np.float32)
        return mean


def load_bundle(folder: Path, *, ensemble: bool = False) -> Bundle | ClassicalBundle:
    """Loads a bundle, once the files that prediction needs are found to be whole.

    Args:
        folder: The bundle.
        ensemble: Whether to read with the ensemble of all runs instead of the one run.

    Raises:
        ExportError: The folder or a file is missing, a file is damaged or of another version, the
            network is not the one that the configuration describes, or there is no ensemble.
    """
    sums = read_sums(folder)
    if is_classical(folder):
        if ensemble:
            raise ExportError(f"{folder}: is a classical model, which has no ensemble.")
        return load_classical(folder, sums)
    settings = read_settings(check(folder, CONFIGURATION, sums))
    if ensemble and not settings.ensemble:
        raise ExportError(
            f"{folder}: holds no ensemble. Set export.ensemble = true in the study file, and "
            "export the model again."
        )
    network_path = check(folder, ENSEMBLE if ensemble else NETWORK, sums)
    vocabulary = None
    if settings.words is not None:
        vocabulary = _read_vocabulary(check(folder, VOCABULARY, sums), settings)
    pairs = None
    if settings.pairs is not None:
        pairs = _read_pairs(check(folder, PAIRS, sums), count=settings.pairs)
    members = len(settings.ensemble) if ensemble else 1
    if settings.configuration.own is not None:
        saved = load_own_network(network_path, own_layers=settings.own_layers)
    else:
        saved = load_network(
            network_path, settings.configuration, masked=settings.masked, members=members
        )
    if not all(np.isfinite(weight).all() for weight in saved.get_weights()):
        raise ExportError(
            f"{network_path}: holds weights that are not numbers, so it can't predict. "
            "Export the model again."
        )
    return Bundle(
        folder=folder,
        run_id="+".join(settings.ensemble) if ensemble else settings.run_id,
        configuration=settings.configuration,
        labels=settings.labels,
        threshold=settings.threshold,
        vocabulary=vocabulary,
        text_column=settings.text_column,
        networks=(saved,)
        if settings.configuration.own is not None
        else fast_networks(saved, settings.configuration, masked=settings.masked, members=members),
        pairs=pairs,
    )


def _read_vocabulary(path: Path, settings: Settings) -> Vocabulary:
    try:
        lines = path.read_bytes().decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ExportError(f"{path}: must be UTF-8 ({error}). Export the model again.") from error
    if len(lines) - 1 != settings.words:
        raise ExportError(
            f"{path}: must hold {settings.words:,} words, one a line, as configuration.json says. "
            f"Received: {len(lines) - 1:,}. Export the model again."
        )
    return Vocabulary(tuple(lines[:-1]), settings.split)


def _read_pairs(path: Path, *, count: int) -> PairVocabulary:
    try:
        pairs = np.array(path.read_text(encoding="ascii").split(), dtype=np.int32).reshape(-1, 2)
    except (UnicodeDecodeError, ValueError, OverflowError) as error:
        raise ExportError(
            f"{path}: must hold two token ids a line ({error}). Export the model again."
        ) from error
    if len(pairs) != count:
        raise ExportError(
            f"{path}: must hold {count:,} pairs, one a line, as configuration.json says. "
            f"Received: {len(pairs):,}. Export the model again."
        )
    return PairVocabulary(pairs)


def _checked(row: TokenIds, number: int) -> NDArray[np.int32]:
    ids = np.asarray(row if len(row) else [START], dtype=None)
    if ids.ndim != 1 or ids.dtype.kind not in "iu" or ids.min() < 0 or ids.max() >= 2**31:
        raise ExportError(
            f"review {number}: must be token ids, whole numbers >= 0. Received: {str(row)[:60]}."
        )
    return ids.astype(np.int32, copy=False)
