"""How often the verdict errs on made-up studies (see `generative`), judged as real ones are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.verdict import kind_of
from lstm_study.analysis.statistics.intervals import difference_of_counts
from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.analysis.statistics.variance import count_correct
from lstm_study.seeds import derive
from lstm_study.simulation.generative import draw

RESAMPLES = 500
SEED = 20
PERCENTILE_SEEDS = (2, 3, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the verdict made of many studies of one scenario with so many seeds per arm.

    Attributes:
        scenario: Its name.
        documents: Test reviews.
        effect_points: True difference in percentage points.
        candidate_deviation_points: Standard deviation over seeds, candidate.
        reference_deviation_points: The same, reference.
        seeds: Seeds per arm.
        studies: How many were made up.
        better: Share judged better.
        worse: Share judged worse.
        coverage: Share whose 95% interval holds the true difference.
        half_width_points: Mean half width of the interval.
        percentile_coverage: The same as coverage for the plain percentile interval, which the
            verdict does not use; None where it was not drawn.
        percentile_studies: How many studies it was drawn for.
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
    coverage: float
    half_width_points: float
    percentile_coverage: float | None = None
    percentile_studies: int = 0


def simulate(
    scenario: Scenario,
    *,
    seeds: Sequence[int],
    studies: int,
    seed: int = SEED,
    percentile_studies: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[Outcome, ...]:
    """Makes up studies and judges them; the first runs of each also serve for fewer seeds.

    Args:
        scenario: What to make up.
        seeds: Seeds per arm, one outcome for each, 2 or more.
        studies: How many.
        seed: Of the whole simulation.
        percentile_studies: For how many of them to draw the plain percentile interval too; with 2,
            3 and 6 seeds only, as it is slow.
        resamples: Of each bootstrap.
    """
    tallies = {runs: _Tally() for runs in seeds}
    for index, (candidate, reference) in enumerate(
        draw(scenario, seeds=max(seeds), studies=studies, seed=seed)
    ):
        for runs, tally in tallies.items():
            first, second = candidate[:runs], reference[:runs]
            judged = difference_of_counts(
                count_correct(first, second),
                names=("candidate", "reference"),
                seed=derive(seed, "bootstrap", index, runs),
                resamples=resamples,
            )
            tally.kinds.append(kind_of(judged))
            tally.held.append(judged.low <= scenario.effect <= judged.high)
            tally.half_widths.append((judged.high - judged.low) / 2)
            if index < percentile_studies and runs in PERCENTILE_SEEDS:
                low, high = percentile_interval(
                    first, second, seed=derive(seed, "percentile", index, runs)
                )
                tally.percentile_held.append(low <= scenario.effect <= high)
    return tuple(tally.outcome(scenario, runs) for runs, tally in tallies.items())


def simulate_looks(
    scenario: Scenario,
    *,
    looks: Sequence[int],
    studies: int,
    seed: int = SEED,
    resamples: int = RESAMPLES,
) -> float:
    """Returns how often studies that add seeds until a difference is shown show one.

    Args:
        scenario: What to make up.
        looks: Seeds per arm at each look, ascending; look k has the level 1 - 0.05 / k.
        studies: How many.
        seed: Of the whole simulation.
        resamples: Of each bootstrap.
    """
    shown = 0
    for index, (candidate, reference) in enumerate(
        draw(scenario, seeds=max(looks), studies=studies, seed=seed)
    ):
        shown += any(
            kind_of(
                difference_of_counts(
                    count_correct(candidate[:runs], reference[:runs]),
                    names=("candidate", "reference"),
                    seed=derive(seed, "look", index, runs),
                    level=1 - 0.05 / look,
                    resamples=resamples,
                )
            )
            != "no difference shown"
            for look, runs in enumerate(looks, start=1)
        )
    return shown / studies


def percentile_interval(
    candidate: NDArray[np.bool_],
    reference: NDArray[np.bool_],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """Returns the plain percentile interval of the uncorrected two-level bootstrap, for contrast.

    Args:
        candidate: bool [candidate seeds, documents].
        reference: bool [reference seeds, documents].
        seed: Of the draws.
        resamples: How many.
    """
    random = np.random.default_rng(seed)
    runs = np.concatenate([candidate, reference])
    packed = np.packbits(runs, axis=0)
    _, first, counts = np.unique(packed, axis=1, return_index=True, return_counts=True)
    drawn = random.multinomial(runs.shape[1], counts / runs.shape[1], size=resamples)
    accuracies = drawn @ runs[:, first].T.astype(np.float64) / runs.shape[1]
    rows = np.arange(resamples)[:, None]
    mine = random.integers(len(candidate), size=(resamples, len(candidate)))
    others = len(candidate) + random.integers(len(reference), size=(resamples, len(reference)))
    differences = accuracies[rows, mine].mean(axis=1) - accuracies[rows, others].mean(axis=1)
    low, high = np.quantile(differences, [0.025, 0.975])
    return float(low), float(high)


class _Tally:
    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.held: list[bool] = []
        self.half_widths: list[float] = []
        self.percentile_held: list[bool] = []

    def outcome(self, scenario: Scenario, seeds: int) -> Outcome:
        drawn = self.percentile_held
        return Outcome(
            scenario=scenario.name,
            documents=scenario.documents,
            effect_points=100 * scenario.effect,
            candidate_deviation_points=100 * scenario.candidate_deviation,
            reference_deviation_points=100 * scenario.reference_deviation,
            seeds=seeds,
            studies=len(self.kinds),
            better=self.kinds.count("better") / len(self.kinds),
            worse=self.kinds.count("worse") / len(self.kinds),
            coverage=float(np.mean(self.held)),
            half_width_points=100 * float(np.mean(self.half_widths)),
            percentile_coverage=float(np.mean(drawn)) if drawn else None,
            percentile_studies=len(drawn),
        )
