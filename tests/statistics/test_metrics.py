"""Metrics against scikit-learn, and by hand where they are not defined."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from lstm_study import metrics
from lstm_study.errors import ComparisonError

READINGS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 20).map(lambda part: part / 20)), min_size=1
)


@settings(max_examples=20)
@given(READINGS)
def test_metrics_agree_with_scikit_learn_ties_included(readings):
    labels = np.array([label for label, _ in readings], dtype=np.int8)
    values = np.array([value for _, value in readings])
    read = values > 0.5
    found = metrics.measure(labels, values)
    assert found.accuracy == pytest.approx(sklearn_metrics.accuracy_score(labels, read))
    assert found.brier_score == pytest.approx(sklearn_metrics.brier_score_loss(labels, values))
    cut = np.clip(values, 1e-7, 1 - 1e-7)
    both = np.column_stack([1 - cut, cut])
    assert found.log_loss == pytest.approx(
        sklearn_metrics.log_loss(labels, both, labels=[0, 1]), rel=1e-9
    )
    if 0 < labels.sum() < labels.size:
        assert found.roc_auc == pytest.approx(sklearn_metrics.roc_auc_score(labels, values))
        assert found.balanced_accuracy == pytest.approx(
            sklearn_metrics.balanced_accuracy_score(labels, read)
        )
    else:
        assert found.roc_auc is found.balanced_accuracy is None
    always = np.full(len(labels), float(2 * labels.sum() > labels.size))
    assert found.majority_share == pytest.approx(metrics.accuracy(labels, always))
    if labels.any() or read.any():
        assert found.f1 == pytest.approx(sklearn_metrics.f1_score(labels, read, zero_division=0.0))
    else:
        assert found.f1 is None
    matrix = sklearn_metrics.confusion_matrix(labels, read, labels=[0, 1]).ravel().tolist()
    counts = found.confusion
    assert matrix == [
        counts.true_negative,
        counts.false_positive,
        counts.false_negative,
        counts.true_positive,
    ]


@settings(max_examples=50)
@given(READINGS)
def test_the_calibration_error_is_that_of_a_plain_loop_over_bins(readings):
    error = 0.0
    for index in range(15):
        inside = [
            (label, value)
            for label, value in readings
            if min(int(np.floor(value * 15 + 1e-9)), 14) == index
        ]
        if inside:
            share = sum(label for label, _ in inside) / len(inside)
            mean = sum(value for _, value in inside) / len(inside)
            error += abs(share - mean) * len(inside) / len(readings)
    labels, values = np.array(readings).T
    assert metrics.calibration_error(labels.astype(np.int8), values) == pytest.approx(error)


def test_calibration_error_by_hand():
    """Two bins: 0.2, 0.2 (half positive: 0.3 off) and 0.9 (positive: 0.1 off): (0.6 + 0.1) / 3."""
    labels, values = np.array([0, 1, 1]), np.array([0.2, 0.2, 0.9])
    assert metrics.calibration_error(labels, values) == pytest.approx(0.7 / 3)


def test_reliability_bins_hold_every_review_and_the_last_one_holds_1():
    bins = metrics.reliability(np.array([0, 1, 1]), np.array([0.0, 1.0, 1 / 15]), bins=15)
    assert [item.documents for item in bins] == [1, 1, *[0] * 12, 1]
    assert bins[2].probability is None
    edges = [0.0, *(each.high for each in bins)]
    assert edges == pytest.approx(np.linspace(0.0, 1.0, 16))
    assert edges[:-1] == [each.low for each in bins]
    low = metrics.reliability(np.array([0]), np.array([0.1]), bins=15)
    assert len(low) == 15, "also where the last ones are empty"


def test_probabilities_in_single_precision_are_reckoned_with_in_double():
    found = metrics.brier_score(np.array([0] * 3), np.array([0.1] * 3, dtype=np.float32))
    assert found == pytest.approx(float(np.float32(0.1)) ** 2, rel=1e-15)


def test_a_certain_error_costs_what_keras_says_it_costs():
    loss = metrics.log_loss(np.array([1]), np.array([0.0], dtype=np.float32))
    assert loss == pytest.approx(-math.log(1e-7))


def test_metrics_without_reviews_or_with_nan_are_refused():
    with pytest.raises(ComparisonError, match="1 or more"):
        metrics.accuracy(np.array([], dtype=np.int8), np.array([]))
    with pytest.raises(ComparisonError, match="number in"):
        metrics.roc_auc(np.array([1]), np.array([np.nan]))
