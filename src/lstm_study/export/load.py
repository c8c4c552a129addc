"""Loads a model bundle, and classifies texts with it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.configuration import Configuration
from lstm_study.corpus.text.pairs import PairVocabulary
from lstm_study.corpus.text.vocabulary import Vocabulary
from lstm_study.corpus.types import Split
from lstm_study.errors import ExportError
from lstm_study.export.classical import ClassicalBundle, is_classical, load_classical
from lstm_study.export.classifier import Classifier
from lstm_study.export.layout import (
    CONFIGURATION,
    ENSEMBLE,
    NETWORK,
    PAIRS,
    VOCABULARY,
    checked_file,
    read_sums,
    when_written,
)
from lstm_study.export.network import fast_networks, load_network
from lstm_study.export.own_network import load_own_network
from lstm_study.export.settings import BundleSettings, read_settings


@dataclass(frozen=True, eq=False, kw_only=True)
class Bundle(Classifier):
    """A network that was exported, or an ensemble, ready to classify texts.

    Attributes:
        run_id: The run that its network is from; an ensemble's runs are joined by "+".
        configuration: The network's hyperparameters.
        networks: The Keras models whose mean probability it gives: one, or an ensemble's. They have
            the saved weights, and the LSTM that the runs were trained and evaluated with.
    """

    run_id: str
    configuration: Configuration
    networks: tuple[Any, ...] = field(repr=False)

    def _probabilities(self, reviews: Split) -> NDArray[np.float32]:
        from lstm_study.training.training import EVALUATION_BATCH, predict

        # Sizes are powers of two, so that one text is no whole batch, and little is compiled.
        size = min(EVALUATION_BATCH, 1 << (len(reviews) - 1).bit_length())
        read = [
            predict(network, reviews, self.configuration, batch_size=size)
            for network in self.networks
        ]
        mean: NDArray[np.float32] = np.mean(read, axis=0, dtype=np.float32)
        return mean


def load_bundle(folder: Path, *, ensemble: bool = False) -> Bundle | ClassicalBundle:
    """Loads a bundle or its ensemble, once the files that prediction needs are found whole.

    Raises:
        ExportError: The folder or a file is missing, a file is damaged or of another version, the
            network is not the one that the configuration describes, or there is no ensemble.
    """
    while True:
        written, sums = when_written(folder), read_sums(folder)
        try:
            bundle = _load(folder, sums, ensemble=ensemble)
        except (ExportError, FileNotFoundError):
            # One with equal files has other times: some of them were read while none was there.
            if when_written(folder) == written:
                raise
        else:
            # Another bundle that took its place meanwhile may have given some of what was read.
            if read_sums(folder) == sums:
                return bundle


def _load(folder: Path, sums: dict[str, str], *, ensemble: bool) -> Bundle | ClassicalBundle:
    if is_classical(sums):
        if ensemble:
            raise ExportError(f"{folder}: is a classical model, which has no ensemble.")
        return load_classical(folder, sums)
    settings = read_settings(checked_file(folder, CONFIGURATION, sums))
    if ensemble and not settings.ensemble:
        raise ExportError(
            f"{folder}: holds no ensemble. Set export.ensemble = true in the study file, and "
            "export the model again."
        )
    network_path = checked_file(folder, ENSEMBLE if ensemble else NETWORK, sums)
    vocabulary = None
    if settings.words is not None:
        vocabulary = _read_vocabulary(checked_file(folder, VOCABULARY, sums), settings)
    pairs = None
    if settings.pairs is not None:
        pairs = _read_pairs(checked_file(folder, PAIRS, sums), count=settings.pairs)
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


def _read_vocabulary(path: Path, settings: BundleSettings) -> Vocabulary:
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
