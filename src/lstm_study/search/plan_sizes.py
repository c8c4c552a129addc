"""How many trials a search has, by its spec or its written plan; nothing is drawn.

Imports no Keras Tuner.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lstm_study.errors import SearchError
from lstm_study.model.grid import configuration_count, continuous, holds
from lstm_study.records.state import BracketState, RoundState, SearchState
from lstm_study.records.training import Role, Trial
from lstm_study.schedule import Bracket, Round, hyperband, single_round
from lstm_study.spec import StudySpec
from lstm_study.spec.tables import MOST_TRIALS


def slots_at_most(spec: StudySpec) -> int:
    """Returns how many slots the largest first round of the plan can have, without drawing it."""
    brackets, most = planned_schedule(spec), spec.search.max_trials
    first = max(bracket.rounds[0].trials for bracket in brackets)
    control = control_trials(spec, [bracket.rounds for bracket in brackets])
    return max(first if most is None else min(first, most), control)


def with_further_trials(plan: SearchState, spec: StudySpec) -> SearchState:
    """Returns the plan of a search that has not ended as it will be with a larger max_trials.

    The configurations of the further trials are left open. Of Hyperband's schedule only the random
    control beside it depends on that limit.
    """
    is_hyperband = spec.search.tuner == "hyperband"
    if plan.stopped is not None or (plan.exhausted and not is_hyperband):
        return plan
    counts, size = dict[Role, int](), configuration_count(spec.space)
    rounds: list[Sequence[Round | RoundState]] = [
        each.rounds for each in plan.brackets if each.role == "search"
    ]
    if not is_hyperband:
        (bracket,) = planned_schedule(spec)
        count = bracket.trials
        if size is not None and count > size:
            count = min(count, _places(spec, size))
        rounds = [single_round(count, max_epochs=spec.search.max_epochs).rounds]
        counts["search"] = count
    control = control_trials(spec, rounds)
    counts["control"] = control if size is None else min(control, size)
    brackets = tuple(
        _with_trials(each, counts[each.role]) if each.role in counts else each
        for each in plan.brackets
    )
    planned = [each for bracket in brackets for each in bracket.rounds]
    return replace(
        plan,
        trials=sum(each.trials for each in planned),
        epochs=sum(each.trials * (each.budget_epochs - each.initial_epoch) for each in planned),
        brackets=brackets,
    )


def trials_at_most(plan: SearchState, spec: StudySpec, trials: Iterable[Trial] = ()) -> int:
    """Returns how many trials a search has in the end: its plan's, or fewer by max_trials.

    One that fails after its bracket's first round is replaced, which makes one more, as long as the
    round before has others; no round has fewer than began.

    Args:
        plan: The search's schedule.
        spec: The study, whose limit does not count trials of the random control.
        trials: Those that began, finalists too.
    """
    if not plan.brackets:
        return plan.trials
    found = [(_round_of(each), each.status) for each in trials]
    begun = Counter(key for key, _ in found)
    failed = Counter(key for key, status in found if status == "failed")
    total = 0
    for bracket in as_limited(plan, spec.search.max_trials).brackets:
        possible = 0
        for number, each in enumerate(bracket.rounds):
            key = (bracket.role, bracket.iteration, bracket.bracket, number)
            size = each.trials
            if number:
                size = min(size + failed[key], possible)
            possible = size - failed[key]
            total += max(size, begun[key])
    return total


def as_limited(plan: SearchState, most: int | None) -> SearchState:
    """Returns a plan whose rounds have as many trials as the limit leaves them; see below."""
    sizes = sizes_at_most(
        ((each.role, [item.trials for item in each.rounds]) for each in plan.brackets), most
    )
    brackets = tuple(
        replace(
            bracket,
            configurations=bracket.configurations[: of_bracket[0]],
            rounds=tuple(
                replace(item, trials=count)
                for item, count in zip(bracket.rounds, of_bracket, strict=True)
            ),
        )
        for bracket, of_bracket in zip(plan.brackets, sizes, strict=True)
    )
    return replace(plan, brackets=brackets)


def _round_of(trial: Trial) -> tuple[Role, int, int, int]:
    return trial.role, trial.iteration, trial.bracket, trial.round


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


def least_trials(plan: SearchState, epochs: int) -> int:
    """Returns how many first trials of a plan hold one of a budget; all of them if none has it."""
    before = 0
    for bracket in plan.brackets:
        for each in bracket.rounds if bracket.role == "search" else ():
            if each.budget_epochs == epochs:
                return before + 1
            before += each.trials
    return before


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
        SearchError: The tuner is "grid" and the space is continuous, or too large for no limit.
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
        if count is None and size > MOST_TRIALS:
            raise SearchError(
                f"A grid without a limit must have {MOST_TRIALS:,} configurations at most. "
                f"Received: {size:,}. Give search.max_trials, make the space smaller, or choose "
                "another search.tuner."
            )
        if count is None or count > size:
            places = _places(spec, size)
            count = min(places, count or places)
    assert count is not None, "the spec's validation asks for max_trials"
    return (single_round(count, max_epochs=spec.search.max_epochs),)


def _places(spec: StudySpec, size: int) -> int:
    """Returns how many trials a space of `size` configurations gives.

    An included baseline that the space does not hold is one trial more.
    """
    if not spec.search.include_baseline:
        return size
    return size + (not holds(spec.space, spec.baseline.configuration))


def control_trials(spec: StudySpec, brackets: Sequence[Sequence[Round | RoundState]]) -> int:
    """Random configurations that a search's epochs pay for; 0 where no control is wanted.

    `brackets` are the rounds of each that the search plans.
    """
    if spec.search.control != "random":
        return 0
    planned: list[tuple[Role, list[int]]] = [
        ("search", [item.trials for item in rounds]) for rounds in brackets
    ]
    sizes = sizes_at_most(planned, spec.search.max_trials)
    epochs = sum(
        trials * (item.budget_epochs - item.initial_epoch)
        for rounds, of_bracket in zip(brackets, sizes, strict=True)
        for item, trials in zip(rounds, of_bracket, strict=True)
    )
    return max(1, epochs // spec.search.max_epochs)
