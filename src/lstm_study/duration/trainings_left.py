"""The trainings that are left of a study, each with what it will take: the jobs of `time_left`."""

from collections import Counter
from collections.abc import Collection, Sequence
from statistics import fmean

from lstm_study.analysis.answer.ablation import ablation_trainings_left
from lstm_study.analysis.answer.planned_arms import epochs_of, is_arm_masked
from lstm_study.analysis.search.summary import ranking
from lstm_study.arm_names import LAST_EPOCHS, PRIMARY, VALIDATION_SUFFIX
from lstm_study.comparison.arms import validation_epochs
from lstm_study.configuration import Configuration
from lstm_study.duration.costs import Costs, is_validated
from lstm_study.duration.expected_comparison import (
    ExpectedComparison,
    full_budget_trials,
    possible_winners,
)
from lstm_study.records import Control, Run, Trial
from lstm_study.records.state import BracketState, SearchState
from lstm_study.records.trial_ids import TrialId
from lstm_study.search.rerank import FRESH_SEEDS
from lstm_study.spec import StudySpec


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
    finalists = min(spec.search.rerank, full_budget_trials(plan, spec))
    if finalists < 2:
        return []
    if plan is not None and plan.stopped is not None:
        ranked = ranking(trials, spec.study.direction, max_epochs=whole)
        candidates = [*dict.fromkeys(each.configuration for each in ranked)][:finalists]
        if len(candidates) < 2:
            return []
    one = costs.training(candidates or [Configuration()], whole, is_validated=True)
    return [one] * (FRESH_SEEDS * finalists)


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
            evaluations += min(epochs, LAST_EPOCHS) - 1 + (expected.plan.validation_seeds > 0)
        for index in range(1, expected.plan.seeds + 1):
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
    if expected.plan.control and (control is None or control.status == "running"):
        jobs.insert(0, costs.classical_control())
    return jobs


def _validation_jobs(
    spec: StudySpec, expected: ExpectedComparison, runs: Sequence[Run], costs: Costs
) -> list[float]:
    """Returns the seconds of the trainings without the validation reviews, an ablation's included.

    `runs` are those of them that began.
    """
    jobs = [costs.rest(run) for run in runs if not run.has_ended]
    for arm in PRIMARY if expected.plan.validation_seeds else ():
        begun = sum(run.arm == arm + VALIDATION_SUFFIX for run in runs)
        one = costs.training(
            expected.arms[arm],
            validation_epochs(arm, spec),
            is_validated=True,
            masked=is_arm_masked(arm, spec),
        )
        jobs += [one] * (expected.plan.validation_seeds - begun)
    if expected.plan.ablation:
        winners = expected.arms["winner"]
        left = fmean(
            ablation_trainings_left(runs, expected.arms["baseline"][0], winner, spec=spec)
            for winner in winners
        )
        one = costs.training(winners, spec.search.max_epochs, is_validated=True)
        jobs += [one] * round(left)
    return jobs


def _is_of(trial: Trial, bracket: BracketState) -> bool:
    of = (bracket.role, bracket.iteration, bracket.bracket)
    return (trial.role, trial.iteration, trial.bracket) == of


def _without(slots: Sequence[Configuration], begun: Sequence[Configuration]) -> list[Configuration]:
    """Returns the slots whose trials have not begun; two may be of one configuration."""
    return list((Counter(slots) - Counter(begun)).elements())
