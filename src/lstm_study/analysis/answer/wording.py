"""The verdict in words: each sentence is made from the numbers it says, in one place."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from lstm_study.analysis.answer.arms import Arm, ArmSummary
from lstm_study.analysis.statistics.intervals import Difference
from lstm_study.analysis.statistics.power import MOST_SEEDS, Power

Kind = Literal["better", "worse", "no difference shown", "cannot say"]


def judged(
    kind: Kind,
    difference: Difference,
    power: Power | None,
    arms: tuple[ArmSummary, ...],
    looks: int,
) -> str:
    """Says the verdict with its numbers, and what could have been shown."""
    first, second = arms
    answer = {
        "better": f"The {first.name} is better than the {second.name}",
        "worse": f"The {first.name} is worse than the {second.name}",
    }.get(kind, f"No difference between the {first.name} and the {second.name} was shown")
    look = f" (look {looks} at the test reviews)" if looks > 1 else ""
    return (
        f"{answer}{look}: the {first.name} reads {first.accuracy:.2%} of the test reviews right "
        f"({_runs(first)}), the {second.name} {second.accuracy:.2%} ({_runs(second)}). "
        f"The difference is {between(difference)}. {_outlook(kind, difference, power)}"
    )


def cannot_say(reasons: Sequence[str], *, candidate: str, reference: str) -> str:
    """Says why there is no verdict, and what it would take."""
    return (
        f"It cannot be said whether the {candidate} is better than the {reference}: "
        f"{'; '.join(reasons)}. Two completed runs of each are needed, six or more advised."
    )


def lacking(
    arms: Mapping[str, Arm], names: tuple[str, str], left_out: Mapping[str, str]
) -> tuple[str, ...]:
    """Says what a verdict on two arms lacks; nothing if it lacks nothing."""
    found = []
    for name in names:
        if name not in arms:
            why = f" ({left_out[name]})" if name in left_out else ""
            found.append(f"there is no completed run of the {name}{why}")
    single = [
        name
        for name in names
        if name in arms and arms[name].seeds < 2 and not arms[name].deterministic
    ]
    if single:
        found.append(
            f"there is one completed run of the {' and one of the '.join(single)}, and one can't "
            "tell how much accuracy varies from seed to seed"
        )
    if any(arms[name].documents < 2 for name in names if name in arms):
        found.append("there is one test review")
    return tuple(found)


def notes(
    arms: Sequence[Arm], names: tuple[str, str], left_out: Mapping[str, str]
) -> tuple[str, ...]:
    """Says what a reader must know besides: runs left out, two seeds, runs that read nothing."""
    found = [f"Of the {name}, {left_out[name]}." for name in names if name in left_out]
    two = [arm.name for arm in arms if arm.seeds == 2]
    if two:
        found.append(
            f"There are two runs of the {' and two of the '.join(two)}: the seed-to-seed spread is "
            "a guess from one difference, and the interval is wide for it. Six seeds or more are "
            "advised."
        )
    for arm in arms:
        if arm.collapsed:
            found.append(
                f"Some run of the {arm.name} gives every review the same probability: it has read "
                "nothing."
            )
        elif arm.seeds > 1 and bool(np.ptp(arm.probabilities, axis=0).max() == 0):
            found.append(
                f"All runs of the {arm.name} read every review alike: check that their seeds "
                "differ."
            )
    return tuple(found)


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


def _outlook(kind: Kind, difference: Difference, power: Power | None) -> str:
    if power is None:
        return "All runs of an arm read every review alike: what could be shown is not known."
    text = (
        f"A true difference of {100 * power.smallest_difference:.2f} points would have been found "
        f"{power.power:.0%} of the time"
    )
    if kind != "no difference shown":
        return text + "."
    if difference.difference == 0:
        return text + "; the difference found is 0, which no number of seeds tells from none."
    size = f"{100 * abs(difference.difference):.2f}"
    if power.seeds_to_settle is None:
        return text + f"; one of {size} points is too small for {MOST_SEEDS:,} seeds per arm."
    return text + (
        f"; to find one of {size} points as often, about {power.seeds_to_settle} seeds per arm are "
        f"needed, {power.more_seeds} more."
    )


def _runs(arm: ArmSummary) -> str:
    return "1 run" if arm.seeds == 1 else f"{arm.seeds} seeds"
