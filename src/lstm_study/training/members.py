"""The members of a population: what each is to train, where it stands, and how it ended."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.types import Split
from lstm_study.model.population.arrays import PopulationState
from lstm_study.records import Epoch
from lstm_study.seeds import derive
from lstm_study.training.checkpoint import Checkpoint, write_checkpoint
from lstm_study.training.epochs import RunningEpoch, Step
from lstm_study.training.inputs import dropped_tokens
from lstm_study.training.member_state import own_variables, own_weights
from lstm_study.training.training import Training, epoch_batches, with_lengths


@dataclass(frozen=True, kw_only=True)
class Member:
    """One training of a population; the arguments of `training/training.py: train`.

    Attributes:
        training: What to train.
        start: Where to resume from; None to begin.
        save: Where to keep the checkpoint.
        where: What an error calls the checkpoint it started from.
        on_step: Called some twenty times an epoch, with the step reached.
        on_epoch: Called after every epoch, once its checkpoint is safe.
        on_end: Called once, when the training is over.
        reads: What to classify once it is trained, such as the test reviews; asked for then.
    """

    training: Training
    start: Checkpoint | None
    save: Path
    where: str
    on_step: Callable[[Step], None]
    on_epoch: Callable[[Checkpoint], None]
    on_end: Callable[["Ended"], None]
    reads: Callable[[], Split] | None = None


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a member's training ended.

    Attributes:
        checkpoint: Its last; None where it has none.
        error: What ended it before its last epoch; None where nothing did.
        split: What it read at the end; None where it was not to read.
        probabilities: Of the positive label, float32 [reviews].
        earlier: The same by the earlier weights that its checkpoint keeps, in their order.
        read_seconds: Its share of the time that this took.
    """

    checkpoint: Checkpoint | None
    error: Exception | None = None
    split: Split | None = None
    probabilities: NDArray[np.float32] | None = None
    earlier: tuple[NDArray[np.float32], ...] = ()
    read_seconds: float = 0.0


@dataclass
class Seated:
    """A member at its place in the arrays.

    Attributes:
        member: The member.
        checkpoint: The last one that is written; None before there is one.
        epochs: Its history.
        batches: The epoch's, as positions in the split.
        lengths: The tokens that each batch is cut to where the member is trained alone.
        running: The epoch so far.
        drawn: The batches of the epoch after it, each with its length; None after the last.
    """

    member: Member
    checkpoint: Checkpoint | None
    epochs: tuple[Epoch, ...]
    batches: list[NDArray[np.int64]] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    running: RunningEpoch = field(default_factory=lambda: RunningEpoch(number=1, steps=0))
    drawn: Future[list[tuple[NDArray[np.int64], int]]] | None = None

    @property
    def epochs_left(self) -> int:
        """How many it has still to train."""
        return self.member.training.epochs - len(self.epochs)

    @property
    def earlier(self) -> tuple[tuple[NDArray[Any], ...], ...]:
        """The weights of earlier epochs that its checkpoint keeps."""
        return self.checkpoint.earlier if self.checkpoint is not None else ()

    def begin_epoch(self, split: Split, threads: Executor) -> None:
        """Begins its next epoch; the batches of the one after are drawn while the device works."""
        number = len(self.epochs) + 1
        drawn = self.drawn or threads.submit(self._draw, number, split)
        cut = drawn.result()
        self.drawn = None
        if self.epochs_left > 1:
            self.drawn = threads.submit(self._draw, number + 1, split)
        self.batches = [chosen for chosen, _ in cut]
        self.lengths = [length for _, length in cut]
        self.running = RunningEpoch(number=number, steps=len(cut))

    def _draw(self, number: int, split: Split) -> list[tuple[NDArray[np.int64], int]]:
        training = self.member.training
        return with_lengths(
            epoch_batches(training, number, split),
            split,
            maxlen=training.configuration.maxlen,
            masked=training.masked,
        )

    def dropped(self, first: int, count: int) -> list[NDArray[np.bool_]]:
        """Draws which tokens word dropout takes in some steps of the epoch: bool [n, length] each.

        A training alone draws the same.
        """
        training = self.member.training
        return [
            dropped_tokens(
                (len(self.batches[step]), self.lengths[step]),
                rate=training.configuration.word_dropout,
                seed=derive(training.seed, "word dropout", self.running.number, step),
            )
            for step in range(first, min(first + count, len(self.batches)))
        ]

    def write(
        self, state: PopulationState, epochs: tuple[Epoch, ...], *, durable: bool
    ) -> Checkpoint:
        """Writes and returns its checkpoint, with the earlier weights that are to be kept.

        Args:
            state: Its own, as NumPy's arrays.
            epochs: Its history.
            durable: See `write_checkpoint`.
        """
        training, before = self.member.training, self.checkpoint
        earlier = self.earlier
        if before is not None and len(before.epochs) in training.keeps:
            earlier = (*earlier, own_weights(before.variables, training.configuration))
        variables = own_variables(
            state, training.configuration, learning_rate=training.learning_rate
        )
        checkpoint = Checkpoint(epochs=epochs, variables=variables, earlier=earlier)
        write_checkpoint(self.member.save, checkpoint, durable=durable)
        return checkpoint
