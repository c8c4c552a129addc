"""An epoch while it is trained: its means so far, its scores at the end, and its record."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.types import Split
from lstm_study.errors import DivergedError
from lstm_study.provenance import now
from lstm_study.records import Epoch


@dataclass(frozen=True, kw_only=True)
class Step:
    """Progress within an epoch; loss and accuracy are means since its start."""

    epoch: int
    step: int
    steps: int
    train_loss: float
    train_accuracy: float


@dataclass(kw_only=True)
class RunningEpoch:
    """The sums of an epoch's training steps so far.

    Attributes:
        number: The epoch's, from 1.
        steps: How many it has.
        step: How many are made.
        loss_sum: Over the reviews seen.
        correct: Reviews classified correctly.
        seen: Reviews trained on.
    """

    number: int
    steps: int
    step: int = 0
    loss_sum: float = 0.0
    correct: float = 0.0
    seen: int = 0

    def add(self, *, loss: float, correct: float, reviews: int) -> None:
        """Adds a training step: its mean loss, and its reviews classified correctly.

        Raises:
            DivergedError: The loss is NaN or infinite.
        """
        self.step += 1
        if not math.isfinite(loss):
            raise DivergedError(
                f"the loss became {loss} at step {self.step} of epoch {self.number}."
            )
        self.loss_sum += loss * reviews
        self.correct += correct
        self.seen += reviews

    @property
    def progress(self) -> Step:
        """Where it stands."""
        return Step(
            epoch=self.number,
            step=self.step,
            steps=self.steps,
            train_loss=self.loss_sum / self.seen,
            train_accuracy=self.correct / self.seen,
        )

    def ended(
        self,
        validation: Split | None,
        probabilities: NDArray[np.float32] | None,
        *,
        train_seconds: float,
        validation_seconds: float,
    ) -> Epoch:
        """Returns the epoch's record.

        Args:
            validation: What was read after it; None for nothing.
            probabilities: Of its positive label, float32 [reviews].
            train_seconds: Wall time of the steps.
            validation_seconds: Wall time of the reading.

        Raises:
            DivergedError: The validation loss is NaN or infinite.
        """
        loss = accuracy = auc = None
        if validation is not None and probabilities is not None:
            loss, accuracy = evaluate(probabilities, validation.labels)
            auc = roc_auc(probabilities, validation.labels)
            if not math.isfinite(loss):
                raise DivergedError(f"the validation loss became {loss} in epoch {self.number}.")
        return Epoch(
            epoch=self.number,
            train_loss=self.progress.train_loss,
            train_accuracy=self.progress.train_accuracy,
            validation_loss=loss,
            validation_accuracy=accuracy,
            validation_auc=auc,
            train_seconds=train_seconds,
            validation_seconds=validation_seconds,
            ended_at=now(),
        )


def evaluate(probabilities: NDArray[np.float32], labels: NDArray[np.int8]) -> tuple[float, float]:
    """Returns binary cross-entropy and accuracy as Keras defines them, computed in float64.

    Args:
        probabilities: Of the positive label, float32 [reviews].
        labels: 0 or 1, int8 [reviews].

    Source: keras.losses.binary_crossentropy (clips at 1e-7) and keras.metrics.binary_accuracy
        (positive above 0.5).
    """
    p = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    positive = labels.astype(bool)
    loss = float(-np.mean(np.where(positive, np.log(p), np.log1p(-p))))
    return loss, float(np.mean((probabilities > 0.5) == positive))


def roc_auc(probabilities: NDArray[np.float32], labels: NDArray[np.int8]) -> float | None:
    """Returns the area under the ROC curve; None where there is one label only, or NaN.

    Args:
        probabilities: Of the positive label, float32 [reviews].
        labels: 0 or 1, int8 [reviews].

    Source: the Mann-Whitney statistic, with equal probabilities at their mean rank.
    """
    from scipy.stats import rankdata

    positive = labels.astype(bool)
    ones = int(positive.sum())
    zeros = len(labels) - ones
    if not ones or not zeros or not np.isfinite(probabilities).all():
        return None
    above = float(rankdata(probabilities)[positive].sum()) - ones * (ones + 1) / 2
    return above / (ones * zeros)
