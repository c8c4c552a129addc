"""How often the verdict errs on simulated studies (see `generative`), judged as real ones are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.verdict import failure_kind
from lstm_study.analysis.answer.wording import Kind, kind_of
from lstm_study.analysis.statistics.failures import are_far_below, failure_rate
from lstm_study.analysis.statistics.intervals import LEVEL, Difference, difference_of_outcomes
from lstm_study.analysis.statistics.looks import levels
from lstm_study.analysis.statistics.power import LEAST_SEEDS
from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.simulation.generative import draw

SEED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
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
) -> tuple[Outcome, ...]:
    """Simulates studies and judges them; the first runs of each also serve for fewer seeds.

    Args:
        scenario: What to simulate.
        seeds: Seeds per arm, one outcome for each, 4 or more.
        studies: How many.
        seed: Of the whole simulation.
    """
    tallies = {runs: _Tally() for runs in seeds}
    for candidate, reference in draw(scenario, seeds=max(seeds), studies=studies, seed=seed):
        for runs, tally in tallies.items():
            tally.take(candidate[:runs], reference[:runs], effect=scenario.effect)
    return tuple(tally.outcome(scenario, runs) for runs, tally in tallies.items())


def simulate_looks(
    scenario: Scenario, *, looks: Sequence[int], studies: int, seed: int = SEED
) -> float:
    """Returns how often studies that add seeds until a difference is shown show one.

    Args:
        scenario: What to simulate.
        looks: Seeds per arm at each look, ascending; the last is the declared maximum.
        studies: How many.
        seed: Of the whole simulation.
    """
    shown = 0
    at = levels([runs / looks[-1] for runs in looks])
    for candidate, reference in draw(scenario, seeds=looks[-1], studies=studies, seed=seed):
        for runs, level in zip(looks, at, strict=True):
            judged = judge_outcomes(candidate[:runs], reference[:runs], level=level)
            if judged is not None and kind_of(judged) != "no difference shown":
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
    rows = [np.flatnonzero(~are_far_below(side.mean(axis=1))) for side in (candidate, reference)]
    if min(len(each) for each in rows) < LEAST_SEEDS:
        return None
    places = {int(index): row for row, index in enumerate(rows[1])}
    pairs = [(row, places[int(index)]) for row, index in enumerate(rows[0]) if int(index) in places]
    return difference_of_outcomes(candidate[rows[0]], reference[rows[1]], pairs=pairs, level=level)


class _Tally:
    def __init__(self) -> None:
        self.kinds: list[Kind] = []
        self.failures: list[str] = []
        self.held: list[bool] = []
        self.half_widths: list[float] = []
        self.uncorrected = 0

    def take(
        self, candidate: NDArray[np.bool_], reference: NDArray[np.bool_], *, effect: float
    ) -> None:
        rates = [
            failure_rate(name, failed=int(are_far_below(side.mean(axis=1)).sum()), runs=len(side))
            for name, side in (("candidate", candidate), ("reference", reference))
        ]
        self.failures.append(failure_kind(*rates)[1])
        plain = difference_of_outcomes(candidate, reference, pairs=[])
        self.uncorrected += kind_of(plain) != "no difference shown"
        judged = judge_outcomes(candidate, reference)
        if judged is None:
            self.kinds.append("cannot say")
            return
        self.kinds.append(kind_of(judged))
        self.held.append(judged.low <= effect <= judged.high)
        self.half_widths.append((judged.high - judged.low) / 2)

    def outcome(self, scenario: Scenario, seeds: int) -> Outcome:
        studies = len(self.kinds)
        return Outcome(
            scenario=scenario.name,
            documents=scenario.documents,
            effect_points=100 * scenario.effect,
            candidate_deviation_points=100 * scenario.candidate_deviation,
            reference_deviation_points=100 * scenario.reference_deviation,
            seeds=seeds,
            studies=studies,
            better=self.kinds.count("better") / studies,
            worse=self.kinds.count("worse") / studies,
            more_often=self.failures.count("more often") / studies,
            less_often=self.failures.count("less often") / studies,
            unsaid=self.kinds.count("cannot say") / studies,
            coverage=float(np.mean(self.held)) if self.held else None,
            half_width_points=100 * float(np.mean(self.half_widths)) if self.held else None,
            uncorrected=self.uncorrected / studies,
        )
