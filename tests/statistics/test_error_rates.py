"""A small version of the simulation whose whole is under reports/benchmarks/.

Bounds are three standard errors of the share away from what the whole must keep: 6% errors at most,
93 to 97% coverage, 80% power for 1 point with 6 seeds where they vary by half a point.
"""

import numpy as np
import pytest

from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.simulation.error_rates import simulate, simulate_looks

STUDIES = 200
DOCUMENTS = 1_000
RESAMPLES = 100


def _scenario(**changes):
    values = {"documents": DOCUMENTS, "candidate_deviation": 0.005, "reference_deviation": 0.005}
    return Scenario(name="test", **(values | changes))


@pytest.mark.parametrize("between", [0.09, 0.12])
def test_arms_that_are_equally_good_are_rarely_told_apart(between):
    for outcome in simulate(
        _scenario(between=between), seeds=(3, 6), studies=STUDIES, resamples=RESAMPLES
    ):
        error = 3 * np.sqrt(0.05 * 0.95 / STUDIES)
        assert outcome.better + outcome.worse <= 0.05 + error
        assert 0.95 - error <= outcome.coverage <= 0.995


def test_a_point_is_found_with_six_seeds_where_reviews_are_many():
    scenario = _scenario(effect=0.01, documents=25_000, between=0.10)
    (outcome,) = simulate(scenario, seeds=(6,), studies=80, resamples=RESAMPLES)
    assert outcome.better >= 0.8 - 3 * np.sqrt(0.8 * 0.2 / 80)
    assert outcome.worse == 0


def test_the_plain_percentile_interval_holds_far_less_with_three_seeds():
    """Why the verdict corrects it: asked for 95%, it holds about 80%."""
    scenario = _scenario(candidate_deviation=0.02, reference_deviation=0.02)
    (outcome,) = simulate(scenario, seeds=(3,), studies=80, percentile_studies=80)
    assert outcome.percentile_coverage < 0.88 < outcome.coverage


def test_looking_twice_errs_a_little_more_often_and_not_much():
    shown = simulate_looks(_scenario(), looks=(3, 6), studies=STUDIES, resamples=RESAMPLES)
    assert shown <= 0.075 + 3 * np.sqrt(0.075 * 0.925 / STUDIES)
