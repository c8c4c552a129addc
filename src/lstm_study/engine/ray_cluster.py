"""Workers that are actors of a Ray cluster; the only module that imports Ray.

No folder is shared. The process that was started keeps all of the study's files: it sends each node
the training reviews once, each job with its checkpoints, and the test reviews with each grant, and
receives files with the results. So a worker here and a process of this machine run the same code,
and a file travels beside the message that names it.

Ray places the actors, replaces nothing: an actor that ends, with its node or alone, is reported as
lost and asked for again, on whatever node has room. Actors without room wait, which also tells an
autoscaler to add nodes. They end with the process that was started.
"""

import hashlib
import logging
import os
import queue
import secrets
import shutil
import socket
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.types import Corpus, Split
from lstm_study.engine.classes import Classes
from lstm_study.engine.devices import Workers
from lstm_study.engine.jobs import (
    Device,
    Job,
    JobResult,
    Lost,
    Message,
    Reply,
    Reviews,
    Stopped,
    Work,
)
from lstm_study.engine.opening import read_test, receive_test
from lstm_study.engine.ray_errors import ended_with, in_a_line
from lstm_study.errors import DependencyError, SearchError, StudyError
from lstm_study.files import replacing
from lstm_study.model.shape_classes import ShapeClass
from lstm_study.provenance import versions
from lstm_study.spec import StudySpec

log = logging.getLogger(__name__)

_COLLECT_SECONDS = 5.0
_CONNECT_SECONDS = 10.0
# Ray's client server gets half a minute to start, which a busy head node may not manage at once.
_CONNECT_ATTEMPTS = 4
_GRACE_SECONDS = 5.0
_CLOSE_SECONDS = 30.0
_SAME_VERSIONS = ("lstm-study", "tensorflow", "keras", "jax", "numpy", "numba")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Parcel:
    """A message with the contents of the files that it names, as bytes."""

    message: Any
    files: Mapping[Path, NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _TrainingReviews:
    """The training reviews, train first, and the study's shape classes."""

    training: Split
    train_count: int
    classes: tuple[ShapeClass, ...]

    def reviews(self, link: "ActorLink") -> Reviews:
        """Returns what jobs read; the test reviews come with each grant."""
        count = self.train_count
        return Reviews(
            train=self.training.part(0, count, name="train"),
            validation=self.training.part(count, len(self.training), name="validation"),
            training=self.training,
            request_test=lambda run_id: receive_test(link, run_id=run_id),
            classes=self.classes,
        )


class RayCluster:
    """An `Engine` of actors.

    Args:
        address: "auto" for the cluster that this machine belongs to, a head node's "HOST:PORT", or
            "ray://HOST:PORT" from outside the cluster.
        workers: Actors asked for; None for as many as there are jobs.
        workers_per_gpu: Actors that share a GPU; None for one.
        jobs: How many jobs there are to share, at most.
        population: Networks that an actor trains at once, at most; None to choose.

    Raises:
        DependencyError: Ray is not installed.
        SearchError: The cluster can't be reached.
    """

    output = "the logs that Ray keeps on the node"

    def __init__(
        self,
        address: str,
        *,
        workers: int | None,
        workers_per_gpu: int | None,
        jobs: int,
        population: int | None = None,
    ) -> None:
        self._ray, self._address = _connected(address), address
        self._population = population
        self._per_gpu = workers_per_gpu or 1
        self._on_gpus = workers_per_gpu is not None or self._ray.cluster_resources().get("GPU", 0)
        self._wanted = [f"w{number}" for number in range(1, (workers or jobs) + 1)]
        self._actors: dict[str, Any] = {}
        self._readers: list[threading.Thread] = []
        self._started: set[str] = set()
        self._most_started = 0
        self._messages: queue.SimpleQueue[tuple[str, Message | None]] = queue.SimpleQueue()
        self._scratch = Path(tempfile.mkdtemp(prefix="lstm-study-"))
        self._reviews: Any = None

    def __enter__(self) -> "RayCluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def names(self) -> Sequence[str]:
        """The actors that have a place; others wait for one."""
        return sorted(self._started, key=lambda name: int(name[1:]))

    @property
    def size(self) -> Workers:
        """How many actors had a place at most, each with one thread."""
        return Workers(count=self._most_started, threads=1)

    def set_up(self, spec: StudySpec, corpus: Corpus) -> None:
        """Puts the training reviews into the object store, and asks for actors."""
        reviews = _TrainingReviews(
            training=_copied(corpus.training),
            train_count=len(corpus.train),
            classes=Classes(spec).planned,
        )
        with self._refusals():
            self._reviews = self._ray.put(reviews)
        for name in self._wanted:
            self._start(name)

    def poll(self, timeout_seconds: float) -> list[tuple[str, Message]]:
        """Returns what actors sent; one that is lost is asked for again."""
        found: list[tuple[str, Message]] = []
        with suppress(queue.Empty):
            while True:
                name, message = self._messages.get(timeout=0 if found else timeout_seconds)
                if message is None:
                    self._started.add(name)
                    self._most_started = max(self._most_started, len(self._started))
                    continue
                if isinstance(message, Lost):
                    self._replace(name)
                found.append((name, message))
        return found

    def send(self, name: str, message: Sequence[Work] | Reply) -> None:
        """Sends an actor jobs, with their checkpoints, or a reply."""
        parcel = _packed(message)
        with self._refusals():
            self._actors[name].deliver.remote(parcel)

    def grant(self, corpus: Corpus, log: Callable[[], None]) -> Reply:
        """Logs an opening, and returns the reply that carries the test reviews."""
        return Reply(test=_copied(read_test(corpus, log)))

    def kill(self, name: str) -> None:
        self._ray.kill(self._actors[name])

    def close(self) -> None:
        """Ends all actors, and leaves the cluster."""
        ending = [self._actors[name].end.remote() for name in self._started]
        with suppress(Exception):  # An actor that is lost just now has ended, too.
            self._ray.wait(ending, num_returns=len(ending), timeout=_GRACE_SECONDS)
        for actor in self._actors.values():
            self._ray.kill(actor)
        # A thread that is still within Ray when it shuts down crashes this process.
        deadline = time.monotonic() + _CLOSE_SECONDS
        for reader in self._readers:
            reader.join(max(0.0, deadline - time.monotonic()))
        self._ray.shutdown()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _start(self, name: str) -> None:
        share = 1 / self._per_gpu
        resources = {"num_gpus": share, "num_cpus": share} if self._on_gpus else {"num_cpus": 1}
        actor = (
            self._ray.remote(RayWorker)
            .options(max_concurrency=3, **resources)
            .remote(
                name,
                self._reviews,
                workers_on_gpu=self._per_gpu if self._on_gpus else 0,
                population=self._population,
                expected=_installed(),
                backend=os.environ.get("KERAS_BACKEND", "tensorflow"),
            )
        )
        self._actors[name] = actor
        reader = threading.Thread(target=self._read, args=(name, actor), daemon=True)
        reader.start()
        self._readers.append(reader)

    def _read(self, name: str, actor: Any) -> None:
        """Queues that an actor has a place, what it sends, and last that it is lost."""
        try:
            self._ray.get(actor.start.remote())
            self._messages.put((name, None))
            while True:
                parcels: list[_Parcel] = self._ray.get(actor.collect.remote())
                for parcel in parcels:
                    self._messages.put((name, _unpacked(parcel, self._scratch / name)))
        # Handed on to the thread of the dispatcher, which raises it.
        except Exception as error:
            message = ended_with(error, self._ray.exceptions, address=self._address)
            if isinstance(message, Lost):
                log.warning("%s can no longer be reached", name, exc_info=True)
            self._messages.put((name, message))

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Says in a line where Ray has no room for what is sent, or can't be reached any more."""
        try:
            yield
        except Exception as error:
            message = ended_with(error, self._ray.exceptions, address=self._address)
            if isinstance(message, Stopped) and message.error is not error:
                raise message.error from error
            # Of an actor that is lost its reader says so.
            if isinstance(message, Stopped):
                raise

    def _replace(self, name: str) -> None:
        """Asks for an actor in place of one that is lost, and ends that one for certain."""
        with suppress(Exception):  # Most often it has ended.
            self._ray.kill(self._actors[name])
        self._started.discard(name)
        shutil.rmtree(self._scratch / name, ignore_errors=True)
        self._start(name)


class ActorLink:
    """A worker's `Link` within its actor: two queues that the actor's methods fill and empty."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._starts: dict[str, tuple[Path, ...]] = {}
        self._sent: queue.SimpleQueue[_Parcel] = queue.SimpleQueue()
        self._received: queue.SimpleQueue[_Parcel] = queue.SimpleQueue()

    def send(self, message: Message) -> None:
        """Sends a message, with the files it names; they are deleted here, as a job's own are."""
        parcel = _packed(message)
        ended = message.name if isinstance(message, JobResult) and message.is_last else ""
        for path in (*parcel.files, *self._starts.pop(ended, ())):
            path.unlink()
        self._sent.put(parcel)

    def receive(self) -> Any:
        """Waits for the next message; its files are in a scratch folder until their job ends."""
        message = _unpacked(self._received.get(), self._scratch)
        for job in message if isinstance(message, Sequence) else ():
            if isinstance(job, Job):
                self._starts[job.name] = job.starts
        return message

    def collect(self, timeout_seconds: float = _COLLECT_SECONDS) -> list[_Parcel]:
        """Returns what was sent, after waiting for it at most so long."""
        found: list[_Parcel] = []
        with suppress(queue.Empty):
            while True:
                found.append(self._sent.get(timeout=0 if found else timeout_seconds))
        return found

    def deliver(self, parcel: _Parcel) -> None:
        """Queues what the worker is to receive."""
        self._received.put(parcel)


class RayWorker(ActorLink):
    """The actor: a worker in a thread, and its link, both of whose ends are methods.

    `expected` are the versions that its node must have, too.
    """

    def __init__(
        self,
        name: str,
        reviews: _TrainingReviews,
        *,
        workers_on_gpu: int,
        population: int | None,
        expected: Mapping[str, str],
        backend: str,
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="lstm-study-"))
        super().__init__(self._folder / "received")
        os.environ["KERAS_BACKEND"] = backend
        device = Device(
            worker=name,
            threads=1,
            gpu=None,  # Ray has set CUDA_VISIBLE_DEVICES.
            workers_on_gpu=workers_on_gpu,
            population=population,
            scratch=self._folder / "made",
        )
        threading.Thread(target=self._work, args=(device, reviews, expected), daemon=True).start()

    def start(self) -> None:
        """No-op: it returns once the actor has a place."""

    def end(self) -> None:
        """Deletes what the worker left on its node."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _work(self, device: Device, reviews: _TrainingReviews, expected: Mapping[str, str]) -> None:
        from lstm_study.engine.worker import work

        try:
            found = _installed()
            if found != expected:
                raise DependencyError(
                    f"{os.uname().nodename}: every machine of the cluster needs the same packages: "
                    f"{_in_words(expected)}. Received: {_in_words(found)}. Install them there."
                )
            work(self, device, study=lambda: reviews.reviews(self))
        except StudyError as error:
            self.send(Stopped(error=error))
        except Exception:  # noqa: BLE001 - it ends this process, before a thread's report is printed
            traceback.print_exc()
        finally:
            # `work` ends after an error alone: let it be collected, then end the actor.
            time.sleep(_GRACE_SECONDS)
            os._exit(1)


def _connected(address: str) -> Any:
    """Imports Ray, and connects to a running cluster.

    Raises:
        DependencyError: Ray is not installed.
        SearchError: The cluster can't be reached.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        raise DependencyError(
            "--cluster needs Ray, which is not installed. "
            "Install it: pip install 'lstm-study[cluster]'."
        ) from error
    try:
        if address != "auto":
            # Ray itself would try for minutes.
            host, _, port = address.removeprefix("ray://").rpartition(":")
            socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()
        _initialise(ray, address)
    # Ray raises errors of many kinds for an address that is wrong or does not answer.
    except Exception as error:
        raise SearchError(
            f"--cluster {address}: no Ray cluster could be reached ({in_a_line(error)}). "
            "Start one with `ray start --head`, or give the address of one."
        ) from error
    return ray


def _initialise(ray: Any, address: str) -> None:
    """Calls `ray.init`, again where the head node was reached and did not get ready in time."""
    for attempts_left in reversed(range(_CONNECT_ATTEMPTS)):
        try:
            ray.init(address=address, log_to_driver=False, logging_level="error")
        except ConnectionAbortedError as error:
            if attempts_left == 0:
                raise
            log.warning("%s is not ready, trying again: %s", address, in_a_line(error))
        else:
            return


def _packed(message: Any) -> _Parcel:
    """Returns a message with the contents of the files that it names."""
    return _Parcel(
        message=message,
        files={path: np.fromfile(path, dtype=np.uint8) for path in _paths_of(message)},
    )


def _unpacked(parcel: _Parcel, folder: Path) -> Any:
    """Writes a message's files to a folder, and returns the message that names them there."""
    moved = {}
    for path, contents in parcel.files.items():
        moved[path] = folder / f"{secrets.token_hex(4)}-{path.name}"
        with replacing(moved[path]) as temporary:
            contents.tofile(temporary)
    return _renamed(parcel.message, moved)


def _paths_of(message: Any) -> list[Path]:
    if isinstance(message, JobResult):
        weights = message.evaluation.weights if message.evaluation is not None else None
        return [path for path in (message.checkpoint, weights) if path is not None]
    if isinstance(message, Sequence):
        return [path for job in message if isinstance(job, Job) for path in job.starts]
    return []


def _renamed(message: Any, moved: Mapping[Path, Path]) -> Any:
    if isinstance(message, JobResult):
        checkpoint, evaluation = message.checkpoint, message.evaluation
        if evaluation is not None:
            evaluation = replace(evaluation, weights=moved[evaluation.weights])
        if checkpoint is not None:
            checkpoint = moved[checkpoint]
        return replace(message, checkpoint=checkpoint, evaluation=evaluation)
    if isinstance(message, Sequence):
        return [
            replace(job, starts=tuple(moved[path] for path in job.starts))
            if isinstance(job, Job)
            else job
            for job in message
        ]
    return message


def _copied(split: Split) -> Split:
    """Returns a split in memory: views of the cache's files can't travel."""
    return split.select(np.arange(len(split)))


def _installed() -> dict[str, str]:
    """Returns what decides the bits of a result: versions, and a digest of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return versions(_SAME_VERSIONS) | {"lstm-study's code": digest.hexdigest()[:12]}


def _in_words(installed: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in installed.items())
