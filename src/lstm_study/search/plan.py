"""The whole search before it starts: its schedule, and the configuration of every first slot."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lstm_study.configuration import Configuration
from lstm_study.errors import SearchError
from lstm_study.model.grid import configuration_count, continuous, grid
from lstm_study.records import Role, Trial
from lstm_study.records.state import BracketState, SearchState
from lstm_study.records.trial_ids import CONTROL_PREFIX, TrialId, search_prefix
from lstm_study.schedule import Bracket, Round, hyperband
from lstm_study.search.proposals import known_proposals
from lstm_study.seeds import derive
from lstm_study.spec import StudySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place in a bracket's first round, which names its configuration through all rounds.

    Attributes:
        name: "b2-03": bracket 2, slot 3; with several iterations "i1-b2-03"; "c-03" in the control.
        configuration: What was drawn for it; None where the tuner proposes it from the results of
            others, when its trial starts.
        seed: Of weights, dropout and shuffling, through all rounds.
    """

    name: str
    configuration: Configuration | None
    seed: int

    def trial_id(self, round_number: int) -> str:
        """Returns the id of this slot's trial in a round."""
        return f"{self.name}-r{round_number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBracket:
    """A bracket of the schedule with the slots of its first round.

    Attributes:
        bracket: The schedule's.
        slots: Of its first round, in the order they start.
        role: Whether it is part of the search, or of the random control beside it.
    """

    bracket: Bracket
    slots: tuple[Slot, ...]
    role: Role = "search"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All brackets, in the order they run.

    Attributes:
        brackets: With their slots; rounds are no larger than the space allows.
        exhausted: Whether the space held fewer configurations than the schedule wants.
    """

    brackets: tuple[PlannedBracket, ...]
    exhausted: bool

    @property
    def trials(self) -> int:
        """Trials planned, over all brackets and rounds."""
        return sum(item.bracket.trials for item in self.brackets)

    @property
    def epochs(self) -> int:
        """Epochs planned, over all brackets and rounds."""
        return sum(item.bracket.epochs for item in self.brackets)

    @property
    def trial_ids(self) -> set[str]:
        """Ids of the trials there may be, over all rounds and slots."""
        return {
            slot.trial_id(item.round)
            for planned in self.brackets
            for item in planned.bracket.rounds
            for slot in planned.slots
        }

    @property
    def unproposed_ids(self) -> set[str]:
        """Ids of the trials whose configuration a tuner has yet to propose."""
        slots = (slot for planned in self.brackets for slot in planned.slots)
        return {slot.trial_id(0) for slot in slots if slot.configuration is None}

    def with_proposal(self, name: str, configuration: Configuration) -> "Plan":
        """Returns the plan with the configuration that a tuner proposed for a slot, by its name."""
        brackets = [
            replace(
                item,
                slots=tuple(
                    replace(slot, configuration=configuration) if slot.name == name else slot
                    for slot in item.slots
                ),
            )
            for item in self.brackets
        ]
        return replace(self, brackets=tuple(brackets))

    @property
    def most_slots(self) -> int:
        """Trials of the largest round: so many workers can be of use at a time."""
        return max(len(item.slots) for item in self.brackets)


def make_plan(
    spec: StudySpec, begun: Sequence[Trial] = (), *, earlier: SearchState | None = None
) -> Plan:
    """Draws every first slot's configuration, each once in the whole search.

    The configurations drawn depend on the spec alone, so the same ones are tried however many
    workers share the search and however often it is interrupted. Two things come from earlier work:
    how the slots of trials that have begun are named, so that a search whose limit grew still finds
    them; and what a tuner proposed, which depends on when it was asked. A space that is exhausted
    leaves later brackets with fewer slots or none; each round that is left still promotes.

    With `include_baseline` the baseline takes the first slot of the last bracket, which trains it
    for the full budget. With `control = "random"` as many random configurations as the search's
    epochs pay for are trained to the full budget after it.

    Raises:
        SearchError: The tuner is "grid" and the space is continuous.
    """
    schedule, digits = _schedule(spec), _digits(begun)
    if spec.search.tuner == "bayesian":
        proposals = known_proposals(begun, earlier)
        brackets, exhausted = [_proposed(spec, schedule[0], digits, proposals)], False
    else:
        brackets, exhausted = _drawn(spec, schedule, digits)
    if controls := _control_trials(spec, sum(item.bracket.epochs for item in brackets)):
        brackets.append(_control(spec, digits, count=controls))
    return Plan(brackets=tuple(brackets), exhausted=exhausted)


def slots_at_most(spec: StudySpec) -> int:
    """Returns how many slots the largest first round of the plan can have, without drawing it.

    Imports no Keras Tuner.
    """
    brackets = _schedule(spec)
    epochs = sum(bracket.epochs for bracket in brackets)
    return max(*(bracket.rounds[0].trials for bracket in brackets), _control_trials(spec, epochs))


def with_further_trials(plan: SearchState, spec: StudySpec) -> SearchState:
    """Returns the plan of a search that has not ended as it will be with a larger max_trials.

    Draws nothing, and imports no Keras Tuner: the configurations of the further trials are left
    open. A schedule of Hyperband does not depend on that limit.
    """
    if spec.search.tuner == "hyperband" or plan.exhausted or plan.stopped is not None:
        return plan
    (bracket,) = _schedule(spec)
    size, count = configuration_count(spec.space), bracket.trials
    if size is not None and count > size:
        count = min(count, _places(spec, size))
    control = _control_trials(spec, count * spec.search.max_epochs)
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


def trial_of(
    planned: PlannedBracket,
    slot: Slot,
    round_number: int,
    *,
    configuration: Configuration,
    masked: bool = False,
) -> Trial:
    """Returns the record of a trial that is about to start."""
    item = planned.bracket.rounds[round_number]
    return Trial(
        trial_id=slot.trial_id(round_number),
        configuration=configuration,
        seed=slot.seed,
        role=planned.role,
        iteration=planned.bracket.iteration,
        bracket=planned.bracket.bracket,
        round=round_number,
        initial_epoch=item.initial_epoch,
        budget_epochs=item.budget_epochs,
        parent=slot.trial_id(round_number - 1) if round_number else None,
        masked=masked,
        parameter_count=configuration.parameter_count or None,
    )


def limited(bracket: Bracket, slots: int) -> Bracket:
    """Returns a bracket whose rounds are no larger than its first can be."""
    return replace(
        bracket,
        rounds=tuple(replace(item, trials=min(item.trials, slots)) for item in bracket.rounds),
    )


def _schedule(spec: StudySpec) -> tuple[Bracket, ...]:
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
    return (_flat(count, spec),)


def _places(spec: StudySpec, size: int) -> int:
    """Returns how many trials a space of `size` configurations gives.

    An included baseline that the space does not hold is one trial more.
    """
    if not spec.search.include_baseline:
        return size
    return size + (spec.baseline.configuration not in itertools.islice(grid(spec.space), size))


def _flat(count: int, spec: StudySpec) -> Bracket:
    """One bracket of one round: every trial gets the full budget."""
    whole = Round(round=0, trials=count, initial_epoch=0, budget_epochs=spec.search.max_epochs)
    return Bracket(iteration=0, bracket=0, rounds=(whole,))


def _drawn(
    spec: StudySpec, schedule: tuple[Bracket, ...], digits: Mapping[str, int]
) -> tuple[list[PlannedBracket], bool]:
    """Fills the first rounds with drawn configurations, and says if the space was exhausted."""
    from lstm_study.model.space import draw

    baseline = spec.baseline.configuration if spec.search.include_baseline else None
    is_grid = spec.search.tuner == "grid"
    drawn = grid(spec.space) if is_grid else draw(spec.space, seed=spec.study.seed)
    configurations = (item for item in drawn if item != baseline)
    brackets = []
    exhausted = False
    for bracket in schedule:
        wanted = bracket.rounds[0].trials
        chosen: list[Configuration] = []
        if baseline is not None and bracket is schedule[-1]:
            chosen.append(baseline)
        chosen += itertools.islice(configurations, wanted - len(chosen))
        exhausted = exhausted or len(chosen) < wanted
        if chosen:
            iteration = bracket.iteration if spec.search.iterations > 1 else None
            prefix = search_prefix(bracket.bracket, iteration=iteration)
            slots = _slots(prefix, chosen, spec, digits)
            brackets.append(PlannedBracket(bracket=limited(bracket, len(slots)), slots=slots))
    return brackets, exhausted and not is_grid


def _proposed(
    spec: StudySpec,
    bracket: Bracket,
    digits: Mapping[str, int],
    proposals: Mapping[int, Configuration],
) -> PlannedBracket:
    """Leaves open what the tuner has not proposed yet; an included baseline comes first."""
    chosen = [proposals.get(number) for number in range(bracket.rounds[0].trials)]
    if spec.search.include_baseline:
        chosen[0] = spec.baseline.configuration
    return PlannedBracket(bracket=bracket, slots=_slots(search_prefix(0), chosen, spec, digits))


def _control_trials(spec: StudySpec, epochs: int) -> int:
    """Random configurations that so many epochs pay for; 0 where no control is wanted."""
    return max(1, epochs // spec.search.max_epochs) if spec.search.control == "random" else 0


def _control(spec: StudySpec, digits: Mapping[str, int], *, count: int) -> PlannedBracket:
    from lstm_study.model.space import draw

    configurations = draw(spec.space, seed=derive(spec.study.seed, "control"))
    slots = _slots(CONTROL_PREFIX, list(itertools.islice(configurations, count)), spec, digits)
    bracket = limited(_flat(count, spec), len(slots))
    return PlannedBracket(bracket=bracket, slots=slots, role="control")


def _digits(begun: Iterable[Trial]) -> dict[str, int]:
    """Returns how many digits slot names have, by the prefix of each bracket with trials.

    That depends on how many slots it had when they began. A trial's seed comes from its name.
    """
    found: dict[str, int] = {}
    for trial in begun:
        if (of := TrialId.parse(trial.trial_id)) is not None:
            found[of.prefix] = min(of.digits, found.get(of.prefix, of.digits))
    return found


def _slots(
    prefix: str,
    configurations: Sequence[Configuration | None],
    spec: StudySpec,
    digits: Mapping[str, int],
) -> tuple[Slot, ...]:
    width = digits.get(prefix, max(2, len(str(len(configurations) - 1))))
    names = [
        TrialId(prefix=prefix, slot=number, digits=width).slot_name
        for number in range(len(configurations))
    ]
    return tuple(
        Slot(name=name, configuration=item, seed=derive(spec.study.seed, "trial", name))
        for name, item in zip(names, configurations, strict=True)
    )
