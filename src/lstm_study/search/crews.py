"""Crews of workers on other machines: who has joined a search, and who has fallen silent."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

Standing = Literal["member", "given_up", "stranger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One crew.

    Attributes:
        name: Its name.
        workers: How many workers it has.
        heard_at: When it last gave a sign of life, by the chief's own clock.
    """

    name: str
    workers: int
    heard_at: float


class Crews:
    """Who has joined. Thread-safe.

    Silence is counted on one clock, the chief's: those of other machines don't matter.

    Args:
        silence_seconds: A crew silent for longer is given up.
        clock: Returns seconds; never goes back.
    """

    def __init__(
        self, *, silence_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._silence_seconds, self._clock = silence_seconds, clock
        self._lock = threading.Lock()
        self._members: dict[str, Member] = {}
        self._given_up: set[str] = set()
        self._news: list[str] = []

    def join(self, name: str, *, workers: int) -> None:
        """Takes a crew in."""
        with self._lock:
            self._members[name] = Member(name=name, workers=workers, heard_at=self._clock())
            self._news.append(f"{name} joined, {workers} worker{'s' if workers > 1 else ''}")

    def hear(self, name: str) -> Standing:
        """Takes note of a sign of life, and says who that is."""
        with self._lock:
            member = self._members.get(name)
            if member is None or name in self._given_up:
                return "given_up" if name in self._given_up else "stranger"
            self._members[name] = replace(member, heard_at=self._clock())
            return "member"

    def leave(self, name: str) -> None:
        """Lets a crew go."""
        with self._lock:
            if self._members.pop(name, None) is not None:
                self._news.append(f"{name} left")

    def give_up_silent(self) -> list[str]:
        """Gives up the crews that have been silent for too long, for good, and names them."""
        with self._lock:
            moment = self._clock()
            names = [
                name
                for name, member in self._members.items()
                if moment - member.heard_at > self._silence_seconds
            ]
            for name in names:
                del self._members[name]
                self._news.append(
                    f"{name} was silent for {self._silence_seconds:g} s: others go on with its "
                    "trials"
                )
            self._given_up.update(names)
            return names

    def news(self) -> list[str]:
        """Says who came and went since it was last asked."""
        with self._lock:
            news, self._news = self._news, []
            return news

    @property
    def given_up(self) -> list[str]:
        """Names of the crews given up so far."""
        with self._lock:
            return sorted(self._given_up)

    @property
    def names(self) -> list[str]:
        """Names of the crews that are in."""
        with self._lock:
            return sorted(self._members)

    @property
    def workers(self) -> int:
        """How many workers all crews have."""
        with self._lock:
            return sum(member.workers for member in self._members.values())
