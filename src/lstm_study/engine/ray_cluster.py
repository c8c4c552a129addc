"""Workers that are actors of a Ray cluster.

No folder is shared. The process that was started keeps all of the study's files: it sends each node
the training reviews once, each job with its checkpoints, and the test reviews with each grant, and
receives files with the results. So an actor and a worker process of this machine run the same code,
and a file travels with the message that names it.

Ray places the actors, and restarts none: an actor that ends, with its node or alone, is reported as
lost and requested again, on whatever node has room. Actors without room wait, which also tells an
autoscaler to add nodes. They end with the process that was started.
"""

import logging
import os
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from lstm_study.corpus.types import Corpus, Split
from lstm_study.engine.classes import Classes
from lstm_study.engine.devices import Workers
from lstm_study.engine.jobs import Work
from lstm_study.engine.messages import Lost, Message, Reply, Stopped
from lstm_study.engine.opening import read_test
from lstm_study.engine.parcels import Parcel, packed, unpacked
from lstm_study.engine.ray_connection import connect
from lstm_study.engine.ray_errors import ended_with
from lstm_study.engine.ray_worker import GRACE_SECONDS, RayWorker, TrainingReviews, installed
from lstm_study.spec import StudySpec

log = logging.getLogger(__name__)

_CLOSE_SECONDS = 30.0


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
        self._ray, self._address = connect(address), address
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
        self._is_closing = False

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
        reviews = TrainingReviews(
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
        parcel = packed(message)
        with self._refusals():
            self._actors[name].deliver.remote(parcel)

    def grant(self, corpus: Corpus, log: Callable[[], None]) -> Reply:
        """Logs an opening, and returns the reply that carries the test reviews."""
        return Reply(test=_copied(read_test(corpus, log)))

    def kill(self, name: str) -> None:
        self._ray.kill(self._actors[name])

    def close(self) -> None:
        """Ends all actors, and leaves the cluster. May be called again."""
        if self._is_closing:
            return
        self._is_closing = True
        # Ray's client, once its cluster is gone, would look for another one here.
        if self._ray.is_initialized():
            self._end_actors()
        # A thread that is still within Ray when it shuts down crashes this process.
        deadline = time.monotonic() + _CLOSE_SECONDS
        for reader in self._readers:
            reader.join(max(0.0, deadline - time.monotonic()))
        self._ray.shutdown()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _end_actors(self) -> None:
        ending = [self._actors[name].end.remote() for name in self._started]
        with suppress(Exception):  # An actor that is lost just now has ended, too.
            self._ray.wait(ending, num_returns=len(ending), timeout=GRACE_SECONDS)
        for actor in self._actors.values():
            self._ray.kill(actor)

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
                expected=installed(),
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
                parcels: list[Parcel] = self._ray.get(actor.collect.remote())
                for parcel in parcels:
                    self._messages.put((name, unpacked(parcel, self._scratch / name)))
        # Handed on to the thread of the dispatcher, which raises it.
        except Exception as error:
            if self._is_closing:
                return
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


def _copied(split: Split) -> Split:
    """Returns a split in memory: views of the cache's files can't travel."""
    return split.select(np.arange(len(split)))
