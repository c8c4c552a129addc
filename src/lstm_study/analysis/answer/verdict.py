"""The verdict: is the winner better than the baseline, by a rule that is the same for every study?

It has two parts: how often the runs of each arm failed, and the difference among those that did
not. The rule is in `study/README.md`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape

from lstm_study.analysis.answer import wording
from lstm_study.analysis.answer.arms import (
    Arm,
    ArmSummary,
    arms_from_records,
    runs_left_out,
    summarise_arm,
)
from lstm_study.analysis.answer.rule import (
    RULE,
    Lack,
    Unlearned,
    failure_kind,
    is_fixed,
    lacking_of,
    learned_nothing,
    verdict_kind,
)
from lstm_study.analysis.statistics.failures import (
    FailedRun,
    Failures,
    failed_runs,
    failure_rate,
    without_failed_runs,
)
from lstm_study.analysis.statistics.intervals import (
    LEVEL,
    SECONDARY,
    Difference,
    difference_between,
)
from lstm_study.analysis.statistics.power import LEAST_SEEDS, Power, estimate_power
from lstm_study.analysis.statistics.significance import Disagreement, disagreement
from lstm_study.records import StudyRecords
from lstm_study.records.state import VerdictKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer and every number behind it.

    Attributes:
        kind: The answer on the difference among runs that did not fail.
        headline: The answer in a line or two, with its size and interval.
        details: The numbers behind it, in sentences.
        rule: The rule it was given by.
        candidate: Name of the arm in question.
        reference: Name of the arm it is compared with.
        looks: How often this question was put to the test reviews, this time included.
        level: Of the interval at this look.
        difference: With its interval; None with fewer than four runs that did not fail, where
            neither arm is deterministic.
        failures: How often training failed; None if an arm has no run.
        power: What could have been shown; None where there is no difference, or no variance.
        arms: All evaluated runs of the arms that have any, candidate first.
        disagreement: None if an arm has no run.
        learned_nothing: Arm → why it learned nothing; empty where both did.
        lacking: What there is too little of for an answer; empty where there is one.
        notes: What a reader must know besides: runs left out, failed runs.
    """

    kind: VerdictKind
    headline: str
    details: str
    rule: str
    candidate: str
    reference: str
    looks: int
    level: float
    difference: Difference | None = None
    failures: Failures | None = None
    power: Power | None = None
    arms: tuple[ArmSummary, ...] = ()
    disagreement: Disagreement | None = None
    learned_nothing: Mapping[str, Unlearned] = field(default_factory=dict)
    lacking: tuple[Lack, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The whole answer in words."""
        return f"{self.headline} {self.details}"

    def __str__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        """The answer, as a notebook shows it."""
        return f"<p><strong>{escape(self.headline)}</strong> {escape(self.details)}</p>"

    @property
    def caveats(self) -> str:
        """What the headline says beside the kind, in clauses; "" for nothing."""
        return wording.caveats(self.candidate, learned=self.learned_nothing, failures=self.failures)


def judge(
    source: StudyRecords | Mapping[str, Arm],
    *,
    candidate: str = "winner",
    reference: str = "baseline",
    looks: int = 1,
    level: float = LEVEL,
    kept: VerdictKind | None = None,
) -> Verdict:
    """Judges whether the candidate is better on the test reviews than the reference.

    Args:
        source: The study's records, or its arms by name.
        candidate: The arm in question.
        reference: The arm it is compared with.
        looks: How often the question was put, this time included.
        level: The interval's, as `statistics.looks` gives it for this look.
        kept: The answer of the last planned look, beyond the declared maximum of seeds.

    Returns:
        A verdict, always: where something is missing it says what.

    Raises:
        ComparisonError: The arms were not tested on the same reviews.
    """
    arms, left_out, diverged = _arms_of(source)
    names = (candidate, reference)
    found = tuple(arms[name] for name in names if name in arms)
    first_word = _first_word(source)
    whole = {arm.name: without_failed_runs(arm) for arm in found}
    failures = _failures(found, diverged) if len(found) == 2 else None
    learned = {
        name: why
        for name, arm in whole.items()
        if (why := learned_nothing(arm, first_word=first_word)) is not None
    }
    notes = wording.notes(found, names, left_out, failures.runs if failures else ())
    if isinstance(source, StudyRecords) and source.unlogged_runs:
        notes = (*notes, wording.unlogged(source.unlogged_runs))
    survivors = {arm.name: arm.seeds - len(failed_runs(arm)) for arm in found}
    lacking = lacking_of(whole, names, left_out, runs=survivors, least=LEAST_SEEDS)
    difference = None
    if len(found) == 2 and not lacking:
        difference = difference_between(*_compared(whole, names), level=level)
    power = _power(difference) if difference is not None else None
    kind: VerdictKind = "cannot say" if difference is None else kept or verdict_kind(difference)
    return Verdict(
        kind=kind,
        headline=wording.headline(
            kind,
            names=names,
            difference=difference,
            failures=failures,
            learned=learned,
            lacking=lacking,
        ),
        details=wording.details(
            kind,
            names=names,
            arms=whole,
            difference=difference,
            power=power,
            failures=failures,
            learned=learned,
            looks=looks,
            training_reviews=_training_reviews(source),
        ),
        rule=RULE,
        candidate=candidate,
        reference=reference,
        looks=looks,
        level=level,
        difference=difference,
        failures=failures,
        power=power,
        arms=tuple(summarise_arm(arm) for arm in found),
        disagreement=disagreement(*found) if len(found) == 2 else None,
        learned_nothing=learned,
        lacking=lacking,
        notes=notes,
    )


def _training_reviews(source: StudyRecords | Mapping[str, Arm]) -> int | None:
    if isinstance(source, StudyRecords) and source.corpus is not None:
        return source.corpus.training_reviews
    return None


def secondary_differences(
    source: StudyRecords | Mapping[str, Arm], verdict: Verdict
) -> tuple[Difference, ...]:
    """Estimates a verdict's difference in Brier score and log loss; empty where it has none."""
    if verdict.difference is None:
        return ()
    arms, _, _ = _arms_of(source)
    names = (verdict.candidate, verdict.reference)
    sides = _compared({name: without_failed_runs(arms[name]) for name in names}, names)
    return tuple(
        difference_between(*sides, outcome=outcome, level=verdict.level) for outcome in SECONDARY
    )


def _compared(arms: Mapping[str, Arm], names: tuple[str, str]) -> tuple[Arm, Arm]:
    """Returns candidate and reference, of arms without failed runs.

    Beside an arm without seeds few runs will do: these very runs, over other test reviews.
    """
    candidate, reference = (
        replace(arms[name], deterministic=is_fixed(arms[name])) for name in names
    )
    return candidate, reference


Diverged = Mapping[str, Sequence[int]]


def _arms_of(
    source: StudyRecords | Mapping[str, Arm],
) -> tuple[Mapping[str, Arm], Mapping[str, str], Diverged]:
    """Returns arms by name, what is to be said of runs that were left out, and those diverged."""
    if not isinstance(source, StudyRecords):
        return source, {}, {}
    diverged: dict[str, list[int]] = {}
    for run in source.runs:
        if run.status == "failed" and run.failure is not None and run.failure.kind == "diverged":
            diverged.setdefault(run.arm, []).append(run.seed_index)
    return arms_from_records(source), runs_left_out(source), diverged


def _first_word(source: StudyRecords | Mapping[str, Arm]) -> float | None:
    facts = source.review_facts if isinstance(source, StudyRecords) else None
    return facts.first_word_accuracy if facts is not None else None


def _failures(arms: Sequence[Arm], diverged: Diverged) -> Failures:
    rates, runs = [], []
    for arm in arms:
        lost = [
            FailedRun(arm=arm.name, seed_index=index, reason="diverged")
            for index in diverged.get(arm.name, ())
        ]
        failed = sorted((*failed_runs(arm), *lost), key=lambda run: run.seed_index)
        runs += failed
        rates.append(failure_rate(arm.name, failed=len(failed), runs=arm.seeds + len(lost)))
    p_value, kind = failure_kind(*rates)
    return Failures(
        candidate=rates[0], reference=rates[1], p_value=p_value, kind=kind, runs=tuple(runs)
    )


def _power(difference: Difference) -> Power | None:
    parts = difference.components
    if any(
        not part.deterministic and part.variance == 0 for part in (parts.candidate, parts.reference)
    ):
        return None
    return estimate_power(parts, difference=difference.difference, level=difference.level)
