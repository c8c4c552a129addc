"""An epoch while it is trained: its means so far, its scores at the end, and its record."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_study import metrics
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
            train_seconds: Wall time of the steps, less that in which the process was suspended.
            validation_seconds: The same of the reading.

        Raises:
            DivergedError: A probability, and with it the validation loss, is NaN.
        """
        loss = accuracy = auc = None
        if validation is not None and probabilities is not None:
            if not np.isfinite(probabilities).all():
                raise DivergedError(f"the validation loss became nan in epoch {self.number}.")
            loss = metrics.log_loss(validation.labels, probabilities)
            accuracy = metrics.accuracy(validation.labels, probabilities)
            auc = metrics.roc_auc(validation.labels, probabilities)
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
