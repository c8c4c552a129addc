"""Disagreement against a plain loop, and Holm's correction by hand and against statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from lstm_study.analysis.answer.arms import make_arm
from lstm_study.analysis.statistics.significance import auc_by_chance, disagreement, holm
from lstm_study.metrics import roc_auc


def _arm(name, right, *, labels=None):
    right = np.asarray(right, dtype=bool)
    truth = np.ones(right.shape[1], dtype=np.int8) if labels is None else labels
    return make_arm(name, probabilities=np.where(right, truth, 1 - truth), labels=truth)


def _of_accuracies(name, right_of_100):
    return _arm(name, [np.arange(100) < count for count in right_of_100])


def test_holm_by_hand():
    """Holm (1979): 3·0.01, 2·0.03, and 1·0.04 raised to the 0.06 before it."""
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06}
    )
    p_values = {"a": 0.011, "b": 0.2, "c": 0.04, "d": 0.015}
    expected = multipletests(list(p_values.values()), method="holm")[1]
    assert list(holm(p_values).values()) == pytest.approx(list(expected))
    assert holm({}) == {}
    assert holm({"a": 0.7, "b": 0.9}) == {"a": 1.0, "b": 1.0}


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values):
    adjusted = holm(p_values)
    assert list(adjusted) == list(p_values)
    for name, value in p_values.items():
        assert value <= adjusted[name] <= 1
        for other, larger in p_values.items():
            if value <= larger:
                assert adjusted[name] <= adjusted[other]


def test_disagreement_is_that_of_a_plain_loop_over_pairs():
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 200).astype(np.int8)
    first = _arm("a", random.random((3, 200)) < 0.8, labels=labels)
    second = _arm("b", random.random((4, 200)) < 0.7, labels=labels)
    found = disagreement(first, second)
    pairs = [np.mean(x != y) for x in first.correct for y in second.correct]
    inside = [np.mean(second.correct[i] != second.correct[j]) for i in range(4) for j in range(i)]
    assert found.between_runs == pytest.approx(np.mean(pairs))
    assert found.within_reference == pytest.approx(np.mean(inside))
    assert found.between_votes == np.mean(first.votes != second.votes)


def test_one_run_has_no_spread_and_no_disagreement_with_itself():
    one, two = _of_accuracies("a", [90]), _of_accuracies("b", [80, 84])
    assert one.accuracy_deviation is None
    assert two.accuracy_deviation == pytest.approx(np.std([0.80, 0.84], ddof=1))
    assert disagreement(one, two).within_candidate is None


def test_the_auc_of_an_order_by_chance_is_in_its_range_in_95_of_100_cases():
    random = np.random.default_rng(11)
    for positives, negatives in ((3, 9), (14, 466), (250, 250)):
        labels = np.repeat([1, 0], [positives, negatives]).astype(np.int8)
        low, high = auc_by_chance(labels)
        areas = [roc_auc(labels, random.random(labels.size)) for _ in range(2_000)]
        assert np.mean([low <= area <= high for area in areas]) == pytest.approx(0.95, abs=0.02)
    assert auc_by_chance(np.repeat([1, 0], [3, 9])) == pytest.approx((0.107, 0.893), abs=5e-4)
    assert auc_by_chance(np.ones(5, dtype=np.int8)) is None
