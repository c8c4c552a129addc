"""Made-up studies, from a generative model of seeds and reviews.

Whether a run reads a review right is drawn from a probit model with crossed random parts,

    X[arm, s, d] = 1  where  level + review[d] + arm_review[arm, d] + seed[arm, s] + noise > 0

all normal, total variance 1. Its shares follow from what can be seen in real runs: accuracy, its
standard deviation over seeds, and how often two runs of one arm, or of two arms, read a review
differently. The true difference is known exactly.

Source: The shares: for standard normals with correlation r, P(both above -h) =
    Φ(h) - 2·T(h, √((1 - r) / (1 + r))), T being D. B. Owen's (1956), "Tables for computing
    bivariate normal probabilities", Annals of Mathematical Statistics 27.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.errors import ComparisonError
from lstm_study.seeds import derive


def draw(
    scenario: Scenario, *, seeds: int, studies: int, seed: int
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Makes up studies: right and wrong readings of candidate and reference.

    Yields:
        Two arrays, bool [seeds, documents].
    """
    from scipy.special import ndtri

    both, own, of_seeds = check_scenario(scenario)
    accuracies = (scenario.accuracy + scenario.effect, scenario.accuracy)
    arms = [
        (float(ndtri(accuracy)), of_seed, 1 - both - own - of_seed)
        for accuracy, of_seed in zip(accuracies, of_seeds, strict=True)
    ]
    random = np.random.default_rng(derive(seed, "studies", scenario.name, scenario.documents))
    normal = random.standard_normal
    for _ in range(studies):
        review = np.sqrt(both) * normal(scenario.documents, dtype=np.float32)
        readings = []
        for level, of_seed, rest in arms:
            threshold = review + level
            if own > 0:
                threshold += np.sqrt(own) * normal(scenario.documents, dtype=np.float32)
            threshold /= np.sqrt(rest)
            shift = np.sqrt(of_seed / rest) * normal((seeds, 1), dtype=np.float32)
            noise = normal((seeds, scenario.documents), dtype=np.float32)
            readings.append(noise < threshold + shift)
        yield readings[0], readings[1]


def check_scenario(scenario: Scenario) -> tuple[float, float, tuple[float, float]]:
    """Finds the model's shares for a scenario.

    Returns:
        Shares of the variance: of a review for both arms alike, of a review for one arm alone, and
        of the seed, in the candidate and in the reference.

    Raises:
        ComparisonError: The model has no such studies.
    """
    accuracies = (scenario.accuracy + scenario.effect, scenario.accuracy)
    chance = 2 * scenario.accuracy * (1 - scenario.accuracy)
    if not 0 < min(accuracies) <= max(accuracies) < 1 or not (
        0 < scenario.within <= scenario.between <= chance
    ):
        raise ComparisonError(
            f"{scenario.name}: accuracies must lie between 0 and 1, and runs must read fewer "
            f"reviews differently than by chance alone ({chance:.1%}), but some. Received: "
            f"accuracies {accuracies[0]:.1%} and {accuracies[1]:.1%}, {scenario.within:.1%} read "
            f"differently within an arm and {scenario.between:.1%} between. Give a study whose "
            "networks have learned to read."
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
            f"{max(deviations):.2%}) than runs that read {scenario.within:.1%} of the reviews "
            "differently can. Give a study with more test reviews or more seeds."
        )
    return both, own, (first, second)


def _share_of(disagreement: float, accuracy: float) -> float:
    """The correlation at which two runs of one accuracy read that share of reviews differently."""
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
