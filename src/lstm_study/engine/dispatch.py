"""The one loop that gives a stage's jobs to an engine's workers and takes their results."""

import logging
import os
from collections import Counter
from dataclasses import dataclass, field, replace

from lstm_study.clock import seconds_running
from lstm_study.corpus.types import Corpus
from lstm_study.engine.devices import Workers
from lstm_study.engine.jobs import JobResult, Work
from lstm_study.engine.messages import Lost, Message, MoreJobs, OpenRequest, Ready, Reply, Stopped
from lstm_study.engine.opening import log_opening
from lstm_study.engine.protocols import Engine, Stage
from lstm_study.errors import SearchError
from lstm_study.provenance import machine, now
from lstm_study.records import Failure, Session
from lstm_study.records.state import Live
from lstm_study.store import Store

_POLL_SECONDS = 0.25
_SAVE_SECONDS = 5.0
_FIRST_SAVE_SECONDS = 0.5
_SILENCE_SECONDS = 900.0
_LEAST_SILENCE_SECONDS = 120.0
_GAPS = 10
_EPOCHS = 3
SILENCE_VARIABLE = "LSTM_STUDY_SILENCE_SECONDS"
DEATHS_ALLOWED = 2
"""A job whose worker dies more often without finishing an epoch in between fails; a worker that
dies more often before it is ready ends the command."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The running command, as stages and sessions see it.

    Attributes:
        command: The command line.
        git_commit: Of the folder it runs in; "" outside a checkout.
        settings: One-off settings in force.
    """

    command: str
    git_commit: str
    settings: tuple[str, ...]


def dispatch(
    stage: Stage, engine: Engine, *, store: Store, corpus: Corpus, context: Context
) -> None:
    """Runs a stage's jobs until none is left, or until the stage says to stop.

    A worker that dies is replaced by its engine, and its jobs are due again; they resume from their
    last finished epoch. A worker that is silent, as a frozen one is, is killed and replaced: after
    ten times its job's longest silence so far or the time of three epochs, whichever is longer, but
    two minutes at least; before its pace is known after a quarter of an hour. The most is a quarter
    of an hour or the time of an epoch, for nothing is heard while all reviews of a large corpus are
    predicted; or LSTM_STUDY_SILENCE_SECONDS, in any case. No retry is unbounded: see
    `DEATHS_ALLOWED`.

    The engine is set up with the study, whose store this process holds: it is the one writer of its
    files.

    Raises:
        SearchError: Workers can't start.
        StudyError: A worker can't work, or the stage can't record a result.
    """
    _Dispatcher(stage, engine, store=store, corpus=corpus, context=context).run()


@dataclass(slots=True)
class _Worker:
    """What is known of a worker.

    Attributes:
        capacity: How many jobs it takes at once; 0 until it is ready.
        jobs: Those in progress, by name.
        heard_at: When it last sent something, or was given something.
        is_shown_idle: Whether its live file says that it waits.
        longest_gap: The longest time between two messages since it was given its jobs, in seconds.
        is_paced: Whether one of them has finished an epoch, so that its pace is known.
        epoch_seconds: How long an epoch takes by the pace of its steps; 0 before they show one.
            Validation, which no step reports, takes less.
    """

    capacity: int = 0
    jobs: dict[str, Work] = field(default_factory=dict)
    heard_at: float = field(default_factory=seconds_running)
    is_shown_idle: bool = False
    longest_gap: float = 0.0
    is_paced: bool = False
    epoch_seconds: float = 0.0

    def hear(self) -> None:
        """Notes that it has sent something now."""
        moment = seconds_running()
        self.longest_gap = max(self.longest_gap, moment - self.heard_at)
        self.heard_at = moment

    def pace(self, live: Live) -> None:
        """Notes how fast its steps are."""
        if live.timed_steps:
            epoch_seconds = live.steps * live.timed_seconds / live.timed_steps
            self.epoch_seconds = max(self.epoch_seconds, epoch_seconds)

    def silence_allowed(self, given: float | None) -> float:
        """Returns after how many seconds without a message it is taken for frozen.

        Args:
            given: The most that a user allows; None where none is given.
        """
        most = given or max(_SILENCE_SECONDS, self.epoch_seconds)
        own = max(_LEAST_SILENCE_SECONDS, _GAPS * self.longest_gap, _EPOCHS * self.epoch_seconds)
        return min(most, own) if self.is_paced or self.epoch_seconds else most


def _most_silence() -> float | None:
    given = os.environ.get(SILENCE_VARIABLE, "")
    if not given:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise SearchError(f"{SILENCE_VARIABLE} must be a number of seconds > 0. Received: {given}.")
    return seconds


class _Dispatcher:
    def __init__(
        self, stage: Stage, engine: Engine, *, store: Store, corpus: Corpus, context: Context
    ) -> None:
        self._stage, self._engine, self._store = stage, engine, store
        self._corpus, self._context = corpus, context
        self._session = _SessionWriter(store, stage=stage.name, context=context, size=engine.size)
        self._workers: dict[str, _Worker] = {}
        self._deaths: Counter[str] = Counter()
        self._epochs: Counter[str] = Counter()
        self._silence_seconds = _most_silence()

    def run(self) -> None:
        """Runs the loop; see `dispatch`."""
        worked, before, next_tick = 0.0, seconds_running(), 0.0
        has_news, continues = True, True
        while continues:
            for name, message in self._engine.poll(_POLL_SECONDS):
                has_news |= self._receive(name, message)
            if has_news and not self._hand_out():
                break
            has_news = False
            self._end_silent()
            moment = seconds_running()
            # Time without any worker, while a cluster has no room for one, is not time worked.
            worked, before = worked + (moment - before if self._engine.names else 0.0), moment
            if moment >= next_tick:
                next_tick = moment + _POLL_SECONDS
                continues = self._stage.tick(worked)
                self._session.save(worked, self._engine.size)
        self._stage.tick(worked)
        self._session.save(worked, self._engine.size, at_once=True)
        if any(worker.jobs for worker in self._workers.values()):
            self._engine.close()  # No later stage waits for what is left at work.

    def _receive(self, name: str, message: Message) -> bool:
        """Handles a message; returns whether jobs may be due now that were not before."""
        worker = self._workers.setdefault(name, _Worker())
        worker.hear()
        match message:
            case Live():
                worker.pace(message)
                self._store.write_live(name, message)
                return False
            case Ready():
                self._deaths[name] = 0
                worker.capacity = message.capacity
                self._session.found(message.backend, message.devices)
            case OpenRequest(run_id=run_id):
                reply = self._engine.grant(
                    self._corpus,
                    lambda: log_opening(self._store, run_id=run_id, command=self._context.command),
                )
                self._engine.send(name, reply)
                return False
            case MoreJobs(like=like, limit=limit):
                jobs = self._stage.due(name, limit, like=like)
                worker.jobs |= {job.name: job for job in jobs}
                self._engine.send(name, list(jobs))
                return False
            case JobResult():
                self._take(name, worker, message)
                return message.is_last
            case Stopped(error=error):
                raise error
            case Lost():
                self._lose(name, message)
        return True

    def _take(self, name: str, worker: _Worker, result: JobResult) -> None:
        if len(result.epochs) > self._epochs[result.name]:
            # It is an epoch further, whatever killed its workers before.
            self._epochs[result.name] = len(result.epochs)
            self._deaths[result.name] = 0
            worker.is_paced = True
        self._stage.take(result, worker=name)
        if result.is_last:
            worker.jobs.pop(result.name)
        else:
            self._engine.send(name, Reply())

    def _lose(self, name: str, lost: Lost) -> None:
        worker = self._workers.pop(name)
        self._store.forget_live(name)
        if not worker.capacity:
            self._deaths[name] += 1
            if self._deaths[name] > DEATHS_ALLOWED:
                raise SearchError(
                    f"A worker ended {self._deaths[name]} times before it could begin, the last "
                    f"time {lost.reason}. Its output is in {self._engine.output}."
                )
        log.warning("Worker %s ended (%s); its jobs resume elsewhere.", name, lost.reason)
        for job in worker.jobs:
            self._deaths[job] += 1
            if self._deaths[job] <= DEATHS_ALLOWED:
                self._stage.take_back(job)
                continue
            failure = Failure(
                kind="out_of_memory" if lost.is_killed else "lost_worker",
                message=f"its worker ended {self._deaths[job]} times, the last time {lost.reason}",
            )
            self._stage.take(JobResult(name=job, failure=failure, is_last=True), worker=name)

    def _hand_out(self) -> bool:
        """Gives free workers what is due; returns whether anything is being done, or may be."""
        is_due = True
        for name, worker in self._workers.items():
            if worker.jobs or not worker.capacity:
                continue
            jobs = self._stage.due(name, self._share(worker)) if is_due else ()
            is_due = bool(jobs)
            if jobs:
                worker.jobs = {job.name: job for job in jobs}
                worker.heard_at = seconds_running()
                worker.is_shown_idle = False
                worker.longest_gap, worker.is_paced, worker.epoch_seconds = 0.0, False, 0.0
                self._engine.send(name, jobs)
            elif not worker.is_shown_idle:
                worker.is_shown_idle = True
                self._store.write_live(name, Live())
        is_ready = any(worker.capacity for worker in self._workers.values())
        return not is_ready or any(worker.jobs for worker in self._workers.values())

    def _share(self, worker: _Worker) -> int:
        """Returns how many jobs a free worker gets: what it takes, and no more than its share."""
        if worker.capacity == 1:
            return 1
        free = sum(not each.jobs for each in self._workers.values())
        free += sum(name not in self._workers for name in self._engine.names)
        return max(1, min(worker.capacity, -(-self._stage.backlog // free)))

    def _end_silent(self) -> None:
        for name in self._engine.names:
            worker = self._workers.setdefault(name, _Worker())
            is_waiting = worker.capacity and not worker.jobs
            silence = seconds_running() - worker.heard_at
            if not is_waiting and silence > worker.silence_allowed(self._silence_seconds):
                log.warning("Worker %s sent nothing for %.0f s: it is ended.", name, silence)
                worker.heard_at = seconds_running()
                self._engine.kill(name)


class _SessionWriter:
    """Writes the session's record every few seconds, so that a kill loses no more than those."""

    def __init__(self, store: Store, *, stage: str, context: Context, size: Workers) -> None:
        self._store, self._next = store, 0.0
        self._session = Session(
            command=context.command,
            stage=stage,
            started_at=now(),
            seconds=0.0,
            workers=size.count,
            threads=size.threads,
            machine=machine(),
            git_commit=context.git_commit,
            settings=context.settings,
        )

    def found(self, backend: str, devices: tuple[str, ...]) -> None:
        """Records what a worker trains with."""
        found = self._session.machine
        if (found.backend, found.devices) != (backend, devices):
            described = machine(backend=backend, devices=devices)
            self._session = replace(self._session, machine=described)

    def save(self, worked: float, size: Workers, *, at_once: bool = False) -> None:
        """Writes the record with the seconds worked, unless it was written a moment ago."""
        moment = seconds_running()
        if at_once or moment >= self._next:
            # Sooner at first: what is shown of its pace divides by the time that is recorded.
            self._next = moment + min(_SAVE_SECONDS, max(_FIRST_SAVE_SECONDS, worked))
            self._session = replace(
                self._session, seconds=worked, workers=size.count, threads=size.threads
            )
            self._store.write(self._session)
