"""Several models as one: the mean of their probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_study.errors import ExportError
from lstm_study.export.classifier import Classifier


@dataclass(frozen=True, eq=False, kw_only=True)
class CombinedModel:
    """Models whose mean probability is read as one model's; each reads texts by its own words.

    Attributes:
        models: One or more, of the same labels and threshold.
    """

    models: tuple[Classifier, ...]

    def __post_init__(self) -> None:
        """Checks that a mean of their probabilities means something.

        Raises:
            ExportError: Two models do not have the same labels.
        """
        first = self.models[0]
        for other in self.models[1:]:
            if (other.labels, other.threshold) != (first.labels, first.threshold):
                raise ExportError(
                    f"{other.folder}: must have the labels of {first.folder}, {_labels(first)}. "
                    f"Received: {_labels(other)}. Combine models of one study."
                )

    @property
    def text_column(self) -> str:
        """The column that held the texts of the first model's study."""
        return self.models[0].text_column

    def label_of(self, probability: float) -> str:
        """Returns the name of the label that a probability is read as."""
        return self.models[0].label_of(probability)

    def predict_texts(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Predicts texts, as `Classifier.predict_texts` does; unknown are those no model knows."""
        found = [model.predict_texts(texts) for model in self.models]
        probabilities = np.stack([each for each, _ in found])
        mean: NDArray[np.float32] = probabilities.mean(axis=0, dtype=np.float64).astype(np.float32)
        unknown: NDArray[np.bool_] = np.logical_and.reduce([each for _, each in found])
        return mean, unknown


def _labels(model: Classifier) -> str:
    negative, positive = model.labels
    return f"{negative!r} and {positive!r} above {model.threshold:g}"
