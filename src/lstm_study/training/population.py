"""Trains many networks of one shape class at once, as one compiled program, on JAX.

A GPU that trains one network of this size is idle most of the time. Here a *population* shares
every step: its members have their own configuration, seed, rates, order of reviews and budget.
Each member's records and checkpoints are those of the same training done alone by
`training/one.py` with KERAS_BACKEND=jax, up to rounding: weights, dropout masks and batches are the
same. Members begin and end at the ends of epochs, and fail by themselves.

Not covered: optimizers other than Adam; see
`model/shape_classes.py: why_alone`.
"""

import functools
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from lstm_study.configuration import Configuration
from lstm_study.corpus.types import Split
from lstm_study.errors import DivergedError, RecordError
from lstm_study.model.lstm.members import Sweeps, sweeps_for
from lstm_study.model.network import build_model
from lstm_study.model.population import (
    GATES,
    Reviews,
    Settings,
    State,
    draws_of_calls,
    member_of,
    read_batches,
    train_steps,
    with_member,
    with_weights,
)
from lstm_study.model.shape_classes import ShapeClass
from lstm_study.provenance import now
from lstm_study.records import Epoch
from lstm_study.training.checkpoint import Checkpoint, state_of, write_checkpoint
from lstm_study.training.failures import classify
from lstm_study.training.member_state import (
    checkpoint_shapes,
    own_variables,
    own_weights,
    padded_state,
    padded_weights,
)
from lstm_study.training.one import (
    EVALUATION_BATCH,
    Step,
    Training,
    epoch_batches,
    evaluate,
    roc_auc,
)

log = logging.getLogger(__name__)

STEPS_AT_ONCE = 16
_READ_AT_ONCE = 8
_READ_ROWS = 128
_WRITERS = 4
# A smaller program is compiled for the members that are left only if they have so much to do.
_EPOCHS_WORTH_COMPILING = 2


@dataclass(frozen=True, kw_only=True)
class Member:
    """One training of a population; the arguments of `training/one.py: train`.

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
        read_seconds: Its share of the time of that.
    """

    checkpoint: Checkpoint | None
    error: Exception | None = None
    split: Split | None = None
    probabilities: NDArray[np.float32] | None = None
    earlier: tuple[NDArray[np.float32], ...] = ()
    read_seconds: float = 0.0


@dataclass
class _Seated:
    """A member at its place in the arrays.

    Attributes:
        member: Who.
        checkpoint: Its last that is safe; None before there is one.
        epochs: Its history.
        batches: The epoch's, as positions in the split.
        loss_sum: Over the epoch's reviews so far; likewise the next two.
        right: Classified correctly.
        seen: Trained on.
    """

    member: Member
    checkpoint: Checkpoint | None
    epochs: tuple[Epoch, ...]
    batches: list[NDArray[np.int64]] = field(default_factory=list)
    loss_sum: float = 0.0
    right: int = 0
    seen: int = 0

    @property
    def number(self) -> int:
        """Of the epoch it is at."""
        return len(self.epochs) + 1

    @property
    def epochs_left(self) -> int:
        return self.member.training.epochs - len(self.epochs)


def class_of(trainings: Sequence[Training]) -> ShapeClass:
    """Returns the smallest class that holds some trainings, all of one batch size and depth."""
    return functools.reduce(
        ShapeClass.joined,
        (
            ShapeClass.of(each.configuration, batch_size=each.protocol.batch_size)
            for each in trainings
        ),
    )


def train_population(
    members: Sequence[Member],
    *,
    shape: ShapeClass,
    reviews: Split,
    validation: Split | None,
    capacity: int,
    more: Callable[[int], Sequence[Member]] = lambda free: (),
    sweeps: Sweeps | None = None,
) -> None:
    """Trains all members to their budgets, `capacity` at a time at most.

    Where the device's memory does not suffice, the population is halved and resumes from the last
    checkpoints. The same members in the same order give the same bits on one machine; in another
    population a member's results differ by rounding.

    Args:
        members: Trainings that fit the class, which `shape_classes.why_alone` does not refuse.
        shape: The class.
        reviews: What all train on.
        validation: What all validate on after each epoch; None for retrainings on all reviews.
        capacity: Members at once, >= 1.
        more: Asked at the end of every epoch, with the number of free places, for further
            members: promotions, for example.
        sweeps: Runs the LSTM's loop; None for what fits the device.

    Raises:
        StoreError: A checkpoint can't be written.
    """
    if sweeps is None:
        sweeps, why = sweeps_for(shape.lstm_units)
        log.info(
            "%d networks of %s at once: the LSTM by %s (%s).",
            min(capacity, len(members)),
            shape,
            sweeps.name,
            why,
        )
    with ThreadPoolExecutor(_WRITERS, thread_name_prefix="checkpoints") as writers:
        population = Population(shape, reviews, validation, capacity, sweeps, writers)
        population.waiting.extend(members)
        while True:
            try:
                if not population.seat(more):
                    return
                population.train_epoch()
            except Exception as error:
                # A lack of memory is the population's own; all else is the caller's.
                if classify(error).kind != "out_of_memory":
                    raise
                population.halve(error)


class Population:
    """The arrays of a population, and who sits where.

    Attributes:
        waiting: Members that have no place yet.
    """

    def __init__(
        self,
        shape: ShapeClass,
        reviews: Split,
        validation: Split | None,
        capacity: int,
        sweeps: Sweeps,
        writers: Executor,
    ) -> None:
        self.waiting: deque[Member] = deque()
        self._writers = writers
        self._written: deque[tuple[_Seated, Future[Checkpoint]]] = deque()
        self._shape, self._sweeps, self._capacity = shape, sweeps, capacity
        self._split, self._validation = reviews, validation
        self._places: list[_Seated | None] = []
        self._state: Any = None
        self._settings: Any = None
        # The split is kept beside its arrays, so that its id stays its own.
        self._on_device: dict[int, tuple[Split, Reviews]] = {}

    def seat(self, more: Callable[[int], Sequence[Member]]) -> bool:
        """Gives free places to members who wait; False where nobody is left to train."""
        while True:
            missing = self._capacity - len(self.taken()) - len(self.waiting)
            if missing > 0:
                self.waiting.extend(more(missing))
            self._resize(min(self._capacity, len(self.taken()) + len(self.waiting)))
            for place, seated in enumerate(self._places):
                if seated is None:
                    self._fill(place)
            self._settings = _settings(self._places, self._shape)
            if not self.taken() and not self.waiting:
                return False
            if self.taken() and not self._dismiss():
                return True

    def train_epoch(self) -> None:
        """Trains and validates all seated members for one epoch, each with its own number."""
        began = time.perf_counter()
        for _, seated in self.taken():
            seated.batches = epoch_batches(seated.member.training, seated.number, self._split)
            seated.loss_sum, seated.right, seated.seen = 0.0, 0, 0
        steps = len(self.taken()[0][1].batches)
        for first in range(0, steps, STEPS_AT_ONCE):
            if self.taken():
                self.train_chunk(first, min(STEPS_AT_ONCE, steps - first))
                self._tell_of_checkpoints()
        self._tell_of_checkpoints(wait=True)
        trained = time.perf_counter()
        if not self.taken():
            return
        found = None
        if self._validation is not None:
            found = self._read(self._validation)
            calls = -(-len(self._validation) // EVALUATION_BATCH)
            seeds = self._state.seeds + draws_of_calls(self._settings, calls)
            self._state = self._state._replace(seeds=seeds)
        # What an epoch of all takes is shared by all, so that the records' times add up.
        share = len(self.taken())
        seconds = (trained - began) / share, (time.perf_counter() - trained) / share
        for place, seated in self.taken():
            try:
                epoch = self._epoch(seated, None if found is None else found[place], seconds)
            except DivergedError as error:
                self._vacate(place, error)
                continue
            seated.epochs = (*seated.epochs, epoch)
            state = jax.device_get(member_of(self._state, np.int32(place)))
            # Written while the next epoch's first steps are made.
            future = self._writers.submit(
                _written, seated.member, seated.epochs, state, before=seated.checkpoint
            )
            self._written.append((seated, future))

    def halve(self, error: Exception) -> None:
        """Returns all members to their last checkpoint, and continues with half as many at once."""
        self._tell_of_checkpoints(wait=True)
        present = [seated for _, seated in self.taken()]
        self._places, self._state, self._on_device = [], None, {}
        if len(present) <= 1:
            for seated in present:
                seated.member.on_end(Ended(checkpoint=None, error=error))
            if not present:
                raise error
            return
        self._capacity = len(present) // 2
        log.warning(
            "The device's memory does not hold %d networks at once: %d from here on.",
            len(present),
            self._capacity,
        )
        for seated in reversed(present):
            self.waiting.appendleft(replace(seated.member, start=seated.checkpoint))

    def taken(self) -> list[tuple[int, _Seated]]:
        """Returns who sits where."""
        return [(place, seated) for place, seated in enumerate(self._places) if seated]

    def _resize(self, wanted: int) -> None:
        """Makes the arrays larger for those who wait, or smaller where that pays."""
        size, taken = _size(wanted, self._capacity), self.taken()
        ahead = max((seated.epochs_left for _, seated in taken), default=0)
        is_worth_it = size <= len(self._places) // 2 and ahead >= _EPOCHS_WORTH_COMPILING
        if size == 0 or not (size > len(self._places) or is_worth_it):
            return
        states = [member_of(self._state, np.int32(place)) for place, _ in taken]
        self._places = [seated for _, seated in taken] + [None] * (size - len(taken))
        self._state = _empty_state(self._shape, size)
        for place, state in enumerate(states):
            self._state = with_member(self._state, np.int32(place), state)

    def _fill(self, place: int) -> None:
        """Seats the next member who waits and whose checkpoint can be used."""
        while self.waiting:
            member = self.waiting.popleft()
            training, start = member.training, member.start
            variables = initial_variables(training) if start is None else start.variables
            try:
                state = padded_state(
                    variables, training.configuration, self._shape, where=member.where
                )
            except RecordError as error:
                member.on_end(Ended(checkpoint=None, error=error))
                continue
            self._places[place] = _Seated(member, start, start.epochs if start else ())
            self._state = with_member(self._state, np.int32(place), state)
            return

    def _dismiss(self) -> bool:
        """Lets those go who are trained, once they have read what they are to read."""
        trained = [(place, seated) for place, seated in self.taken() if seated.epochs_left <= 0]
        if trained:
            self._tell_of_checkpoints(wait=True)
        splits = {place: seated.member.reads() for place, seated in trained if seated.member.reads}
        read = [self._read_at_end(split, trained) for split in _different(splits.values())]
        for place, seated in trained:
            self._places[place] = None
            ended = Ended(checkpoint=seated.checkpoint)
            for split, found, seconds in read:
                if splits.get(place) is split:
                    last, *earlier = found[place]
                    ended = replace(
                        ended,
                        split=split,
                        probabilities=last,
                        earlier=tuple(earlier),
                        read_seconds=seconds,
                    )
            seated.member.on_end(ended)
        return bool(trained)

    def _read_at_end(
        self, split: Split, trained: Sequence[tuple[int, _Seated]]
    ) -> tuple[Split, dict[int, list[NDArray[np.float32]]], float]:
        """Reads a split by the weights of those who are trained, the last first.

        Their earlier weights take the place of the last ones for that time.

        Returns:
            The split, each one's probabilities, and a member's share of the first reading's time.
        """
        began = time.perf_counter()
        last = self._read(split)
        seconds = (time.perf_counter() - began) / len(self.taken())
        found = {place: [last[place]] for place, _ in trained}
        kept = self._state.weights
        for k in range(max(len(_earlier(seated)) for _, seated in trained)):
            have = [(place, seated) for place, seated in trained if k < len(_earlier(seated))]
            weights = kept
            for place, seated in have:
                configuration = seated.member.training.configuration
                own = padded_weights(_earlier(seated)[k], configuration, self._shape)
                weights = with_weights(weights, np.int32(place), own)
            self._state = self._state._replace(weights=weights)
            probabilities = self._read(split)
            for place, _ in have:
                found[place].append(probabilities[place])
        self._state = self._state._replace(weights=kept)
        return split, found, seconds

    def _tell_of_checkpoints(self, *, wait: bool = False) -> None:
        """Tells members of their checkpoints that are written; all of them, if it is to wait."""
        while self._written and (wait or self._written[0][1].done()):
            seated, future = self._written.popleft()
            seated.checkpoint = future.result()
            seated.member.on_epoch(seated.checkpoint)

    def _vacate(self, place: int, error: Exception) -> None:
        self._tell_of_checkpoints(wait=True)
        seated = self._places[place]
        assert seated is not None
        self._places[place] = None
        seated.member.on_end(Ended(checkpoint=None, error=error))

    def train_chunk(self, first: int, count: int) -> None:
        """Makes `count` of the epoch's steps, from the one numbered `first` on."""
        size = len(self._places), self._shape.rows
        positions = np.full((STEPS_AT_ONCE, *size), -1, np.int32)
        for place, seated in self.taken():
            for k, chosen in enumerate(seated.batches[first : first + count]):
                positions[k, place, : len(chosen)] = chosen
        self._state, *found = train_steps(
            self._state,
            self._reviews(self._split),
            self._settings,
            positions,
            np.int32(count),
            maxlen=self._shape.maxlen,
            sweeps=self._sweeps,
        )
        losses, right = (np.asarray(each)[:count] for each in found)
        for place, seated in self.taken():
            wrong = np.flatnonzero(~np.isfinite(losses[:, place]))
            if len(wrong):
                loss, step = float(losses[wrong[0], place]), first + int(wrong[0]) + 1
                message = f"the loss became {loss} at step {step} of epoch {seated.number}."
                self._vacate(place, DivergedError(message))
                continue
            sizes = [len(chosen) for chosen in seated.batches[first : first + count]]
            seated.loss_sum += math.fsum(
                float(loss) * size for loss, size in zip(losses[:, place], sizes, strict=True)
            )
            seated.right += int(right[:, place].sum())
            seated.seen += sum(sizes)
            seated.member.on_step(
                Step(
                    epoch=seated.number,
                    step=first + count,
                    steps=len(seated.batches),
                    train_loss=seated.loss_sum / seated.seen,
                    train_accuracy=seated.right / seated.seen,
                )
            )

    def _epoch(
        self,
        seated: _Seated,
        probabilities: NDArray[np.float32] | None,
        seconds: tuple[float, float],
    ) -> Epoch:
        """The record of an epoch that has ended."""
        loss = accuracy = auc = None
        if probabilities is not None:
            assert self._validation is not None
            loss, accuracy = evaluate(probabilities, self._validation.labels)
            auc = roc_auc(probabilities, self._validation.labels)
            if not math.isfinite(loss):
                raise DivergedError(f"the validation loss became {loss} in epoch {seated.number}.")
        return Epoch(
            epoch=seated.number,
            train_loss=seated.loss_sum / seated.seen,
            train_accuracy=seated.right / seated.seen,
            validation_loss=loss,
            validation_accuracy=accuracy,
            validation_auc=auc,
            train_seconds=seconds[0],
            validation_seconds=seconds[1],
            ended_at=now(),
        )

    def _read(self, split: Split) -> NDArray[np.float32]:
        """Returns what all places make of some reviews: probabilities [places, reviews]."""
        order = np.argsort(np.diff(split.offsets), kind="stable")
        at_once = _READ_AT_ONCE * _READ_ROWS
        found = np.empty((len(self._places), len(split)), np.float32)
        for first in range(0, len(order), at_once):
            chosen = order[first : first + at_once]
            positions = np.full(at_once, -1, np.int32)
            positions[: len(chosen)] = chosen
            probabilities = read_batches(
                self._state.weights,
                self._reviews(split),
                self._settings,
                positions.reshape(_READ_AT_ONCE, _READ_ROWS),
                np.int32(-(-len(chosen) // _READ_ROWS)),
                maxlen=self._shape.maxlen,
                sweeps=self._sweeps,
            )
            by_place = np.moveaxis(np.asarray(probabilities), 0, 1).reshape(len(found), -1)
            found[:, chosen] = by_place[:, : len(chosen)]
        return found

    def _reviews(self, split: Split) -> Reviews:
        if id(split) not in self._on_device:
            self._on_device[id(split)] = split, _on_device(split, maxlen=self._shape.maxlen)
        return self._on_device[id(split)][1]


def _written(
    member: Member, epochs: tuple[Epoch, ...], state: State, *, before: Checkpoint | None
) -> Checkpoint:
    """Writes and returns a member's checkpoint, with the earlier weights that are to be kept."""
    training = member.training
    rate = training.configuration.learning_rate or training.protocol.learning_rate
    variables = own_variables(state, training.configuration, learning_rate=rate)
    earlier = before.earlier if before is not None else ()
    if before is not None and len(before.epochs) in training.keeps:
        earlier = (*earlier, own_weights(before.variables, training.configuration))
    checkpoint = Checkpoint(epochs=epochs, variables=variables, earlier=earlier)
    write_checkpoint(member.save, checkpoint)
    return checkpoint


def _earlier(seated: _Seated) -> tuple[tuple[NDArray[Any], ...], ...]:
    return seated.checkpoint.earlier if seated.checkpoint is not None else ()


def _different(splits: Iterable[Split]) -> list[Split]:
    return list({id(split): split for split in splits}.values())


def _size(wanted: int, capacity: int) -> int:
    """Places for some members: few different numbers, each of which is a program of its own.

    >>> [_size(wanted, 100) for wanted in (1, 5, 7, 9, 14, 17, 33)]
    [1, 5, 7, 10, 14, 20, 40]
    """
    step = 1 << max(0, wanted.bit_length() - 3)
    return min(capacity, -(-wanted // step) * step)


def initial_variables(training: Training) -> tuple[NDArray[Any], ...]:
    """Weights and seeds as a training alone begins with, made on the processor."""
    try:
        processor = jax.default_device(jax.local_devices(backend="cpu")[0])
    except RuntimeError:  # JAX_PLATFORMS leaves the GPU alone
        processor = nullcontext()
    with processor:
        return state_of(
            build_model(
                training.configuration,
                protocol=training.protocol,
                seed=training.seed,
                masked=training.masked,
            )
        )


def _settings(places: Sequence[_Seated | None], shape: ShapeClass) -> Settings:
    rows = [_setting(seated.member.training if seated else None, shape) for seated in places]
    return Settings(*(np.array(column) for column in zip(*rows, strict=True)))


def _setting(training: Training | None, shape: ShapeClass) -> tuple[Any, ...]:
    """One member's row of `Settings`; a free place's draws nothing and learns nothing."""
    if training is None:
        training_rate, masked = 0.0, True
        configuration = Configuration(
            maxlen=shape.maxlen, dropout=0.0, recurrent_dropout=0.0, embedding_dim=1, lstm_units=1
        )
    else:
        configuration, masked = training.configuration, training.masked
        training_rate = configuration.learning_rate or training.protocol.learning_rate
    per_gate = GATES if configuration.recurrent_dropout > 0 else 1
    return (
        np.float32(1.0 - configuration.dropout),
        np.float32(1.0 - configuration.recurrent_dropout),
        np.uint32(per_gate if configuration.dropout > 0 else 0),
        np.uint32(GATES if configuration.recurrent_dropout > 0 else 0),
        np.float32(training_rate),
        np.int32(configuration.vocabulary_size),
        np.int32(configuration.maxlen),
        np.uint32(configuration.embedding_dim),
        np.uint32(configuration.lstm_units),
        masked,
    )


def _empty_state(shape: ShapeClass, members: int) -> State:
    configuration = Configuration(
        vocabulary_size=1, embedding_dim=1, lstm_units=1, lstm_layers=shape.lstm_layers
    )
    # One network of zeros, of the class's shape, and as many of it as there are members.
    zeros = [np.zeros(each, np.float32) for each in checkpoint_shapes(configuration)]
    one = padded_state(zeros, configuration, shape, where="")
    return jax.tree.map(lambda array: jax.numpy.zeros((members, *array.shape), array.dtype), one)  # type: ignore[no-any-return]


def _on_device(split: Split, *, maxlen: int) -> Reviews:
    """A split's arrays on the device, of few different sizes, each of which is a program."""
    tokens = _rounded(maxlen + len(split.token_ids), small=2**14, large=2**23)
    reviews = _rounded(len(split), small=2**10, large=2**15)
    return Reviews(
        *jax.device_put(
            (
                _stretched(np.pad(split.token_ids, (maxlen, 0)), tokens),
                _stretched((split.offsets[1:] + maxlen).astype(np.int32), reviews),
                _stretched(np.diff(split.offsets).astype(np.int32), reviews),
                _stretched(split.labels.astype(np.float32), reviews),
            )
        )
    )


def _rounded(size: int, *, small: int, large: int) -> int:
    step = small if size <= large // 8 else large
    return -(-size // step) * step


def _stretched(array: NDArray[Any], size: int) -> NDArray[Any]:
    return np.pad(array, (0, size - len(array)))
