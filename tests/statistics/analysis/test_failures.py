"""Failures of training: which runs, how often, and by published and scipy's intervals."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from lstm_study.analysis.answer.arms import make_arm
from lstm_study.analysis.statistics.failures import (
    _are_apart,
    failed_runs,
    failure_rate,
    p_value_of_rates,
    without_runs,
)


def _arm(counts, documents=1_000):
    values = np.where(np.arange(documents) < np.asarray(counts)[:, None], 0.9, 0.1)
    return make_arm("winner", probabilities=values, labels=np.ones(documents, dtype=np.int8))


def test_a_run_exactly_5_points_below_the_best_failed_and_one_a_review_above_did_not():
    (found,) = failed_runs(_arm([850, 849, 848, 849, 800]))
    assert (found.arm, found.seed_index, found.accuracy) == ("winner", 5, 0.8)
    assert found.reason == "5.0 points below the best run"
    assert failed_runs(_arm([850, 849, 848, 849, 801])) == ()


def test_the_reference_studys_collapse_is_a_failure_and_its_spread_is_not():
    accuracies = [8612, 8554, 8587, 8628, 8573, 8569, 8574, 8513, 8570, 6871]
    assert [run.seed_index for run in failed_runs(_arm(accuracies, 10_000))] == [10]


def test_a_constant_output_failed_however_accurate_it_is():
    arm = _arm([500, 500, 500])
    values = arm.probabilities.copy()
    values[1] = 0.7
    (found,) = failed_runs(make_arm("a", probabilities=values, labels=arm.labels))
    assert (found.seed_index, found.reason) == (2, "constant output")


def test_where_most_runs_failed_they_are_measured_from_the_best_and_not_from_one_another():
    found = failed_runs(_arm([650, 860, 640, 680, 855]))
    assert [run.seed_index for run in found] == [1, 3, 4]
    assert found[0].reason == "21.0 points below the best run"


@pytest.mark.parametrize(
    ("documents", "either", "is_chance"),
    [(400, 80, True), (400, 40, False), (2_000, 400, False), (25_000, 5_000, False)],
)
def test_5_points_that_the_choice_of_reviews_explains_are_no_failure(documents, either, is_chance):
    """`either` is how many reviews only one of two runs classifies correctly."""
    points = documents // 20
    above, below = (either + points) // 2, (either - points) // 2
    correct = np.ones((3, documents), dtype=bool)
    correct[:, : documents // 4] = False
    correct[2, :below] = True
    correct[2, documents // 4 : documents // 4 + above] = False
    values = np.where(correct, 0.9, 0.1)
    found = failed_runs(
        make_arm("a", probabilities=values, labels=np.ones(documents, dtype=np.int8))
    )
    assert [run.seed_index for run in found] == ([] if is_chance else [3])


def test_of_equally_good_runs_on_few_reviews_none_failed():
    """By 5 points alone, nearly all such arms of 14 runs have some, always the worst ones."""
    chance = np.random.default_rng(0)
    arms, by_points, found = 100, 0, 0
    for _ in range(arms):
        # Two runs differ on 18% of the reviews.
        hard = chance.random(100) < 0.36
        correct = ~hard | (chance.random((14, 100)) < 0.5)
        accuracies = correct.mean(axis=1)
        by_points += np.ptp(accuracies) >= 0.05
        values = np.where(correct, 0.9, 0.1)
        found += bool(
            failed_runs(make_arm("a", probabilities=values, labels=np.ones(100, dtype=np.int8)))
        )
    assert by_points >= 90
    assert found == 0


@pytest.mark.parametrize(
    ("accuracies", "failed"),
    [
        ([9_050, 9_000, 8_050, 8_050], [3, 4]),
        ([8_050, 9_000, 8_050, 9_050], [1, 3]),
        ([8_000, 8_100, 9_040, 9_050], [1, 2]),
        ([9_050, 9_040, 8_100, 8_000], [3, 4]),
    ],
)
def test_runs_in_two_groups_are_one_good_and_one_failed(accuracies, failed):
    """With the same easy and hard reviews for all, and each run's own mistakes among the rest."""
    chance, documents = np.random.default_rng(0), 10_000
    correct = np.zeros((4, documents), dtype=bool)
    for row, right in enumerate(accuracies):
        correct[row, :7_000] = True
        correct[row, 7_000 + chance.permutation(3_000)[: right - 7_000]] = True
    values = np.where(correct, 0.9, 0.1)
    found = failed_runs(
        make_arm("a", probabilities=values, labels=np.ones(documents, dtype=np.int8))
    )
    assert [run.seed_index for run in found] == failed


@pytest.mark.parametrize(("correct", "failed"), [(7_450, [4]), (7_460, [])])
def test_a_run_failed_below_what_the_spread_of_the_others_explains_as_by_hand(correct, failed):
    """The mean of 85, 86 and 87% is 86, their deviation 1: 86 - 9.925 * sqrt(4 / 3) = 74.54."""
    found = failed_runs(_arm([8_600, 8_500, 8_700, correct], 10_000))
    assert [run.seed_index for run in found] == failed


def test_a_run_is_apart_from_others_as_by_prediction_intervals():
    others = np.array([0.85, 0.86, 0.83, 0.84, 0.855])
    error = others.std(ddof=1) * np.sqrt(1 + 1 / 5)
    limit = others.mean() - stats.t.isf(0.02 / 6, 4) * error
    for value, is_apart in ((limit + 1e-6, False), (limit - 1e-6, True)):
        assert bool(_are_apart(np.array([value]), others)) == is_apart


def test_fewer_than_three_other_runs_are_apart_by_the_gap_and_the_spread_within_both_groups():
    low, others = np.array([0.64, 0.63, 0.62]), np.array([0.86, 0.80])
    spread = np.sqrt((2 * low.var(ddof=1) + others.var(ddof=1)) / 3)
    limit = 0.80 - stats.t.isf(0.02 / 5, 3) * spread
    assert _are_apart(low - 0.64 + limit - 1e-6, others)
    assert not _are_apart(low - 0.64 + limit + 1e-6, others)


def test_several_failed_runs_do_not_hide_one_another():
    found = failed_runs(_arm([8_600, 8_550, 8_650, 7_000, 8_620, 5_000, 8_500], 10_000))
    assert [run.seed_index for run in found] == [4, 6]


@pytest.mark.parametrize(("seeds", "most"), [(4, 0.09), (6, 0.09), (14, 0.05)])
def test_of_runs_that_differ_by_their_seeds_alone_few_failed_however_wide_the_spread(seeds, most):
    """By 5 points alone, most arms have some, and an arm that varies more looks better."""
    chance, arms, by_points, found = np.random.default_rng(1), 400, 0, 0
    for _ in range(arms):
        counts = chance.normal(1_600, 100, size=seeds).round()
        by_points += np.ptp(counts) >= 100
        found += bool(failed_runs(_arm(counts, 2_000)))
    assert by_points > 0.8 * arms
    assert found <= most * arms


def test_one_run_has_no_other_to_fall_below():
    assert failed_runs(_arm([500])) == ()


def test_runs_are_left_out_by_seed_index():
    arm = make_arm("a", probabilities=[[0.1], [0.2], [0.3]], labels=[1], seed_indices=[2, 4, 6])
    left = without_runs(arm, [4])
    assert left.seed_indices == (2, 6)
    assert left.probabilities[:, 0] == pytest.approx([0.1, 0.3])
    assert left.correct.shape == (2, 1)
    assert without_runs(arm, [2, 4, 6]) is None


@pytest.mark.parametrize(("failed", "runs"), [(0, 10), (1, 10), (3, 14), (14, 14)])
def test_the_interval_of_a_rate_is_scipys_and_statsmodels_exact_one(failed, runs):
    found = failure_rate("winner", failed=failed, runs=runs)
    exact = stats.binomtest(failed, runs).proportion_ci(0.95, "exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
    assert (found.low, found.high) == pytest.approx(
        proportion_confint(failed, runs, method="beta"), nan_ok=True
    )


def test_one_failure_in_ten_is_the_published_interval():
    """Clopper and Pearson's table: 1 of 10 at 95% has the limits 0.0025 and 0.445."""
    found = failure_rate("winner", failed=1, runs=10)
    assert (found.low, found.high) == pytest.approx((0.0025, 0.4450), abs=5e-5)


def test_equal_rates_are_tested_as_in_fishers_tea_tasting():
    first, second = (failure_rate("a", failed=n, runs=4) for n in (3, 1))
    assert p_value_of_rates(first, second) == pytest.approx(34 / 70)
