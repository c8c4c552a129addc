"""Tells other processes, a few times a second, where a training stands."""

import time

from lstm_study.records.state import Live
from lstm_study.store import Store
from lstm_study.training.one import Step

_EVERY_SECONDS = 0.5


class LiveReporter:
    """Writes a worker's live file; what it writes may be lost, and is no record.

    Args:
        store: The study.
        worker: The worker's name.
        training_id: The trial or run it is at.
        epochs: Epochs that the training ends after.
    """

    def __init__(self, store: Store, *, worker: str, training_id: str, epochs: int) -> None:
        self._store = store
        self._worker = worker
        self._training_id, self._epochs = training_id, epochs
        self._next = 0.0
        self._epoch, self._first_step, self._first_moment = 0, 0, 0.0

    def __call__(self, step: Step) -> None:
        """Writes the step, unless the last one was written a moment ago."""
        moment = time.monotonic()
        if step.epoch != self._epoch:
            # The first step of a training compiles it: time is taken from its end on.
            self._epoch, self._first_step, self._first_moment = step.epoch, step.step, moment
        if moment < self._next and step.step < step.steps:
            return
        self._next = moment + _EVERY_SECONDS
        self._store.write_live(
            self._worker,
            Live(
                training_id=self._training_id,
                epochs=self._epochs,
                epoch=step.epoch,
                step=step.step,
                steps=step.steps,
                timed_steps=step.step - self._first_step,
                timed_seconds=moment - self._first_moment,
                train_accuracy=step.train_accuracy,
                at=time.time(),
            ),
        )
