"""Levels of several looks: published bounds, and the error they leave in simulated looks."""

import numpy as np
import pytest

from lstm_study.analysis.statistics.looks import bounds, conditional_power, levels, spent


def test_the_bounds_of_five_equal_looks_are_the_published_ones():
    """Reboussin and others (2000): O'Brien-Fleming spending, two-sided 5%, t = 0.2 to 1."""
    found = bounds([0.2, 0.4, 0.6, 0.8, 1.0])
    assert found == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-4)


def test_the_error_spent_is_lan_and_demetss_function():
    """Two sides of 2.5% each: 2·(2 - 2·Φ(2.2414 / √0.5)) = 0.0031 at half of the information."""
    assert spent(0.5) == pytest.approx(0.00305, abs=2e-5)
    assert spent(1.0) == 0.05
    assert spent(3.0) == 0.05


def test_one_look_at_the_maximum_is_an_ordinary_interval():
    assert levels([1.0]) == pytest.approx([0.95])
    early, late = levels([0.5, 1.0])
    assert early > 0.99
    assert 0.95 < late < 0.955


@pytest.mark.parametrize("fractions", [[0.5, 1.0], [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]])
def test_all_looks_together_err_in_five_per_cent_of_random_walks(fractions):
    random = np.random.default_rng(1)
    steps = np.sqrt(np.diff([0.0, *fractions]))
    walks = np.cumsum(random.standard_normal((100_000, len(fractions))) * steps, axis=1)
    passed = (np.abs(walks / np.sqrt(fractions)) > bounds(fractions)).any(axis=1)
    assert passed.mean() == pytest.approx(0.05, abs=0.002)


def test_conditional_power_is_that_of_the_b_value():
    """Lan and Wittes (1988): B(0.5) = 1 has drift 2: 1 - Φ((1.96 - 2) / √0.5) = 0.5226."""
    assert conditional_power(1 / np.sqrt(0.5), 0.5) == pytest.approx(0.5226, abs=1e-4)
    assert conditional_power(0.2, 0.5) < 0.05
