"""The verdict: is the winner better than the baseline, by a rule written before the search?"""

from collections.abc import Mapping
from dataclasses import dataclass

from lstm_study.analysis.answer import wording
from lstm_study.analysis.answer.arms import (
    Arm,
    ArmSummary,
    arms_from_records,
    runs_left_out,
    summarise,
)
from lstm_study.analysis.answer.wording import Kind
from lstm_study.analysis.statistics.intervals import (
    LEVEL,
    RESAMPLES,
    TEST_NAME,
    Difference,
    difference_in_accuracy,
)
from lstm_study.analysis.statistics.power import Power, estimate_power
from lstm_study.analysis.statistics.significance import (
    Disagreement,
    TestResult,
    disagreement,
    holm,
    mcnemar,
    permutation,
)
from lstm_study.records import StudyRecords

RULE = (
    "Better if the whole interval of the difference in test accuracy lies above 0, worse if it "
    "lies below 0, otherwise no difference shown. It cannot be said with fewer than two completed "
    "runs of either arm."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer and every number behind it.

    Attributes:
        kind: The answer.
        sentence: The answer in words, with its numbers, for people to read.
        rule: The rule it was given by.
        candidate: Name of the arm in question.
        reference: Name of the arm it is compared with.
        looks: How often this question was put to the test reviews, this time included.
        difference: With its interval; None if it cannot be said.
        power: What could have been shown; None if it cannot be said, or if all runs of an arm read
            every review alike, so that nothing is known of its seeds.
        arms: The arms that have runs, candidate first.
        tests: The tests that stand beside the interval; the rule does not use them.
        disagreement: None if an arm has no run.
        notes: What a reader must know besides: failed runs, few seeds, collapsed runs.
    """

    kind: Kind
    sentence: str
    rule: str
    candidate: str
    reference: str
    looks: int
    difference: Difference | None = None
    power: Power | None = None
    arms: tuple[ArmSummary, ...] = ()
    tests: tuple[TestResult, ...] = ()
    disagreement: Disagreement | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One arm beside the reference, in a table of several.

    Attributes:
        verdict: Its own verdict, as if it were the only one.
        adjusted_p_value: Holm's, over the family of all arms but the primary; None for the primary,
            which was named beforehand and stands alone, and where it cannot be said.
        test: The test that the p-value belongs to.
    """

    verdict: Verdict
    adjusted_p_value: float | None
    test: str = TEST_NAME


def judge(
    source: StudyRecords | Mapping[str, Arm],
    *,
    seed: int,
    candidate: str = "winner",
    reference: str = "baseline",
    looks: int = 1,
    resamples: int = RESAMPLES,
) -> Verdict:
    """Judges whether the candidate reads the test reviews better than the reference.

    Args:
        source: The study's records, or its arms by name.
        seed: The study's seed.
        candidate: The arm in question.
        reference: The arm it is compared with.
        looks: How often the question was put, this time included: 1 + how often seeds were added
            after a verdict. The interval of look k has the level 1 - 0.05 / k.
        resamples: Of the bootstrap.

    Returns:
        A verdict, always: where something is missing it says what.

    Raises:
        ComparisonError: The arms were not tested on the same reviews.
    """
    arms, left_out = _arms_of(source)
    names = (candidate, reference)
    found = tuple(arms[name] for name in names if name in arms)
    beside = _Beside(
        arms=tuple(summarise(arm) for arm in found),
        notes=wording.notes(found, names, left_out),
    )
    lacking = wording.lacking(arms, names, left_out)
    if len(found) < 2:
        return _cannot_say(lacking, names, looks, beside)
    first, second = found
    permuted = permutation(first, second, seed=seed)
    tests = tuple(test for test in (mcnemar(first, second), permuted) if test is not None)
    beside = _Beside(
        arms=beside.arms,
        notes=beside.notes,
        tests=tests,
        disagreement=disagreement(first, second),
    )
    if lacking:
        return _cannot_say(lacking, names, looks, beside)
    level = LEVEL if looks == 1 else 1 - (1 - LEVEL) / looks
    difference = difference_in_accuracy(first, second, seed=seed, level=level, resamples=resamples)
    power = _power(difference)
    kind = kind_of(difference)
    return Verdict(
        kind=kind,
        sentence=wording.judged(kind, difference, power, beside.arms, looks),
        rule=RULE,
        candidate=candidate,
        reference=reference,
        looks=looks,
        difference=difference,
        power=power,
        arms=beside.arms,
        tests=beside.tests,
        disagreement=beside.disagreement,
        notes=beside.notes,
    )


def judge_all(
    source: StudyRecords | Mapping[str, Arm],
    *,
    seed: int,
    reference: str = "baseline",
    primary: str = "winner",
    looks: int = 1,
    resamples: int = RESAMPLES,
) -> tuple[Comparison, ...]:
    """Compares every arm with the reference; p-values but the primary's are corrected together.

    Args:
        source: The study's records, or its arms by name, where one of them is deterministic.
        seed: The study's seed.
        reference: What each is compared with.
        primary: The one comparison that was named beforehand.
        looks: As in `judge`; every interval is as wide as the primary's.
        resamples: Of the bootstrap.
    """
    verdicts = [
        judge(
            source,
            seed=seed,
            candidate=name,
            reference=reference,
            looks=looks,
            resamples=resamples,
        )
        for name in _arms_of(source)[0]
        if name != reference
    ]
    adjusted = holm(
        {
            verdict.candidate: verdict.difference.p_value
            for verdict in verdicts
            if verdict.difference is not None and verdict.candidate != primary
        }
    )
    return tuple(
        Comparison(verdict=verdict, adjusted_p_value=adjusted.get(verdict.candidate))
        for verdict in verdicts
    )


def judged_without(verdict: Verdict, without: Verdict) -> str:
    """Says in one sentence what the verdict is without the near-duplicates, and if it changes.

    Args:
        verdict: On all test reviews.
        without: The same question on those that have no near-duplicate.
    """
    if without.difference is None:
        return f"Without them: {without.sentence}"
    changed = "the same" if without.kind == verdict.kind else f"another, {without.kind}"
    return (
        f"Without them the difference is {wording.between(without.difference)}, "
        f"and the verdict is {changed}."
    )


def kind_of(difference: Difference) -> Kind:
    """Applies the rule to an interval."""
    if difference.low > 0:
        return "better"
    if difference.high < 0:
        return "worse"
    return "no difference shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    arms: tuple[ArmSummary, ...]
    notes: tuple[str, ...]
    tests: tuple[TestResult, ...] = ()
    disagreement: Disagreement | None = None


def _arms_of(
    source: StudyRecords | Mapping[str, Arm],
) -> tuple[Mapping[str, Arm], Mapping[str, str]]:
    """Returns arms by name, and what is to be said of runs that were left out."""
    if isinstance(source, StudyRecords):
        return arms_from_records(source), runs_left_out(source)
    return source, {}


def _cannot_say(
    lacking: tuple[str, ...], names: tuple[str, str], looks: int, beside: _Beside
) -> Verdict:
    return Verdict(
        kind="cannot say",
        sentence=wording.cannot_say(lacking, candidate=names[0], reference=names[1]),
        rule=RULE,
        candidate=names[0],
        reference=names[1],
        looks=looks,
        arms=beside.arms,
        tests=beside.tests,
        disagreement=beside.disagreement,
        notes=beside.notes,
    )


def _power(difference: Difference) -> Power | None:
    parts = difference.components
    if any(
        not part.deterministic and part.variance == 0 for part in (parts.candidate, parts.reference)
    ):
        return None
    return estimate_power(parts, difference=difference.difference, level=difference.level)
