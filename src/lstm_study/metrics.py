"""Metrics of predicted probabilities: eight of them, and the counts behind them.

The one place for them: validation after an epoch, runs on test, the classical control and reports.

All take labels, 0 or 1, and the probability of 1, both [documents]; all work in float64. A metric
that is not defined for the labels at hand is None, never NaN.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.elementary import log, log1p
from lstm_study.errors import ComparisonError

THRESHOLD = 0.5
EPSILON = 1e-7
BINS = 15
UNEQUAL = 0.8
"""From this share of the more frequent label on, accuracy says little."""

Labels = NDArray[np.integer]
Probabilities = NDArray[np.floating]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Confusion counts, in reviews."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One bin of a reliability diagram.

    Attributes:
        low: Its lower end.
        high: Its upper end.
        documents: Reviews whose probability lies in it.
        probability: Their mean probability; None if the bin is empty.
        positive: Their share that is positive; None if the bin is empty.
    """

    low: float
    high: float
    documents: int
    probability: float | None
    positive: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """All metrics of one run; see the function of each name."""

    accuracy: float
    balanced_accuracy: float | None
    majority_share: float
    log_loss: float
    roc_auc: float | None
    f1: float | None
    brier_score: float
    calibration_error: float
    confusion: Confusion


def measure(labels: Labels, probabilities: Probabilities) -> Metrics:
    """Takes every metric of one run."""
    return Metrics(
        accuracy=accuracy(labels, probabilities),
        balanced_accuracy=balanced_accuracy(labels, probabilities),
        majority_share=majority_share(labels),
        log_loss=log_loss(labels, probabilities),
        roc_auc=roc_auc(labels, probabilities),
        f1=f1(labels, probabilities),
        brier_score=brier_score(labels, probabilities),
        calibration_error=calibration_error(labels, probabilities),
        confusion=confusion(labels, probabilities),
    )


def test_fields(labels: Labels, probabilities: Probabilities) -> dict[str, Any]:
    """Returns the metrics that a record of a run or of the control keeps, by their names there."""
    found = measure(labels, probabilities)
    return {
        "test_accuracy": found.accuracy,
        "test_loss": found.log_loss,
        "test_roc_auc": found.roc_auc,
        "test_f1": found.f1,
        "test_brier_score": found.brier_score,
        "test_calibration_error": found.calibration_error,
    }


def accuracy(labels: Labels, probabilities: Probabilities) -> float:
    """Share of reviews classified correctly, in [0, 1]; positive means a probability above 0.5.

    Source: `keras.metrics.BinaryAccuracy`: exactly 0.5 counts as negative. Checked:
    `sklearn.metrics.accuracy_score`.
    """
    truth, values = _checked(labels, probabilities)
    return float(np.mean((values > THRESHOLD) == truth))


def balanced_accuracy(labels: Labels, probabilities: Probabilities) -> float | None:
    """Mean of the shares of positive and of negative reviews classified correctly, in [0, 1].

    None where there is one label only.

    Source: K. H. Brodersen et al. (2010), "The balanced accuracy and its posterior distribution",
        ICPR.
    """
    counts = confusion(labels, probabilities)
    positive = counts.true_positive + counts.false_negative
    negative = counts.true_negative + counts.false_positive
    if not positive or not negative:
        return None
    return (counts.true_positive / positive + counts.true_negative / negative) / 2


def majority_share(labels: Labels) -> float:
    """Share of the reviews that have the more frequent label: what always answering it scores."""
    positive = float(np.mean(labels))
    return max(positive, 1 - positive)


def log_loss(labels: Labels, probabilities: Probabilities) -> float:
    """Mean binary cross-entropy in nats; probabilities are cut to [1e-7, 1 - 1e-7] first.

    The cut is Keras's (`keras.config.epsilon()`), so that this is the loss that Keras evaluates, up
    to its float32. A wrong prediction of probability 0 or 1 costs 16.1.

    Source: `keras.ops.binary_crossentropy`. Checked: `sklearn.metrics.log_loss`.
    """
    truth, values = _checked(labels, probabilities)
    return float(np.mean(log_losses(truth, values)))


def log_losses(truth: NDArray[np.bool_], probabilities: Probabilities) -> NDArray[np.float64]:
    """Binary cross-entropy of each review, of which `log_loss` is the mean, in nats.

    Args:
        truth: bool [documents].
        probabilities: [..., documents], in [0, 1].

    Returns:
        float64, in the probabilities' shape.
    """
    cut = np.clip(np.asarray(probabilities, dtype=np.float64), EPSILON, 1 - EPSILON)
    losses = np.empty(cut.shape)
    losses[..., truth] = -log(cut[..., truth])
    losses[..., ~truth] = -log1p(-cut[..., ~truth])
    return losses


def roc_auc(labels: Labels, probabilities: Probabilities) -> float | None:
    """Chance that a positive review has a higher probability than a negative one; ties count half.

    None if there is only one label.

    Source: J. A. Hanley and B. J. McNeil (1982), "The meaning and use of the area under a receiver
    operating characteristic (ROC) curve", Radiology 143: the Mann-Whitney statistic, by mid-ranks.
    Checked: `sklearn.metrics.roc_auc_score`, ties included.
    """
    from scipy.stats import rankdata

    truth, values = _checked(labels, probabilities)
    positive = int(truth.sum())
    negative = truth.size - positive
    if positive == 0 or negative == 0:
        return None
    rank_sum = float(rankdata(values)[truth].sum())
    return (rank_sum - positive * (positive + 1) / 2) / (positive * negative)


def f1(labels: Labels, probabilities: Probabilities) -> float | None:
    """Harmonic mean of precision and recall of the positive label, 2·TP / (2·TP + FP + FN).

    None if no review is positive and none is predicted positive.

    Source: C. J. van Rijsbergen (1979), Information Retrieval, chapter 7. Checked:
    `sklearn.metrics.f1_score`.
    """
    counts = confusion(labels, probabilities)
    wrong = counts.false_positive + counts.false_negative
    whole = 2 * counts.true_positive + wrong
    return 2 * counts.true_positive / whole if whole else None


def brier_score(labels: Labels, probabilities: Probabilities) -> float:
    """Mean squared distance of the probability from the label, in [0, 1].

    Source: G. W. Brier (1950), "Verification of forecasts expressed in terms of probability",
    Monthly Weather Review 78; halved to one term per review, as is usual for two classes. Checked:
    `sklearn.metrics.brier_score_loss`.
    """
    truth, values = _checked(labels, probabilities)
    return float(np.mean((values - truth) ** 2))


def calibration_error(labels: Labels, probabilities: Probabilities) -> float:
    """Expected calibration error: |share positive - mean probability| of each bin, weighed by size.

    Source: M. P. Naeini, G. F. Cooper and M. Hauskrecht (2015), "Obtaining well calibrated
    probabilities using Bayesian binning", AAAI: bins over the probability of the positive label,
    of equal width. Their number, 15, is that of C. Guo and others (2017), "On calibration of modern
    neural networks", ICML, who bin the confidence of the predicted label instead. Worked and
    checked: 0.2 for a negative and a positive review, 0.9 for a positive one: (2·0.3 + 0.1) / 3.
    """
    diagram = reliability(labels, probabilities, bins=BINS)
    documents = sum(item.documents for item in diagram)
    return math.fsum(
        abs(item.positive - item.probability) * item.documents / documents
        for item in diagram
        if item.positive is not None and item.probability is not None
    )


def reliability(labels: Labels, probabilities: Probabilities, *, bins: int) -> tuple[Bin, ...]:
    """Sorts reviews into bins of equal width by probability; a bin holds its lower end.

    The last bin also holds 1.
    """
    truth, values = _checked(labels, probabilities)
    edges = np.linspace(0.0, 1.0, bins + 1)
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
    counts = np.bincount(places, minlength=bins)
    sums = np.bincount(places, weights=values, minlength=bins)
    positives = np.bincount(places, weights=truth, minlength=bins)
    return tuple(
        Bin(
            low=float(edges[index]),
            high=float(edges[index + 1]),
            documents=int(count),
            probability=float(sums[index] / count) if count else None,
            positive=float(positives[index] / count) if count else None,
        )
        for index, count in enumerate(counts)
    )


def confusion(labels: Labels, probabilities: Probabilities) -> Confusion:
    """Counts reviews by label and by predicted label."""
    truth, values = _checked(labels, probabilities)
    predicted = values > THRESHOLD
    return Confusion(
        true_positive=int(np.sum(predicted & truth)),
        false_positive=int(np.sum(predicted & ~truth)),
        true_negative=int(np.sum(~predicted & ~truth)),
        false_negative=int(np.sum(~predicted & truth)),
    )


def _checked(
    labels: Labels, probabilities: Probabilities
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    truth, values = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != values.shape or truth.size == 0:
        raise ComparisonError(
            "metrics: labels and probabilities must be two rows of one length, 1 or more. "
            f"Received: shapes {truth.shape} and {values.shape}."
        )
    if not bool(((values >= 0) & (values <= 1)).all()):
        raise ComparisonError("metrics: every probability must be a number in [0, 1].")
    return truth.astype(bool), values
