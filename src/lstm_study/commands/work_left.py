"""The trainings that are left of a study, each with what it will take: the jobs of `time_left`."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from lstm_study.analysis.answer.ablation import ablation_trainings, ablation_trainings_left
from lstm_study.analysis.answer.planned_arms import epochs_of, is_arm_masked, with_recipe_of
from lstm_study.analysis.search.summary import ranking
from lstm_study.arm_names import (
    LAST_EPOCHS,
    MASKED_BASELINE,
    PRIMARY,
    RECIPE_BASELINE,
    RUNNER_UP,
    VALIDATION_SUFFIX,
)
from lstm_study.commands.costs import Costs, is_validated
from lstm_study.comparison.arms import (
    plan_comparison,
    validation_epochs,
)
from lstm_study.configuration import HYPERPARAMETERS, Configuration
from lstm_study.records import Control, Run, Trial
from lstm_study.records.state import BracketState, Extent, SearchState
from lstm_study.records.trial_ids import TrialId
from lstm_study.search.plan_sizes import as_limited
from lstm_study.search.rerank import FRESH_SEEDS
from lstm_study.spec import StudySpec
from lstm_study.spec.dimensions import Fixed


def possible_winners(plan: SearchState | None, trials: Sequence[Trial]) -> list[Configuration]:
    """Returns the configurations that the search plans, as far as it is known, or has begun."""
    planned = plan.brackets if plan is not None else ()
    known = [
        each
        for bracket in planned
        if bracket.role == "search"
        for each in bracket.configurations
        if each is not None
    ]
    return known or [trial.configuration for trial in trials if trial.role == "search"]


def search_jobs(
    plan: SearchState,
    trials: Sequence[Trial],
    costs: Costs,
    *,
    only: Collection[str] | None = None,
) -> list[float]:
    """Returns the seconds of each trial that is left, bracket by bracket.

    Args:
        plan: The search's schedule, as limited by max_trials.
        trials: Those that began.
        costs: What trainings take.
        only: Ids of the trials that it may still train; None for all of the plan.
    """
    if plan.stopped is not None:
        return []
    if only is not None:
        return _only_jobs(plan, trials, costs, only)
    typical = possible_winners(plan, trials) or [Configuration()]
    jobs = []
    for bracket in plan.brackets:
        begun = [trial for trial in trials if _is_of(trial, bracket)]
        for number, each in enumerate(bracket.rounds):
            mine = [trial for trial in begun if trial.round == number]
            jobs += [costs.rest(trial) for trial in mine if not trial.has_ended]
            # One that failed after the first round is replaced.
            failed = sum(trial.status == "failed" for trial in mine) if number else 0
            left = each.trials + failed - len(mine)
            # A first round's configurations are drawn; any of them may be promoted.
            drawn = [each for each in bracket.configurations if each is not None]
            drawn = drawn or [trial.configuration for trial in begun if trial.round == 0]
            slots = _without([] if number else drawn, [trial.configuration for trial in mine])
            epochs = each.budget_epochs - each.initial_epoch
            for place in range(left):
                candidates = slots[place : place + 1] or drawn or typical
                jobs.append(costs.training(candidates, epochs, is_validated=True))
    return jobs


def _only_jobs(
    plan: SearchState, trials: Sequence[Trial], costs: Costs, only: Collection[str]
) -> list[float]:
    """Returns the seconds of each of some trials that has not ended, begun or not."""
    by_id = {trial.trial_id: trial for trial in trials if trial.role != "finalist"}
    typical = possible_winners(plan, trials) or [Configuration()]
    jobs = []
    for bracket in plan.brackets:
        for trial_id in sorted(only):
            of = TrialId.parse(trial_id)
            if of is None or not of.is_of(bracket):
                continue
            begun, whole = by_id.get(trial_id), bracket.rounds[of.round]
            if begun is None:
                known = bracket.configurations[of.slot : of.slot + 1]
                candidates = [each for each in known if each is not None] or typical
                epochs = whole.budget_epochs - whole.initial_epoch
                jobs.append(costs.training(candidates, epochs, is_validated=True))
            elif not begun.has_ended:
                jobs.append(costs.rest(begun))
    return jobs


def finalist_jobs(
    spec: StudySpec,
    plan: SearchState | None,
    trials: Sequence[Trial],
    costs: Costs,
) -> list[float]:
    """Returns the seconds of each finalist's training that is left."""
    begun = [trial for trial in trials if trial.role == "finalist"]
    if begun:
        return [costs.rest(trial) for trial in begun if not trial.has_ended]
    whole = spec.search.max_epochs
    candidates = [*dict.fromkeys(possible_winners(plan, trials))]
    finalists = min(spec.search.rerank, _full_budget(plan, spec))
    if finalists < 2:
        return []
    if plan is not None and plan.stopped is not None:
        ranked = ranking(trials, spec.study.direction, max_epochs=whole)
        candidates = [*dict.fromkeys(each.configuration for each in ranked)][:finalists]
        if len(candidates) < 2:
            return []
    one = costs.training(candidates or [Configuration()], whole, is_validated=True)
    return [one] * (FRESH_SEEDS * finalists)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedComparison:
    """What a comparison will train, as far as that is known before its search has ended.

    Attributes:
        arms: By name, the configurations that the arm may have: one once that is known.
        seeds: Runs of each.
        validation_seeds: Validation runs of baseline and winner; 0 for none.
        has_control: Whether the classical control is trained.
        has_ablation: Whether one hyperparameter at a time leads from baseline to winner.
    """

    arms: Mapping[str, Sequence[Configuration]]
    seeds: int
    validation_seeds: int = 0
    has_control: bool = False
    has_ablation: bool = False

    @property
    def trainings(self) -> int:
        """How many trainings that is, the classical control left out.

        Those of an ablation depend on the winner: the mean over all that may win counts.
        """
        steps = 0
        if self.has_ablation:
            (baseline,) = self.arms["baseline"]
            of_each = [ablation_trainings(baseline, each) for each in self.arms["winner"]]
            steps = round(fmean(of_each)) + (MASKED_BASELINE in self.arms)
        return len(self.arms) * self.seeds + len(PRIMARY) * self.validation_seeds + steps


def expected_comparison(
    spec: StudySpec,
    plan: SearchState | None,
    trials: Sequence[Trial],
    runs: Sequence[Run] = (),
    *,
    more_seeds: int = 0,
    extent: Extent,
) -> ExpectedComparison:
    """Returns what the comparison of a study will train.

    Args:
        spec: The study's.
        plan: The search's schedule; None before it is written down.
        trials: Those that began.
        runs: Those that began.
        more_seeds: Seeds that were added to the study file's.
        extent: How much of the comparison is trained.
    """
    arms = possible_arms(spec, plan, trials, runs, primary_only=extent.primary_only)
    seeds = spec.compare.seeds + more_seeds
    is_whole = not extent.primary_only
    return ExpectedComparison(
        arms=arms,
        seeds=seeds if extent.most_seeds is None else min(seeds, extent.most_seeds),
        validation_seeds=spec.compare.validation_seeds if is_whole else 0,
        has_control=spec.compare.control,
        has_ablation=spec.compare.ablation and is_whole,
    )


def comparison_jobs(
    spec: StudySpec,
    expected: ExpectedComparison,
    runs: Sequence[Run],
    control: Control | None,
    costs: Costs,
) -> list[float]:
    """Returns the seconds of each training that is left of a comparison, control included.

    Args:
        spec: The study's.
        expected: What the comparison trains.
        runs: Those that began.
        control: The classical control; None before it began.
        costs: What trainings take.
    """
    by_id = {run.run_id: run for run in runs}
    jobs = []
    for arm, candidates in expected.arms.items():
        epochs, masked = epochs_of(arm, spec), is_arm_masked(arm, spec)
        evaluations = 1
        if arm in PRIMARY:
            evaluations += min(epochs, LAST_EPOCHS) - 1 + (expected.validation_seeds > 0)
        for index in range(1, expected.seeds + 1):
            run = by_id.get(f"{arm}-s{index}")
            if run is None:
                jobs.append(
                    costs.training(
                        candidates, epochs, is_validated=False, masked=masked,
                        evaluations=evaluations,
                    )
                )  # fmt: skip
            elif not run.has_ended:
                jobs.append(costs.rest(run, evaluations=evaluations))
    jobs += _validation_jobs(spec, expected, [run for run in runs if is_validated(run)], costs)
    if expected.has_control and (control is None or control.status == "running"):
        jobs.insert(0, costs.classical_control())
    return jobs


def _validation_jobs(
    spec: StudySpec, expected: ExpectedComparison, runs: Sequence[Run], costs: Costs
) -> list[float]:
    """Returns the seconds of the trainings without the validation reviews, an ablation's included.

    `runs` are those of them that began.
    """
    jobs = [costs.rest(run) for run in runs if not run.has_ended]
    for arm in PRIMARY if expected.validation_seeds else ():
        begun = sum(run.arm == arm + VALIDATION_SUFFIX for run in runs)
        one = costs.training(
            expected.arms[arm],
            validation_epochs(arm, spec),
            is_validated=True,
            masked=is_arm_masked(arm, spec),
        )
        jobs += [one] * (expected.validation_seeds - begun)
    if expected.has_ablation:
        winners = expected.arms["winner"]
        left = fmean(
            ablation_trainings_left(runs, expected.arms["baseline"][0], winner, spec=spec)
            for winner in winners
        )
        one = costs.training(winners, spec.search.max_epochs, is_validated=True)
        jobs += [one] * round(left)
    return jobs


def possible_arms(
    spec: StudySpec,
    plan: SearchState | None,
    trials: Sequence[Trial],
    runs: Sequence[Run] = (),
    *,
    primary_only: bool = False,
) -> dict[str, list[Configuration]]:
    """Returns the arms that will be trained, each with the configurations that it may have.

    Where a repair lets a search resume whose comparison has begun, the winner is that of its runs.
    """
    whole = spec.search.max_epochs
    is_over = plan is not None and plan.stopped is not None
    if is_over and ranking(trials, spec.study.direction, max_epochs=whole):
        planned = plan_comparison(spec, trials, runs=runs).arms
        return {
            arm: [configuration]
            for arm, configuration in planned.items()
            if arm in PRIMARY or not primary_only
        }
    candidates = possible_winners(plan, trials) or [spec.baseline.configuration]
    base = [spec.baseline.configuration]
    named = ("winner", f"winner{VALIDATION_SUFFIX}")
    winner = next((run.configuration for run in runs if run.arm in named), None)
    arms = {"baseline": base, "winner": candidates if winner is None else [winner]}
    if primary_only:
        return arms
    if spec.protocol.masked:
        arms[MASKED_BASELINE] = base
    dimensions = spec.space.dimensions()
    if winner is not None:
        recipe = with_recipe_of(winner, spec.baseline.configuration)
        arms |= {RECIPE_BASELINE: [recipe]} if recipe != spec.baseline.configuration else {}
    # Which of a builder's hyperparameters are its recipe is not known: it has no such arm.
    elif spec.builder is None and any(
        row.part == "recipe" and not isinstance(dimensions[name], Fixed)
        for name, row in HYPERPARAMETERS.items()
    ):
        arms[RECIPE_BASELINE] = base
    others = min(spec.compare.runner_ups, max(0, _full_budget(plan, spec) - 1))
    return arms | {f"{RUNNER_UP}{place + 1}": candidates for place in range(others)}


def _full_budget(plan: SearchState | None, spec: StudySpec) -> int:
    """Counts the trials that the search trains for its full budget."""
    brackets = as_limited(plan, spec.search.max_trials).brackets if plan is not None else ()
    return sum(
        each.trials
        for bracket in brackets
        if bracket.role == "search"
        for each in bracket.rounds
        if each.budget_epochs == spec.search.max_epochs
    )


def _is_of(trial: Trial, bracket: BracketState) -> bool:
    of = (bracket.role, bracket.iteration, bracket.bracket)
    return (trial.role, trial.iteration, trial.bracket) == of


def _without(slots: Sequence[Configuration], begun: Sequence[Configuration]) -> list[Configuration]:
    """Returns the slots whose trials have not begun; two may be of one configuration."""
    return list((Counter(slots) - Counter(begun)).elements())
