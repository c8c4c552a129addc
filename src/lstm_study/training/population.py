"""Trains many networks of one shape class at once, as one compiled program, on JAX.

A GPU that trains one network of this size is idle most of the time. Here a *population* shares
every step: its members have their own configuration, seed, rates, order of reviews and budget.
Each member's records and checkpoints are those of the same training done alone by
`training/training.py` with KERAS_BACKEND=jax, up to rounding: weights, dropout masks and batches
are the same. Members begin and end at the ends of epochs, and one that fails ends alone.

Not covered: optimizers other than Adam; see
`model/shape_classes.py: why_alone`.
"""

import gc
import itertools
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from lstm_study.clock import seconds_running
from lstm_study.corpus.types import Split
from lstm_study.errors import DivergedError, RecordError
from lstm_study.model.class_plan import pays_compiling, places_for
from lstm_study.model.lstm.members import SCAN, Sweeps, sweeps_for
from lstm_study.model.shape_classes import ShapeClass
from lstm_study.training.failures import classify, is_kernel_too_large
from lstm_study.training.member_checkpoints import CheckpointWriter, states_at_start
from lstm_study.training.member_state import padded_weights
from lstm_study.training.members import Ended, Member, Seated
from lstm_study.training.on_device import STEPS_AT_ONCE, OnDevice

log = logging.getLogger(__name__)

# For checkpoints: those to begin with are made, those of an epoch written.
_THREADS = 4
# After an epoch that took longer, in seconds, its checkpoint is synchronised to disk, so that a
# power failure can't lose it. After shorter epochs a GPU would wait for the disk: 14 networks of
# 50,000 × 128 write a gigabyte for each epoch.
_LONG_EPOCH = 30.0
# The share of an epoch's time for which the log says that the device waited.
_WAITED = 0.1


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
    checkpoints; where a kernel does not fit the GPU's chip, it resumes with the plain loop. The
    same members in the same order give the same bits on one machine; in another population a
    member's results differ by rounding.

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
    with (
        ThreadPoolExecutor(_THREADS, thread_name_prefix="checkpoints") as threads,
        ThreadPoolExecutor(1, thread_name_prefix="steps") as stepping,
    ):
        population = Population(shape, reviews, validation, capacity, sweeps, threads, stepping)
        population.waiting.extend(members)
        while True:
            try:
                if not population.seat(more):
                    return
                population.train_epoch()
                continue
            except Exception as error:
                # What the device lacks is handled here; all other errors are for the caller.
                if is_kernel_too_large(error) and population.sweeps is not SCAN:
                    population.use_the_loop(error)
                elif classify(error).kind == "out_of_memory":
                    population.halve(error)
                else:
                    raise
            # The error's frames, which refer to each other, hold the arrays that left no room.
            gc.collect()


class Population:
    """Which members are in which places of the device's arrays, and which wait.

    Attributes:
        waiting: Members that have no place yet.
        sweeps: What runs the LSTM's loop.
    """

    def __init__(
        self,
        shape: ShapeClass,
        reviews: Split,
        validation: Split | None,
        capacity: int,
        sweeps: Sweeps,
        threads: Executor,
        stepping: Executor,
    ) -> None:
        self.waiting: deque[Member] = deque()
        self.sweeps = sweeps
        self._shape, self._capacity = shape, capacity
        self._threads, self._stepping = threads, stepping
        self._checkpoints = CheckpointWriter(threads)
        self._split, self._validation = reviews, validation
        self._device = OnDevice(shape, sweeps)
        self._places: list[Seated | None] = []

    def taken(self) -> list[tuple[int, Seated]]:
        """Returns the members in training, each with its place."""
        return [(place, seated) for place, seated in enumerate(self._places) if seated]

    def seat(self, more: Callable[[int], Sequence[Member]]) -> bool:
        """Gives free places to waiting members; returns False where none is left to train."""
        while True:
            missing = self._capacity - len(self.taken()) - len(self.waiting)
            if missing > 0:
                self.waiting.extend(more(missing))
            self._resize(min(self._capacity, len(self.taken()) + len(self.waiting)))
            self._fill()
            if not self.taken():
                return False
            trainings = [each.member.training if each else None for each in self._places]
            self._device.set_trainings(trainings, reviews=len(self._split))
            if not self._dismiss():
                return True

    def train_epoch(self) -> None:
        """Trains and validates all members that have places, each for its own next epoch."""
        began = seconds_running()
        for _, seated in self.taken():
            seated.begin_epoch(self._split, self._threads)
        self._train_steps()
        steps_made = seconds_running()
        self._checkpoints.report(wait=True)
        trained = seconds_running()
        if trained - steps_made > _WAITED * (trained - began):
            waited = trained - steps_made
            log.info("The device waited %.1f s until checkpoints were written.", waited)
        if not self.taken():
            return
        found = None
        if self._validation is not None:
            found = self._device.read(self._validation)
            self._device.count_reading(self._validation)
        # The time of an epoch is divided among the members, so that the records' times add up.
        share = len(self.taken())
        seconds = {
            "train_seconds": (trained - began) / share,
            "validation_seconds": (seconds_running() - trained) / share,
        }
        for place, seated in self.taken():
            try:
                epoch = seated.running.ended(
                    self._validation, None if found is None else found[place], **seconds
                )
            except DivergedError as error:
                self._vacate(place, error)
                continue
            seated.epochs = (*seated.epochs, epoch)
            # Copied on the device; fetched and written while the next epoch's steps are made.
            state = self._device.member(place)
            durable = seated.epochs_left == 0 or seconds_running() - began > _LONG_EPOCH
            self._checkpoints.write(seated, state, durable=durable)

    def halve(self, error: Exception) -> None:
        """Returns all members to their last checkpoint, and continues with half as many at once."""
        self._return_all()
        tried = min(self._capacity, len(self.waiting))
        if tried == 0:
            raise error
        if tried == 1:
            self.waiting.popleft().on_end(Ended(checkpoint=None, error=error))
            return
        self._capacity = tried // 2
        log.warning(
            "The device's memory does not hold %d networks at once: continuing with %d.",
            tried,
            self._capacity,
        )

    def use_the_loop(self, error: Exception) -> None:
        """Returns all members to their last checkpoint, and continues without the kernels."""
        self._return_all()
        self.sweeps = SCAN
        self._device = OnDevice(self._shape, SCAN)
        why = str(error).splitlines()[0]
        log.warning(
            "The LSTM's kernels do not fit this GPU (%s): continuing with %s.", why, SCAN.name
        )

    def _return_all(self) -> None:
        """Takes all members out of their places, to resume from their last checkpoints."""
        while self._checkpoints.pending:
            try:
                self._checkpoints.report(wait=True)
            except Exception as other:
                # A copy that did not fit either: its member resumes from the checkpoint before.
                if classify(other).kind != "out_of_memory":
                    raise
        present = [seated for _, seated in self.taken()]
        for seated in reversed(present):
            self.waiting.appendleft(replace(seated.member, start=seated.checkpoint))
        self._places = []
        self._device.clear()

    def _train_steps(self) -> None:
        """Makes an epoch's steps; while some run, the last are counted and words are dropped.

        XLA may wait for the device at every step, so steps have a thread of their own.
        """
        steps = len(self.taken()[0][1].batches)
        under_way: Future[tuple[Any, Any]] | None = None
        try:
            for first in range(0, steps, STEPS_AT_ONCE):
                made, under_way = under_way, self._start_steps(first)
                if made is not None:
                    self._count_steps(made.result())
                self._checkpoints.report(until=under_way)
                if not self.taken():  # All diverged.
                    return
            if under_way is not None:
                self._count_steps(under_way.result())
        finally:
            if under_way is not None:
                wait((under_way,))

    def _start_steps(self, first: int) -> Future[tuple[Any, Any]]:
        batches = {
            place: seated.batches[first : first + STEPS_AT_ONCE] for place, seated in self.taken()
        }
        dropped = {
            place: seated.dropped(first, STEPS_AT_ONCE)
            for place, seated in self.taken()
            if seated.member.training.configuration.word_dropout
        }
        return self._stepping.submit(self._device.train, self._split, batches, dropped)

    def _count_steps(self, made: tuple[Any, Any]) -> None:
        """Adds steps that `OnDevice.train` made to the epoch's sums; ends members that diverged."""
        losses, correct = (np.asarray(each) for each in made)
        for place, seated in self.taken():
            running = seated.running
            chosen = seated.batches[running.step : running.step + STEPS_AT_ONCE]
            try:
                for step, rows in enumerate(chosen):
                    running.add(
                        loss=float(losses[step, place]),
                        correct=int(correct[step, place]),
                        reviews=len(rows),
                    )
            except DivergedError as error:
                self._vacate(place, error)
                continue
            seated.member.on_step(running.progress)

    def _resize(self, wanted: int) -> None:
        """Makes the arrays larger for waiting members, or smaller where that pays."""
        taken, there = self.taken(), len(self._places)
        ahead = [seated.epochs_left for _, seated in taken]
        ahead += [
            each.training.epochs - len(each.start.epochs if each.start else ())
            for each in self.waiting
        ]
        program: dict[str, Any] = {
            "shape": self._shape,
            "steps": max(ahead, default=0) * -(-len(self._split) // self._shape.batch_size),
            "on_gpu": jax.devices()[0].platform == "gpu",
        }
        size = min(self._capacity, places_for(wanted, **program))
        if wanted <= there and (size == 0 or not pays_compiling(there - size, **program)):
            return
        self._device.resize(size, [place for place, _ in taken])
        self._places = [seated for _, seated in taken] + [None] * (size - len(taken))

    def _fill(self) -> None:
        """Gives free places to waiting members whose checkpoints can be used."""
        free = deque(place for place, seated in enumerate(self._places) if seated is None)
        while free and self.waiting:
            next_ones = list(itertools.islice(self.waiting, len(free)))
            for member, state in states_at_start(next_ones, self._shape, self._threads):
                try:
                    own = state.result()
                except RecordError as error:
                    self.waiting.popleft().on_end(Ended(checkpoint=None, error=error))
                    continue
                self._device.put(free[0], own)
                epochs = member.start.epochs if member.start is not None else ()
                self._places[free.popleft()] = Seated(self.waiting.popleft(), member.start, epochs)

    def _dismiss(self) -> bool:
        """Ends trained members, once they have predicted what their jobs ask for."""
        trained = [(place, seated) for place, seated in self.taken() if seated.epochs_left <= 0]
        if trained:
            self._checkpoints.report(wait=True)
        splits = {place: seated.member.reads() for place, seated in trained if seated.member.reads}
        different = {id(split): split for split in splits.values()}
        read = {key: self._read_at_end(split, trained) for key, split in different.items()}
        for place, seated in trained:
            self._places[place] = None
            ended = Ended(checkpoint=seated.checkpoint)
            if place in splits:
                found, seconds = read[id(splits[place])]
                last, *earlier = found[place]
                ended = replace(
                    ended,
                    split=splits[place],
                    probabilities=last,
                    earlier=tuple(earlier),
                    read_seconds=seconds,
                )
            seated.member.on_end(ended)
        return bool(trained)

    def _read_at_end(
        self, split: Split, trained: Sequence[tuple[int, Seated]]
    ) -> tuple[dict[int, list[NDArray[np.float32]]], float]:
        """Predicts a split with the weights of trained members, then with their earlier ones.

        Returns:
            The probabilities by place, and a member's share of the first prediction's time.
        """
        began = seconds_running()
        last = self._device.read(split)
        seconds = (seconds_running() - began) / len(self.taken())
        found = {place: [last[place]] for place, _ in trained}
        for k in range(max(len(seated.earlier) for _, seated in trained)):
            weights = {
                place: padded_weights(
                    seated.earlier[k], seated.member.training.configuration, self._shape
                )
                for place, seated in trained
                if k < len(seated.earlier)
            }
            probabilities = self._device.read(split, weights=self._device.weights_with(weights))
            for place in weights:
                found[place].append(probabilities[place])
        return found, seconds

    def _vacate(self, place: int, error: Exception) -> None:
        """Ends a member that failed."""
        self._checkpoints.report(wait=True)
        seated, self._places[place] = self._places[place], None
        assert seated is not None
        seated.member.on_end(Ended(checkpoint=None, error=error))
