"""Single test reviews: on which two arms differ most, and accuracy by length or other values.

Groups hold about equally many reviews each, so that their accuracies are about equally precise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.arms import Arm

GROUPS = 6
SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferingReview:
    """One test review on which two arms differ.

    Attributes:
        position: In the test half, from 0.
        label: 0 or 1.
        candidate: Mean probability of being positive over the candidate's runs.
        reference: The same of the reference's.
        gain: How much more probability the candidate gives to the true label; negative where the
            reference does better.
    """

    position: int
    label: int
    candidate: float
    reference: float
    gain: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewGroup:
    """One arm's accuracy on test reviews that are alike in something: length, unknown words.

    `low`, `high` and `mean` are of the value that its reviews are alike in; `accuracy` is the mean
    over runs of the share classified correctly, `lowest` and `highest` are of the runs.
    """

    arm: str
    low: float
    high: float
    mean: float
    reviews: int
    runs: int
    accuracy: float
    lowest: float
    highest: float


def differing_reviews(
    candidate: Arm, reference: Arm, *, count: int = SHOWN
) -> tuple[DifferingReview, ...]:
    """Finds the reviews on which two arms differ most: gains first, then losses, largest first.

    Mean probabilities are compared, so that no single seed decides. Ties go to the earlier review.
    """
    means = [arm.probabilities.mean(axis=0, dtype=np.float64) for arm in (candidate, reference)]
    sign = np.where(reference.labels == 1, 1.0, -1.0)
    gains = sign * (means[0] - means[1])
    order = np.argsort(-gains, kind="stable")
    best = [int(place) for place in order[:count] if gains[place] > 0]
    worst = [int(place) for place in np.argsort(gains, kind="stable")[:count] if gains[place] < 0]
    return tuple(
        DifferingReview(
            position=place,
            label=int(reference.labels[place]),
            candidate=float(means[0][place]),
            reference=float(means[1][place]),
            gain=float(gains[place]),
        )
        for place in (*best, *worst)
    )


def accuracy_by(
    arm: Arm, values: Sequence[float] | NDArray[Any], *, groups: int = GROUPS
) -> tuple[ReviewGroup, ...]:
    """Splits the test reviews by a value into groups of about one size, and measures each.

    Reviews of equal value are in one group, so that there may be fewer groups than asked for.

    Raises:
        ValueError: There are not as many values as test reviews.
    """
    found = np.asarray(values, dtype=np.float64)
    if found.shape != (arm.documents,):
        raise ValueError(
            f"values must have one for each of {arm.documents} reviews. Received: {found.shape}"
        )
    cuts = np.unique(np.quantile(found, np.arange(1, groups) / groups, method="lower"))
    places = np.searchsorted(cuts, found, side="left")
    measured = []
    for place in np.unique(places):
        mine = places == place
        accuracies = arm.correct[:, mine].mean(axis=1, dtype=np.float64)
        measured.append(
            ReviewGroup(
                arm=arm.name,
                low=float(found[mine].min()),
                high=float(found[mine].max()),
                mean=float(found[mine].mean()),
                reviews=int(mine.sum()),
                runs=arm.seeds,
                accuracy=float(accuracies.mean()),
                lowest=float(accuracies.min()),
                highest=float(accuracies.max()),
            )
        )
    return tuple(measured)
