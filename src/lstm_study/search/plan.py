"""The whole search before it starts: its schedule, and the configuration of every first slot."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lstm_study.configuration import Configuration
from lstm_study.model.grid import grid
from lstm_study.records import Role, Trial
from lstm_study.records.state import SearchState
from lstm_study.records.trial_ids import CONTROL_PREFIX, TrialId, search_prefix
from lstm_study.schedule import Bracket, single_round
from lstm_study.search.plan_sizes import control_trials, planned_schedule
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
        SearchError: The tuner is "grid" and the space is continuous, or too large for no limit.
    """
    schedule, digits = planned_schedule(spec), _digits(begun)
    if spec.search.tuner == "bayesian":
        proposals = known_proposals(begun, earlier)
        brackets, exhausted = [_proposed(spec, schedule[0], digits, proposals)], False
    else:
        brackets, exhausted = _drawn(spec, schedule, digits)
    if controls := control_trials(spec, [item.bracket.rounds for item in brackets]):
        brackets.append(_control(spec, digits, count=controls))
    return Plan(brackets=tuple(brackets), exhausted=exhausted)


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


def _control(spec: StudySpec, digits: Mapping[str, int], *, count: int) -> PlannedBracket:
    from lstm_study.model.space import draw

    configurations = draw(spec.space, seed=derive(spec.study.seed, "control"))
    slots = _slots(CONTROL_PREFIX, list(itertools.islice(configurations, count)), spec, digits)
    bracket = limited(single_round(count, max_epochs=spec.search.max_epochs), len(slots))
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
