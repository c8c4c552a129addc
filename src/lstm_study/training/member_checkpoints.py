"""Checkpoints of a population's members: what they start from, and those written while it trains.

Threads prepare and write them, so that the device does not wait for the disk.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from typing import Any

import jax

from lstm_study.model.population.arrays import PopulationState
from lstm_study.model.shape_classes import ShapeClass
from lstm_study.records import Epoch
from lstm_study.training.checkpoint import Checkpoint
from lstm_study.training.member_state import padded_state
from lstm_study.training.members import Member, Seated
from lstm_study.training.on_device import initial_variables

# How many are made ahead, two for each thread: a member of 50,000 × 256 has 150 MB.
_STATES_AHEAD = 8


class CheckpointWriter:
    """Writes members' checkpoints on threads, and reports each one to its member.

    Args:
        threads: They copy states from the device to the host, and write them.
    """

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._written: deque[tuple[Seated, Future[Checkpoint]]] = deque()

    @property
    def pending(self) -> bool:
        """Whether there are checkpoints that were not reported yet."""
        return bool(self._written)

    def write(self, seated: Seated, state: PopulationState, *, durable: bool) -> None:
        """Starts to write a member's checkpoint, and returns at once.

        Args:
            seated: The member, with its history.
            state: Its own, on the device.
            durable: See `write_checkpoint`.
        """
        future = self._threads.submit(_fetch_and_write, seated, state, seated.epochs, durable)
        self._written.append((seated, future))

    def report(self, *, wait: bool = False, until: Future[Any] | None = None) -> None:
        """Reports to members which of their checkpoints are written.

        Args:
            wait: Whether to report all, and wait until they are written.
            until: What the device computes: once that is done, the rest is left for the next call.
        """
        while self._written and (wait or self._written[0][1].done()):
            if until is not None and until.done():
                return
            seated, future = self._written.popleft()
            seated.checkpoint = future.result()
            seated.member.on_epoch(seated.checkpoint)


def states_at_start(
    members: Sequence[Member], shape: ShapeClass, threads: Executor
) -> Iterator[tuple[Member, Future[PopulationState]]]:
    """Prepares the states that members start from, a few ahead of the one that is asked for.

    Building and padding takes a second for each new shape, most of it without the GIL.
    """
    making: deque[tuple[Member, Future[PopulationState]]] = deque()
    for member in members:
        making.append((member, threads.submit(_state_at_start, shape, member)))
        if len(making) > _STATES_AHEAD:
            yield making.popleft()
    while making:
        yield making.popleft()


def _state_at_start(shape: ShapeClass, member: Member) -> PopulationState:
    training, start = member.training, member.start
    variables = initial_variables(training) if start is None else start.variables
    return padded_state(variables, training.configuration, shape, where=member.where)


def _fetch_and_write(
    seated: Seated, state: PopulationState, epochs: tuple[Epoch, ...], durable: bool
) -> Checkpoint:
    return seated.write(jax.device_get(state), epochs, durable=durable)
