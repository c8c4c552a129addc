"""Simulated studies, from a generative model of seeds and reviews.

Whether a run classifies a review correctly is drawn from a probit model with crossed random parts,

    X[arm, s, d] = 1  where  level + review[d] + arm_review[arm, d] + seed[arm, s] + noise > 0

with total variance 1. Its shares follow from what can be seen in real runs: accuracy, its standard
deviation over seeds, and on how many reviews two runs of one arm, or of two arms, differ. All parts
are normal, but for a seed part with heavy tails (Student's t with 3 degrees of freedom). Seed parts
of two arms may be correlated. A run that fails has an accuracy between 60% and 70%. The true
difference of runs that do not fail is known exactly.

Source: The shares: for standard normals with correlation r, P(both above -h) =
    Φ(h) - 2·T(h, √((1 - r) / (1 + r))), T being D. B. Owen's (1956), "Tables for computing
    bivariate normal probabilities", Annals of Mathematical Statistics 27.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.errors import ComparisonError
from lstm_study.seeds import derive

FAILED_ACCURACY = (0.6, 0.7)


def simulate_runs(
    scenario: Scenario, *, seeds: int, studies: int, seed: int
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Simulates studies: which reviews each run of candidate and reference classifies correctly.

    Yields:
        Two arrays, bool [seeds, documents].
    """
    from scipy.special import ndtri

    both, own, of_seeds = check_scenario(scenario)
    accuracies = (scenario.accuracy + scenario.effect, scenario.accuracy)
    levels = [float(ndtri(accuracy)) for accuracy in accuracies]
    rates = (scenario.candidate_failures, scenario.reference_failures)
    random = np.random.default_rng(derive(seed, "studies", scenario.name, scenario.documents))
    normal = random.standard_normal
    for _ in range(studies):
        review = np.sqrt(both) * normal(scenario.documents, dtype=np.float32)
        effects = _seed_effects(scenario, seeds, random)
        correct = []
        for level, of_seed, rate, effect in zip(levels, of_seeds, rates, effects, strict=True):
            rest = 1 - both - own - of_seed
            threshold = review + level
            if own > 0:
                threshold += np.sqrt(own) * normal(scenario.documents, dtype=np.float32)
            shift = np.sqrt(of_seed) * effect
            fails = random.random(seeds) < rate
            shift[fails] = ndtri(random.uniform(*FAILED_ACCURACY, int(fails.sum()))) - level
            noise = normal((seeds, scenario.documents), dtype=np.float32)
            limits = (threshold + shift[:, None].astype(np.float32)) / np.float32(np.sqrt(rest))
            correct.append(noise < limits)
        yield correct[0], correct[1]


def _seed_effects(
    scenario: Scenario, seeds: int, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draws the seeds' parts of both arms, of variance 1."""
    if scenario.tails == "heavy":
        first, second = random.standard_t(3, (2, seeds)) / np.sqrt(3)
    else:
        first, second = random.standard_normal((2, seeds))
    share = scenario.correlation
    return share * second + np.sqrt(1 - share**2) * first, second


class VarianceShares(NamedTuple):
    """Shares of a prediction's variance, in the model of a scenario.

    Attributes:
        both: Of the review, for both arms alike.
        own: Of the review, for one arm alone.
        seeds: Of the seed, in the candidate and in the reference.
    """

    both: float
    own: float
    seeds: tuple[float, float]


def check_scenario(scenario: Scenario) -> VarianceShares:
    """Finds the model's shares for a scenario.

    Raises:
        ComparisonError: The model can't produce such studies.
    """
    accuracies = (scenario.accuracy + scenario.effect, scenario.accuracy)
    chance = 2 * scenario.accuracy * (1 - scenario.accuracy)
    if not 0 < min(accuracies) <= max(accuracies) < 1 or not (
        0 < scenario.within <= scenario.between <= chance
    ):
        raise ComparisonError(
            f"{scenario.name}: accuracies must lie between 0 and 1, and runs must differ on some "
            f"reviews, but fewer than by chance ({chance:.1%}). Received: accuracies "
            f"{accuracies[0]:.1%} and {accuracies[1]:.1%}, runs of one arm differ on "
            f"{scenario.within:.1%}, of two on {scenario.between:.1%}. Give a study whose networks "
            "have learned something."
        )
    both = _share_of(scenario.between, scenario.accuracy)
    own = _share_of(scenario.within, scenario.accuracy) - both
    deviations = (scenario.candidate_deviation, scenario.reference_deviation)
    first, second = (
        _seed_share_of(deviation, accuracy)
        for deviation, accuracy in zip(deviations, accuracies, strict=True)
    )
    if 1 - both - own - max(first, second) <= 0:
        raise ComparisonError(
            f"{scenario.name}: accuracy varies more from seed to seed (standard deviation "
            f"{max(deviations):.2%}) than is possible for runs that differ on "
            f"{scenario.within:.1%} of the reviews. Give a study with more test reviews or seeds."
        )
    return VarianceShares(both, own, (first, second))


def _share_of(disagreement: float, accuracy: float) -> float:
    """The correlation at which two runs of one accuracy differ on that share of reviews."""
    from scipy.optimize import brentq
    from scipy.special import ndtri, owens_t

    height = float(ndtri(accuracy))
    return float(
        brentq(
            lambda share: 4 * owens_t(height, np.sqrt((1 - share) / (1 + share))) - disagreement,
            0.0,
            1.0,
        )
    )


def _seed_share_of(deviation: float, accuracy: float) -> float:
    """The share of variance at which accuracy varies by that much from seed to seed."""
    from scipy.optimize import brentq
    from scipy.special import ndtri, owens_t

    height = float(ndtri(accuracy))

    def excess(share: float) -> float:
        both = accuracy - 2 * float(owens_t(height, np.sqrt((1 - share) / (1 + share))))
        return both - accuracy**2 - deviation**2

    return float(brentq(excess, 0.0, 1.0, xtol=1e-15)) if deviation else 0.0
