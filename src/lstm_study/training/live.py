"""Reports, a few times a second, where a training stands."""

import time
from collections.abc import Callable

from lstm_study.clock import not_counted, seconds_running
from lstm_study.records.state import Live
from lstm_study.training.epochs import Step

_EVERY_SECONDS = 0.5


class LiveReporter:
    """Sends a training's progress, at most twice a second; a message may be lost."""

    def __init__(self, send: Callable[[Live], None], *, training_id: str, epochs: int) -> None:
        self._send = send
        self._training_id, self._epochs = training_id, epochs
        self._next = 0.0
        self._epoch, self._first_step, self._first_moment = 0, 0, 0.0

    def __call__(self, step: Step) -> None:
        """Sends the step, unless the last one was sent a moment ago."""
        moment = seconds_running()
        if step.epoch != self._epoch:
            # The first step of a training compiles it: time is taken from its end on.
            self._epoch, self._first_step, self._first_moment = step.epoch, step.step, moment
        if moment < self._next and step.step < step.steps:
            return
        self._next = moment + _EVERY_SECONDS
        live = Live(
            training_id=self._training_id,
            epochs=self._epochs,
            epoch=step.epoch,
            step=step.step,
            steps=step.steps,
            timed_steps=step.step - self._first_step,
            timed_seconds=moment - self._first_moment,
            train_accuracy=step.train_accuracy,
            at=time.time(),
        )
        # A command that is suspended (Ctrl-Z) does not read, and its worker waits here.
        with not_counted():
            self._send(live)
