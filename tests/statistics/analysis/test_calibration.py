"""Temperature scaling."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_study.analysis.statistics.calibration import (
    fit_temperature,
    temperature_of,
    tempered,
)
from tests.support.fake_study import completed_study


def test_ten_reviews_at_99_percent_of_which_eight_are_positive_have_a_temperature_of_3_3():
    labels = np.array([1] * 8 + [0] * 2)
    found = fit_temperature(labels, np.full(10, 0.99))
    assert found == pytest.approx(np.log(99) / np.log(4), rel=1e-4)
    assert tempered(np.array([0.99, 0.01, 0.5]), found) == pytest.approx([0.8, 0.2, 0.5], abs=1e-4)


def test_honest_probabilities_keep_a_temperature_of_one_and_extremes_stay_finite():
    random = np.random.default_rng(1)
    p = random.uniform(0.02, 0.98, 200_000)
    assert fit_temperature(random.random(p.size) < p, p) == pytest.approx(1.0, abs=0.02)
    assert fit_temperature(np.array([1, 0]), np.array([1.0, 0.0])) == pytest.approx(0.05, rel=0.01)
    assert np.isfinite(tempered(np.array([0.0, 1.0]), 0.05)).all()


def test_an_arms_temperature_is_the_geometric_mean_of_its_validation_runs():
    run = next(run for run in completed_study().runs if run.arm == "winner")
    runs = [
        replace(run, arm="winner-validation", run_id=f"v{index}", temperature=value)
        for index, value in enumerate((1.0, 4.0, None))
    ]
    assert temperature_of(runs, "winner") == pytest.approx(2.0)
    assert temperature_of(runs, "baseline") is None
    assert temperature_of([run], "winner") is None
