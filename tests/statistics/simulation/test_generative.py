"""Simulated studies have the accuracy, spread, failures and correlation asked for."""

import numpy as np
import pytest

from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.simulation.generative import simulate_runs


def test_accuracy_disagreement_and_spread_are_as_asked():
    scenario = Scenario(
        name="test", effect=0.01, documents=20_000, candidate_deviation=0.01,
        reference_deviation=0.005, within=0.08, between=0.12,
    )  # fmt: skip
    studies = list(simulate_runs(scenario, seeds=6, studies=40, seed=1))
    candidate = np.array([[run.mean() for run in first] for first, _ in studies])
    reference = np.array([[run.mean() for run in second] for _, second in studies])
    assert reference.mean() == pytest.approx(0.86, abs=0.002)
    assert (candidate - reference).mean() == pytest.approx(0.01, abs=0.002)
    assert np.sqrt(candidate.var(axis=1, ddof=1).mean()) == pytest.approx(0.01, rel=0.15)
    assert np.sqrt(reference.var(axis=1, ddof=1).mean()) == pytest.approx(0.005, rel=0.15)
    within = np.mean([np.mean(second[0] != second[1]) for _, second in studies])
    assert within == pytest.approx(0.08, abs=0.002)


def test_runs_of_different_arms_disagree_as_asked_where_both_are_equally_good():
    scenario = Scenario(name="test", documents=20_000, within=0.08, between=0.12)
    studies = list(simulate_runs(scenario, seeds=2, studies=20, seed=1))
    between = np.mean([np.mean(first[0] != second[0]) for first, second in studies])
    assert between == pytest.approx(0.12, abs=0.002)


def _accuracies(scenario):
    studies = list(simulate_runs(scenario, seeds=6, studies=200, seed=4))
    return (np.array([side.mean(axis=1) for side in sides]) for sides in zip(*studies, strict=True))


@pytest.mark.parametrize("share", [-0.3, 0.5])
def test_runs_with_one_seed_index_are_correlated_as_asked(share):
    scenario = Scenario(
        name="test", documents=4_000, candidate_deviation=0.02, reference_deviation=0.02,
        correlation=share,
    )  # fmt: skip
    candidate, reference = _accuracies(scenario)
    found = np.corrcoef(candidate.ravel(), reference.ravel())[0, 1]
    assert found == pytest.approx(share, abs=0.08)


def test_heavy_tails_keep_the_spread():
    scenario = Scenario(
        name="test", documents=4_000, reference_deviation=0.02, tails="heavy", within=0.09
    )
    _, reference = _accuracies(scenario)
    assert np.std(reference) == pytest.approx(0.02, rel=0.25)


def test_runs_fail_as_often_and_as_badly_as_asked():
    scenario = Scenario(name="test", documents=2_000, candidate_failures=0.1)
    candidate, reference = _accuracies(scenario)
    failed = candidate[candidate < 0.75]
    assert len(failed) / candidate.size == pytest.approx(0.1, abs=0.03)
    assert 0.56 < failed.min() < failed.max() < 0.74
    assert reference.min() > 0.8


def test_one_seed_simulates_one_study():
    scenario = Scenario(name="test", documents=100)
    first, second = (
        next(simulate_runs(scenario, seeds=2, studies=1, seed=seed)) for seed in (1, 1)
    )
    other = next(simulate_runs(scenario, seeds=2, studies=1, seed=2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
