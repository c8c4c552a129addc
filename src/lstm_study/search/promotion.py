"""Which trial comes next: a pure function of the plan and the records."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lstm_study.analysis.search.summary import rank_key
from lstm_study.objectives import Direction
from lstm_study.records import Trial
from lstm_study.search.plan import Plan, PlannedBracket, Slot
from lstm_study.search.plan_sizes import sizes_at_most

_UNFINISHED = ("running", "interrupted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A trial to start: a slot's, in a round of its bracket."""

    planned: PlannedBracket
    slot: Slot
    round: int

    @property
    def trial_id(self) -> str:
        """Its trial's."""
        return self.slot.trial_id(self.round)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """A trial that began and has no worker."""

    trial: Trial

    @property
    def trial_id(self) -> str:
        """Its trial's."""
        return self.trial.trial_id


def startable(
    plan: Plan,
    records: Mapping[str, Trial],
    *,
    assigned: Collection[str],
    direction: Direction,
    most: int | None = None,
) -> Iterator[Start | Resume]:
    """Yields what a free worker could do now, in order of priority.

    First come trials that began and have no worker; then, bracket by bracket, the first round's
    slots and promotions. A trial is promoted as soon as it is certain to be among its round's best,
    whatever the unfinished ones will score, so the promoted set does not depend on the order in
    which workers finish. A failed trial takes no slot: the next best of the round before gets it.

    Args:
        plan: The whole search.
        records: Every trial begun so far, by id; must not change while this is read.
        assigned: Ids of the trials that a worker is training.
        direction: Which end of the score is better.
        most: Trials that the search has, beside those of the random control: the first ones of the
            plan, and one more for each that failed after its bracket's first round. None for all.
    """
    for record in records.values():
        if record.status in _UNFINISHED and record.trial_id not in assigned:
            yield Resume(trial=record)
    brackets = ((each.role, _sizes(each)) for each in plan.brackets)
    for planned, sizes in zip(plan.brackets, sizes_at_most(brackets, most), strict=True):
        yield from _starts_in(_Rounds(planned, sizes, records, direction))


def _starts_in(rounds: "_Rounds") -> Iterator[Start]:
    planned = rounds.planned
    by_name = {slot.name: slot for slot in planned.slots[: rounds.sizes[0]]}
    for number in range(len(planned.bracket.rounds)):
        for name in rounds.certain(number) if number else by_name:
            if by_name[name].trial_id(number) not in rounds.records:
                yield Start(planned=planned, slot=by_name[name], round=number)


def needed_checkpoints(
    plan: Plan, records: Mapping[str, Trial], *, direction: Direction
) -> set[str]:
    """Returns the ids of trials whose checkpoints a trial to come may still need.

    A running trial needs its own, and its parent's until it has one; a completed one is needed
    until its child ended, or until it is certain to have none.
    """
    needed = set()
    for planned in plan.brackets:
        rounds = _Rounds(planned, _sizes(planned), records, direction)
        last = len(planned.bracket.rounds) - 1
        for number in range(last + 1):
            # Trials that enough others already beat can't be promoted any more, unless one of those
            # fails: then the next best is trained again from the start, which gives the same bits.
            size = rounds.size(number + 1) if number < last else 0
            in_the_running = rounds.ranked(number)[:size]
            children = rounds.trials(number + 1)
            for name, trial in rounds.trials(number).items():
                child = children.get(name)
                may_promote = (
                    name in in_the_running if child is None else child.status in _UNFINISHED
                )
                is_completed = trial.status == "completed"
                if trial.status in _UNFINISHED or (is_completed and may_promote):
                    needed.add(trial.trial_id)
    return needed


def _sizes(planned: PlannedBracket) -> list[int]:
    return [item.trials for item in planned.bracket.rounds]


@dataclass(frozen=True, slots=True)
class _Rounds:
    """The rounds of a bracket, as far as their trials have records.

    `sizes` are the trials that each round has if none fails.
    """

    planned: PlannedBracket
    sizes: Sequence[int]
    records: Mapping[str, Trial]
    direction: Direction

    def trials(self, number: int) -> dict[str, Trial]:
        """The trials of a round that began, by their slots' names."""
        ids = {slot.name: slot.trial_id(number) for slot in self.planned.slots}
        return {name: self.records[each] for name, each in ids.items() if each in self.records}

    def size(self, number: int) -> int:
        """How many trials a round starts: one more for each that failed in it."""
        return self.sizes[number] + self._failed(number)

    def ranked(self, number: int) -> list[str]:
        """Names of the slots that completed a round, best first."""
        trials = self.trials(number)
        completed = [name for name, trial in trials.items() if trial.status == "completed"]
        return sorted(completed, key=lambda name: rank_key(trials[name], self.direction))

    def certain(self, number: int) -> list[str]:
        """Names of the slots certain to be in a round after the first, best first."""
        ranked = self.ranked(number - 1)
        ended = len(ranked) + self._failed(number - 1)
        unfinished = self._possible(number - 1) - ended
        return ranked[: max(0, self.size(number) - unfinished)]

    def _failed(self, number: int) -> int:
        return sum(trial.status == "failed" for trial in self.trials(number).values())

    def _possible(self, number: int) -> int:
        """How many trials a round will have at most, knowing which trials have failed."""
        if number == 0:
            return self.sizes[0]
        left = self._possible(number - 1) - self._failed(number - 1)
        return min(self.size(number), left)
