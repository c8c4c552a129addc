"""Tests of difference against scipy, brute force and published rules."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lstm_study.analysis.answer.arms import make_arm
from lstm_study.analysis.statistics.significance import disagreement, holm, mcnemar, permutation


def _arm(name, right, *, labels=None):
    right = np.asarray(right, dtype=bool)
    truth = np.ones(right.shape[1], dtype=np.int8) if labels is None else labels
    return make_arm(name, probabilities=np.where(right, truth, 1 - truth), labels=truth)


def _of_accuracies(name, right_of_100):
    return _arm(name, [np.arange(100) < count for count in right_of_100])


def test_mcnemar_by_hand():
    """1 review only the winner reads right, 9 only the baseline: 2·(1 + 10)/2¹⁰ = 22/1024."""
    winner = _arm("winner", [[1] * 1 + [0] * 9 + [1] * 20])
    baseline = _arm("baseline", [[0] * 1 + [1] * 9 + [1] * 20])
    result = mcnemar(winner, baseline)
    assert result.p_value == pytest.approx(22 / 1024)
    assert result.test == "exact McNemar test on majority votes"
    assert "only the winner reads 1 reviews right, only the baseline 9" in result.detail


def test_mcnemar_of_arms_that_vote_alike_is_1():
    arm = _arm("a", [[1, 0, 1], [1, 0, 1]])
    assert mcnemar(arm, arm).p_value == 1.0


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(60, 70), min_size=2, max_size=4),
    st.lists(st.integers(60, 70), min_size=2, max_size=4),
)
def test_the_permutation_test_is_scipys_ties_included(first, second):
    result = permutation(_of_accuracies("a", first), _of_accuracies("b", second), seed=1)

    def distance(one, other, axis=-1):
        gap = np.mean(one, axis=axis) - np.mean(other, axis=axis)
        return np.round(np.abs(gap), 9)

    expected = stats.permutation_test(
        (first, second), distance, alternative="greater", n_resamples=np.inf, vectorized=True
    )
    assert result.p_value == pytest.approx(expected.pvalue)


def test_three_seeds_apart_give_the_smallest_p_value_there_is():
    """Of the 20 ways to pick 3 of 6 runs, the observed and its mirror differ as much."""
    result = permutation(
        _of_accuracies("a", [90, 91, 92]), _of_accuracies("b", [80, 81, 82]), seed=1
    )
    assert result.p_value == 2 / 20
    assert "all 20 relabelings" in result.detail


def test_many_seeds_are_relabeled_by_chance_and_never_give_0():
    first = _of_accuracies("a", range(80, 91))
    second = _of_accuracies("b", range(60, 71))
    result = permutation(first, second, seed=1)
    assert result.p_value == pytest.approx(1e-5)
    assert "99,999 drawn" in result.detail
    assert permutation(first, first, seed=1).p_value == 1.0


def test_drawn_relabelings_agree_with_all_of_them(monkeypatch):
    first = _of_accuracies("a", [70, 74, 73, 78, 71])
    second = _of_accuracies("b", [69, 70, 72, 71, 68])
    exact = permutation(first, second, seed=1)
    monkeypatch.setattr("lstm_study.analysis.statistics.significance.EXACT_LIMIT", 10)
    assert permutation(first, second, seed=1).p_value == pytest.approx(exact.p_value, abs=0.005)


def test_one_run_has_nothing_to_swap():
    assert permutation(_of_accuracies("a", [90]), _of_accuracies("b", [80, 81]), seed=1) is None


def test_holm_by_hand():
    """Holm (1979): 3·0.01, 2·0.03, and 1·0.04 raised to the 0.06 before it."""
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06}
    )
    assert holm({}) == {}
    assert holm({"a": 0.7, "b": 0.9}) == {"a": 1.0, "b": 1.0}


@settings(max_examples=50, deadline=None)
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
