"""The interval in closed form, against scipy's t tests and published intervals."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import brier_score_loss, log_loss

from lstm_study.analysis.answer.arms import make_arm
from lstm_study.analysis.statistics.intervals import (
    accuracy_interval,
    accuracy_interval_by_label,
    difference_between,
    difference_of_outcomes,
)
from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.errors import ComparisonError
from lstm_study.simulation.generative import simulate_runs


def _arms(*, seeds=6, effect=0.0, documents=3_000, deviation=0.01):
    scenario = Scenario(
        name="test", documents=documents, effect=effect, between=0.12,
        candidate_deviation=deviation, reference_deviation=deviation,
    )  # fmt: skip
    labels = np.tile(np.array([0, 1], dtype=np.int8), documents // 2)
    candidate, reference = next(simulate_runs(scenario, seeds=seeds, studies=1, seed=2))
    return tuple(
        make_arm(name, probabilities=np.where(right, labels, 1 - labels) * 0.8 + 0.1, labels=labels)
        for name, right in (("winner", candidate), ("baseline", reference))
    )


def _by_seed_alone(counts, documents=1_000):
    """Outcomes that differ by seed alone: review d is correct in run s if d < its count."""
    return np.arange(documents) < np.asarray(counts)[:, None]


def test_where_reviews_add_nothing_the_interval_of_unpaired_runs_is_welchs():
    firsts, seconds = [900, 910, 925, 912], [880, 893, 905]
    found = difference_of_outcomes(_by_seed_alone(firsts), _by_seed_alone(seconds), pairs=[])
    alone = found.components.document_variance
    assert 0 < alone < 0.15 * found.standard_error**2
    welch = stats.ttest_ind(np.array(firsts) / 1e3, np.array(seconds) / 1e3, equal_var=False)
    low, high = welch.confidence_interval()
    assert found.difference == pytest.approx((low + high) / 2)
    assert found.high - found.low == pytest.approx(high - low, rel=0.08)
    assert found.p_value == pytest.approx(welch.pvalue, rel=0.15)


def test_where_reviews_add_nothing_the_interval_of_paired_runs_is_the_paired_t_tests():
    firsts, seconds = [900, 910, 925, 912, 931], [880, 903, 905, 901, 920]
    found = difference_of_outcomes(
        _by_seed_alone(firsts, 100_000), _by_seed_alone(seconds, 100_000)
    )
    paired = stats.ttest_rel(np.array(firsts) / 1e5, np.array(seconds) / 1e5)
    low, high = paired.confidence_interval()
    share = found.components.document_variance / found.standard_error**2
    assert found.difference == pytest.approx((low + high) / 2)
    assert found.high - found.low == pytest.approx((high - low) / np.sqrt(1 - share), rel=0.2)


def test_of_one_run_each_the_interval_over_reviews_is_that_of_the_paired_shares():
    """Bonett and Price's data layout: 8 + 22 discordant of 100; Wald's variance plus 1/n²."""
    first = np.arange(100) < 62
    second = np.concatenate([np.arange(62) >= 22, np.arange(38) < 8])
    labels = np.ones(100, dtype=np.int8)
    arms = [make_arm(n, probabilities=[r.astype(float)], labels=labels, deterministic=True)
            for n, r in (("a", first), ("b", second))]  # fmt: skip
    found = difference_between(*arms)
    assert found.difference == pytest.approx((22 - 8) / 100)
    wald = ((22 + 8) / 100 - 0.14**2) / 99
    assert found.standard_error**2 == pytest.approx(wald + 1 / 100**2)
    assert found.degrees_of_freedom == pytest.approx(99)


def test_the_interval_and_its_p_value_agree_on_zero():
    for effect in (-0.03, 0.0, 0.01, 0.03):
        found = difference_between(*_arms(effect=effect))
        assert (found.low > 0 or found.high < 0) == (found.p_value < 0.05)
        assert found.low < found.difference < found.high


def test_swapping_the_arms_turns_the_interval_around():
    winner, baseline = _arms(effect=0.02)
    found, turned = difference_between(winner, baseline), difference_between(baseline, winner)
    assert turned.difference == -found.difference
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_the_order_of_runs_is_nothing_but_seed_indices_pair_them():
    winner, baseline = _arms()
    order = [3, 0, 5, 1, 4, 2]
    shuffled = make_arm(
        "baseline", probabilities=baseline.probabilities[order], labels=baseline.labels,
        seed_indices=[row + 1 for row in order],
    )  # fmt: skip
    plain, again = difference_between(winner, baseline), difference_between(winner, shuffled)
    assert again.standard_error == pytest.approx(plain.standard_error)
    unpaired = make_arm(
        "baseline", probabilities=baseline.probabilities[order], labels=baseline.labels,
        seed_indices=range(11, 17),
    )  # fmt: skip
    assert difference_between(winner, unpaired).components.pairs == 0


def test_runs_of_one_training_at_two_epochs_have_the_interval_of_their_own_differences():
    """Evaluations that move together: paired, a tenth of the width that unpaired ones have."""
    counts = np.array([8_500, 8_640, 8_420, 8_710, 8_555, 8_600])
    later = counts + np.array([21, 19, 20, 22, 18, 20])
    sides = _by_seed_alone(later, 10_000), _by_seed_alone(counts, 10_000)
    paired = difference_of_outcomes(*sides)
    apart = difference_of_outcomes(*sides, pairs=[])
    assert paired.low > 0 > apart.low
    assert paired.high - paired.low < 0.15 * (apart.high - apart.low)


def test_brier_score_and_log_loss_are_means_over_reviews_as_sklearn_has_them():
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 300).astype(np.int8)
    arms = [
        make_arm(name, probabilities=random.uniform(0.01, 0.99, (4, 300)), labels=labels)
        for name in ("winner", "baseline")
    ]
    for outcome, metric in (("brier_score", brier_score_loss), ("log_loss", log_loss)):
        found = difference_between(*arms, outcome=outcome)
        means = [
            np.mean([metric(labels, row.astype(float)) for row in arm.probabilities])
            for arm in arms
        ]
        assert found.difference == pytest.approx(means[0] - means[1])
        assert found.low < found.difference < found.high


@settings(max_examples=40)
@given(st.data(), st.integers(2, 5), st.integers(2, 5), st.integers(2, 12))
def test_no_outcomes_whatsoever_give_nan_or_an_interval_without_its_difference(data, n, m, d):
    def outcomes(runs):
        bits = data.draw(st.lists(st.booleans(), min_size=runs * d, max_size=runs * d))
        return np.array(bits).reshape(runs, d)

    found = difference_of_outcomes(outcomes(n), outcomes(m))
    numbers = [found.low, found.high, found.p_value, found.standard_error]
    assert np.isfinite(numbers).all()
    assert -1 <= found.low <= found.difference <= found.high <= 1
    assert found.standard_error > 0


def test_arms_tested_on_other_reviews_are_refused():
    winner, baseline = _arms()
    flipped = make_arm("baseline", probabilities=baseline.probabilities, labels=1 - baseline.labels)
    with pytest.raises(ComparisonError, match="same reviews"):
        difference_between(winner, flipped)


def test_the_interval_of_one_networks_accuracy_is_that_of_a_share():
    """Wald's, for 86 of 100 reviews: 0.86 ± t · √(0.86 · 0.14 / 99), but for half reviews."""
    right = np.arange(100) < 86
    arm = make_arm("a", probabilities=right[None].astype(float), labels=np.ones(100, dtype=np.int8))
    half = stats.t.isf(0.025, 99) * np.sqrt(0.86 * 0.14 / 99 + 1 / 100**2)
    assert accuracy_interval(arm) == pytest.approx((0.86 - half, 0.86 + half))


def test_the_interval_of_an_arms_accuracy_grows_with_the_spread_over_seeds():
    steady, jumpy = (_arms(deviation=each)[0] for each in (0.0005, 0.02))
    widths = []
    for arm in (steady, jumpy):
        low, high = accuracy_interval(arm)
        assert low < arm.accuracy < high
        widths.append(high - low)
    assert widths[1] > 1.3 * widths[0]
    assert accuracy_interval(make_arm("a", probabilities=[[0.9]], labels=[1])) is None


def _of_two_labels(found, positives, also, negatives):
    """One run that finds so many of the positive reviews, and so many of the negative ones."""
    labels = (np.arange(positives + negatives) < positives).astype(np.int8)
    right = np.r_[np.arange(positives) < found, np.arange(negatives) < also]
    values = np.where(right == (labels == 1), 0.9, 0.1)
    return make_arm("a", probabilities=values[None], labels=labels)


def test_the_interval_by_label_is_that_of_a_stratified_share():
    """132 of 136 and 14 of 41, by Cochran's chapter 5, with the half reviews of every interval."""
    arm = _of_two_labels(132, 136, 14, 41)
    variance = (132 * 4 / 136 + 14 * 27 / 41) / 177 / 176
    half = stats.t.isf(0.025, 176) * np.sqrt(variance + 1 / 177**2)
    assert accuracy_interval_by_label(arm) == pytest.approx((146 / 177 - half, 146 / 177 + half))
    assert accuracy_interval_by_label(make_arm("a", probabilities=[[0.9]], labels=[1])) is None


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_a_model_shown_to_beat_one_label_alone_is_above_that_labels_share(first, second, data):
    """No report may say both: more accurate than an arm of one label, and not than that label."""
    positives, negatives = max(first, second), min(first, second)
    found = data.draw(st.integers(0, positives))
    arm = _of_two_labels(found, positives, data.draw(st.integers(0, negatives)), negatives)
    alone = make_arm("b", probabilities=np.ones((1, arm.documents)), labels=arm.labels)
    fixed = [replace(each, deterministic=True) for each in (arm, alone)]
    low, _ = accuracy_interval_by_label(arm)
    if difference_between(*fixed).low > 0:
        assert low > positives / arm.documents


def test_one_label_is_beaten_by_chance_as_often_as_the_level_says():
    """Reviews of equal share per label; half of 5% of the intervals may lie above the share."""
    random = np.random.default_rng(3)
    above = {accuracy_interval: 0, accuracy_interval_by_label: 0}
    for _ in range(2_000):
        arm = _of_two_labels(random.binomial(270, 0.97), 270, random.binomial(80, 0.10125), 80)
        for interval in above:
            above[interval] += interval(arm)[0] > 270 / 350
    assert 20 <= above[accuracy_interval_by_label] <= 80
    assert above[accuracy_interval] < 10
