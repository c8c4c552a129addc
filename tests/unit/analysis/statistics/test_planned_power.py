"""What a comparison will be able to show, before anything is trained."""

import pytest

from lstm_study.analysis.statistics.planned_power import plan_power


def test_the_protocols_own_example_is_found_with_its_stated_power() -> None:
    found = plan_power(test_reviews=25_000, seeds=6)
    assert found.smallest_difference == pytest.approx(0.01, abs=0.001)
    assert not found.is_small
    assert found.sentence.startswith(
        "with 6 seeds and 25,000 test reviews a true difference of 1.0"
    )


def test_few_test_reviews_are_said_to_be_too_few() -> None:
    found = plan_power(test_reviews=60, seeds=4)
    assert found.is_small
    assert "expect no difference shown" in found.sentence


@pytest.mark.parametrize(("fewer", "more"), [((60, 4), (600, 4)), ((600, 4), (600, 10))])
def test_more_reviews_or_seeds_show_smaller_differences(
    fewer: tuple[int, int], more: tuple[int, int]
) -> None:
    found = [
        plan_power(test_reviews=reviews, seeds=seeds).smallest_difference
        for reviews, seeds in (fewer, more)
    ]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0] > found[1]


def test_with_one_seed_no_verdict_can_be_given() -> None:
    found = plan_power(test_reviews=25_000, seeds=1)
    assert found.smallest_difference is None
    assert found.is_small
    assert "set compare.seeds to 2 or more" in found.sentence
