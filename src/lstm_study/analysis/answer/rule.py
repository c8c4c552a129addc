"""The rule of the verdict: what the numbers of a comparison are called; `wording` says them."""

from collections.abc import Mapping
from statistics import fmean
from typing import NamedTuple

import numpy as np

from lstm_study.analysis.answer.arms import Arm
from lstm_study.analysis.statistics.failures import FailureKind, FailureRate, p_value_of_rates
from lstm_study.analysis.statistics.intervals import (
    LEVEL,
    Difference,
    accuracy_interval,
    accuracy_interval_by_label,
)
from lstm_study.analysis.statistics.power import LEAST_SEEDS
from lstm_study.analysis.statistics.significance import auc_by_chance
from lstm_study.arm_names import PRIMARY
from lstm_study.metrics import majority_share, roc_auc
from lstm_study.records.state import VerdictKind
from lstm_study.spec.quantities import counted

RULE = (
    "A run failed if it diverged, gives every review the same probability, or is 5 points or more "
    "below its arm's best run, which neither the choice of the test reviews explains (McNemar's "
    "test, one-sided, below 0.1%) nor the spread of the arm's other runs (t test, one-sided, below "
    "2% divided by the number of runs). "
    "Failures: more or less often if Fisher's exact test is below 5%. "
    "Difference in test accuracy among the other runs: better if its whole interval lies above 0, "
    "worse if it lies below 0, otherwise no difference shown. With fewer than four such runs of "
    "either arm there are too few seeds to say."
)

NEARLY_ALL = 0.99
"""Share of the reviews with one predicted label from which on the output is nearly constant."""


class Lack(NamedTuple):
    """What a verdict lacks.

    Attributes:
        words: What it is, as a clause.
        is_seeds: Whether more seeds would do.
    """

    words: str
    is_seeds: bool = False


class Unlearned(NamedTuple):
    """What speaks against an arm: that it learned nothing, or is not shown to be of use.

    Attributes:
        words: The second half of a sentence about the arm.
        short: The same for a headline.
    """

    words: str
    short: str = "is not shown to have learned anything"


def verdict_kind(difference: Difference) -> VerdictKind:
    """Applies the rule to an interval of accuracies."""
    if difference.low > 0:
        return "better"
    if difference.high < 0:
        return "worse"
    return "no difference shown"


def failure_kind(candidate: FailureRate, reference: FailureRate) -> tuple[float, FailureKind]:
    """Applies the rule to two rates of failures; returns the p-value, too."""
    p_value = p_value_of_rates(candidate, reference)
    if p_value >= 1 - LEVEL:
        return p_value, "no difference shown"
    more = candidate.failed * reference.runs > reference.failed * candidate.runs
    return p_value, "more often" if more else "less often"


def is_fixed(arm: Arm) -> bool:
    """Whether an arm's runs are taken as they are: it has no seeds, or too few to vary over."""
    return arm.deterministic or arm.seeds < LEAST_SEEDS


def lacking_of(
    arms: Mapping[str, Arm],
    names: tuple[str, str],
    left_out: Mapping[str, str],
    *,
    runs: Mapping[str, int],
    least: int,
) -> tuple[Lack, ...]:
    """Says what a verdict on two arms lacks; nothing if it lacks nothing.

    `runs` counts those of each arm that did not fail; a verdict needs `least` of each.
    """
    found = []
    absent = [name for name in names if name not in arms]
    if len(absent) == len(names) and not any(name in left_out for name in absent):
        return (Lack("neither has a completed run"),)
    for name in names:
        if name not in arms:
            why = f" ({left_out[name]})" if name in left_out else ""
            found.append(Lack(f"there is no completed run of the {name}{why}"))
    if any(arms[name].documents < 2 for name in names if name in arms):
        found.append(Lack("there is one test review"))
    both = [arms[name] for name in names if name in arms]
    if not any(arm.deterministic for arm in both):
        found += [
            Lack(
                f"the {'' if arm.name in PRIMARY else 'arm '}{arm.name} has "
                f"{counted(runs[arm.name], 'run')} that did not fail",
                is_seeds=True,
            )
            for arm in both
            if runs[arm.name] < least
        ]
    return tuple(found)


def learned_nothing(arm: Arm, *, first_word: float | None = None) -> Unlearned | None:
    """Says why an arm has learned nothing, or is not shown to have learned anything.

    An arm that tells the labels apart better than chance (mean ROC AUC of its runs) has learned
    something, even if its accuracy is that of the more frequent label: where one label is rare, a
    probability above 0.5 may be, too. Of such an arm only the accuracy is called into question.

    Args:
        arm: Its runs that did not fail, where there are any.
        first_word: Test accuracy of predicting each review's label from its first word alone; None
            where it was not measured.

    Returns:
        None where it is shown to have learned something, as it may where nearly all reviews have
        one label and it gives that label to as many.
    """
    labels = arm.labels.astype(bool)
    positive = (arm.correct == labels).mean(axis=1)
    largest = float(np.median(np.maximum(positive, 1 - positive)))
    majority = majority_share(arm.labels)
    interval, above = accuracy_interval(arm), is_above_majority(arm)
    if largest >= NEARLY_ALL and not above:
        words = f"gives {largest:.1%} of the test reviews the same label"
        return _by_accuracy_alone(arm, words) or Unlearned(
            f"{words}: it has learned nothing", "has learned nothing"
        )
    if interval is None:
        return None
    if not above:
        words = (
            "is not shown to be better than giving every review the more frequent label "
            f"({majority:.2%})"
        )
        return _by_accuracy_alone(arm, words) or Unlearned(words)
    if first_word is not None and interval[0] <= first_word:
        return Unlearned(
            "is not shown to be better than predicting from a review's first word "
            f"({first_word:.2%})"
        )
    return None


def is_above_majority(arm: Arm) -> bool:
    """Whether an arm is shown to be more accurate than the more frequent label given to all."""
    interval = accuracy_interval_by_label(arm)
    return interval is not None and interval[0] > majority_share(arm.labels)


def _by_accuracy_alone(arm: Arm, words: str) -> Unlearned | None:
    """Adds that an arm tells the labels apart better than chance; None if it does not."""
    chance = auc_by_chance(arm.labels)
    if chance is None:
        return None
    auc = fmean(roc_auc(arm.labels, row) or 0.0 for row in arm.probabilities)
    if auc <= chance[1]:
        return None
    return Unlearned(
        f"{words}, but tells the labels apart better than chance (ROC AUC {auc:.4f})",
        "is not shown to be more accurate than the more frequent label alone",
    )
