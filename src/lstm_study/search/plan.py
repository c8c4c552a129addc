"""The whole search before it starts: its schedule, and the configuration of every first slot."""

from dataclasses import dataclass, replace

from lstm_study.configuration import Configuration
from lstm_study.records import Trial
from lstm_study.schedule import Bracket, hyperband
from lstm_study.seeds import derive
from lstm_study.spec import StudySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place in a bracket's first round, which names its configuration through all rounds.

    Attributes:
        name: "b2-03": bracket 2, slot 3; with several iterations "i1-b2-03".
        configuration: What was drawn for it.
        seed: Of weights, dropout and shuffling, through all rounds.
    """

    name: str
    configuration: Configuration
    seed: int

    def trial_id(self, round_number: int) -> str:
        """Returns the id of this slot's trial in a round."""
        return f"{self.name}-r{round_number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBracket:
    """A bracket of the schedule with the slots of its first round."""

    bracket: Bracket
    slots: tuple[Slot, ...]


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


def make_plan(spec: StudySpec) -> Plan:
    """Draws every first slot's configuration, each once in the whole search.

    The plan depends on the spec alone, so the same configurations are tried however many workers
    share the search and however often it is interrupted. A space that is exhausted leaves later
    brackets with fewer slots or none; each round that is left still promotes.
    """
    from lstm_study.model.space import draw

    configurations = draw(spec.space, seed=spec.study.seed)
    schedule = hyperband(
        max_epochs=spec.search.max_epochs,
        factor=spec.search.factor,
        iterations=spec.search.iterations,
    )
    brackets = []
    exhausted = False
    for bracket in schedule:
        prefix = f"i{bracket.iteration}-" if spec.search.iterations > 1 else ""
        slots = []
        for number, configuration in zip(
            range(bracket.rounds[0].trials), configurations, strict=False
        ):
            name = f"{prefix}b{bracket.bracket}-{number:02d}"
            slots.append(
                Slot(
                    name=name,
                    configuration=configuration,
                    seed=derive(spec.study.seed, "trial", name),
                )
            )
        exhausted = exhausted or len(slots) < bracket.rounds[0].trials
        if slots:
            brackets.append(
                PlannedBracket(bracket=limited(bracket, len(slots)), slots=tuple(slots))
            )
    return Plan(brackets=tuple(brackets), exhausted=exhausted)


def trial_of(planned: PlannedBracket, slot: Slot, round_number: int) -> Trial:
    """Returns the record of a trial that is about to start."""
    item = planned.bracket.rounds[round_number]
    return Trial(
        trial_id=slot.trial_id(round_number),
        configuration=slot.configuration,
        seed=slot.seed,
        iteration=planned.bracket.iteration,
        bracket=planned.bracket.bracket,
        round=round_number,
        initial_epoch=item.initial_epoch,
        budget_epochs=item.budget_epochs,
        parent=slot.trial_id(round_number - 1) if round_number else None,
        parameter_count=slot.configuration.parameter_count,
    )


def limited(bracket: Bracket, slots: int) -> Bracket:
    """Returns a bracket whose rounds are no larger than its first can be."""
    return replace(
        bracket,
        rounds=tuple(replace(item, trials=min(item.trials, slots)) for item in bracket.rounds),
    )
