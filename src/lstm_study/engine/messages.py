"""The messages between a worker and the process that started it, beside jobs and results."""

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from lstm_study.corpus.types import Split
from lstm_study.engine.jobs import JobResult
from lstm_study.records.state import Live
from lstm_study.spec import StudySpec

# Messages of a worker, beside its results.


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The worker has loaded what it needs.

    Attributes:
        backend: Keras's.
        devices: What it trains on.
        capacity: How many jobs of one shape class it trains at once.
    """

    backend: str
    devices: tuple[str, ...]
    capacity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """The worker wants to open the test reviews for a run; it waits for a reply."""

    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreJobs:
    """The worker has room for more jobs like those in progress; it waits for a list of them.

    Attributes:
        like: Their shape class.
        limit: How many at most, >= 1.
    """

    like: Hashable
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The worker can't work, through no fault of a job: the command ends with this error.

    A known one, or a bug in what passes messages on, which keeps its traceback.
    """

    error: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """An engine's own message: the worker is gone.

    Attributes:
        reason: In words.
        is_killed: Whether it was killed, as the system does when memory runs out.
    """

    reason: str
    is_killed: bool = False


Message = Ready | Live | OpenRequest | MoreJobs | JobResult | Stopped | Lost


# Messages to a worker, beside lists of jobs.


class SharedCores(NamedTuple):
    """How a worker takes part in `core_sharing.py`.

    Attributes:
        descriptor: Of the file through which workers share cores.
        number: Which byte of it is this worker's, from 0.
        cores: How many cores they share.
    """

    descriptor: int
    number: int
    cores: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """The part of a machine that one worker gets: its first message.

    Attributes:
        worker: Its name.
        threads: For one operation, >= 1.
        gpu: The GPU to use, as CUDA_VISIBLE_DEVICES names it; None to leave that as it is.
        workers_on_gpu: How many workers share that GPU.
        population: How many jobs of one shape class to train at once, at most; None for as many as
            the GPU's memory holds, or one without a GPU.
        scratch: A folder of its own for checkpoints on their way.
        cores: The cores that it shares with other workers; None where it shares none.
    """

    worker: str
    threads: int
    gpu: str | None
    workers_on_gpu: int
    scratch: Path
    population: int | None = None
    cores: SharedCores | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reply:
    """The answer to a request; for an `OpenRequest` with the test reviews where they are sent."""

    test: Split | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """What a worker that reads the reviews itself is told to work on.

    Attributes:
        spec: The study's.
        data_digest: Of the reviews that the command read: those that the worker finds may have
            been replaced since.
    """

    spec: StudySpec
    data_digest: str


class Link(Protocol):
    """A worker's connection to the process that was started."""

    def send(self, message: Message) -> None:
        """Sends a message."""

    def receive(self) -> Any:
        """Waits for the next message."""
