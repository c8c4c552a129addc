"""The actor of a Ray cluster: a worker on another machine; `process_worker.py` is one on this."""

import hashlib
import os
import queue
import shutil
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_study.corpus.types import Split
from lstm_study.engine.jobs import Job, JobResult, Reviews
from lstm_study.engine.messages import Device, Message, Stopped
from lstm_study.engine.opening import receive_test
from lstm_study.engine.parcels import Parcel, packed, unpacked
from lstm_study.errors import DependencyError, StudyError
from lstm_study.model.shape_classes import ShapeClass
from lstm_study.provenance import versions

GRACE_SECONDS = 5.0
"""How long what an actor sent last may take to be collected."""
_COLLECT_SECONDS = 5.0
_SAME_VERSIONS = ("lstm-study", "tensorflow", "keras", "jax", "numpy", "numba")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingReviews:
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


class ActorLink:
    """A worker's `Link` within its actor: two queues that the actor's methods fill and empty."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._starts: dict[str, tuple[Path, ...]] = {}
        self._sent: queue.SimpleQueue[Parcel] = queue.SimpleQueue()
        self._received: queue.SimpleQueue[Parcel] = queue.SimpleQueue()

    def send(self, message: Message) -> None:
        """Sends a message, with the files it names; they are deleted here, as a job's own are."""
        parcel = packed(message)
        ended = message.name if isinstance(message, JobResult) and message.is_last else ""
        for path in (*parcel.files, *self._starts.pop(ended, ())):
            path.unlink()
        self._sent.put(parcel)

    def receive(self) -> Any:
        """Waits for the next message; its files are in a scratch folder until their job ends."""
        message = unpacked(self._received.get(), self._scratch)
        for job in message if isinstance(message, Sequence) else ():
            if isinstance(job, Job):
                self._starts[job.name] = job.starts
        return message

    def collect(self, timeout_seconds: float = _COLLECT_SECONDS) -> list[Parcel]:
        """Returns what was sent, after waiting for it at most so long."""
        found: list[Parcel] = []
        with suppress(queue.Empty):
            while True:
                found.append(self._sent.get(timeout=0 if found else timeout_seconds))
        return found

    def deliver(self, parcel: Parcel) -> None:
        """Queues what the worker is to receive."""
        self._received.put(parcel)


class RayWorker(ActorLink):
    """The actor: a worker in a thread, and its link, both of whose ends are methods.

    `expected` are the versions that its node must have, too.
    """

    def __init__(
        self,
        name: str,
        reviews: TrainingReviews,
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

    def _work(self, device: Device, reviews: TrainingReviews, expected: Mapping[str, str]) -> None:
        from lstm_study.engine.worker import work

        try:
            found = installed()
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
            time.sleep(GRACE_SECONDS)
            os._exit(1)


def installed() -> dict[str, str]:
    """Returns what the bits of a result depend on: versions, and a digest of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return versions(_SAME_VERSIONS) | {"lstm-study's code": digest.hexdigest()[:12]}


def _in_words(installed: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in installed.items())
