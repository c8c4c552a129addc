"""A crew's line to its chief: found through the study's folder, kept up by signs of life."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

from lstm_study.errors import SearchError
from lstm_study.search.wire import (
    BEAT_SECONDS,
    CHANNEL_OPTIONS,
    SERVICE,
    TOKEN_HEADER,
    chief_silence_seconds,
    packed,
    unpacked,
)
from lstm_study.store import Store

_ANSWER_SECONDS = 2.0
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A chief that answers.

    Attributes:
        address: "host:port".
        token: What it must be sent.
        term: Its start's name, as both it and the study's folder say.
    """

    address: str
    token: str
    term: str


class Link:
    """Speaks to a chief; a call that fails raises `grpc.RpcError`.

    Args:
        address: "host:port".
        token: What the chief asks for.
    """

    def __init__(self, address: str, token: str) -> None:
        self._channel = grpc.insecure_channel(address, options=CHANNEL_OPTIONS)
        self._headers = ((TOKEN_HEADER, token),)

    def __enter__(self) -> "Link":
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def ask(self, method: str, **values: Any) -> dict[str, Any]:
        """Calls "Hello", "Join", "Beat", "Lost" or "Leave", and returns the answer."""
        call = self._channel.unary_unary(f"/{SERVICE}/{method}")
        return unpacked(call(packed(values), metadata=self._headers, timeout=_ANSWER_SECONDS))


def find_chief(
    store: Store,
    *,
    address: str,
    wait_seconds: float,
    on_wait: Callable[[str], None],
    is_done: Callable[[], bool],
) -> Found | None:
    """Waits for the study's chief to answer.

    Args:
        store: The study.
        address: The chief's, "host:port"; "" to read it from the study's folder.
        wait_seconds: How long to wait.
        on_wait: Called with what is waited for, whenever that changes.
        is_done: Whether there is nothing left to join for.

    Returns:
        The chief; None if the search turned out to be done.

    Raises:
        SearchError: It did not answer in time, or is another study's.
    """
    deadline, said = time.monotonic() + wait_seconds, ""
    while True:
        found = _look(store, address)
        if isinstance(found, Found):
            return found
        if is_done():
            return None
        if time.monotonic() >= deadline:
            raise SearchError(
                f"{store.folder}: {found}, for {wait_seconds:g} s. Start the chief with "
                "`lstm-study chief`, in the same folder; --wait says how long to wait for it."
            )
        if found != said:
            said = found
            on_wait(said)
        time.sleep(_LOOK_SECONDS)


def _look(store: Store, given: str) -> Found | str:
    """Returns the chief, or says what is missing."""
    chief, token = store.read_chief(), store.read_token()
    address = given or chief.get("address", "")
    if not address or not token:
        return "no chief has opened this study for workers"
    try:
        with Link(address, token) as link:
            term = link.ask("Hello")["term"]
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            return f"the chief at {address} does not accept the token of this folder"
        return f"the chief at {address} does not answer"
    if term != chief.get("term"):
        return f"the chief at {address} does not work on this folder, which must be shared"
    return Found(address=address, token=token, term=term)


class Pulse:
    """Gives its chief signs of life, and hears from it whether to go on.

    Args:
        link: The line.
        crew: This crew's name.
        address: The chief's, for errors.
        check_term: Raises where the study's folder says that the chief has ended.
        clock: Returns seconds; never goes back.
    """

    def __init__(
        self,
        link: Link,
        *,
        crew: str,
        address: str,
        check_term: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link, self._crew, self._address, self._clock = link, crew, address, clock
        self._check_term = check_term
        self._limit = chief_silence_seconds()
        self._answered = clock()
        self._next = 0.0
        self.over: str | None = None

    def beat(self) -> bool:
        """Gives a sign of life, if one is due; returns whether the search goes on.

        Raises:
            SearchError: The chief has been silent for too long, or has given this crew up.
            StaleTermError: It has ended, or was started anew.
        """
        if self._clock() < self._next:
            return self.over is None
        try:
            answer = self._link.ask("Beat", crew=self._crew)
        except grpc.RpcError as error:
            # A chief that ended in good order, or was started anew, has left word in the folder.
            self._check_term()
            if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                raise SearchError(
                    f"{self._address}: another chief has taken the place of the one that these "
                    "workers joined; every finished epoch is saved."
                ) from error
            if self._clock() - self._answered > self._limit:
                raise SearchError(
                    f"{self._address}: the chief has not answered for {self._limit:g} s, so these "
                    "workers ended; every finished epoch is saved."
                ) from error
            self._next = self._clock() + BEAT_SECONDS
            return True
        self._answered = self._clock()
        self._next = self._answered + BEAT_SECONDS
        if answer["standing"] != "member":
            raise SearchError(
                f"{self._address}: the chief heard nothing of these workers for too long, and gave "
                "their trials to others."
            )
        self.over = answer["over"]
        return self.over is None

    def lose(self, worker: str, exit_code: int) -> None:
        """Tells the chief that a worker's process died."""
        self._tell("Lost", worker=worker, exit_code=exit_code)

    def leave(self) -> None:
        """Tells the chief that this crew has ended."""
        self._tell("Leave")

    def _tell(self, method: str, **values: Any) -> None:
        try:
            self._link.ask(method, crew=self._crew, **values)
        except grpc.RpcError:
            # The next beat finds out whether the chief is gone; if so, it knows by our silence.
            self._next = 0.0
