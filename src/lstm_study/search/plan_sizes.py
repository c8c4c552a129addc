"""How many trials a search has, by its spec or its written plan; nothing is drawn.

Imports no Keras Tuner.
"""

import itertools
from dataclasses import replace

from lstm_study.errors import SearchError
from lstm_study.model.grid import configuration_count, continuous, grid
from lstm_study.records.state import BracketState, SearchState
from lstm_study.schedule import Bracket, Round, hyperband
from lstm_study.spec import StudySpec


def slots_at_most(spec: StudySpec) -> int:
    """Returns how many slots the largest first round of the plan can have, without drawing it."""
    brackets = planned_schedule(spec)
    epochs = sum(bracket.epochs for bracket in brackets)
    return max(*(bracket.rounds[0].trials for bracket in brackets), control_trials(spec, epochs))


def with_further_trials(plan: SearchState, spec: StudySpec) -> SearchState:
    """Returns the plan of a search that has not ended as it will be with a larger max_trials.

    The configurations of the further trials are left open. A schedule of Hyperband does not depend
    on that limit.
    """
    if spec.search.tuner == "hyperband" or plan.exhausted or plan.stopped is not None:
        return plan
    (bracket,) = planned_schedule(spec)
    size, count = configuration_count(spec.space), bracket.trials
    if size is not None and count > size:
        count = min(count, _places(spec, size))
    control = control_trials(spec, count * spec.search.max_epochs)
    sizes = {"search": count, "control": control if size is None else min(control, size)}
    brackets = tuple(_with_trials(each, sizes[each.role]) for each in plan.brackets)
    rounds = [each for bracket in brackets for each in bracket.rounds]
    return replace(
        plan,
        trials=sum(each.trials for each in rounds),
        epochs=sum(each.trials * (each.budget_epochs - each.initial_epoch) for each in rounds),
        brackets=brackets,
    )


def trials_at_most(plan: SearchState, spec: StudySpec, *, begun: int = 0) -> int:
    """Returns how many trials a search has in the end: its plan's, or fewer by max_trials.

    Args:
        plan: The search's schedule.
        spec: The study, whose limit does not count trials of the random control.
        begun: Trials that count and have begun already; a limit may be lowered below them.
    """
    most = spec.search.max_trials
    if most is None:
        return plan.trials
    searched = (each for each in plan.brackets if each.role == "search")
    planned = sum(item.trials for bracket in searched for item in bracket.rounds)
    return plan.trials - max(0, planned - max(most, begun))


def _with_trials(bracket: BracketState, count: int) -> BracketState:
    """Returns a bracket of one round with so many trials, or with those it has if they are more."""
    (whole,) = bracket.rounds
    further = max(0, count - whole.trials)
    return replace(
        bracket,
        rounds=(replace(whole, trials=whole.trials + further),),
        configurations=(*bracket.configurations, *[None] * further),
    )


def planned_schedule(spec: StudySpec) -> tuple[Bracket, ...]:
    """Returns the brackets of a search; of a tuner other than Hyperband one, of a single round.

    Raises:
        SearchError: The tuner is "grid" and the space is continuous.
    """
    search = spec.search
    if search.tuner == "hyperband":
        return hyperband(
            max_epochs=search.max_epochs, factor=search.factor, iterations=search.iterations
        )
    count = search.max_trials
    if search.tuner == "grid":
        size = configuration_count(spec.space)
        if size is None:
            raise SearchError(
                "A grid needs values that can be counted: give "
                f"{' and '.join(continuous(spec.space))} a step or choices, or choose another "
                "search.tuner."
            )
        if count is None or count > size:
            places = _places(spec, size)
            count = min(places, count or places)
    assert count is not None, "the spec's validation asks for max_trials"
    return (single_round(count, spec),)


def _places(spec: StudySpec, size: int) -> int:
    """Returns how many trials a space of `size` configurations gives.

    An included baseline that the space does not hold is one trial more.
    """
    if not spec.search.include_baseline:
        return size
    return size + (spec.baseline.configuration not in itertools.islice(grid(spec.space), size))


def single_round(count: int, spec: StudySpec) -> Bracket:
    """One bracket of one round: every trial gets the full budget."""
    whole = Round(round=0, trials=count, initial_epoch=0, budget_epochs=spec.search.max_epochs)
    return Bracket(iteration=0, bracket=0, rounds=(whole,))


def control_trials(spec: StudySpec, epochs: int) -> int:
    """Random configurations that so many epochs pay for; 0 where no control is wanted."""
    return max(1, epochs // spec.search.max_epochs) if spec.search.control == "random" else 0
