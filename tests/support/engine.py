"""An engine whose workers are threads of the test: the real worker, link by link, no processes."""

import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lstm_study.engine.devices import Workers
from lstm_study.engine.dispatch import Context, dispatch
from lstm_study.engine.jobs import Reviews, Work
from lstm_study.engine.messages import Message, Ready, Reply, Stopped
from lstm_study.engine.opening import request_test
from lstm_study.engine.protocols import Engine, Stage
from lstm_study.engine.worker import Worker
from lstm_study.errors import StudyError
from lstm_study.store import Store

CONTEXT = Context(command="a test", git_commit="", settings=())


class QueueLink:
    """A worker's link through two queues."""

    def __init__(self, name: str, sent: "queue.SimpleQueue[tuple[str, Message]]") -> None:
        self._name, self._sent = name, sent
        self.received: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def send(self, message: Message) -> None:
        """Sends a message."""
        self._sent.put((self._name, message))

    def receive(self) -> Any:
        """Waits for the next message."""
        return self.received.get()


class Threads:
    """An `Engine` of threads.

    Args:
        scratch: Where workers leave checkpoints.
        workers: How many.
        capacity: How many jobs each takes at once.
    """

    output = "study.log"

    def __init__(self, scratch: Path, *, workers: int = 1, capacity: int = 1) -> None:
        self.size = Workers(count=workers, threads=1)
        self.names = [f"w{number}" for number in range(1, workers + 1)]
        self._scratch, self._capacity = scratch, capacity
        self._messages: queue.SimpleQueue[tuple[str, Message]] = queue.SimpleQueue()
        self._links = {name: QueueLink(name, self._messages) for name in self.names}
        self._threads: list[threading.Thread] = []
        self._ready = Ready(backend="tensorflow", devices=("CPU",), capacity=capacity)

    def set_up(self, spec: Any, corpus: Any) -> None:
        del spec
        if self._threads:  # for a later stage
            for link in self._links.values():
                link.send(self._ready)
            return
        for name, link in self._links.items():
            reviews = Reviews(
                train=corpus.train,
                validation=corpus.validation,
                training=getattr(corpus, "training", None),
                request_test=lambda run_id, link=link: request_test(link, corpus, run_id=run_id),
            )
            worker = Worker(
                link, reviews=reviews, scratch=self._scratch / name, capacity=self._capacity
            )
            thread = threading.Thread(target=self._serve, args=(worker, link), daemon=True)
            thread.start()
            self._threads.append(thread)

    def poll(self, timeout_seconds: float) -> list[tuple[str, Message]]:
        try:
            return [self._messages.get(timeout=timeout_seconds)]
        except queue.Empty:
            return []

    def send(self, name: str, message: Sequence[Work] | Reply) -> None:
        self._links[name].received.put(message)

    def grant(self, corpus: Any, log: Callable[[], None]) -> Reply:
        del corpus
        log()
        return Reply()

    def kill(self, name: str) -> None:
        raise AssertionError(f"nobody kills {name}")

    def close(self) -> None:
        for link in self._links.values():
            link.received.put(None)
        for thread in self._threads:
            thread.join(timeout=10)

    def _serve(self, worker: Worker, link: QueueLink) -> None:
        link.send(self._ready)
        while isinstance(jobs := link.receive(), Sequence):
            try:
                worker.do(jobs)
            except StudyError as error:
                link.send(Stopped(error=error))


def run_stage(stage: Stage, engine: Engine, store: Store, *, spec: Any, corpus: Any) -> None:
    """Runs a stage to its end on an engine, as a command does."""
    try:
        engine.set_up(spec, corpus)
        dispatch(stage, engine, store=store, corpus=corpus, context=CONTEXT)
    finally:
        engine.close()
