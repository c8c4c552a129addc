"""What a comparison will be able to show, before anything is trained."""

from pathlib import Path

import numpy as np
import pytest

from lstm_study.analysis.statistics.planned_power import (
    assumed,
    assumed_components,
    plan_power,
    seeds_to_find_a_point,
)
from lstm_study.analysis.statistics.power import estimate_power

TABLE = Path(__file__).parents[3] / "reports" / "benchmarks" / "seed-spread.md"


def test_the_protocols_own_example_is_found_with_its_stated_power() -> None:
    found = plan_power(training_reviews=25_000, test_reviews=25_000, seeds=14)
    assert found.smallest_difference == pytest.approx(0.01, abs=0.001)
    assert not found.is_small
    assert found.sentence == (
        "with 14 seeds and 25,000 test reviews, a true difference of 1.0 points is detected in 80% "
        "of studies if accuracy varies by 0.8 points over seeds, as with about as many training "
        "reviews of IMDB"
    )


def test_it_is_the_model_that_speaks_after_the_runs_too() -> None:
    planned = plan_power(training_reviews=20_000, test_reviews=5_000, seeds=6)
    after = estimate_power(assumed_components(20_000, 5_000, seeds=6), difference=0.01)
    assert after.smallest_difference == planned.smallest_difference
    assert after.seeds_to_settle == seeds_to_find_a_point(20_000, 5_000)


def test_few_test_reviews_are_said_to_be_too_few() -> None:
    found = plan_power(training_reviews=25_000, test_reviews=60, seeds=4)
    assert found.is_small
    assert (
        "will probably not be shown; with so few test reviews, no number of seeds detects 1 point"
        in found.sentence
    )


@pytest.mark.parametrize(
    ("fewer", "more"),
    [
        ((2_000, 60, 4), (2_000, 600, 4)),
        ((2_000, 600, 4), (2_000, 600, 10)),
        ((400, 600, 10), (2_000, 600, 10)),
        ((2_000, 600, 10), (20_000, 600, 10)),
    ],
)
def test_more_reviews_or_seeds_show_smaller_differences(
    fewer: tuple[int, int, int], more: tuple[int, int, int]
) -> None:
    found = [
        plan_power(training_reviews=training, test_reviews=test, seeds=seeds).smallest_difference
        for training, test, seeds in (fewer, more)
    ]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0] > found[1]


def test_what_is_assumed_lies_between_what_was_measured_and_never_beyond() -> None:
    measured = [assumed(count) for count in (1_000, 1_414, 2_000)]
    for name in ("deviation", "within", "between"):
        low, middle, high = (getattr(each, name) for each in measured)
        assert middle == pytest.approx((low + high) / 2, rel=1e-3)
    assert assumed(0) == assumed(100) == assumed(500) != assumed(1_000)
    assert assumed(1_000_000) == assumed(25_000)


def test_what_is_assumed_is_what_the_committed_table_shows() -> None:
    measured: dict[int, list[tuple[float, float]]] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0].replace(",", "").isdigit():
            shares = float(cells[6]) / 100, float(cells[7].rstrip("%")) / 100
            measured.setdefault(int(cells[0].replace(",", "")), []).append(shares)
    assert list(measured) == [500, 1_000, 2_000]
    for reviews, networks in measured.items():
        deviations, within = zip(*networks, strict=True)
        assert assumed(reviews).deviation == pytest.approx(
            np.sqrt(np.square(deviations).mean()), rel=0.02
        )
        assert assumed(reviews).within == pytest.approx(np.mean(within), rel=0.03)


def test_few_training_reviews_make_the_spread_over_seeds_larger_as_the_decision_says() -> None:
    few = plan_power(training_reviews=800, test_reviews=300, seeds=10)
    many = plan_power(training_reviews=25_000, test_reviews=300, seeds=10)
    assert few.smallest_difference == pytest.approx(0.050, abs=0.0005)
    assert many.smallest_difference == pytest.approx(0.034, abs=0.0005)


def test_with_fewer_than_four_seeds_the_number_that_would_do_is_said() -> None:
    found = plan_power(training_reviews=25_000, test_reviews=25_000, seeds=2)
    assert found.smallest_difference is None
    assert found.is_small
    assert "set compare.seeds to 4 or more; 1" in found.sentence
    assert found.sentence.endswith("seeds detect 1 point")


@pytest.mark.parametrize(
    ("training_reviews", "words"),
    [(200, "with 500"), (600, "with about as many"), (40_000, "with about as many"),
     (800_000, "with 25,000")],
)  # fmt: skip
def test_what_was_measured_with_far_fewer_or_more_reviews_is_said_to_be(training_reviews, words):
    found = plan_power(training_reviews=training_reviews, test_reviews=25_000, seeds=14)
    assert f"over seeds, as {words} training reviews of IMDB" in found.sentence
