"""Workers that are processes of this machine.

Each one is `python -P -m lstm_study.engine.process_worker` with one end of a socket; messages are
pickled dataclasses (`engine/messages.py`), since both ends are this program. Whatever else a worker
prints goes to the study's log. A worker whose socket closes ends at once, so none outlives the
process that started it.
"""

import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lstm_study.corpus.types import Corpus
from lstm_study.engine.core_sharing import CoreShares
from lstm_study.engine.devices import Workers
from lstm_study.engine.jobs import Work
from lstm_study.engine.messages import Device, Lost, Message, Reply, SetUp, SharedCores, Stopped
from lstm_study.files import open_log
from lstm_study.provenance import usable_cpus
from lstm_study.spec import StudySpec

_WORKER = "lstm_study.engine.process_worker"
_GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    """One worker: its process, both directions of its socket, and the thread that reads it."""

    popen: subprocess.Popen[bytes]
    socket: socket.socket
    connection: "Connection[Any, Any]"
    reader: threading.Thread


class Processes:
    """An `Engine` of worker processes.

    They begin at once to load what training needs, which takes seconds, and wait for `set_up`. Each
    gets a folder in `scratch` for checkpoints on their way.
    """

    def __init__(self, size: Workers, *, log_path: Path, scratch: Path) -> None:
        self.size, self._log_path, self._scratch = size, log_path, scratch
        self._indices = {f"w{index + 1}": index for index in range(size.count)}
        self._set_up: SetUp | None = None
        self._shares = CoreShares(size.count)
        self._messages: queue.SimpleQueue[tuple[str, Message | None]] = queue.SimpleQueue()
        self._processes: dict[str, _Process] = {}
        for name in self._indices:
            self._start(name)

    @property
    def output(self) -> str:
        return str(self._log_path)

    @property
    def names(self) -> Sequence[str]:
        return list(self._processes)

    @property
    def is_closed(self) -> bool:
        """Whether its workers have been ended."""
        return not self._processes

    def set_up(self, spec: StudySpec, corpus: Corpus) -> None:
        """Tells every worker what to work on; each reads the reviews from the cache itself.

        They work on one study. For its later stages each says again that it is ready.
        """
        given = SetUp(spec=spec, data_digest=corpus.summary.digest)
        assert self._set_up in (None, given), "these workers have read the reviews of another study"
        self._set_up = given
        for name in self._processes:
            self.send(name, self._set_up)

    def poll(self, timeout_seconds: float) -> list[tuple[str, Message]]:
        """Returns what workers sent; one that died is replaced before it is reported as lost."""
        found: list[tuple[str, Message]] = []
        with suppress(queue.Empty):
            while True:
                name, message = self._messages.get(timeout=0 if found else timeout_seconds)
                found.append((name, message if message is not None else self._replace(name)))
        return found

    def send(self, name: str, message: Sequence[Work] | Reply | Device | SetUp) -> None:
        """Sends a worker jobs, a reply, or what it begins with; if it died, `poll` reports that."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self._processes[name].connection.send(message)

    def grant(self, corpus: Corpus, log: Callable[[], None]) -> Reply:
        """Logs an opening; the worker reads the test reviews itself once it has the reply."""
        del corpus
        log()
        return Reply()

    def kill(self, name: str) -> None:
        os.killpg(self._processes[name].popen.pid, signal.SIGKILL)

    def close(self) -> None:
        """Ends every worker: by closing its socket, then by force. May be called again."""
        processes = list(self._processes.values())
        for process in processes:
            with suppress(OSError):
                process.socket.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + _GRACE_SECONDS
        for process in processes:
            try:
                process.popen.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.popen.pid, signal.SIGKILL)
            self._reap(process)
        self._processes.clear()
        self._shares.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _start(self, name: str) -> None:
        log = open_log(self._log_path)
        own, workers = socket.socketpair()
        with log, workers:
            popen = subprocess.Popen(  # noqa: S603
                # -P: a random.py in the user's folder must not hide Python's own.
                [sys.executable, "-P", "-m", _WORKER, str(workers.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(workers.fileno(), self._shares.descriptor),
                # Ctrl-C is for the process that was started to handle.
                start_new_session=True,
            )
        connection: Connection[Any, Any] = Connection(os.dup(own.fileno()))
        reader = threading.Thread(target=self._read, args=(name, connection), daemon=True)
        self._processes[name] = _Process(
            popen=popen, socket=own, connection=connection, reader=reader
        )
        reader.start()
        index = self._indices[name]
        self.send(
            name,
            Device(
                worker=name,
                threads=self.size.threads,
                gpu=self.size.gpu_of(index),
                workers_on_gpu=self.size.on_a_gpu,
                scratch=self._scratch / name,
                population=self.size.population,
                cores=SharedCores(self._shares.descriptor, index, usable_cpus()),
            ),
        )
        if self._set_up is not None:
            self.send(name, self._set_up)

    def _read(self, name: str, connection: "Connection[Any, Any]") -> None:
        """Queues what a worker sends, in a thread, so that no worker can block the dispatcher."""
        try:
            while True:
                self._messages.put((name, connection.recv()))
        except (EOFError, OSError):
            self._messages.put((name, None))
        # A message that can't be read: the dispatcher's thread raises it.
        except Exception as error:  # noqa: BLE001 - raised elsewhere, whatever it is
            self._messages.put((name, Stopped(error=error)))

    def _replace(self, name: str) -> Lost:
        """Starts a worker in place of one that died, and returns the report of its death."""
        code = self._reap(self._processes.pop(name))
        self._shares.clear(self._indices[name])
        shutil.rmtree(self._scratch / name, ignore_errors=True)
        self._start(name)
        return Lost(reason=f"with code {code}", is_killed=code == -signal.SIGKILL)

    @staticmethod
    def _reap(process: _Process) -> int:
        code = process.popen.wait()
        process.reader.join()
        process.connection.close()
        process.socket.close()
        return code
