"""How many trials a search has, by its spec or its written plan; nothing is drawn.

Imports no Keras Tuner.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lstm_study.errors import SearchError
from lstm_study.model.grid import configuration_count, continuous, grid
from lstm_study.records.state import BracketState, SearchState
from lstm_study.records.training import Role
from lstm_study.schedule import Bracket, Round, hyperband
from lstm_study.spec import StudySpec


def slots_at_most(spec: StudySpec) -> int:
    """Returns how many slots the largest first round of the plan can have, without drawing it."""
    brackets = planned_schedule(spec)
    return max(*(bracket.rounds[0].trials for bracket in brackets), control_trials(spec, brackets))


def with_further_trials(plan: SearchState, spec: StudySpec) -> SearchState:
    """Returns the plan of a search that has not ended as it will be with a larger max_trials.

    The configurations of the further trials are left open. Of Hyperband's schedule only the random
    control beside it depends on that limit.
    """
    if plan.exhausted or plan.stopped is not None:
        return plan
    schedule, counts = planned_schedule(spec), dict[Role, int]()
    size = configuration_count(spec.space)
    if spec.search.tuner != "hyperband":
        count = schedule[0].trials
        if size is not None and count > size:
            count = min(count, _places(spec, size))
        schedule, counts["search"] = (single_round(count, spec),), count
    control = control_trials(spec, schedule)
    counts["control"] = control if size is None else min(control, size)
    brackets = tuple(
        _with_trials(each, counts[each.role]) if each.role in counts else each
        for each in plan.brackets
    )
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
    sizes = ((each.role, [item.trials for item in each.rounds]) for each in plan.brackets)
    return sum(map(sum, sizes_at_most(sizes, max(most, begun))))


def sizes_at_most(
    brackets: Iterable[tuple[Role, Sequence[int]]], most: int | None
) -> list[list[int]]:
    """Returns how many trials each round of each bracket has where a search ends after so many.

    They are the first ones of the plan, round by round, as one worker would train them, so they do
    not depend on the number of workers.

    Args:
        brackets: The role of each, and the trials that its rounds plan.
        most: Trials that the search has, beside those of the random control; None for all.
    """
    left, sizes = most, []
    for role, planned in brackets:
        if left is None or role == "control":
            sizes.append(list(planned))
            continue
        sizes.append([])
        for trials in planned:
            sizes[-1].append(min(trials, left))
            left -= sizes[-1][-1]
    return sizes


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


def control_trials(spec: StudySpec, brackets: Sequence[Bracket]) -> int:
    """Random configurations that a search's epochs pay for; 0 where no control is wanted."""
    if spec.search.control != "random":
        return 0
    planned: list[tuple[Role, list[int]]] = [
        ("search", [item.trials for item in bracket.rounds]) for bracket in brackets
    ]
    sizes = sizes_at_most(planned, spec.search.max_trials)
    epochs = sum(
        trials * (item.budget_epochs - item.initial_epoch)
        for bracket, of_bracket in zip(brackets, sizes, strict=True)
        for item, trials in zip(bracket.rounds, of_bracket, strict=True)
    )
    return max(1, epochs // spec.search.max_epochs)
