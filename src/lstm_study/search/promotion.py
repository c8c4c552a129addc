"""Which trial comes next: a pure function of the plan and the records."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from lstm_study.analysis.search.summary import rank_key
from lstm_study.records import Trial
from lstm_study.search.plan import Plan, PlannedBracket, Slot


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
    """Yields what a free worker could do now, the first one first.

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
        if record.status in ("running", "interrupted") and record.trial_id not in assigned:
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
        rounds = planned.bracket.rounds
        for slot in planned.slots:
            for item in rounds:
                record = records.get(slot.trial_id(item.round))
                if record is None:
                    continue
                if record.status in ("running", "interrupted"):
                    needed.add(record.trial_id)
                elif record.status == "completed" and item.round + 1 < len(rounds):
                    child = records.get(slot.trial_id(item.round + 1))
                    if child is None:
                        may_promote = not _is_out(
                            planned, slot.name, item.round, records, direction
                        )
                    else:
                        may_promote = child.status in ("running", "interrupted")
                    if may_promote:
                        needed.add(record.trial_id)
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


def _is_out(
    planned: PlannedBracket,
    slot_name: str,
    round_number: int,
    records: Mapping[str, Trial],
    direction: Literal["max", "min"],
) -> bool:
    """Whether enough trials of its round already beat it to fill the next round.

    Should one of those fail there after all, this one is trained again from the start, to the bit.
    """
    ranked = _ranked(_round_records(planned, round_number, records), direction)
    return ranked.index(slot_name) >= _size(planned, round_number + 1, records)


def _ranked(trials: Mapping[str, Trial], direction: Literal["max", "min"]) -> list[str]:
    completed = {name: trial for name, trial in trials.items() if trial.status == "completed"}
    return sorted(completed, key=lambda name: rank_key(completed[name], direction))
