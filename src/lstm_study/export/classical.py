"""The classical control as a separate bundle: `model-classical/`, read by `predict`.

It holds the words, and for each word and pair of words that counts its weight and coefficient. It
needs NumPy and SciPy, and no network.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.ngrams import Features, count_features, weigh
from lstm_study.corpus.text.vocabulary import Vocabulary
from lstm_study.corpus.types import Split
from lstm_study.errors import ExportError
from lstm_study.export.classifier import Classifier
from lstm_study.export.layout import (
    CARD,
    CONFIGURATION,
    VOCABULARY,
    checked_file,
    replacing_bundle,
)
from lstm_study.files import array_from, read_bytes, save_array
from lstm_study.metrics import THRESHOLD
from lstm_study.records import Control, StudyRecords
from lstm_study.spec.sources import TokenRule

FORMAT = "lstm-study classical model"
FORMAT_VERSION = 2
KEYS, WEIGHTS, COEFFICIENTS = "keys.npy", "weights.npy", "coefficients.npy"
_MOST_BYTES = 2**24
_MOST_ARRAY_BYTES = 2**31
_CARD = """\
# Classical control of the study {study}

Logistic regression over the words and pairs of words of whole reviews ({weighting}, C = {c:g}, both
chosen on validation), trained on all training reviews. {features:,} features; test accuracy
{accuracy}. It draws nothing at random.

    lstm-study predict {folder} --file FILE.csv --out PREDICTED.csv

`configuration.json` has labels and rules. `keys.npy` has the features (a word's id above 32 bits,
the next word's below, 0 for a word alone; the word on line n of `vocabulary.txt` has the id n + 3),
`weights.npy` the weight of each, `coefficients.npy` the regression's coefficients, the intercept
last.
"""
_CHARACTERS = """
Every character of a review is a token: where this card says word, it means a character.
"""


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassicalBundle(Classifier):
    """A classical control that was exported, ready to classify texts.

    Attributes:
        features: Words and pairs of words with their weights.
        coefficients: float64 [features].
        intercept: Of the regression.
    """

    features: Features = field(repr=False)
    coefficients: NDArray[np.float64] = field(repr=False)
    intercept: float

    def _probabilities(self, reviews: Split) -> NDArray[np.float32]:
        from scipy.special import expit

        rows = weigh(count_features(reviews, self.features.keys), self.features)
        return np.asarray(expit(rows @ self.coefficients + self.intercept), dtype=np.float32)


def write_classical(
    folder: Path,
    *,
    features: Features,
    coefficients: NDArray[np.float64],
    intercept: float,
    control: Control,
    vocabulary: Vocabulary,
    labels: tuple[str, str],
    records: StudyRecords,
    made_at: str,
    versions: Mapping[str, str],
) -> None:
    """Writes the bundle, replacing an earlier one whole.

    Raises:
        ExportError: The folder can't be written, or holds something else.
    """
    values = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "made_at": made_at,
        "study": records.name,
        "weighting": features.weighting,
        "inverse_regularisation": control.inverse_regularisation,
        "features": len(features.keys),
        "words": len(vocabulary.words),
        "split": vocabulary.rule,
        "labels": {"negative": labels[0], "positive": labels[1]},
        "threshold": THRESHOLD,
        "text_column": records.spec.get("data", {}).get("text_column") or "text",
        "test_accuracy": control.test_accuracy,
        "versions": dict(versions),
    }
    accuracy = "unknown" if control.test_accuracy is None else f"{control.test_accuracy:.2%}"
    card = _CARD.format(
        study=records.name,
        weighting=features.weighting,
        c=control.inverse_regularisation or 0.0,
        features=len(features.keys),
        accuracy=accuracy,
        folder=folder.name,
    )
    if vocabulary.rule == "characters":
        card += _CHARACTERS
    with replacing_bundle(folder) as new:
        text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        words = "".join(f"{word}\n" for word in vocabulary.words)
        for name, content in ((CONFIGURATION, text), (CARD, card), (VOCABULARY, words)):
            (new / name).write_text(content, encoding="utf-8", newline="\n")
        save_array(new / KEYS, features.keys)
        save_array(new / WEIGHTS, features.weights)
        save_array(new / COEFFICIENTS, np.append(coefficients, intercept))


def is_classical(sums: Mapping[str, str]) -> bool:
    """Whether a bundle is that of a classical control, by the list of its files."""
    return COEFFICIENTS in sums


def load_classical(folder: Path, sums: dict[str, str]) -> ClassicalBundle:
    """Loads the bundle, once its files are found to be whole.

    Raises:
        ExportError: A file is missing, damaged, of another version, or does not fit the others.
    """
    path = checked_file(folder, CONFIGURATION, sums)
    try:
        values: dict[str, Any] = json.loads(read_bytes(path, limit=_MOST_BYTES))
        if (values["format"], values["format_version"]) != (FORMAT, FORMAT_VERSION):
            raise ValueError(f"format must be {FORMAT!r}, version {FORMAT_VERSION}")
        keys, weights, coefficients = (
            array_from(read_bytes(checked_file(folder, name, sums), limit=_MOST_ARRAY_BYTES))
            for name in (KEYS, WEIGHTS, COEFFICIENTS)
        )
        words = checked_file(folder, VOCABULARY, sums).read_text(encoding="utf-8").split("\n")[:-1]
        if not (len(keys) == len(weights) == len(coefficients) - 1 == values["features"]):
            raise ValueError("its arrays do not have one entry for each feature")
        if len(words) != values["words"]:
            raise ValueError(f"{VOCABULARY} must hold {values['words']:,} words")
        if not all(np.isfinite(each).all() for each in (weights, coefficients)):
            raise ValueError("its weights are not all numbers")
        if values["split"] not in get_args(TokenRule) or values["weighting"] not in ("nb", "tfidf"):
            raise ValueError("its rules are not known here")
        return ClassicalBundle(
            folder=folder,
            labels=(str(values["labels"]["negative"]), str(values["labels"]["positive"])),
            threshold=float(values["threshold"]),
            vocabulary=Vocabulary(tuple(words), values["split"]),
            features=Features(
                keys=keys.astype(np.int64),
                weights=weights.astype(np.float64),
                weighting=values["weighting"],
            ),
            coefficients=coefficients[:-1].astype(np.float64),
            intercept=float(coefficients[-1]),
            text_column=str(values["text_column"]),
        )
    except (OSError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ExportError(
            f"{folder}: is not a complete classical model ({error}). Export the model again."
        ) from error
