"""How many workers a machine gets, and the loop that keeps them at work."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from lstm_study.engine.devices import require_gpus, visible_gpus
from lstm_study.engine.pool import Event, WorkerPool
from lstm_study.errors import SearchError
from lstm_study.provenance import machine, now, usable_cpus
from lstm_study.records import Session
from lstm_study.spec import StudySpec
from lstm_study.store import Store

_POLL_SECONDS = 0.25
_SAVE_SECONDS = 5.0
_FIRST_SAVE_SECONDS = 0.5
_DEATHS_BEFORE_READY = 3
BYTES_PER_WORKER = 2 * 1024**3
_SILENCE_SECONDS = 900.0
SILENCE_VARIABLE = "LSTM_STUDY_SILENCE_SECONDS"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a stage is told of the command at work.

    Attributes:
        command: The command line.
        git_commit: Of the folder it runs in; "" outside a checkout.
        settings: One-off settings in force.
        workers: Workers asked for; None to choose.
        workers_per_gpu: Workers that share a GPU; None to choose, or without a GPU.
        bind: Where a chief listens for workers of other machines, "host:port"; "" for none.
    """

    command: str
    git_commit: str
    settings: tuple[str, ...]
    workers: int | None = None
    workers_per_gpu: int | None = None
    bind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """The workers of one `lstm-study worker` command, as its chief knows them.

    Attributes:
        name: Unlike any other crew's: its machine's name and a random part.
        log_path: Where its workers' output goes: a file of its own, since appends of several
            machines to one shared file can overwrite each other.
    """

    name: str
    log_path: Path

    @property
    def session(self) -> str:
        """What its session is called: its time is not the search's, which its chief counts."""
        return f"worker-{self.name}"


def crew_of(worker: str) -> str:
    """Returns the crew that a worker's name begins with; "" for one of the chief's own, "w1"."""
    return worker.rpartition("-")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewSize:
    """Worker processes, threads for each, and the GPUs they share.

    Attributes:
        workers: Processes.
        threads: Of each, for one operation, while all are at work; see `engine/core_sharing.py`.
        gpus: As CUDA_VISIBLE_DEVICES names them; empty where training is on the CPU.
    """

    workers: int
    threads: int
    gpus: tuple[str, ...] = ()

    @property
    def workers_on_a_gpu(self) -> int:
        """How many workers share the GPU that has the most; 0 without a GPU."""
        return -(-self.workers // len(self.gpus)) if self.gpus else 0

    def gpu_of(self, index: int) -> str | None:
        """Names the GPU of a worker, counted from 0; they take turns. None without a GPU."""
        return self.gpus[index % len(self.gpus)] if self.gpus else None


def crew_size(workers: int | None, *, jobs: int, workers_per_gpu: int | None = None) -> CrewSize:
    """Chooses workers and threads.

    On a CPU several single-threaded workers finish more trainings an hour than one that uses all
    threads: the time loop of an LSTM is a chain of small products that threads share badly. Where
    there are GPUs, each gets one worker, or as many as are asked for.

    Args:
        workers: What was asked for; None to choose.
        jobs: Trainings there are to share, >= 1.
        workers_per_gpu: What was asked for; None to choose.

    Raises:
        DependencyError: Workers are to share GPUs, and none is visible.
        SearchError: More workers than the GPUs are to carry.
    """
    cpus, gpus = usable_cpus(), visible_gpus()
    require_gpus(workers_per_gpu)
    if workers is None:
        memory = machine().memory_bytes
        fitting = memory // BYTES_PER_WORKER if memory else cpus
        most = len(gpus) * (workers_per_gpu or 1) if gpus else cpus
        workers = max(1, min(most, cpus, jobs, fitting))
    elif workers_per_gpu is not None and workers > len(gpus) * workers_per_gpu:
        raise SearchError(
            f"--workers {workers}: {len(gpus)} GPUs with {workers_per_gpu} workers each carry "
            f"{len(gpus) * workers_per_gpu}. Raise --workers-per-gpu, or leave --workers out."
        )
    return CrewSize(workers=workers, threads=max(1, cpus // max(1, workers)), gpus=gpus)


def start_workers(
    size: CrewSize, *, stage: str, store: Store, crew: Crew | None = None
) -> WorkerPool:
    """Starts a crew: its workers load what training needs, for some seconds, until `work`.

    Args:
        size: Workers and threads.
        stage: "search" or "compare".
        store: The study; their output goes to its log, or to the crew's.
        crew: Who these workers are to a chief elsewhere; None where the chief is this process.
    """
    prefix = f"{crew.name}-" if crew else ""
    names = [f"{prefix}w{number}" for number in range(1, size.workers + 1)]
    return WorkerPool(
        names,
        machine={
            "stage": stage,
            "threads": size.threads,
            "processors": usable_cpus(),
            "workers_on_gpu": size.workers_on_a_gpu,
        },
        own={name: {"gpu": size.gpu_of(index)} for index, name in enumerate(names)},
        log_path=_log_path(store, crew),
    )


def _log_path(store: Store, crew: Crew | None) -> Path:
    return crew.log_path if crew else store.log_path


def work(
    pool: WorkerPool,
    *,
    store: Store,
    stage: str,
    spec: StudySpec,
    context: Context,
    size: CrewSize,
    on_ready: Callable[[str, WorkerPool], bool],
    on_lost: Callable[[str, int], None],
    on_tick: Callable[[float], bool],
    is_needed: Callable[[], bool] = lambda: False,
    is_manned: Callable[[], bool] = lambda: True,
    crew: Crew | None = None,
) -> None:
    """Keeps a crew at work until no worker has anything left to do.

    A worker that dies is started again. One that shows no sign of life for a quarter of an hour (or
    what LSTM_STUDY_SILENCE_SECONDS says) is ended, and started again.

    Args:
        pool: As `start_workers` gave it, with the same stage, size and crew.
        store: The study.
        stage: "search" or "compare".
        spec: The study file.
        context: The command at work.
        size: Workers and threads.
        on_ready: Called with a worker's name when it is free; gives it a job through the pool and
            returns True, or returns False when there is none left for it.
        on_lost: Called with a worker's name and exit code when it died.
        on_tick: Called a few times a second with the seconds worked; returns whether to go on. If
            not, workers are ended where they stand.
        is_needed: Asked when no worker here has anything left to do: whether to stay for others.
        is_manned: Whether there is any worker, here or elsewhere: time without does not count.
        crew: Who these workers are to a chief elsewhere; None where the chief is this process.

    Raises:
        SearchError: A worker can't start, or a worker said why it can't go on.
    """
    worked, before = 0.0, time.monotonic()
    log_path = _log_path(store, crew)
    keeper = _SessionKeeper(
        store, stage=crew.session if crew else stage, context=context, size=size
    )
    deaths = dict.fromkeys(pool.names, 0)
    resting: set[str] = set()
    silence = _Silence(store)
    pool.set_up(
        {
            "spec": spec.model_dump(mode="json"),
            "store": str(store.folder),
            "command": context.command,
            "term": store.term,
            "crew": crew.name if crew else "",
        }
    )
    while set(pool.names) - resting or is_needed():
        for event in pool.poll(_POLL_SECONDS):
            name = event.worker
            silence.broken_by(name)
            if event.kind == "died":
                exit_code = event.values["exit_code"]
                on_lost(name, exit_code)
                deaths[name] += 1
                if event.values["job"] is None and deaths[name] >= _DEATHS_BEFORE_READY:
                    raise SearchError(_never_began(event, deaths[name], log_path))
                log.warning("Worker %s died (code %s): another takes over.", name, exit_code)
                pool.start(name)
                continue
            if event.values.get("error"):
                raise SearchError(event.values["error"])
            if event.kind == "ready":
                deaths[name] = 0
                keeper.found(event.values["backend"], tuple(event.values["devices"]))
            if not on_ready(name, pool):
                resting.add(name)
        for name in set(pool.names) - resting:
            if silence.is_too_long(name):
                log.warning("Worker %s showed no sign of life: it is ended.", name)
                pool.kill(name)
        moment = time.monotonic()
        worked, before = worked + (moment - before if is_manned() else 0.0), moment
        goes_on = on_tick(worked)
        keeper.save(worked, at_once=not goes_on)
        if not goes_on:
            break
    keeper.save(worked, at_once=True)


class _Silence:
    """Knows for how long each worker has neither answered nor stepped on.

    A file's time is the file server's, whose clock may differ: only that it changed counts, and
    since when is this process's own reckoning.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._limit = float(os.environ.get(SILENCE_VARIABLE, _SILENCE_SECONDS))
        self._signs: dict[str, float] = {}
        self._steps: dict[str, float] = {}

    def broken_by(self, worker: str) -> None:
        """Takes note of an answer."""
        self._signs[worker] = time.monotonic()

    def is_too_long(self, worker: str) -> bool:
        """Whether the last sign of life, an answer or a training step, is too long ago."""
        stepped = self._store.live_at(worker)
        if worker not in self._signs or stepped != self._steps.get(worker, 0.0):
            self._steps[worker] = stepped
            self.broken_by(worker)
        too_long = time.monotonic() - self._signs[worker] > self._limit
        if too_long:
            self.broken_by(worker)
        return too_long


def _never_began(event: Event, deaths: int, log_path: Path) -> str:
    return (
        f"A worker process ended {deaths} times before it could begin, last with code "
        f"{event.values['exit_code']}. Its output is in {log_path}."
    )


class _SessionKeeper:
    """Writes the session's record every few seconds, so that a kill loses no more than those."""

    def __init__(self, store: Store, *, stage: str, context: Context, size: CrewSize) -> None:
        self._store, self._next = store, 0.0
        self._session = Session(
            command=context.command,
            stage=stage,
            started_at=now(),
            seconds=0.0,
            workers=size.workers,
            threads=size.threads,
            machine=machine(),
            git_commit=context.git_commit,
            settings=context.settings,
        )

    def found(self, backend: str, devices: tuple[str, ...]) -> None:
        """Takes note of what a worker trains with."""
        described = machine(backend=backend, devices=devices)
        self._session = replace(self._session, machine=described)

    def save(self, worked: float, *, at_once: bool = False) -> None:
        """Writes the record with the seconds worked, unless it was written a moment ago."""
        moment = time.monotonic()
        if at_once or moment >= self._next:
            # Sooner at first: what is told of its pace divides by the time that is written down.
            self._next = moment + min(_SAVE_SECONDS, max(_FIRST_SAVE_SECONDS, worked))
            self._session = replace(self._session, seconds=worked)
            self._store.write_session(self._session)
