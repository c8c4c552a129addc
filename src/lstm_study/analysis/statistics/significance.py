"""How far arms disagree, the correction of several p-values, and what ROC AUC chance gives.

There is no McNemar test and no permutation test here: the first takes a run's own errors on the
test reviews for those of its configuration (two halves of one arm's runs differ by it in most
splits), the second holds the test reviews fixed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.arms import Arm, same_reviews
from lstm_study.metrics import Labels

_NORMAL = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """How often predicted labels differ, as shares of the test reviews.

    Attributes:
        between_votes: Reviews on which the two arms' majority votes differ.
        between_runs: The same for one run of each arm, mean over all pairs.
        within_candidate: The same for two runs of the candidate; None with one run.
        within_reference: The same for two runs of the reference; None with one run.
    """

    between_votes: float
    between_runs: float
    within_candidate: float | None
    within_reference: float | None


def disagreement(candidate: Arm, reference: Arm) -> Disagreement:
    """Measures how often arms, and runs of one arm, predict different labels.

    Checked: a plain loop over all pairs of runs.

    Raises:
        ComparisonError: The arms were not tested on the same reviews.
    """
    same_reviews(candidate, reference)
    shares = [arm.correct.mean(axis=0, dtype=np.float64) for arm in (candidate, reference)]
    return Disagreement(
        between_votes=float(np.mean(candidate.votes != reference.votes)),
        between_runs=float(np.mean(shares[0] * (1 - shares[1]) + shares[1] * (1 - shares[0]))),
        within_candidate=_within(shares[0], candidate.seeds),
        within_reference=_within(shares[1], reference.seeds),
    )


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Corrects the p-values of one family, so that one false finding in all has the stated chance.

    Returns:
        The adjusted p-value of each name, in the order given.

    Source: S. Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian
        Journal of Statistics 6. Worked and checked: 0.01, 0.04, 0.03 give 0.03, 0.06, 0.06.
    """
    adjusted: dict[str, float] = {}
    highest = 0.0
    for place, name in enumerate(sorted(p_values, key=lambda key: p_values[key])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def auc_by_chance(labels: Labels) -> tuple[float, float] | None:
    """Returns the range that holds the ROC AUC of 95% of the orders drawn at random.

    It is that of the Mann-Whitney statistic without ties, by the normal approximation.

    Args:
        labels: [reviews], 0 or 1.

    Returns:
        Its two ends, in [0, 1]; None if there is only one label.

    Source: H. B. Mann and D. R. Whitney (1947), "On a test of whether one of two random variables
        is stochastically larger than the other", Annals of Mathematical Statistics 18. By hand: of
        3 positive and 9 negative reviews the variance is 13 / (12 x 27), the range 0.107 to 0.893.
    """
    positive = int(np.count_nonzero(labels))
    negative = int(np.size(labels)) - positive
    if positive == 0 or negative == 0:
        return None
    variance = (positive + negative + 1) / (12 * positive * negative)
    half = _NORMAL * math.sqrt(variance)
    return max(0.0, 0.5 - half), min(1.0, 0.5 + half)


def _within(shares: NDArray[np.float64], runs: int) -> float | None:
    if runs < 2:
        return None
    return float(np.mean(2 * shares * (1 - shares))) * runs / (runs - 1)
