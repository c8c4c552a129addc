"""What a comparison will be able to show, before anything is trained.

It takes the protocol's assumptions (`study/README.md`): accuracy varies by half a point from seed
to seed, two runs of one configuration read 9% of the reviews differently, two of different ones
12%. After the runs, `power` estimates the same from what they did.
"""

from dataclasses import dataclass

from lstm_study.analysis.statistics.power import POWER, smallest_difference
from lstm_study.analysis.statistics.scenario import Scenario, true_components

SEED_DEVIATION = 0.005
LARGE_DIFFERENCE = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPower:
    """What a planned comparison could show.

    Attributes:
        test_reviews: How many there will be.
        seeds: Runs of each arm.
        smallest_difference: True difference in accuracy, a share, that would be found in 80% of
            such studies; None with one seed, with which no verdict can be given.
    """

    test_reviews: int
    seeds: int
    smallest_difference: float | None

    @property
    def is_small(self) -> bool:
        """Whether only differences of more than 3 points would be found."""
        found = self.smallest_difference
        return found is None or found > LARGE_DIFFERENCE

    @property
    def sentence(self) -> str:
        """The same in words."""
        if self.smallest_difference is None:
            return "with one seed no verdict can be given: set compare.seeds to 2 or more"
        points = 100 * self.smallest_difference
        found = (
            f"with {self.seeds} seeds and {self.test_reviews:,} test reviews a true difference of "
            f"{points:.1f} points is found in {POWER:.0%} of studies"
        )
        if not self.is_small:
            return found
        return f"{found}: too few to tell apart arms that are closer, so expect no difference shown"


def plan_power(*, test_reviews: int, seeds: int) -> PlannedPower:
    """Says what a comparison with so many test reviews and seeds could show.

    Args:
        test_reviews: Reviews to evaluate on, >= 2.
        seeds: Runs of each arm.
    """
    smallest = None
    if seeds > 1:
        scenario = Scenario(
            name="planned",
            documents=test_reviews,
            candidate_deviation=SEED_DEVIATION,
            reference_deviation=SEED_DEVIATION,
            between=0.12,
        )
        smallest = smallest_difference(true_components(scenario, seeds=seeds))
    return PlannedPower(test_reviews=test_reviews, seeds=seeds, smallest_difference=smallest)
