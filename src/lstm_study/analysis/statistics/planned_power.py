"""What a comparison will be able to show, before anything is trained.

It takes what was measured on IMDB with about as many training reviews (`study/README.md`): how much
accuracy varies over seeds, and on how many reviews two runs differ. After the runs, `power` takes
what they showed.
"""

import math
from dataclasses import dataclass

import numpy as np

from lstm_study.analysis.statistics.power import (
    LARGEST_DIFFERENCE,
    LEAST_SEEDS,
    POWER,
    seeds_to_settle,
    smallest_difference,
)
from lstm_study.analysis.statistics.scenario import Scenario, true_components
from lstm_study.analysis.statistics.variance import VarianceComponents

LARGE_DIFFERENCE = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """What is assumed of runs, all shares.

    Attributes:
        deviation: Standard deviation of accuracy over seeds.
        within: Reviews on which two runs of one configuration differ.
    """

    deviation: float
    within: float

    @property
    def between(self) -> float:
        """Reviews on which runs of two configurations differ: a third more, as on all of IMDB."""
        return self.within * 4 / 3


_MEASURED = {
    500: Assumed(deviation=0.021, within=0.21),
    1_000: Assumed(deviation=0.015, within=0.16),
    2_000: Assumed(deviation=0.0125, within=0.14),
    25_000: Assumed(deviation=0.008, within=0.09),
}
"""By training reviews: means over two networks, squared for the deviation.

All but the last are from `reports/benchmarks/seed-spread.md`.
"""


def assumed(training_reviews: int) -> Assumed:
    """Returns what is assumed with so many training reviews.

    Between two numbers that were measured, by their logarithms; beyond, as at the nearest.
    """
    places = [math.log(count) for count in _MEASURED]
    place = math.log(max(training_reviews, 1))

    def at(values: list[float]) -> float:
        return float(np.interp(place, places, values))

    measured = _MEASURED.values()
    return Assumed(
        deviation=at([each.deviation for each in measured]),
        within=at([each.within for each in measured]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPower:
    """What a planned comparison can show.

    Attributes:
        training_reviews: How many there will be, validation included.
        test_reviews: The same for test.
        seeds: Runs of each arm.
        smallest_difference: True difference in accuracy, a share, that is found in 80% of such
            studies; None with fewer than four seeds, with which no verdict is given.
    """

    training_reviews: int
    test_reviews: int
    seeds: int
    smallest_difference: float | None

    @property
    def seeds_for_a_point(self) -> int | None:
        """Seeds per arm that find a true difference of one point in 80%; None if none do."""
        return seeds_to_find_a_point(self.training_reviews, self.test_reviews)

    @property
    def is_small(self) -> bool:
        """Whether only differences of more than 3 points would be found."""
        found = self.smallest_difference
        return found is None or found > LARGE_DIFFERENCE

    @property
    def sentence(self) -> str:
        """The same in words."""
        if self.seeds < LEAST_SEEDS:
            return (
                f"no verdict is given with fewer than {LEAST_SEEDS} seeds: set compare.seeds to "
                f"{LEAST_SEEDS} or more{self._for_a_point}"
            )
        if self.smallest_difference is None:
            return f"{self.test_reviews:,} test reviews are too few to detect any difference"
        points = 100 * self.smallest_difference
        deviation = assumed(self.training_reviews).deviation
        found = (
            f"with {self.seeds} seeds and {self.test_reviews:,} test reviews, a true difference of "
            f"{points:.1f} points is detected in {POWER:.0%} of studies if accuracy varies by "
            f"{100 * deviation:.1f} points over seeds, as with {self._measured_with} training "
            "reviews of IMDB"
        )
        if not self.is_small:
            return found
        return f"{found}; a smaller one will probably not be shown{self._for_a_point}"

    @property
    def _measured_with(self) -> str:
        """How many training reviews the assumed deviation was measured with, in words."""
        least, most = min(_MEASURED), max(_MEASURED)
        if self.training_reviews < least / 2:
            return f"{least:,}"
        if self.training_reviews > 2 * most:
            return f"{most:,}"
        return "about as many"

    @property
    def _for_a_point(self) -> str:
        seeds = self.seeds_for_a_point
        if seeds is None:
            return "; with so few test reviews, no number of seeds detects 1 point"
        return f"; {seeds} seeds detect 1 point"


def plan_power(*, training_reviews: int, test_reviews: int, seeds: int) -> PlannedPower:
    """Says what a comparison with so many reviews and seeds can show."""
    smallest = None
    if seeds >= LEAST_SEEDS:
        parts = assumed_components(training_reviews, test_reviews, seeds=seeds)
        smallest = smallest_difference(parts)
    return PlannedPower(
        training_reviews=training_reviews,
        test_reviews=test_reviews,
        seeds=seeds,
        smallest_difference=smallest if smallest and smallest < LARGEST_DIFFERENCE else None,
    )


def seeds_to_find_a_point(training_reviews: int, test_reviews: int) -> int | None:
    """Seeds per arm that find a true difference of one point in 80%; None if none do."""
    parts = assumed_components(training_reviews, test_reviews, seeds=LEAST_SEEDS)
    return seeds_to_settle(parts, difference=0.01)


def assumed_components(
    training_reviews: int, test_reviews: int, *, seeds: int
) -> VarianceComponents:
    """Returns the variance components that are assumed before anything is trained."""
    found = assumed(training_reviews)
    scenario = Scenario(
        name="planned",
        documents=test_reviews,
        candidate_deviation=found.deviation,
        reference_deviation=found.deviation,
        within=found.within,
        between=found.between,
    )
    return true_components(scenario, seeds=seeds)
