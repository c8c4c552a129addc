"""What a comparison will train, as far as that is known before its search has ended."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from lstm_study.analysis.answer.planned_arms import arms_of
from lstm_study.analysis.search.summary import ranking
from lstm_study.arm_names import PRIMARY, VALIDATION_SUFFIX
from lstm_study.comparison.arms import ComparisonPlan, plan_comparison, plan_of
from lstm_study.comparison.quick import limited
from lstm_study.configuration import Configuration
from lstm_study.records import Run, Trial
from lstm_study.records.state import Extent, SearchState
from lstm_study.search.plan_sizes import as_limited
from lstm_study.spec import StudySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedComparison:
    """The comparisons that a search may lead to.

    Attributes:
        plans: One for each configuration that may win, or one alone once that is known. They differ
            in their arms.
    """

    plans: tuple[ComparisonPlan, ...]

    @property
    def plan(self) -> ComparisonPlan:
        """One of them: seeds and what is trained beside the arms are those of all."""
        return self.plans[0]

    @property
    def arms(self) -> Mapping[str, Sequence[Configuration]]:
        """By name, the configurations that an arm may have, without arms that few plans have."""
        found: dict[str, list[Configuration]] = {}
        for plan in self.plans:
            for arm, configuration in plan.arms.items():
                found.setdefault(arm, []).append(configuration)
        return {
            arm: [*dict.fromkeys(each)]
            for arm, each in found.items()
            if 2 * len(each) >= len(self.plans)
        }

    @property
    def trainings(self) -> int:
        """How many trainings that is, the control's left out.

        Those of an ablation depend on the winner: the mean over all that may win counts.
        """
        validated = len(PRIMARY) * self.plan.validation_seeds
        steps = round(fmean(plan.ablation_trainings for plan in self.plans))
        return len(self.arms) * self.plan.seeds + validated + steps


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

    Where a repair lets a search resume whose comparison has begun, the winner is that of its runs.

    Args:
        spec: The study's.
        plan: The search's schedule; None before it is written down.
        trials: Those that began.
        runs: Those that began.
        more_seeds: Seeds that were added to the study file's.
        extent: How much of the comparison is trained.
    """
    is_over = plan is None or plan.stopped is not None
    if is_over and ranking(trials, spec.study.direction, max_epochs=spec.search.max_epochs):
        plans = [plan_comparison(spec, trials, runs=runs, more_seeds=more_seeds)]
    else:
        plans = [
            plan_of(arms_of(spec, ranked), spec, more_seeds=more_seeds)
            for ranked in _possible_rankings(spec, plan, trials, runs)
        ]
    return ExpectedComparison(plans=tuple(limited(each, extent) for each in plans))


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


def full_budget_trials(plan: SearchState | None, spec: StudySpec) -> int:
    """Counts the trials that the search trains for its full budget."""
    brackets = as_limited(plan, spec.search.max_trials).brackets if plan is not None else ()
    return sum(
        each.trials
        for bracket in brackets
        if bracket.role == "search"
        for each in bracket.rounds
        if each.budget_epochs == spec.search.max_epochs
    )


def _possible_rankings(
    spec: StudySpec, plan: SearchState | None, trials: Sequence[Trial], runs: Sequence[Run]
) -> Iterator[list[Configuration]]:
    """Yields rankings in which each possible winner is first once, and each other runner-up once.

    They are no longer than there will be trials of the full budget.
    """
    named = ("winner", f"winner{VALIDATION_SUFFIX}")
    winner = next((run.configuration for run in runs if run.arm in named), None)
    known = [] if winner is None else [winner]
    candidates = [*dict.fromkeys(possible_winners(plan, trials))] or [spec.baseline.configuration]
    length = min(spec.compare.runner_ups + 1, max(1, full_budget_trials(plan, spec)))
    for first in range(len(candidates)):
        # One more, for the winner may be among them.
        turned = [candidates[(first + place) % len(candidates)] for place in range(length + 1)]
        yield [*dict.fromkeys([*known, *turned])][:length]
