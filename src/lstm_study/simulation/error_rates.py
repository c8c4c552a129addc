"""How often the verdict errs on simulated studies (see `generative`), judged as real ones are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.rule import failure_kind, verdict_kind
from lstm_study.analysis.statistics.failures import FailureKind, are_far_below, failure_rate
from lstm_study.analysis.statistics.intervals import LEVEL, Difference, difference_of_outcomes
from lstm_study.analysis.statistics.looks import levels
from lstm_study.analysis.statistics.power import LEAST_SEEDS
from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.simulation.generative import simulate_runs

SEED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """The verdicts on many simulated studies of one scenario with so many seeds per arm.

    Attributes:
        scenario: Its name.
        documents: Test reviews.
        effect_points: True difference in percentage points.
        candidate_deviation_points: Standard deviation over seeds, candidate.
        reference_deviation_points: The same, reference.
        seeds: Seeds per arm.
        studies: How many were simulated.
        better: Share judged better.
        worse: Share judged worse.
        more_often: Share in which the candidate is said to fail more often.
        less_often: Share in which it is said to fail less often.
        unsaid: Share with too few seeds to say, as too many runs failed.
        coverage: Share of the others whose 95% interval holds the true difference; None of none.
        half_width_points: Mean half width of the interval.
        uncorrected: Share judged better or worse if failed runs are left in and runs are unpaired.
    """

    scenario: str
    documents: int
    effect_points: float
    candidate_deviation_points: float
    reference_deviation_points: float
    seeds: int
    studies: int
    better: float
    worse: float
    more_often: float
    less_often: float
    unsaid: float
    coverage: float | None
    half_width_points: float | None
    uncorrected: float


def simulate(
    scenario: Scenario, *, seeds: Sequence[int], studies: int, seed: int = SEED
) -> tuple[ErrorRates, ...]:
    """Simulates studies and judges them; the first runs of each also serve for fewer seeds."""
    judged: dict[int, list[_Judged]] = {runs: [] for runs in seeds}
    for candidate, reference in simulate_runs(
        scenario, seeds=max(seeds), studies=studies, seed=seed
    ):
        for runs, found in judged.items():
            found.append(_judge(candidate[:runs], reference[:runs]))
    return tuple(_outcome(scenario, runs, found) for runs, found in judged.items())


def simulate_looks(
    scenario: Scenario, *, looks: Sequence[int], studies: int, seed: int = SEED
) -> float:
    """Returns how often studies that add seeds until a difference is shown show one.

    `looks` has the seeds per arm at each look, ascending; the last is the declared maximum.
    """
    shown = 0
    at = levels([runs / looks[-1] for runs in looks])
    for candidate, reference in simulate_runs(
        scenario, seeds=looks[-1], studies=studies, seed=seed
    ):
        for runs, level in zip(looks, at, strict=True):
            judged = judge_outcomes(candidate[:runs], reference[:runs], level=level)
            if judged is not None and verdict_kind(judged) != "no difference shown":
                shown += 1
                break
    return shown / studies


def judge_outcomes(
    candidate: NDArray[np.bool_], reference: NDArray[np.bool_], *, level: float = LEVEL
) -> Difference | None:
    """Returns the difference among the runs that did not fail; None where they are too few.

    Args:
        candidate: bool [candidate seeds, documents]; row s of both arms has seed index s.
        reference: bool [reference seeds, documents].
        level: The interval's.
    """
    rows = [np.flatnonzero(~are_far_below(side)) for side in (candidate, reference)]
    if min(len(each) for each in rows) < LEAST_SEEDS:
        return None
    places = {int(index): row for row, index in enumerate(rows[1])}
    pairs = [(row, places[int(index)]) for row, index in enumerate(rows[0]) if int(index) in places]
    return difference_of_outcomes(candidate[rows[0]], reference[rows[1]], pairs=pairs, level=level)


class _Judged(NamedTuple):
    failures: FailureKind
    difference: Difference | None
    uncorrected: Difference


def _judge(candidate: NDArray[np.bool_], reference: NDArray[np.bool_]) -> _Judged:
    rates = [
        failure_rate(name, failed=int(are_far_below(side).sum()), runs=len(side))
        for name, side in (("candidate", candidate), ("reference", reference))
    ]
    return _Judged(
        failures=failure_kind(*rates)[1],
        difference=judge_outcomes(candidate, reference),
        uncorrected=difference_of_outcomes(candidate, reference, pairs=[]),
    )


def _outcome(scenario: Scenario, seeds: int, judged: Sequence[_Judged]) -> ErrorRates:
    studies = len(judged)
    said = [each.difference for each in judged if each.difference is not None]
    kinds = [verdict_kind(each) for each in said]
    failures = [each.failures for each in judged]
    shown = [verdict_kind(each.uncorrected) != "no difference shown" for each in judged]
    held = [each.low <= scenario.effect <= each.high for each in said]
    half_widths = [(each.high - each.low) / 2 for each in said]
    return ErrorRates(
        scenario=scenario.name,
        documents=scenario.documents,
        effect_points=100 * scenario.effect,
        candidate_deviation_points=100 * scenario.candidate_deviation,
        reference_deviation_points=100 * scenario.reference_deviation,
        seeds=seeds,
        studies=studies,
        better=kinds.count("better") / studies,
        worse=kinds.count("worse") / studies,
        more_often=failures.count("more often") / studies,
        less_often=failures.count("less often") / studies,
        unsaid=(studies - len(said)) / studies,
        coverage=float(np.mean(held)) if said else None,
        half_width_points=100 * float(np.mean(half_widths)) if said else None,
        uncorrected=sum(shown) / studies,
    )
