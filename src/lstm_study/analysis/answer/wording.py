"""The verdict in words: each sentence is made from the numbers it says, in one place."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from lstm_study.analysis.answer.arms import Arm
from lstm_study.analysis.answer.rule import Lack, Unlearned, is_fixed, verdict_kind
from lstm_study.analysis.statistics.failures import FailedRun, FailureRate
from lstm_study.analysis.statistics.intervals import Difference
from lstm_study.analysis.statistics.planned_power import seeds_to_find_a_point
from lstm_study.analysis.statistics.power import MOST_SEEDS, Power
from lstm_study.records.state import VerdictKind
from lstm_study.spec.quantities import counted

if TYPE_CHECKING:
    from lstm_study.analysis.statistics.failures import Failures

NOTHING_BETTER = "The search found nothing better than the baseline"
_MOST_NAMED = 3
FIXED = "over other test reviews but not over other seeds"


def headline(
    kind: VerdictKind,
    *,
    names: tuple[str, str],
    difference: Difference | None,
    failures: "Failures | None",
    learned: Mapping[str, Unlearned],
    lacking: Sequence[Lack],
    beside: str = "",
    is_baseline: bool = False,
) -> str:
    """Says the answer in a line or two: direction, size and interval, or why there is none.

    Args:
        kind: The answer.
        names: Candidate and reference.
        difference: None where it cannot be said.
        failures: Told of where one arm fails more often.
        learned: Arm → what speaks against it.
        lacking: What a verdict lacks.
        beside: A clause on another model, such as "a logistic regression beats both".
        is_baseline: The winner has the baseline's own configuration.
    """
    lines = [f"The {name} {why.short}." for name, why in learned.items()]
    if is_baseline:
        lines.append(f"{NOTHING_BETTER}.")
    said = _in_short(kind, names, difference, lacking)
    lines.append(f"{said}; {beside}." if beside else f"{said}.")
    if failures is not None and failures.kind != "no difference shown":
        lines.append(f"Training the {names[0]} fails {failures.kind}.")
    return " ".join(lines)


def caveats(
    candidate: str, *, learned: Mapping[str, Unlearned], failures: "Failures | None"
) -> str:
    """Says in clauses what a headline says beside the answer; "" for nothing.

    Example:
        "the winner and the baseline have learned nothing"
    """
    by_reason: dict[str, list[str]] = {}
    for name, why in learned.items():
        by_reason.setdefault(why.short, []).append(f"the {name}")
    found = []
    for short, names in by_reason.items():
        verb, _, rest = short.partition(" ")
        said = {"has": "have", "is": "are"}[verb] if len(names) > 1 else verb
        found.append(f"{' and '.join(names)} {said} {rest}")
    if failures is not None and failures.kind != "no difference shown":
        found.append(f"training the {candidate} fails {failures.kind}")
    return "; ".join(found)


def details(
    kind: VerdictKind,
    *,
    names: tuple[str, str],
    arms: Mapping[str, Arm],
    difference: Difference | None,
    power: Power | None,
    failures: "Failures | None",
    learned: Mapping[str, Unlearned],
    looks: int,
    training_reviews: int | None,
) -> str:
    """Says what the headline is based on; what could have been shown, only if nothing was.

    `names` are candidate and reference, `arms` their runs that did not fail. `training_reviews` is
    None where nothing is known of them.
    """
    parts = [f"The {name} {why.words}." for name, why in learned.items()]
    if difference is None:
        parts.append(_what_would_do(names, arms, training_reviews))
    else:
        parts.append(_accuracies(names, arms, looks))
    if failures is not None and failures.runs:
        parts.append(_failures(failures))
    if difference is not None and kind == "no difference shown":
        parts.append(_outlook(difference, power))
    return " ".join(parts)


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
        f"All runs of the {arm.name} make the same predictions: check that their seeds differ."
        for arm in arms
        if arm.seeds > 1
        and bool(np.ptp(arm.probabilities, axis=0).max() == 0)
        and bool(np.ptp(arm.probabilities[0]))
    ]
    return tuple(found)


def unlogged(runs: Sequence[str]) -> str:
    """Says that lines of the log of openings are lost: those of these runs, one at least."""
    shown = ", ".join(runs[:_MOST_NAMED])
    further = f" and {len(runs) - _MOST_NAMED} more" if len(runs) > _MOST_NAMED else ""
    return (
        f"The log of reads of the test reviews is incomplete: it lacks those of {shown}{further}."
    )


def rate(value: FailureRate) -> str:
    """Says how often an arm's runs failed, with the exact interval."""
    return (
        f"{value.failed} of {counted(value.runs, 'run')} of the {value.arm} "
        f"({value.low:.1%} to {value.high:.1%})"
    )


def between(difference: Difference) -> str:
    """Says a signed difference with its interval: "+0.25 points (95% interval −0.45 to +0.94)"."""
    return (
        f"{points(difference.difference)} points ({_level(difference)} interval "
        f"{points(difference.low)} to {points(difference.high)})"
    )


def beside_winner(kind: VerdictKind, difference: Difference, *, is_reference: bool = False) -> str:
    """Continues after an accuracy: how much more or less that is than the winner's, if shown.

    Args:
        kind: The answer of candidate against reference.
        difference: Candidate minus reference.
        is_reference: Whether the accuracy is the reference's, and the winner the candidate.
    """
    if kind == "no difference shown":
        minus = "the winner minus it is " if is_reference else ""
        return f"; no difference to the winner was shown: {minus}{between(difference)}"
    direction = "more" if (kind == "better") != is_reference else "less"
    return f", {_size(difference)} {direction} than the winner ({_of_size(difference)})"


def two_parts(whole: float, training: float, network: float) -> str:
    """Says of which parts a difference is made; each is rounded as in the tables.

    Example:
        `two_parts(0.03518, 0.02104, 0.01414)`, where 2.10 and 1.41 are not 3.52:
        "of the 3.52 points 2.10 come with the training and 1.41 with text and network, each
        rounded"
    """
    said = [f"{100 * each:.2f}" for each in (whole, training, network)]
    shown, *parts = map(Decimal, said)
    return (
        f"of the {said[0]} points {said[1]} come with the training and {said[2]} with text and "
        f"network{', each rounded' if sum(parts) != shown else ''}"
    )


def points(share: float) -> str:
    """Writes a difference of shares in percentage points, signed: −0.0052 → "−0.52"."""
    text = f"{100 * share:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "−")


def _in_short(
    kind: VerdictKind,
    names: tuple[str, str],
    difference: Difference | None,
    lacking: Sequence[Lack],
) -> str:
    """Says direction, size and interval, without a full stop."""
    first, second = names
    if difference is None:
        seeds_do = all(each.is_seeds for each in lacking)
        start = "Too few seeds to say" if seeds_do else "It cannot be said"
        why = "; ".join(each.words for each in lacking)
        return f"{start} whether the {first} beats the {second}: {why}"
    none = f"No difference between the {first} and the {second} was shown"
    if kind != verdict_kind(difference):
        said = {
            "better": f"The {first} is better than the {second}",
            "worse": f"The {first} is worse than the {second}",
        }.get(kind, none)
        return f"{said} at the last planned look; over all seeds the difference is " + between(
            difference
        )
    if kind == "better":
        return f"The {first} beats the {second} by {_size(difference)} ({_of_size(difference)})"
    if kind == "worse":
        return (
            f"The {first} is {_size(difference)} worse than the {second} ({_of_size(difference)})"
        )
    return f"{none}: {between(difference)}"


def _size(difference: Difference) -> str:
    return f"{100 * abs(difference.difference):.2f} points"


def _of_size(difference: Difference) -> str:
    """Says the interval of a difference's size: both ends lie on its side of 0."""
    ends = sorted(100 * abs(end) for end in (difference.low, difference.high))
    return f"{_level(difference)} interval {ends[0]:.2f} to {ends[1]:.2f}"


def _level(difference: Difference) -> str:
    return f"{100 * difference.level:.4g}%"


def _accuracies(names: tuple[str, str], arms: Mapping[str, Arm], looks: int) -> str:
    first, second = (arms[name] for name in names)
    over = f" The interval is {FIXED}." if is_fixed(first) and is_fixed(second) else ""
    look = f" This is look {looks} at the test reviews." if looks > 1 else ""
    return (
        f"The {first.name} classifies {first.accuracy:.2%} of the test reviews correctly "
        f"({_runs(first)}), the {second.name} {second.accuracy:.2%} ({_runs(second)}).{over}{look}"
    )


def _what_would_do(
    names: tuple[str, str], arms: Mapping[str, Arm], training_reviews: int | None
) -> str:
    """Says how many seeds a verdict takes."""
    documents = min((arms[name].documents for name in names if name in arms), default=0)
    needed = None
    if documents > 1 and training_reviews is not None:
        needed = seeds_to_find_a_point(training_reviews, documents)
    many = f", and about {needed} to find a difference of one point" if needed else ""
    return f"A verdict takes four runs of each that did not fail{many}."


def _failures(failures: "Failures") -> str:
    rates = f"{rate(failures.candidate)} and {rate(failures.reference)}"
    told = {
        "more often": f"The {failures.candidate.arm} fails more often",
        "less often": f"The {failures.candidate.arm} fails less often",
    }.get(failures.kind, "No difference in failures of training was shown")
    return f"{told}: {rates} failed, which the difference leaves out."


def _outlook(difference: Difference, power: Power | None) -> str:
    """Says which difference such a study detects, and what the one that was found would take."""
    if power is None:
        return "All runs of an arm give a review the same label: what could be shown is not known."
    if power.smallest_difference is None:
        return "So few test reviews and runs show no difference of any size."
    text = (
        "A study with these seeds and test reviews detects a true difference of "
        f"{100 * power.smallest_difference:.2f} points in {power.power:.0%} of cases; smaller ones "
        "are missed more often."
    )
    if verdict_kind(difference) != "no difference shown" or power.more_seeds == 0:
        return text
    if difference.difference == 0:
        return text + " The difference found is 0, which no number of seeds tells from zero."
    size = f"{100 * abs(difference.difference):.2f}"
    if power.seeds_to_settle is None:
        return (
            text
            + f" One of {size} points is not detected with {MOST_SEEDS:,} seeds per arm either."
        )
    return text + (
        f" One of {size} points takes about {power.seeds_to_settle} seeds per arm, "
        f"{power.more_seeds} more."
    )


def _runs(arm: Arm) -> str:
    return "1 run" if arm.seeds == 1 else f"{arm.seeds} seeds"
