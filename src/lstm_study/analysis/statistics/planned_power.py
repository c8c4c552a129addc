"""What a comparison will be able to show, before anything is trained.

It takes the protocol's assumptions (`study/README.md`): accuracy varies by 0.8 points (standard
deviation) from seed to seed, as when the reference study was first run; two runs of one
configuration differ on 9% of the reviews, two of different ones on 12%. After the runs, `power`
takes what they showed.
"""

from dataclasses import dataclass

from lstm_study.analysis.statistics.power import (
    LARGEST_DIFFERENCE,
    LEAST_SEEDS,
    POWER,
    seeds_to_settle,
    smallest_difference,
)
from lstm_study.analysis.statistics.scenario import Scenario, true_components
from lstm_study.analysis.statistics.variance import VarianceComponents

SEED_DEVIATION = 0.008
LARGE_DIFFERENCE = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPower:
    """What a planned comparison can show.

    Attributes:
        test_reviews: How many there will be.
        seeds: Runs of each arm.
        smallest_difference: True difference in accuracy, a share, that is found in 80% of such
            studies; None with fewer than four seeds, with which no verdict is given.
    """

    test_reviews: int
    seeds: int
    smallest_difference: float | None

    @property
    def seeds_for_a_point(self) -> int | None:
        """Seeds per arm that find a true difference of one point in 80%; None if none do."""
        parts = assumed_components(self.test_reviews, seeds=LEAST_SEEDS)
        return seeds_to_settle(parts, difference=0.01)

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
        found = (
            f"with {self.seeds} seeds and {self.test_reviews:,} test reviews, a true difference of "
            f"{points:.1f} points is detected in {POWER:.0%} of studies if accuracy varies by "
            f"{100 * SEED_DEVIATION:.1f} points over seeds, as on IMDB (with few training reviews "
            "it varies more)"
        )
        if not self.is_small:
            return found
        return f"{found}; a smaller one will probably not be shown{self._for_a_point}"

    @property
    def _for_a_point(self) -> str:
        seeds = self.seeds_for_a_point
        if seeds is None:
            return "; with so few test reviews, no number of seeds detects 1 point"
        return f"; {seeds} seeds detect 1 point"


def plan_power(*, test_reviews: int, seeds: int) -> PlannedPower:
    """Says what a comparison with so many test reviews and seeds can show."""
    smallest = None
    if seeds >= LEAST_SEEDS:
        smallest = smallest_difference(assumed_components(test_reviews, seeds=seeds))
    return PlannedPower(
        test_reviews=test_reviews,
        seeds=seeds,
        smallest_difference=smallest if smallest and smallest < LARGEST_DIFFERENCE else None,
    )


def assumed_components(test_reviews: int, *, seeds: int) -> VarianceComponents:
    """Returns the variance components that are assumed before anything is trained."""
    scenario = Scenario(
        name="planned",
        documents=test_reviews,
        candidate_deviation=SEED_DEVIATION,
        reference_deviation=SEED_DEVIATION,
        between=0.12,
    )
    return true_components(scenario, seeds=seeds)
