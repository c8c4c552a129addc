"""A study's own variance components: back from simulated studies, and refused in words."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from lstm_study.analysis.answer.arms import make_arm
from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.analysis.statistics.variance import SeedPart
from lstm_study.errors import ComparisonError
from lstm_study.records import StudyRecords
from lstm_study.simulation.generative import check_scenario, simulate_runs
from lstm_study.simulation.measured import _spread, measure_study
from tests.support.fake_study import completed_study, diverged_study, one_seed_study

TRUE = Scenario(
    name="true", documents=2_000, accuracy=0.86, candidate_deviation=0.02, reference_deviation=0.01,
    within=0.09, between=0.12,
)  # fmt: skip


def simulated(outcomes) -> StudyRecords:
    """The fake study, with the outcomes of a simulated one."""
    study = completed_study(seeds=len(outcomes[0]))
    predictions = {
        run.run_id: np.where(
            outcomes[run.arm == "baseline"][run.seed_index - 1] == study.test_labels, 0.9, 0.1
        ).astype(np.float32)
        for run in study.runs
    }
    return replace(study, predictions=predictions)


def test_the_components_that_studies_were_made_with_are_found_again():
    found = [
        measure_study(simulated(outcomes))
        for outcomes in simulate_runs(TRUE, seeds=12, studies=25, seed=3)
    ]
    variances = [
        np.mean([getattr(each, arm).deviation ** 2 for each in found])
        for arm in ("candidate", "reference")
    ]
    assert np.sqrt(variances) == pytest.approx([0.02, 0.01], rel=0.15)
    scenarios = [each.scenario for each in found]
    assert np.mean([each.within for each in scenarios]) == pytest.approx(0.09, rel=0.03)
    assert np.mean([each.between for each in scenarios]) == pytest.approx(0.12, rel=0.03)
    assert np.mean([each.accuracy for each in scenarios]) == pytest.approx(0.86, abs=0.003)


def test_the_interval_of_a_spread_is_that_of_a_chi_squared_variance():
    """s²·(n - 1)/χ² at its two ends; for n = 3, χ² at 2.5% and 97.5% is 0.0506 and 7.378."""
    arm = make_arm("a", probabilities=np.full((3, 10), 0.9), labels=np.ones(10, dtype=np.int8))
    found = _spread(arm, SeedPart(runs=3, variance=0.02**2), within=0.0)
    ends = 0.02 * np.sqrt(2 / stats.chi2.ppf([0.975, 0.025], 2))
    assert (found.deviation, found.low, found.high) == pytest.approx((0.02, *ends))
    assert (found.low, found.high) == pytest.approx((0.02 * 0.5206, 0.02 * 6.2847), rel=1e-3)


@pytest.mark.parametrize("study", [one_seed_study(), diverged_study()])
def test_fewer_than_two_runs_are_refused_in_words(study):
    with pytest.raises(ComparisonError, match="two completed runs of the winner are needed"):
        measure_study(study)


def test_networks_that_learned_nothing_have_no_such_studies():
    for change in ({"within": 0.0}, {"between": 0.3}, {"accuracy": 1.0}, {"effect": 0.2}):
        with pytest.raises(ComparisonError, match="have learned something"):
            check_scenario(replace(TRUE, **change))
    with pytest.raises(ComparisonError, match="more test reviews or seeds"):
        check_scenario(replace(TRUE, candidate_deviation=0.3))
