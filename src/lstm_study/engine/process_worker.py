"""A worker as a process of this machine: `python -P -m lstm_study.engine.process_worker FD`.

It is not a command for users: `engine/processes.py` starts it. It ends as soon as its socket
closes, that is, when the process that started it ends, however that happens.
"""

import logging
import os
import queue
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any

from lstm_study.corpus.load import load as read_corpus
from lstm_study.engine.classes import Classes
from lstm_study.engine.jobs import Reviews
from lstm_study.engine.messages import Device, Link, Message, SetUp
from lstm_study.engine.opening import request_test
from lstm_study.engine.worker import work
from lstm_study.errors import DataError

log = logging.getLogger(__name__)


class SocketLink:
    """A worker's `Link` to the process that started it; ends this process when that one does."""

    def __init__(self, descriptor: int) -> None:
        self._connection: Connection[Any, Any] = Connection(descriptor)
        self._received: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._sending = threading.Lock()
        """A call's job and the thread that tells where it stands both send."""
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, message: Message) -> None:
        """Sends a message."""
        with self._sending:
            self._connection.send(message)

    def receive(self) -> Any:
        """Waits for the next message."""
        return self._received.get()

    def _read(self) -> None:
        try:
            while True:
                self._received.put(self._connection.recv())
        except (EOFError, OSError):
            # Nothing to tidy up: every file is replaced whole, and scratch is swept.
            os._exit(0)
        except Exception:
            # Otherwise this process would wait for ever for a message that it could not read, such
            # as one that names code that has since changed on disk.
            log.exception("A message could not be read")
            os._exit(1)


def main() -> None:
    """Loads what training needs, reads what to work on, then does jobs until the socket closes."""
    link = SocketLink(int(sys.argv[1]))
    device: Device = link.receive()
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s {device.worker} %(levelname)s %(name)s: %(message)s",
    )
    work(link, device, study=lambda: _study_from(link))


def _study_from(link: Link) -> Reviews:
    """Waits for the study's spec, and reads its reviews; those of test are read on request only.

    Raises:
        DataError: They can't be read, or have been replaced since the command read them.
    """
    given: SetUp = link.receive()
    spec = given.spec
    corpus = read_corpus(spec.data, seed=spec.study.seed)
    if corpus.summary.digest != given.data_digest:
        raise DataError(
            f"{corpus.summary.path or spec.data.source}: these are not the reviews that the "
            "running command has read: they were replaced meanwhile. Put those back, then run the "
            "same command again: it resumes."
        )
    return Reviews(
        train=corpus.train,
        validation=corpus.validation,
        training=corpus.training,
        request_test=lambda run_id: request_test(link, corpus, run_id=run_id),
        classes=Classes(spec).planned,
    )


if __name__ == "__main__":
    main()
