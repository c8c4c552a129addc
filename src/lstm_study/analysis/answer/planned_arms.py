"""Which arms a comparison has, by its study file and its search."""

from collections.abc import Iterable, Sequence

from lstm_study.analysis.search.summary import ranking
from lstm_study.arm_names import (
    MASKED_BASELINE,
    OWN_EPOCH_SUFFIX,
    PRIMARY,
    RECIPE_BASELINE,
    RUNNER_UP,
    VALIDATION_SUFFIX,
)
from lstm_study.configuration import HYPERPARAMETERS, Configuration
from lstm_study.records import Run, StudyRecords, Trial
from lstm_study.spec import StudySpec


def planned_arms(
    spec: StudySpec, trials: Sequence[Trial], runs: Sequence[Run]
) -> dict[str, Configuration]:
    """Returns each arm's configuration, in the order to run: those with runs of their own.

    At least one trial of the full budget has completed.
    """
    ranked = ranking(trials, spec.study.direction, max_epochs=spec.search.max_epochs, runs=runs)
    return arms_of(spec, [trial.configuration for trial in ranked])


def arms_of(spec: StudySpec, ranked: Sequence[Configuration]) -> dict[str, Configuration]:
    """Returns each arm's configuration, in the order to run, by the configurations of a search.

    Args:
        spec: The study.
        ranked: The best one first, one at least.
    """
    # The search may have drawn one configuration twice; an arm is compared once.
    different = list(dict.fromkeys(ranked))
    arms = {"baseline": spec.baseline.configuration, "winner": different[0]}
    if spec.protocol.masked:
        # So that the winner is not credited with the effect of masking.
        arms[MASKED_BASELINE] = spec.baseline.configuration
    recipe = with_recipe_of(arms["winner"], spec.baseline.configuration)
    if recipe != spec.baseline.configuration:
        # So that the winner's network is not credited with the effect of its recipe.
        arms[RECIPE_BASELINE] = recipe
    for number, configuration in enumerate(different[1 : 1 + spec.compare.runner_ups], start=1):
        arms[f"{RUNNER_UP}{number}"] = configuration
    return arms


def with_recipe_of(winner: Configuration, baseline: Configuration) -> Configuration:
    """Returns the baseline's network with the winner's training recipe."""
    if baseline.own is not None:
        return baseline  # which of a builder's hyperparameters are its recipe is not known
    return baseline.with_values(
        **{
            name: getattr(winner, name)
            for name, row in HYPERPARAMETERS.items()
            if row.part == "recipe"
        }
    )


def epochs_of(arm: str, spec: StudySpec) -> int:
    """Returns how many epochs the arm's retraining has: the baseline's own, or the protocol's."""
    own = spec.baseline.epochs if arm in ("baseline", MASKED_BASELINE) else None
    return int(own or spec.protocol.epochs)


def is_arm_masked(arm: str, spec: StudySpec) -> bool:
    """Whether an arm's trainings are masked: as the study's are, but never the baseline's."""
    named = arm.removesuffix(OWN_EPOCH_SUFFIX).removesuffix(VALIDATION_SUFFIX)
    return spec.protocol.masked and named != "baseline"


def seeds_so_far(spec: StudySpec, records: StudyRecords) -> int:
    """Runs that every arm should have: the study file's, or more where seeds were added.

    A failed run counts as ended.
    """
    return max(spec.compare.seeds, min(ended_runs(records.runs, arm) for arm in PRIMARY))


def unfinished_arms(spec: StudySpec, records: StudyRecords) -> dict[str, int]:
    """Counts the ended runs of further arms that lack some, once winner and baseline have all."""
    seeds = seeds_so_far(spec, records)
    if any(ended_runs(records.runs, arm) < seeds for arm in PRIMARY):
        return {}
    return {
        arm: count
        for arm in planned_arms(spec, records.trials, records.runs)
        if arm not in PRIMARY and (count := ended_runs(records.runs, arm)) < seeds
    }


def ended_runs(runs: Iterable[Run], arm: str) -> int:
    """Counts an arm's runs that completed or failed."""
    return sum(run.arm == arm and run.has_ended for run in runs)
