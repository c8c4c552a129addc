"""A study's own variance components, for the simulation of how often its verdict errs.

They are estimated from few runs: the spread over seeds is only known to within its interval, and so
is everything computed from it.
"""

from dataclasses import dataclass

import numpy as np

from lstm_study.analysis.answer.arms import Arm, arms_from_records
from lstm_study.analysis.statistics.failures import failed_runs, without_runs
from lstm_study.analysis.statistics.intervals import LEVEL
from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.analysis.statistics.significance import disagreement
from lstm_study.analysis.statistics.variance import SeedPart, components
from lstm_study.errors import ComparisonError
from lstm_study.records import StudyRecords
from lstm_study.simulation.generative import check_scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How much one arm's accuracy varies from seed to seed, as shares.

    Attributes:
        arm: Its name.
        runs: How many runs it was taken from.
        accuracy: Their mean test accuracy.
        deviation: Standard deviation of the runs' true accuracy, on these very reviews; the noise
            of single reviews, which a rerun of the same seeds would not have, is taken out.
        low: Lower end of its 95% interval, Student's theory for normal deviations.
        high: Upper end of it.
    """

    arm: str
    runs: int
    accuracy: float
    deviation: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The variance components of a study's two arms.

    Attributes:
        study: The study's name.
        candidate: The winner's spread.
        reference: The baseline's.
        scenario: A study like it in which both arms are equally good.
    """

    study: str
    candidate: Spread
    reference: Spread
    scenario: Scenario


def measure_study(records: StudyRecords) -> Measured:
    """Takes the components of a study's comparison.

    Raises:
        ComparisonError: An arm has fewer than two completed runs, or the generative model has no
            studies like this one.
    """
    arms = arms_from_records(records)
    for name in ("winner", "baseline"):
        runs = arms[name].seeds if name in arms else 0
        if runs < 2:
            raise ComparisonError(
                f"{records.name}: two completed runs of the {name} are needed to tell how much "
                f"seeds matter. Received: {runs}. Run `lstm-study run` first."
            )
    first, second = (
        without_runs(arm, [run.seed_index for run in failed_runs(arm)]) or arm
        for arm in (arms["winner"], arms["baseline"])
    )
    parts = components(first.correct, second.correct)
    found = disagreement(first, second)
    assert found.within_candidate is not None, "it has two runs"
    assert found.within_reference is not None, "it has two runs"
    spreads = (
        _spread(first, parts.candidate, within=found.within_candidate),
        _spread(second, parts.reference, within=found.within_reference),
    )
    within = (found.within_candidate + found.within_reference) / 2
    scenario = Scenario(
        name=f"{records.name}, equally good",
        documents=first.documents,
        accuracy=second.accuracy,
        candidate_deviation=spreads[0].deviation,
        reference_deviation=spreads[1].deviation,
        within=within,
        # By chance, runs of one arm may differ more than runs of two.
        between=max(within, found.between_runs),
    )
    check_scenario(scenario)
    return Measured(
        study=records.name, candidate=spreads[0], reference=spreads[1], scenario=scenario
    )


def _spread(arm: Arm, part: SeedPart, *, within: float) -> Spread:
    """Takes an arm's spread; the interval of its variance is that of the chi-squared distribution.

    Source: G. W. Snedecor and W. G. Cochran (1989), Statistical Methods, 8th edition, section 5.10.
    """
    from scipy.stats import chi2

    noise = within / 2 / arm.documents
    free = part.runs - 1
    variances = [
        part.variance,
        part.variance * free / float(chi2.isf((1 - LEVEL) / 2, free)),
        part.variance * free / float(chi2.ppf((1 - LEVEL) / 2, free)),
    ]
    deviation, low, high = (float(np.sqrt(max(0.0, each - noise))) for each in variances)
    return Spread(
        arm=arm.name, runs=arm.seeds, accuracy=arm.accuracy,
        deviation=deviation, low=low, high=high,
    )  # fmt: skip
