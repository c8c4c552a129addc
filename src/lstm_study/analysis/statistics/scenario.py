"""The assumed truth about two arms: what a power calculation or a simulation starts from."""

from dataclasses import dataclass
from typing import Literal

from lstm_study.analysis.statistics.variance import SeedPart, VarianceComponents

Tails = Literal["normal", "heavy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A simulated comparison. Accuracies and their deviations are shares.

    Attributes:
        name: Its name in the table.
        effect: True difference in accuracy, candidate minus reference, of runs that don't fail.
        documents: Test reviews.
        accuracy: True accuracy of the reference.
        candidate_deviation: Standard deviation of the candidate's true accuracy over seeds.
        reference_deviation: The same for the reference.
        within: Share of reviews on which two runs of one arm differ.
        between: The same for two runs of different arms; equal to `within` in an A/A.
        correlation: Of the accuracies of two runs with one seed index.
        tails: Of the accuracy over seeds: normal, or Student's t with 3 degrees of freedom, at
            equal deviation.
        candidate_failures: Chance that a run of the candidate fails, with 60% to 70% accuracy.
        reference_failures: The same for the reference.
    """

    name: str
    effect: float = 0.0
    documents: int = 25_000
    accuracy: float = 0.86
    candidate_deviation: float = 0.0075
    reference_deviation: float = 0.0075
    within: float = 0.09
    between: float = 0.09
    correlation: float = 0.0
    tails: Tails = "normal"
    candidate_failures: float = 0.0
    reference_failures: float = 0.0


def true_components(scenario: Scenario, *, seeds: int) -> VarianceComponents:
    """Returns a scenario's variance components: exact for seeds, with `between` for reviews."""
    noise = scenario.within / 2 / scenario.documents
    deviations = scenario.candidate_deviation, scenario.reference_deviation
    candidate, reference = (SeedPart(runs=seeds, variance=each**2 + noise) for each in deviations)
    return VarianceComponents(
        candidate=candidate,
        reference=reference,
        document_variance=(scenario.between - scenario.within) / scenario.documents,
        documents=scenario.documents,
        pairs=seeds,
        # So that the degrees of freedom are those of pairs, as in the verdict.
        covariance=scenario.correlation * deviations[0] * deviations[1],
    )
