"""Failures of training: which runs failed, how often an arm's runs do, and whether arms differ.

A run failed if it diverged, if it gives every review the same probability, or if its test accuracy
is 5 points or more below the best run of its arm, and neither the choice of the test reviews nor
the spread of the other runs explains it. A failure of the machine (memory, a lost process) is not a
failure of training.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.arms import Arm
from lstm_study.analysis.statistics.intervals import LEVEL

POINTS_BELOW = 0.05
# Standard errors that are exceeded on one side in one of a thousand cases.
_BEYOND_CHANCE = 3.09
# Of all runs of an arm together: the chance that its lowest one is so low by its seed.
_APART = 0.02
_LEAST_OF_A_SPREAD = 3
# The least range of a run's probabilities over the reviews.
_CONSTANT = 1e-6

FailureKind = Literal["more often", "less often", "no difference shown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRun:
    """One run that failed.

    Attributes:
        arm: Its arm.
        seed_index: Its seed index.
        reason: "diverged", "constant output", or how far it is below the arm's best run.
        accuracy: Its test accuracy; None where it has none.
    """

    arm: str
    seed_index: int
    reason: str
    accuracy: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRate:
    """How often an arm's runs failed, with the exact interval of the true rate."""

    arm: str
    failed: int
    runs: int
    low: float
    high: float


def failed_runs(arm: Arm) -> tuple[FailedRun, ...]:
    """Finds the runs of an arm that failed, among those that were evaluated."""
    if arm.deterministic or arm.seeds < 2:
        return ()
    constant = np.ptp(arm.probabilities, axis=1) <= _CONSTANT
    low = np.zeros(arm.seeds, dtype=np.bool_)
    low[~constant] = are_far_below(arm.correct[~constant])
    found = []
    for row in np.flatnonzero(constant | low):
        accuracy = float(arm.accuracies[row])
        reason = "constant output"
        if low[row]:
            best = float(arm.accuracies[~constant].max())
            reason = f"{100 * (best - accuracy):.1f} points below the best run"
        index = arm.seed_indices[row]
        found.append(FailedRun(arm=arm.name, seed_index=index, reason=reason, accuracy=accuracy))
    return tuple(found)


def are_far_below(correct: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Says of each run of an arm whether it failed, by its accuracy.

    Args:
        correct: Whether a run classifies a review correctly, bool [runs, reviews].

    Returns:
        bool [runs].
    """
    accuracies = correct.mean(axis=1, dtype=np.float64)
    order = np.argsort(-accuracies, kind="stable")
    far = np.zeros(len(order), dtype=np.bool_)
    for row in order:
        # A share of reviews is a multiple of 1 / documents: its last bit decides nothing.
        is_so_far = accuracies[order[0]] - accuracies[row] >= POINTS_BELOW - 1e-9
        far[row] = is_so_far and not _may_be_chance(correct[row], correct[order[0]])
    low = [row for row in order if far[row]]
    others = [row for row in order if not far[row]]
    # The best of them first: one that is not apart from the others is one of them.
    while low and not _are_apart(accuracies[low], accuracies[others]):
        others.append(low.pop(0))
    far[others] = False
    return far


def _are_apart(low: NDArray[np.float64], others: NDArray[np.float64]) -> bool:
    """Whether runs are lower than the spread over seeds explains.

    The best of them is compared with the arm's other runs, if these are three or more: Student's t
    test of one more value of a normal distribution. Fewer have no spread of their own: then the gap
    between the two groups is compared with the spread within them. The p-value, on one side, is
    below 2% divided by the number of runs. Of arms whose runs differ by their seeds alone, however
    much, 7% at most lose some.

    Args:
        low: Accuracies of the runs in question, the best first, [low].
        others: Accuracies of the arm's other runs, the best first, [others].

    Returns:
        True, too, where there are two runs in all, which have no spread.

    Source: F. E. Grubbs (1969), "Procedures for detecting outlying observations in samples",
        Technometrics 11, taken step by step outwards, so that several do not hide one another.
        By hand: 86.0, 85.0 and 87.0 have the mean 86 and the deviation 1. With 4 runs t(2) at 0.5%
        is 9.92, so a fourth run failed if it is below 86 - 9.92 · √(1 + 1/3) = 74.5.
    """
    from scipy.special import stdtrit

    runs = len(low) + len(others)
    if len(others) >= _LEAST_OF_A_SPREAD:
        freedom = len(others) - 1
        distance = float(others.mean() - low[0])
        error = float(others.std(ddof=1)) * np.sqrt(1 + 1 / len(others))
    else:
        freedom = runs - 2
        if freedom < 1:
            return True
        distance = float(others[-1] - low[0])
        squares = [float(np.sum((each - each.mean()) ** 2)) for each in (low, others)]
        error = np.sqrt(sum(squares) / freedom)
    return bool(distance > -float(stdtrit(freedom, _APART / runs)) * error)


def _may_be_chance(correct: NDArray[np.bool_], best: NDArray[np.bool_]) -> bool:
    """Whether a run and a more accurate one may do equally well on other reviews like these.

    They may, unless McNemar's test, on one side, has a p-value below 0.1%.

    Args:
        correct: Of each test review, whether the run classifies it correctly, bool [reviews].
        best: The same of the more accurate run.

    Source: Q. McNemar (1947), "Note on the sampling error of the difference between correlated
        proportions or percentages", Psychometrika 12. By hand: of 400 reviews one run alone has 50
        right and the other 30, 5 points apart: 20 / √80 = 2.24 standard errors. Of 25,000, 3,125
        and 1,875: 17.7.
    """
    above, below = int((best & ~correct).sum()), int((correct & ~best).sum())
    return (above - below) ** 2 < _BEYOND_CHANCE**2 * (above + below)


def without_runs(arm: Arm, seed_indices: Collection[int]) -> Arm | None:
    """Returns an arm without some of its runs; None if none is left."""
    rows = [row for row, index in enumerate(arm.seed_indices) if index not in seed_indices]
    if not rows:
        return None
    return replace(
        arm,
        seed_indices=tuple(arm.seed_indices[row] for row in rows),
        probabilities=arm.probabilities[rows],
        correct=arm.correct[rows],
    )


def without_failed_runs(arm: Arm) -> Arm:
    """Returns an arm's runs that did not fail; all of them where every one did."""
    return without_runs(arm, [run.seed_index for run in failed_runs(arm)]) or arm


def failure_rate(arm: str, *, failed: int, runs: int) -> FailureRate:
    """Returns the rate of failures with its exact 95% interval."""
    low, high = proportion_interval(failed, of=runs)
    return FailureRate(arm=arm, failed=failed, runs=runs, low=low, high=high)


def proportion_interval(count: int, *, of: int) -> tuple[float, float]:
    """Returns the exact 95% interval of a proportion, of which `count` in `of` were seen.

    Source: C. J. Clopper and E. S. Pearson (1934), "The use of confidence or fiducial limits
        illustrated in the case of the binomial", Biometrika 26. Checked:
        `scipy.stats.binomtest(...).proportion_ci("exact")` and statsmodels' `proportion_confint`.
    """
    from scipy.special import betaincinv

    tail = (1 - LEVEL) / 2
    low = float(betaincinv(count, of - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, of - count, 1 - tail)) if count < of else 1.0
    return low, high


def p_value_of_rates(first: FailureRate, second: FailureRate) -> float:
    """Tests whether two arms fail equally often, two-sided.

    Source: R. A. Fisher (1935), "The logic of inductive inference", Journal of the Royal
        Statistical Society 98. Checked: his tea tasting (3 of 4 against 1 of 4: 0.486).
    """
    if not first.failed and not second.failed:
        return 1.0
    from scipy.stats import fisher_exact

    table = [[rate.failed, rate.runs - rate.failed] for rate in (first, second)]
    return float(fisher_exact(table).pvalue)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """The verdict's first part: how often training failed.

    Attributes:
        candidate: The candidate's rate.
        reference: The reference's rate.
        p_value: Fisher's exact test of equal rates, two-sided.
        kind: How often the candidate fails compared with the reference.
        runs: The runs that failed, by arm and seed index.
    """

    candidate: FailureRate
    reference: FailureRate
    p_value: float
    kind: FailureKind
    runs: tuple[FailedRun, ...]
