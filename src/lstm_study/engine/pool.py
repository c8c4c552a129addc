"""A pool of worker processes under one supervisor.

Supervisor and worker speak in lines of JSON. To the worker's standard input go what it is told of
the machine, then what it works on, then its jobs; answers come back through a pipe of their own.
Whatever else a worker prints goes to the study's log. A worker whose standard input closes ends at
once, so none outlives its supervisor.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Literal

from lstm_study.engine.core_sharing import Seats

_GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a worker said, or that it died.

    Attributes:
        worker: Its name.
        kind: "ready" (it has loaded what it needs), "done" (its job ended), "died".
        values: The answer's own values; for "died" the exit code.
    """

    worker: str
    kind: Literal["ready", "done", "died"]
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Worker:
    name: str
    process: subprocess.Popen[bytes]
    answers: IO[bytes]
    buffer: bytes = b""
    job: dict[str, Any] | None = None


class WorkerPool:
    """Processes that run `python -m lstm_study.engine.worker`.

    They begin at once to load what training needs, which takes seconds, and wait for `set_up`.

    Args:
        names: One per worker: "w1", "w2", ...
        machine: What each worker is told of the machine first.
        log_path: Where their output goes.
        own: Of each worker, what is added to that.
    """

    def __init__(
        self,
        names: list[str],
        *,
        machine: Mapping[str, Any],
        log_path: Path,
        own: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    ) -> None:
        self._machine = dict(machine)
        self._own = own
        self._study: dict[str, Any] | None = None
        self._log_path = log_path
        self._seats = Seats(names)
        self._selector = selectors.DefaultSelector()
        self._workers: dict[str, _Worker] = {}
        for name in names:
            self.start(name)

    def start(self, name: str) -> None:
        """Starts a worker, in the place of an earlier one of that name if there was one."""
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        answers_in, answers_out = os.pipe()
        with self._log_path.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "lstm_study.engine.worker", "--answers", str(answers_out)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(answers_out, self._seats.descriptor),
                # Ctrl-C is the supervisor's to handle.
                start_new_session=True,
            )
        os.close(answers_out)
        os.set_blocking(answers_in, False)
        worker = _Worker(name=name, process=process, answers=os.fdopen(answers_in, "rb", 0))
        self._selector.register(worker.answers, selectors.EVENT_READ, worker)
        self._workers[name] = worker
        seat = {"seats": self._seats.descriptor, "seat": self._seats.number_of(name)}
        self._send(worker, self._machine | dict(self._own.get(name, {})) | seat | {"worker": name})
        if self._study is not None:
            self._send(worker, self._study)

    def set_up(self, study: Mapping[str, Any]) -> None:
        """Tells every worker, those started later too, what it works on; comes before any job."""
        self._study = dict(study)
        for worker in self._workers.values():
            self._send(worker, self._study)

    @property
    def names(self) -> list[str]:
        """Names of the workers that live."""
        return list(self._workers)

    def job_of(self, name: str) -> dict[str, Any] | None:
        """Returns the job that a worker is at."""
        worker = self._workers.get(name)
        return worker.job if worker else None

    def submit(self, name: str, job: Mapping[str, Any]) -> None:
        """Gives a worker a job; it must have none."""
        worker = self._workers[name]
        assert worker.job is None
        worker.job = dict(job)
        self._send(worker, job)

    def kill(self, name: str) -> None:
        """Ends a worker by force; `poll` then reports its death."""
        os.killpg(self._workers[name].process.pid, signal.SIGKILL)

    def poll(self, timeout_seconds: float) -> list[Event]:
        """Waits for answers and deaths, at most so long, and returns them."""
        events: list[Event] = []
        for key, _ in self._selector.select(timeout_seconds):
            worker: _Worker = key.data
            chunk = worker.answers.read(65_536)
            if chunk:
                events += self._answers(worker, chunk)
            elif chunk == b"":
                events.append(self._bury(worker))
        return events

    def close(self, *, grace_seconds: float = _GRACE_SECONDS) -> None:
        """Ends every worker: asked by closing its input, then forced."""
        workers = list(self._workers.values())
        for worker in workers:
            if worker.process.stdin is not None:
                # Closing flushes; a worker that is already gone leaves nothing to flush to.
                with contextlib.suppress(BrokenPipeError):
                    worker.process.stdin.close()
        deadline = time.monotonic() + grace_seconds
        for worker in workers:
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(worker.process.pid, signal.SIGKILL)
                worker.process.wait()
            self._forget(worker)
        self._seats.close()

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, worker: _Worker, message: Mapping[str, Any]) -> None:
        assert worker.process.stdin is not None
        try:
            worker.process.stdin.write(json.dumps(message).encode() + b"\n")
            worker.process.stdin.flush()
        except BrokenPipeError:
            # It died; `poll` reports that, with its exit code.
            return

    def _answers(self, worker: _Worker, chunk: bytes) -> list[Event]:
        *lines, worker.buffer = (worker.buffer + chunk).split(b"\n")
        events = []
        for line in lines:
            values = json.loads(line)
            kind = values.pop("kind")
            if kind == "done":
                worker.job = None
            events.append(Event(worker=worker.name, kind=kind, values=values))
        return events

    def _bury(self, worker: _Worker) -> Event:
        exit_code = worker.process.wait()
        self._seats.vacate(worker.name)
        self._forget(worker)
        return Event(
            worker=worker.name, kind="died", values={"exit_code": exit_code, "job": worker.job}
        )

    def _forget(self, worker: _Worker) -> None:
        if self._workers.pop(worker.name, None) is not None:
            self._selector.unregister(worker.answers)
            worker.answers.close()
            if worker.process.stdin is not None and not worker.process.stdin.closed:
                with contextlib.suppress(BrokenPipeError):
                    worker.process.stdin.close()
