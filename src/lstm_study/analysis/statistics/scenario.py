"""The assumed truth about two arms: what a power calculation or a simulation starts from."""

from dataclasses import dataclass

from lstm_study.analysis.statistics.variance import SeedPart, VarianceComponents


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is made up. Accuracies and their deviations are shares.

    Attributes:
        name: Its name in the table.
        effect: True difference in accuracy, candidate minus reference.
        documents: Test reviews.
        accuracy: True accuracy of the reference.
        candidate_deviation: Standard deviation of the candidate's true accuracy over seeds.
        reference_deviation: The same for the reference.
        within: Share of reviews that two runs of one arm read differently.
        between: The same for two runs of different arms; equal to `within` in an A/A.
    """

    name: str
    effect: float = 0.0
    documents: int = 25_000
    accuracy: float = 0.86
    candidate_deviation: float = 0.0075
    reference_deviation: float = 0.0075
    within: float = 0.09
    between: float = 0.09


def true_components(scenario: Scenario, *, seeds: int) -> VarianceComponents:
    """Returns a scenario's variance components: exact for seeds, with `between` for reviews."""
    noise = scenario.within / 2 / scenario.documents
    return VarianceComponents(
        candidate=SeedPart(runs=seeds, variance=scenario.candidate_deviation**2 + noise),
        reference=SeedPart(runs=seeds, variance=scenario.reference_deviation**2 + noise),
        document_variance=(scenario.between - scenario.within) / scenario.documents,
        documents=scenario.documents,
    )
