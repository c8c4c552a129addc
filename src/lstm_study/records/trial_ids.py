"""Trials' ids: "b2-03-r1" is slot 3 of bracket 2, after one promotion."""

import re
from dataclasses import dataclass
from typing import Self

from lstm_study.records.state import BracketState

CONTROL_PREFIX = "c"
"""Begins the ids of the random control's trials."""
_ID = re.compile(r"(?P<prefix>c|(?:i\d+-)?b\d+)-(?P<slot>\d+)-r(?P<round>\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialId:
    """What the id of a planned trial says; those of finalists are names alone.

    Attributes:
        prefix: Of its bracket: "b2", "i1-b2" where the search has several iterations, or "c".
        slot: In the bracket's first round, from 0.
        digits: That the slot is written with.
        round: How often the slot was promoted.
    """

    prefix: str
    slot: int
    digits: int = 2
    round: int = 0

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Reads an id; None for one that is not of the plan, such as a finalist's.

        Example:
            >>> TrialId.parse("i1-b2-03-r1")
            TrialId(prefix='i1-b2', slot=3, digits=2, round=1)
        """
        if (found := _ID.fullmatch(text)) is None:
            return None
        return cls(
            prefix=found["prefix"],
            slot=int(found["slot"]),
            digits=len(found["slot"]),
            round=int(found["round"]),
        )

    def __str__(self) -> str:
        return f"{self.slot_name}-r{self.round}"

    @property
    def slot_name(self) -> str:
        """The part that all rounds share."""
        return f"{self.prefix}-{self.slot:0{self.digits}d}"

    def is_of(self, bracket: BracketState) -> bool:
        """Whether the trial belongs to a bracket of the plan."""
        if bracket.role == "control":
            return self.prefix == CONTROL_PREFIX
        number, iteration = bracket.bracket, bracket.iteration
        # Which of the two, the number of iterations says, which the plan does not have.
        return self.prefix in (search_prefix(number), search_prefix(number, iteration=iteration))


def in_order(trial_id: str) -> tuple[str | int, ...]:
    """Returns a key that sorts ids by the numbers in them, whatever digits they are written with.

    Example:
        >>> sorted(["b0-100-r0", "b0-99-r0"], key=in_order)
        ['b0-99-r0', 'b0-100-r0']
    """
    parts = re.split(r"([0-9]+)", trial_id)
    return tuple(part if place % 2 == 0 else int(part) for place, part in enumerate(parts))


def search_prefix(bracket: int, *, iteration: int | None = None) -> str:
    """Returns what begins the ids of a bracket's trials; None for the only iteration."""
    return f"b{bracket}" if iteration is None else f"i{iteration}-b{bracket}"
