"""The interval of a difference between two arms, in closed form.

    difference ± t · √(variance of the seeds' part + variance of the reviews' part)

with Student's t at Satterthwaite's degrees of freedom; see `variance` for both parts. It holds for
accuracy and, as a mean over reviews too, for Brier score and log loss.
`reports/benchmarks/verdict-simulation.md` shows its coverage.

Source: B. L. Welch (1947), "The generalization of 'Student's' problem when several different
    population variances are involved", Biometrika 34; F. E. Satterthwaite (1946), "An approximate
    distribution of estimates of variance components", Biometrics Bulletin 2.

**Checked** against `scipy.stats.ttest_rel` and `ttest_ind(equal_var=False)` where runs differ by
seed alone, and against Wald's interval where there is one run.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.arms import Arm, make_arm, same_reviews
from lstm_study.analysis.statistics.variance import (
    Outcomes,
    Pairs,
    VarianceComponents,
    components,
)
from lstm_study.metrics import log_losses

LEVEL = 0.95
TEST_NAME = "t test on the variance components (Welch–Satterthwaite)"

Measure = Literal["accuracy", "brier_score", "log_loss"]
SECONDARY: tuple[Measure, ...] = ("brier_score", "log_loss")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference between two arms with its interval. Accuracies are shares.

    Attributes:
        candidate: Name of the arm in question.
        reference: Name of the arm it is compared with.
        outcome: What is compared; for Brier score and log loss, lower is better.
        difference: Mean outcome of the candidate's runs minus that of the reference's.
        low: Lower end of the interval; that of a share is at least -1.
        high: Upper end of the interval; that of a share is at most 1.
        level: Share of such intervals that hold the true difference, 0.95 unless asked otherwise.
        standard_error: Of the difference.
        degrees_of_freedom: Satterthwaite's.
        p_value: Of `TEST_NAME`, two-sided.
        components: The variance in its parts.
    """

    candidate: str
    reference: str
    outcome: Measure
    difference: float
    low: float
    high: float
    level: float
    standard_error: float
    degrees_of_freedom: float
    p_value: float
    components: VarianceComponents


def difference_between(
    candidate: Arm, reference: Arm, *, outcome: Measure = "accuracy", level: float = LEVEL
) -> Difference:
    """Estimates the difference between two arms over other seeds and other test reviews.

    Runs with one seed index are pairs.

    Raises:
        ComparisonError: An arm that is not deterministic has one run, there is one test review, or
            the arms were not tested on the same reviews.
    """
    same_reviews(candidate, reference)
    places = {index: row for row, index in enumerate(reference.seed_indices)}
    pairs = [
        (row, places[index]) for row, index in enumerate(candidate.seed_indices) if index in places
    ]
    return difference_of_outcomes(
        outcomes_of(candidate, outcome),
        outcomes_of(reference, outcome),
        names=(candidate.name, reference.name),
        outcome=outcome,
        pairs=pairs,
        deterministic=(candidate.deterministic, reference.deterministic),
        level=level,
    )


def accuracy_interval(arm: Arm) -> tuple[float, float] | None:
    """Returns the 95% interval of one arm's mean test accuracy, over other seeds and other reviews.

    It is that of the difference to an arm that classifies every review correctly. Of an arm with
    one run, the interval is of that very network on other reviews.

    Returns:
        Its two ends, in [0, 1]; None with one test review.
    """
    if arm.documents < 2:
        return None
    perfect = make_arm(
        "perfect",
        probabilities=arm.labels[np.newaxis].astype(np.float32),
        labels=arm.labels,
        deterministic=True,
    )
    alone = replace(arm, deterministic=arm.deterministic or arm.seeds == 1)
    found = difference_between(alone, perfect)
    return max(0.0, 1 + found.low), min(1.0, 1 + found.high)


def accuracy_interval_by_label(arm: Arm) -> tuple[float, float] | None:
    """Returns the same over other reviews with equally many of each label: of a stratified sample.

    This is the one to hold against the share of the more frequent label, which is then the same in
    every draw. Where one label is rare it is much narrower than the interval over all draws.

    Returns:
        Its two ends, in [0, 1]; None with one test review.

    Source: W. G. Cochran (1977), Sampling Techniques, chapter 5: the variance of a stratified mean.
        By hand: of 136 positive reviews 132 are right and of 41 negative ones 14: the standard
        error is √(132 · 4 / 136 + 14 · 27 / 41) / 177 = 2.0 points; that of a share is 2.9.
    """
    if arm.documents < 2:
        return None
    expected = np.empty(arm.documents)
    for label in (0, 1):
        mine = arm.labels == label
        if mine.any():
            expected[mine] = arm.correct[:, mine].mean(dtype=np.float64)
    found = difference_of_outcomes(
        arm.correct,
        expected[np.newaxis],
        names=(arm.name, "expected"),
        deterministic=(arm.deterministic or arm.seeds == 1, True),
    )
    return max(0.0, arm.accuracy + found.low), min(1.0, arm.accuracy + found.high)


def difference_of_outcomes(
    candidate: Outcomes,
    reference: Outcomes,
    *,
    names: tuple[str, str] = ("candidate", "reference"),
    outcome: Measure = "accuracy",
    pairs: Pairs | None = None,
    deterministic: tuple[bool, bool] = (False, False),
    level: float = LEVEL,
) -> Difference:
    """Does the same from outcomes, [runs, documents] of each arm; see `components` for the rest."""
    from scipy.special import stdtr, stdtrit

    parts = components(candidate, reference, pairs=pairs, deterministic=deterministic)
    found = float(np.mean(candidate, dtype=np.float64) - np.mean(reference, dtype=np.float64))
    standard_error = parts.standard_error()
    freedom = parts.degrees_of_freedom()
    critical = float(stdtrit(freedom, (1 + level) / 2))
    low, high = found - critical * standard_error, found + critical * standard_error
    if outcome != "log_loss":
        low, high = max(-1.0, low), min(1.0, high)
    return Difference(
        candidate=names[0],
        reference=names[1],
        outcome=outcome,
        difference=found,
        low=low,
        high=high,
        level=level,
        standard_error=standard_error,
        degrees_of_freedom=freedom,
        p_value=float(2 * stdtr(freedom, -abs(found) / standard_error)),
        components=parts,
    )


def outcomes_of(arm: Arm, outcome: Measure) -> Outcomes:
    """Returns the outcome of every run on every review, [runs, documents]."""
    if outcome == "accuracy":
        return arm.correct
    truth = arm.labels.astype(bool)
    values: NDArray[np.float64] = arm.probabilities.astype(np.float64)
    if outcome == "brier_score":
        squared: NDArray[np.float64] = (values - truth) ** 2
        return squared
    return log_losses(truth, values)
