"""The two-level bootstrap: what it draws, and the interval it gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lstm_study.analysis.answer.arms import make_arm
from lstm_study.analysis.statistics.intervals import (
    accuracy_interval,
    bootstrap,
    difference_in_accuracy,
    difference_of_counts,
)
from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.analysis.statistics.variance import components, count_correct
from lstm_study.errors import ComparisonError
from lstm_study.simulation.generative import draw


def _arms(*, seeds=6, effect=0.0, documents=3_000, deviation=0.01):
    scenario = Scenario(
        name="test", documents=documents, effect=effect, between=0.12,
        candidate_deviation=deviation, reference_deviation=deviation,
    )  # fmt: skip
    labels = np.tile(np.array([0, 1], dtype=np.int8), documents // 2)
    candidate, reference = next(draw(scenario, seeds=seeds, studies=1, seed=2))
    return tuple(
        make_arm(name, probabilities=np.where(right, labels, 1 - labels) * 0.8 + 0.1, labels=labels)
        for name, right in (("winner", candidate), ("baseline", reference))
    )


def test_draws_have_the_mean_and_variance_that_the_components_say():
    winner, baseline = _arms()
    counts = count_correct(winner.correct, baseline.correct)
    parts = components(counts)
    draws = bootstrap(counts, parts, seed=1, resamples=20_000)
    assert draws.mean() == pytest.approx(counts.difference, abs=0.03 * parts.standard_error())
    assert draws.std() == pytest.approx(parts.standard_error(), rel=0.03)


def test_uncorrected_draws_written_plainly_vary_alike_where_seeds_are_many():
    """With 60 seeds and 2,000 reviews the corrections hardly matter: plain resampling agrees."""
    winner, baseline = _arms(seeds=60, documents=2_000, deviation=0.05)
    random = np.random.default_rng(1)
    plain = []
    for _ in range(250):
        documents = random.integers(2_000, size=2_000)
        sides = [
            arm.correct[random.integers(60, size=60)][:, documents].mean()
            for arm in (winner, baseline)
        ]
        plain.append(sides[0] - sides[1])
    found = difference_in_accuracy(winner, baseline, seed=1, resamples=4_000)
    assert found.standard_error == pytest.approx(np.std(plain), rel=0.15)


def test_where_reviews_add_nothing_the_interval_is_welchs():
    """Runs that differ by seed alone: review d is read right by run s if d < 1,000·accuracy."""
    firsts, seconds = [900, 910, 925, 912], [880, 893, 905]
    places = np.arange(1_000)
    counts = count_correct(
        np.array([places < cut for cut in firsts]), np.array([places < cut for cut in seconds])
    )
    found = difference_of_counts(counts, names=("a", "b"), seed=1, resamples=100_000)
    seeds_only = found.components.document_variance - 1e-6
    welch = stats.ttest_ind(np.array(firsts) / 1e3, np.array(seconds) / 1e3, equal_var=False)
    low, high = welch.confidence_interval()
    assert found.difference == pytest.approx((low + high) / 2)
    assert 0 <= seeds_only < 0.15 * found.standard_error**2
    assert found.high - found.low == pytest.approx(high - low, rel=0.08)
    assert found.p_value == pytest.approx(welch.pvalue, rel=0.15)


def test_the_interval_and_its_p_value_agree_on_zero():
    for effect in (-0.03, 0.0, 0.01, 0.03):
        found = difference_in_accuracy(*_arms(effect=effect), seed=1, resamples=2_000)
        assert (found.low > 0 or found.high < 0) == (found.p_value < 0.05)
        assert found.low < found.difference < found.high


def test_one_seed_gives_one_interval_and_another_seed_nearly_the_same():
    arms = _arms()
    first = difference_in_accuracy(*arms, seed=1)
    again = difference_in_accuracy(*arms, seed=1)
    other = difference_in_accuracy(*arms, seed=2)
    assert (first.low, first.high) == (again.low, again.high)
    assert other.low != first.low
    assert other.high - other.low == pytest.approx(first.high - first.low, rel=0.04)


def test_swapping_the_arms_turns_the_interval_around():
    winner, baseline = _arms(effect=0.02)
    found = difference_in_accuracy(winner, baseline, seed=1, resamples=20_000)
    turned = difference_in_accuracy(baseline, winner, seed=1, resamples=20_000)
    assert turned.difference == -found.difference
    assert turned.low == pytest.approx(-found.high, abs=0.03 * found.standard_error)


def test_runs_of_equal_accuracy_that_differ_by_review_still_vary():
    """Each of three runs is wrong on another review: equal accuracies, yet not equal runs."""
    candidate = ~np.eye(3, 40, dtype=bool)
    found = difference_of_counts(
        count_correct(candidate, candidate[:, ::-1]), names=("a", "b"), seed=1
    )
    assert found.components.candidate.variance > 0
    assert found.standard_error == pytest.approx(found.components.standard_error(), rel=0.03)


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(2, 4), st.integers(2, 4), st.integers(2, 12))
def test_no_readings_whatsoever_give_nan_or_an_interval_without_its_difference(data, n, m, d):
    def readings(runs):
        bits = data.draw(st.lists(st.booleans(), min_size=runs * d, max_size=runs * d))
        return np.array(bits).reshape(runs, d)

    found = difference_of_counts(
        count_correct(readings(n), readings(m)), names=("a", "b"), seed=1, resamples=50
    )
    numbers = [found.low, found.high, found.p_value, found.standard_error, found.critical_value]
    assert np.isfinite(numbers).all()
    assert -1 <= found.low <= found.difference <= found.high <= 1
    assert found.standard_error > 0


def test_arms_tested_on_other_reviews_are_refused():
    winner, baseline = _arms()
    flipped = make_arm("baseline", probabilities=baseline.probabilities, labels=1 - baseline.labels)
    with pytest.raises(ComparisonError, match="same reviews"):
        difference_in_accuracy(winner, flipped, seed=1)


def test_the_interval_of_one_networks_accuracy_is_that_of_a_share():
    """Wald's, for 86 of 100 reviews: 0.86 ± t · √(0.86 · 0.14 / 99), but for half reviews."""
    right = np.arange(100) < 86
    arm = make_arm("a", probabilities=right[None].astype(float), labels=np.ones(100, dtype=np.int8))
    low, high = accuracy_interval(arm, seed=1, resamples=50_000)
    half = stats.t.isf(0.025, 99) * np.sqrt(0.86 * 0.14 / 99 + 1 / 100**2)
    assert (low, high) == pytest.approx((0.86 - half, 0.86 + half), abs=0.002)


def test_the_interval_of_an_arms_accuracy_grows_with_the_spread_over_seeds():
    steady, jumpy = (_arms(deviation=each)[0] for each in (0.0005, 0.02))
    widths = []
    for arm in (steady, jumpy):
        low, high = accuracy_interval(arm, seed=1)
        assert low < arm.accuracy < high
        widths.append(high - low)
    assert widths[1] > 1.5 * widths[0]
    assert accuracy_interval(make_arm("a", probabilities=[[0.9]], labels=[1]), seed=1) is None
