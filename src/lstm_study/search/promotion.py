"""Which trial comes next: a pure function of the plan and the records."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from lstm_study.analysis.search.summary import rank_key
from lstm_study.records import Trial
from lstm_study.search.plan import Plan, PlannedBracket, Slot

_UNFINISHED = ("running", "interrupted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A trial to start: a slot's, in a round of its bracket."""

    planned: PlannedBracket
    slot: Slot
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """A trial that began and has no worker."""

    trial: Trial


def startable(
    plan: Plan,
    records: Mapping[str, Trial],
    *,
    assigned: Collection[str],
    direction: Literal["max", "min"],
    may_start: bool = True,
) -> Iterator[Start | Resume]:
    """Yields what a free worker could do now, in order of priority.

    First come trials that began and have no worker; then, bracket by bracket, the first round's
    slots and promotions. A trial is promoted as soon as it is certain to be among its round's best,
    whatever the unfinished ones will score, so the promoted set does not depend on the order in
    which workers finish. A failed trial takes no slot: the next best of the round before gets it.

    Args:
        plan: The whole search.
        records: Every trial begun so far, by id; must not change while this is read.
        assigned: Ids of the trials that a worker is at.
        direction: Which end of the score is better.
        may_start: Whether the budget allows another trial.

    Yields:
        Nothing where others have to end first, or where all is done.
    """
    for record in records.values():
        if record.status in _UNFINISHED and record.trial_id not in assigned:
            yield Resume(trial=record)
    if may_start:
        for planned in plan.brackets:
            yield from _starts_in(planned, records, direction=direction)


def _starts_in(
    planned: PlannedBracket, records: Mapping[str, Trial], *, direction: Literal["max", "min"]
) -> Iterator[Start]:
    for slot in planned.slots:
        if slot.trial_id(0) not in records:
            yield Start(planned=planned, slot=slot, round=0)
    by_name = {slot.name: slot for slot in planned.slots}
    for number in range(1, len(planned.bracket.rounds)):
        for name in _certain(planned, number, records, direction=direction):
            if by_name[name].trial_id(number) not in records:
                yield Start(planned=planned, slot=by_name[name], round=number)


def needed_checkpoints(
    plan: Plan, records: Mapping[str, Trial], *, direction: Literal["max", "min"]
) -> set[str]:
    """Returns the ids of trials whose checkpoints a trial to come may still need.

    A running trial needs its own, and its parent's until it has one; a completed one is needed
    until its child ended, or until it is certain to have none.
    """
    needed = set()
    for planned in plan.brackets:
        last = len(planned.bracket.rounds) - 1
        for item in planned.bracket.rounds:
            trials = _round_records(planned, item.round, records)
            in_the_running = set[str]()
            if item.round < last:
                # Those that enough others already beat are out. Should one of these fail after all,
                # the next best is trained again from the start, to the bit.
                size = _size(planned, item.round + 1, records)
                in_the_running.update(_ranked(trials, direction)[:size])
            children = _round_records(planned, item.round + 1, records)
            for name, trial in trials.items():
                child = children.get(name)
                may_promote = (
                    name in in_the_running if child is None else child.status in _UNFINISHED
                )
                is_completed = trial.status == "completed"
                if trial.status in _UNFINISHED or (is_completed and may_promote):
                    needed.add(trial.trial_id)
    return needed


def _round_records(
    planned: PlannedBracket, round_number: int, records: Mapping[str, Trial]
) -> dict[str, Trial]:
    return {
        slot.name: records[slot.trial_id(round_number)]
        for slot in planned.slots
        if slot.trial_id(round_number) in records
    }


def _size(planned: PlannedBracket, round_number: int, records: Mapping[str, Trial]) -> int:
    """How many trials a round starts: one more for each that failed in it."""
    ended = _round_records(planned, round_number, records).values()
    failed = sum(record.status == "failed" for record in ended)
    return planned.bracket.rounds[round_number].trials + failed


def _possible(planned: PlannedBracket, round_number: int, records: Mapping[str, Trial]) -> int:
    """How many trials a round will have at most, knowing which trials have failed."""
    if round_number == 0:
        return len(planned.slots)
    earlier = _round_records(planned, round_number - 1, records)
    failed = sum(record.status == "failed" for record in earlier.values())
    possible = _possible(planned, round_number - 1, records) - failed
    return min(_size(planned, round_number, records), possible)


def _certain(
    planned: PlannedBracket,
    round_number: int,
    records: Mapping[str, Trial],
    *,
    direction: Literal["max", "min"],
) -> list[str]:
    """Names of the slots certain to be in a round, best first."""
    earlier = _round_records(planned, round_number - 1, records)
    ended = [record for record in earlier.values() if record.status in ("completed", "failed")]
    unfinished = _possible(planned, round_number - 1, records) - len(ended)
    ranked = _ranked(earlier, direction)
    return ranked[: max(0, _size(planned, round_number, records) - unfinished)]


def _ranked(trials: Mapping[str, Trial], direction: Literal["max", "min"]) -> list[str]:
    completed = {name: trial for name, trial in trials.items() if trial.status == "completed"}
    return sorted(completed, key=lambda name: rank_key(completed[name], direction))
