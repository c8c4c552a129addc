"""What stages, engines and workers exchange: jobs, results, messages, and the protocols of each."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from lstm_study.configuration import Configuration
from lstm_study.corpus.types import Corpus, Split
from lstm_study.engine.devices import Workers
from lstm_study.model.shape_classes import ShapeClass
from lstm_study.records import Epoch, Failure
from lstm_study.records.state import Live
from lstm_study.spec import ModelTable, ProtocolTable, StudySpec

TrainsOn = Literal["train", "training"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """An epoch at which a training is evaluated on the test reviews, or ends.

    Attributes:
        epochs: Counted from the configuration's first training step.
        run_id: The run that the evaluation belongs to; "" for no evaluation on test.
        last: How many last epochs' mean probability is evaluated beside it; 1 for none.
    """

    epochs: int
    run_id: str = ""
    last: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One training: all that a worker needs for it, wherever the worker is.

    Attributes:
        name: The trial's or run's id.
        configuration: The hyperparameters.
        protocol: Batch size, optimizer and learning rate.
        seed: Of weights, dropout and shuffling.
        masked: Whether padding is masked, and reviews of similar length share a batch.
        trains_on: The train split, or all training reviews.
        validates: Whether to validate after each epoch.
        halts: Where the training is evaluated, ascending; the last one is its end.
        starts: Checkpoints to resume from, the best one first; one that can't be used is skipped,
            and without any the training starts from its first epoch.
        history: The recorded epochs, those of the training it continues included; a checkpoint with
            another history can't be used.
        schedule_epochs: Epochs after which a falling learning rate is at zero; None for the halt.
        calibrates: Whether the result's value is the temperature fitted on validation at the end.
        shape: The class it may be trained in with others, as `engine/classes.py` plans it; None
            for one that trains alone.
        builder: What builds the network in the place of the LSTM, with its text; None for the LSTM.
    """

    name: str
    configuration: Configuration
    protocol: ProtocolTable
    seed: int
    masked: bool
    trains_on: TrainsOn
    validates: bool
    halts: tuple[Halt, ...]
    starts: tuple[Path, ...] = ()
    history: tuple[Epoch, ...] = ()
    schedule_epochs: int | None = None
    calibrates: bool = False
    shape: ShapeClass | None = None
    builder: ModelTable | None = None

    @property
    def epochs(self) -> int:
        """The epoch that the training ends after: its budget."""
        return self.halts[-1].epochs

    @property
    def keeps(self) -> tuple[int, ...]:
        """The epochs whose weights are wanted at a later halt."""
        return tuple(
            epoch
            for halt in self.halts
            for epoch in range(max(1, halt.epochs - halt.last + 1), halt.epochs)
        )

    @property
    def shape_class(self) -> Hashable:
        """What the jobs that one worker trains together must have in common."""
        return self.name if self.shape is None else (self.shape, self.trains_on)


RequestTest = Callable[[str], Split]
"""Opens the test reviews for the run of this id, once the opening is logged."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Reviews:
    """What a worker reads: the training reviews, and a way to ask for the test reviews.

    Attributes:
        train: The training reviews that the search trains on.
        validation: Those that the search scores on.
        training: The two together.
        request_test: The only way to the test reviews.
        classes: The shape classes that jobs are planned in.
    """

    train: Split
    validation: Split
    training: Split
    request_test: RequestTest
    classes: tuple[ShapeClass, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A job that trains no network: a function of the reviews.

    Attributes:
        name: What the result is called; also the id under which it opens the test reviews.
        function: Defined at the top of a module, or a partial of such a one, since it is pickled.
    """

    name: str
    function: Callable[[Reviews], Any]

    @property
    def shape_class(self) -> Hashable:
        """No other job's."""
        return self.name


Work = Job | Call


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """One evaluation on the test reviews.

    Attributes:
        run_id: The run it belongs to.
        probabilities: Of the positive label, float32 [test reviews].
        labels: int8 [test reviews].
        weights: A scratch file with the network's weights; the dispatcher's to move.
        test_seconds: Wall time of reading the test reviews.
        predict_1000_seconds: Wall time of 1,000 training reviews, once all is compiled.
        mean_probabilities: Mean over the last epochs; None where that was not wanted.
    """

    run_id: str
    probabilities: NDArray[np.float32]
    labels: NDArray[np.int8]
    weights: Path
    test_seconds: float
    predict_1000_seconds: float
    mean_probabilities: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JobResult:
    """The result of a job so far: sent after each epoch and evaluation, and at the end.

    Attributes:
        name: The job's.
        epochs: The history, from the configuration's first training step.
        checkpoint: A scratch file with the last epoch; the dispatcher's to move.
        evaluation: An evaluation on test that was due at this epoch.
        value: What a `Call` returned, or the temperature of a job that calibrates.
        failure: Why the job failed.
        is_last: Whether the job has ended.
        parameter_count: Of a network that a custom builder made, whose configuration does not
            tell; None else.
    """

    name: str
    epochs: tuple[Epoch, ...] = ()
    checkpoint: Path | None = None
    evaluation: Evaluation | None = None
    value: Any = None
    failure: Failure | None = None
    is_last: bool = False
    parameter_count: int | None = None


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
    """The worker has room for more jobs like those it is at; it waits for a list of them.

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
        cores: Descriptor of the file through which workers share cores, the worker's number in it,
            and how many cores they share; None where they don't.
    """

    worker: str
    threads: int
    gpu: str | None
    workers_on_gpu: int
    scratch: Path
    population: int | None = None
    cores: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reply:
    """The answer to a request; for a `OpenRequest` with the test reviews where they are sent."""

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


class Engine(Protocol):
    """Runs workers, and replaces those it loses."""

    @property
    def output(self) -> str:
        """Where what its workers print is found, in words."""

    @property
    def names(self) -> Sequence[str]:
        """The present workers, ready or not."""

    @property
    def size(self) -> Workers:
        """How many workers it has or wants, and their threads."""

    def set_up(self, spec: StudySpec, corpus: Corpus) -> None:
        """Tells every worker, present and future, what to work on; comes before any job."""

    def poll(self, timeout_seconds: float) -> list[tuple[str, Message]]:
        """Returns messages with their workers' names, after waiting for one at most so long."""

    def send(self, name: str, message: Sequence[Work] | Reply) -> None:
        """Sends a worker jobs or a reply."""

    def grant(self, corpus: Corpus, log: Callable[[], None]) -> Reply:
        """Logs an opening of the test reviews, and returns the reply that grants it."""

    def kill(self, name: str) -> None:
        """Ends a worker by force; `poll` reports it as lost."""

    def close(self) -> None:
        """Ends all workers."""


class Stage(Protocol):
    """Says which jobs are due, and takes their results; the one writer of their records."""

    @property
    def name(self) -> str:
        """What sessions call it: "search" or "compare"."""

    @property
    def backlog(self) -> int:
        """How many jobs are due now."""

    def due(self, worker: str, limit: int, *, like: Hashable = None) -> Sequence[Work]:
        """Hands out jobs to a worker that is free, or has room.

        Args:
            worker: Its name.
            limit: How many it takes at most, >= 1; all of one shape class.
            like: That class; None for any.

        Returns:
            Nothing while no job is due; if none is in progress either, the stage has ended.
        """

    def take(self, result: JobResult, *, worker: str) -> None:
        """Records a job's result; moves its files from scratch."""

    def take_back(self, name: str) -> None:
        """Takes back a job whose worker was lost; it is due again."""

    def tick(self, seconds: float) -> bool:
        """Reports progress, a few times a second; returns whether to continue.

        Args:
            seconds: Time worked since this command's work began.
        """
