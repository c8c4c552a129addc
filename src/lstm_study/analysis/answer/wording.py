"""The verdict in words: each sentence is made from the numbers it says, in one place."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lstm_study.analysis.answer.arms import Arm
from lstm_study.analysis.statistics.failures import FailedRun, FailureRate
from lstm_study.analysis.statistics.intervals import Difference
from lstm_study.analysis.statistics.planned_power import assumed_components
from lstm_study.analysis.statistics.power import LEAST_SEEDS, MOST_SEEDS, Power, seeds_to_settle
from lstm_study.records.state import VerdictKind

if TYPE_CHECKING:
    from lstm_study.analysis.statistics.failures import Failures

NOTHING_BETTER = "The search found nothing better than the baseline"


def sentence(
    kind: VerdictKind,
    *,
    names: tuple[str, str],
    arms: Mapping[str, Arm],
    difference: Difference | None,
    power: Power | None,
    failures: "Failures | None",
    learned: Mapping[str, str],
    lacking: Sequence[str],
    looks: int,
) -> str:
    """Says the verdict with its numbers, and what could have been shown.

    `names` are candidate and reference, `arms` their runs that did not fail.
    """
    parts = [f"The {name} {why}." for name, why in learned.items()]
    if difference is None:
        parts.append(_cannot_say(names, arms, lacking))
    else:
        parts.append(_difference(kind, names, arms, difference, looks))
    if failures is not None and failures.runs:
        parts.append(_failures(failures))
    if difference is not None:
        parts.append(_outlook(kind, difference, power))
    return " ".join(parts)


def lacking(
    arms: Mapping[str, Arm],
    names: tuple[str, str],
    left_out: Mapping[str, str],
    *,
    runs: Mapping[str, int],
    least: int,
) -> tuple[str, ...]:
    """Says what a verdict on two arms lacks; nothing if it lacks nothing.

    `runs` counts those of each arm that did not fail; a verdict needs `least` of each.
    """
    found = []
    for name in names:
        if name not in arms:
            why = f" ({left_out[name]})" if name in left_out else ""
            found.append(f"there is no completed run of the {name}{why}")
    if any(arms[name].documents < 2 for name in names if name in arms):
        found.append("there is one test review")
    both = [arms[name] for name in names if name in arms]
    if not any(arm.deterministic for arm in both):
        found += [
            f"the {arm.name} has {_count(runs[arm.name])} that did not fail"
            for arm in both
            if runs[arm.name] < least
        ]
    return tuple(found)


def notes(
    arms: Sequence[Arm],
    names: tuple[str, str],
    left_out: Mapping[str, str],
    failed: Sequence[FailedRun],
) -> tuple[str, ...]:
    """Says what a reader must know besides: runs left out, failed runs, equal runs."""
    found = [f"Of the {name}, {left_out[name]}." for name in names if name in left_out]
    if failed:
        listed = "; ".join(f"{run.arm}-s{run.seed_index} ({run.reason})" for run in failed)
        found.append(f"Failed runs, left out of the difference: {listed}.")
    found += [
        f"All runs of the {arm.name} predict alike: check that their seeds differ."
        for arm in arms
        if arm.seeds > 1
        and bool(np.ptp(arm.probabilities, axis=0).max() == 0)
        and bool(np.ptp(arm.probabilities[0]))
    ]
    return tuple(found)


def kind_of(difference: Difference) -> VerdictKind:
    """Applies the rule to an interval of accuracies."""
    if difference.low > 0:
        return "better"
    if difference.high < 0:
        return "worse"
    return "no difference shown"


def is_fixed(arm: Arm) -> bool:
    """Whether an arm's runs are taken as they are: it has no seeds, or too few to vary over."""
    return arm.deterministic or arm.seeds < LEAST_SEEDS


def rate(value: FailureRate) -> str:
    """Says how often an arm's runs failed, with the exact interval."""
    return (
        f"{value.failed} of {_count(value.runs)} of the {value.arm} "
        f"({value.low:.1%} to {value.high:.1%})"
    )


def between(difference: Difference) -> str:
    """Says a difference with its interval, in percentage points."""
    return (
        f"{points(difference.difference)} percentage points, with a "
        f"{100 * difference.level:.4g}% interval from {points(difference.low)} to "
        f"{points(difference.high)}"
    )


def points(share: float) -> str:
    """Writes a share as signed percentage points, with a true minus."""
    text = f"{100 * share:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "−")


def _difference(
    kind: VerdictKind,
    names: tuple[str, str],
    arms: Mapping[str, Arm],
    difference: Difference,
    looks: int,
) -> str:
    first, second = (arms[name] for name in names)
    answer = {
        "better": f"The {first.name} is better than the {second.name}",
        "worse": f"The {first.name} is worse than the {second.name}",
    }.get(kind, f"No difference between the {first.name} and the {second.name} was shown")
    if kind != kind_of(difference):
        answer += " at the last planned look"
    look = f" (look {looks} at the test reviews)" if looks > 1 else ""
    over = ""
    if is_fixed(first) and is_fixed(second):
        over = ", over other test reviews but not over other seeds"
    return (
        f"{answer}{look}: the {first.name} classifies {first.accuracy:.2%} of the test reviews "
        f"correctly ({_runs(first)}), the {second.name} {second.accuracy:.2%} ({_runs(second)}). "
        f"The difference is {between(difference)}{over}."
    )


def _cannot_say(names: tuple[str, str], arms: Mapping[str, Arm], lacking: Sequence[str]) -> str:
    """Says why there is no verdict, and how many seeds would do."""
    documents = min((arms[name].documents for name in names if name in arms), default=0)
    needed = None
    if documents > 1:
        needed = seeds_to_settle(assumed_components(documents, seeds=2), difference=0.01)
    many = f", and about {needed} to find a difference of one point" if needed else ""
    start = "It cannot be said"
    if all(name in arms and arms[name].documents > 1 for name in names):
        start = "Too few seeds to say"
    return (
        f"{start} whether the {names[0]} is better than the {names[1]}: {'; '.join(lacking)}. "
        f"It takes four runs of each that did not fail{many}."
    )


def _failures(failures: "Failures") -> str:
    rates = f"{rate(failures.candidate)} and {rate(failures.reference)}"
    told = {
        "more often": f"The {failures.candidate.arm} fails more often",
        "less often": f"The {failures.candidate.arm} fails less often",
    }.get(failures.kind, "No difference in failures of training was shown")
    return f"{told}: {rates} failed, which the difference leaves out."


def _outlook(kind: VerdictKind, difference: Difference, power: Power | None) -> str:
    if power is None:
        return "All runs of an arm predict alike: what could be shown is not known."
    if power.smallest_difference is None:
        return "So few test reviews and runs show no difference of any size."
    text = (
        f"A true difference of {100 * power.smallest_difference:.2f} points would have been found "
        f"{power.power:.0%} of the time"
    )
    if {kind, kind_of(difference)} != {"no difference shown"} or power.more_seeds == 0:
        return text + "."
    if difference.difference == 0:
        return text + "; the difference found is 0, which no number of seeds tells from zero."
    size = f"{100 * abs(difference.difference):.2f}"
    if power.seeds_to_settle is None:
        return text + f"; one of {size} points is too small for {MOST_SEEDS:,} seeds per arm."
    return text + (
        f"; to find one of {size} points as often, about {power.seeds_to_settle} seeds per arm are "
        f"needed, {power.more_seeds} more."
    )


def _runs(arm: Arm) -> str:
    return "1 run" if arm.seeds == 1 else f"{arm.seeds} seeds"


def _count(runs: int) -> str:
    return "1 run" if runs == 1 else f"{runs} runs"
