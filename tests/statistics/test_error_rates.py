"""A small version of the simulation whose whole is under reports/benchmarks/.

Bounds are three standard errors of the share away from what the whole must keep: 6% false verdicts
at most, 93% to 97% coverage, 80% power for 1 point with 14 seeds that vary by 0.8 points.
"""

import numpy as np
import pytest

from lstm_study.analysis.statistics import failures
from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.simulation.error_rates import simulate, simulate_looks

STUDIES = 300
ERROR = 3 * np.sqrt(0.05 * 0.95 / STUDIES)


def _scenario(**changes):
    values = {"documents": 1_000, "candidate_deviation": 0.008, "reference_deviation": 0.008}
    return Scenario(name="test", **(values | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"between": 0.12},
        {"documents": 200},
        {"tails": "heavy"},
        {"correlation": -0.3},
        {"correlation": 0.5},
        {"candidate_failures": 0.1},
        {"candidate_failures": 0.1, "reference_failures": 0.1},
        {"candidate_deviation": 0.03, "reference_deviation": 0.01},
    ],
)
def test_arms_that_are_equally_good_are_rarely_told_apart(changes):
    for outcome in simulate(_scenario(**changes), seeds=(6, 14), studies=STUDIES):
        assert outcome.better + outcome.worse <= 0.06 + ERROR
        assert 0.95 - ERROR <= outcome.coverage <= 0.995


def test_by_5_points_alone_an_arm_that_varies_more_would_look_better(monkeypatch):
    """Decision 20's 34% and 33%: good runs are left out, always the worst ones."""
    scenario = _scenario(
        documents=2_000, between=0.12, candidate_deviation=0.03, reference_deviation=0.01
    )
    (found,) = simulate(scenario, seeds=(14,), studies=200)
    monkeypatch.setattr(failures, "_are_apart", lambda low, others: True)
    (alone,) = simulate(scenario, seeds=(14,), studies=200)
    assert alone.better > 0.25
    assert alone.more_often > 0.25
    assert found.better < 0.1
    assert found.more_often < 0.03


def test_few_test_reviews_do_not_make_the_verdict_conservative():
    """Once 0.1% false verdicts at two seeds; the t interval of four has its 5%."""
    (outcome,) = simulate(_scenario(documents=300), seeds=(4,), studies=1_000)
    assert outcome.better + outcome.worse == pytest.approx(0.05, abs=0.025)


def test_failures_are_what_makes_the_uncorrected_verdict_blind():
    scenario = _scenario(
        effect=0.02, documents=2_000, candidate_failures=0.15, reference_failures=0.15
    )
    (outcome,) = simulate(scenario, seeds=(14,), studies=100)
    assert outcome.uncorrected < 0.3 < 0.7 < outcome.better


def test_a_point_is_found_with_the_default_number_of_seeds_where_reviews_are_many():
    scenario = _scenario(effect=0.01, documents=25_000, between=0.10)
    (outcome,) = simulate(scenario, seeds=(14,), studies=80)
    assert outcome.better >= 0.8 - 3 * np.sqrt(0.8 * 0.2 / 80)
    assert outcome.worse == 0


def test_ten_looks_together_err_no_more_often_than_one():
    shown = simulate_looks(_scenario(), looks=tuple(range(4, 23, 2)), studies=STUDIES)
    assert shown <= 0.06 + ERROR
