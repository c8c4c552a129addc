"""Power against scipy's noncentral t and Cohen's tables."""

import pytest
from scipy.stats import nct, t

from lstm_study.analysis.statistics.power import (
    estimate_power,
    power_to_find,
    seeds_to_settle,
    smallest_difference,
)
from lstm_study.analysis.statistics.variance import SeedPart, VarianceComponents


def _parts(*, runs=6, deviation=1.0, document_variance=0.0, documents=10**9, deterministic=False):
    return VarianceComponents(
        candidate=SeedPart(runs=runs, variance=deviation**2),
        reference=SeedPart(runs=runs, variance=deviation**2, deterministic=deterministic),
        document_variance=document_variance,
        documents=documents,
    )


def test_cohens_table_medium_effect_with_64_per_group_is_found_in_80_per_cent():
    """Cohen (1988), table 2.4.1: d = 0.5, two-sided 0.05, power 0.80 needs 64 per group."""
    assert power_to_find(_parts(runs=64), difference=0.5) == pytest.approx(0.80, abs=0.005)
    assert seeds_to_settle(_parts(), difference=0.5) == 64


def test_cohens_table_large_effect_with_26_per_group_is_found_in_80_per_cent():
    assert seeds_to_settle(_parts(), difference=0.8) == 26


@pytest.mark.parametrize("runs", [4, 6, 10])
@pytest.mark.parametrize("difference", [0.5, 1.0, 3.0])
def test_power_is_that_of_the_noncentral_t(runs, difference):
    shift, freedom = difference / (2 / runs) ** 0.5, 2 * runs - 2
    critical = t.isf(0.025, freedom)
    expected = nct.sf(critical, freedom, shift) + nct.cdf(-critical, freedom, shift)
    assert power_to_find(_parts(runs=runs), difference=difference) == pytest.approx(
        expected, abs=1e-4
    )


def test_without_a_difference_the_power_is_the_chance_of_error():
    assert power_to_find(_parts(), difference=0.0) == pytest.approx(0.05, abs=1e-3)


def test_the_smallest_difference_is_found_in_80_per_cent():
    smallest = smallest_difference(_parts(deviation=0.005))
    assert power_to_find(_parts(deviation=0.005), difference=smallest) == pytest.approx(0.8)


def test_more_seeds_are_counted_from_those_there_are():
    parts = _parts(runs=6, deviation=0.0075)
    power = estimate_power(parts, difference=0.01)
    assert power.seeds_to_settle == seeds_to_settle(parts, difference=0.01)
    assert power.more_seeds == power.seeds_to_settle - 6 > 0


def test_reviews_alone_can_make_a_difference_too_small_for_any_number_of_seeds():
    parts = _parts(deviation=0.005, document_variance=0.004**2)
    assert seeds_to_settle(parts, difference=0.01) is None
    assert seeds_to_settle(parts, difference=0.0) is None


def test_a_difference_that_no_two_accuracies_have_is_not_said():
    power = estimate_power(_parts(runs=4, deviation=0.3), difference=0.01)
    assert power.smallest_difference is None


def test_fewer_than_four_seeds_are_never_enough():
    assert seeds_to_settle(_parts(deviation=0.001), difference=0.2) == 4


def test_two_deterministic_arms_need_no_more_seeds():
    one = SeedPart(runs=1, variance=0.0, deterministic=True)
    parts = VarianceComponents(
        candidate=one, reference=one, document_variance=1e-6, documents=25_000
    )
    power = estimate_power(parts, difference=0.01)
    assert (power.seeds_to_settle, power.more_seeds) == (None, None)
    assert power.smallest_difference == pytest.approx((1.95996 + 0.84162) * 1e-3, rel=1e-3)
