"""Reports where a worker's job stands: a training a few times a second, a call by its parts."""

import threading
import time
from collections.abc import Callable
from typing import Self

from lstm_study.clock import not_counted, seconds_running
from lstm_study.records.state import Live
from lstm_study.training.epochs import Step

_EVERY_SECONDS = 0.5
_HEARTBEAT_SECONDS = 20.0


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


class CallReporter:
    """Sends which of its parts a call is in: when one begins, and every 20 s while it lasts.

    A part of a large corpus may take longer than a worker may be silent, so a thread sends it
    again for as long as this process runs. It ends with the `with` block.
    """

    def __init__(self, send: Callable[[Live], None], *, name: str) -> None:
        self._send, self._name = send, name
        self._done, self._parts = 0, 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._send_again, daemon=True)

    def __call__(self, done: int, parts: int) -> None:
        """Sends how many of how many parts are done."""
        self._done, self._parts = done, parts
        with not_counted():
            self._send_now()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _send_again(self) -> None:
        # Here the clock runs on: while this thread waits to send, the call is computed.
        while not self._is_over.wait(_HEARTBEAT_SECONDS):
            self._send_now()

    def _send_now(self) -> None:
        self._send(Live(training_id=self._name, step=self._done, steps=self._parts, at=time.time()))
