"""Variance components: by hand, against a plain loop, and without bias on simulated studies."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from lstm_study.analysis.statistics.scenario import Scenario, true_components
from lstm_study.analysis.statistics.variance import (
    SeedPart,
    VarianceComponents,
    components,
)
from lstm_study.errors import ComparisonError
from lstm_study.simulation.generative import simulate_runs


def _random_outcomes(seed, *, candidate=4, reference=3, documents=50):
    random = np.random.default_rng(seed)
    easy = random.random(documents)
    return random.random((candidate, documents)) < easy, random.random(
        (reference, documents)
    ) < easy


def test_components_by_hand():
    """Two runs each on four reviews.

    Candidate: run 1 correct on 1, 2, 3; run 2 on 1, 2. Accuracies 3/4 and 2/4: variance 1/32.
    Double-centred rests: review 3 is the only one they differ on; ±3/8 there, ∓1/8 elsewhere:
    sum of squares 2·(9 + 3)/64 = 3/8, over (2 - 1)·(4 - 1) = 1/8; over 4 reviews 1/32.
    Reference: no run correct on any: all zero. Differences by review 1, 1, 1/2, 0 with mean 5/8:
    squares (9 + 9 + 1 + 25)/64 = 11/16, over 4·3 = 11/192; less the noise 1/32/2 = 3/192: 8/192;
    plus 1/16.
    """
    candidate = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], dtype=bool)
    parts = components(candidate, np.zeros((2, 4), dtype=bool))
    assert parts.candidate.variance == pytest.approx(1 / 32)
    assert parts.reference.variance == 0
    assert parts.document_variance == pytest.approx(8 / 192 + 1 / 16)
    assert parts.standard_error() ** 2 == pytest.approx(1 / 64 + 8 / 192 + 1 / 16)


@pytest.mark.parametrize("seed", range(5))
def test_components_agree_with_plainly_written_mean_squares(seed):
    candidate, reference = _random_outcomes(seed)
    parts = components(candidate, reference)
    noise = []
    for runs, part in ((candidate, parts.candidate), (reference, parts.reference)):
        values = runs.astype(float)
        rest = values - values.mean(0) - values.mean(1, keepdims=True) + values.mean()
        square = (rest**2).sum() / ((len(runs) - 1) * 49) / 50
        floor = square * stats.chi2.ppf(0.01, len(runs) - 1) / (len(runs) - 1)
        assert part.variance == pytest.approx(max(values.mean(1).var(ddof=1), floor))
        noise.append(square / len(runs))
    differences = candidate.mean(0) - reference.mean(0)
    plain = max(0.0, differences.var(ddof=1) / 50 - sum(noise))
    assert parts.document_variance == pytest.approx(plain + 1 / 50**2)


def test_components_of_simulated_studies_average_to_the_true_ones():
    scenario = Scenario(
        name="test", documents=2_000, between=0.13, candidate_deviation=0.01,
        reference_deviation=0.02,
    )  # fmt: skip
    found = [
        components(*outcomes) for outcomes in simulate_runs(scenario, seeds=4, studies=300, seed=1)
    ]
    true = true_components(scenario, seeds=4)
    assert np.mean([p.candidate.variance for p in found]) == pytest.approx(
        true.candidate.variance, rel=0.15
    )
    assert np.mean([p.reference.variance for p in found]) == pytest.approx(
        true.reference.variance, rel=0.15
    )
    assert np.mean([p.document_variance for p in found]) == pytest.approx(
        true.document_variance, rel=0.05
    )


def test_degrees_of_freedom_are_welchs_where_reviews_add_nothing():
    random = np.random.default_rng(3)
    first, second = random.normal(size=5), 3 * random.normal(size=8)
    parts = VarianceComponents(
        candidate=SeedPart(runs=5, variance=float(first.var(ddof=1))),
        reference=SeedPart(runs=8, variance=float(second.var(ddof=1))),
        document_variance=0.0,
        documents=10**6,
    )
    welch = stats.ttest_ind(first, second, equal_var=False)
    assert parts.degrees_of_freedom() == pytest.approx(welch.df)
    assert (first.mean() - second.mean()) / parts.standard_error() == pytest.approx(welch.statistic)


def test_with_complete_pairs_the_seeds_part_is_that_of_the_paired_differences():
    """Runs that differ by seed alone: variance and degrees of freedom of the paired t test."""
    documents = np.arange(1_000)
    firsts, seconds = np.array([860, 870, 845, 880, 862]), np.array([850, 868, 840, 869, 858])
    parts = components(documents < firsts[:, None], documents < seconds[:, None])
    alone = replace(parts, document_variance=0.0)
    paired = stats.ttest_rel(firsts / 1e3, seconds / 1e3)
    assert alone.degrees_of_freedom() == pytest.approx(paired.df) == pytest.approx(4)
    expected = np.var((firsts - seconds) / 1e3, ddof=1) / 5
    assert alone.standard_error() ** 2 == pytest.approx(expected)


def test_the_degrees_of_freedom_with_some_pairs_are_those_of_many_draws():
    """Seven runs against five, five of them pairs: df = 2·E(V)²/var(V), over 20,000 draws."""
    random = np.random.default_rng(5)
    v, w, c = 1.0, 2.0, 0.8
    pairs = random.multivariate_normal([0, 0], [[v, c], [c, w]], size=(20_000, 7))
    first, second = pairs[:, :, 0], pairs[:, :5, 1]
    centred = first[:, :5] - first[:, :5].mean(1, keepdims=True)
    shared = (centred * (second - second.mean(1, keepdims=True))).sum(1) / 4
    drawn = first.var(1, ddof=1) / 7 + second.var(1, ddof=1) / 5 - 2 * shared * 5 / 35
    parts = VarianceComponents(
        candidate=SeedPart(runs=7, variance=v), reference=SeedPart(runs=5, variance=w),
        document_variance=0.0, documents=10**9, pairs=5, covariance=c,
    )  # fmt: skip
    assert parts.standard_error() ** 2 == pytest.approx(drawn.mean(), rel=0.02)
    assert parts.degrees_of_freedom() == pytest.approx(2 * drawn.mean() ** 2 / drawn.var(), rel=0.1)


def test_runs_of_exactly_equal_accuracy_keep_a_plausible_variance():
    candidate = ~np.eye(4, 40, dtype=bool)
    parts = components(candidate, candidate[:, ::-1])
    assert parts.candidate.variance > 0


def test_a_deterministic_arm_adds_no_seed_variance():
    candidate, reference = _random_outcomes(1, reference=1)
    parts = components(candidate, reference, deterministic=(False, True))
    assert parts.reference == SeedPart(runs=1, variance=0.0, deterministic=True)


def test_one_run_or_one_review_is_refused_in_words():
    candidate, reference = _random_outcomes(1, reference=1)
    with pytest.raises(ComparisonError, match=r"2 runs or more\. Received: 1"):
        components(candidate, reference)
    with pytest.raises(ComparisonError, match="2 test reviews or more"):
        components(candidate[:, :1], candidate[:, :1])
