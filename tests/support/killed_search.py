"""A whole search without a network, in a small process of its own that is killed on the way.

The search is the real one: oracle, dispatcher, worker, records, checkpoints. Only the network is
replaced, by arithmetic on two numbers. How far a search gets before it is killed is counted in
operations on its files, not in seconds, so that a slow machine kills it as late as a fast one.
"""

import errno
import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np

from lstm_study.errors import StudyError
from lstm_study.progress.values import ignore
from lstm_study.provenance import now
from lstm_study.records import Epoch
from lstm_study.search.oracle import RecordedHyperband
from lstm_study.search.plan import make_plan
from lstm_study.search.stage import SearchStage
from lstm_study.store import Store
from lstm_study.training import training as real_training
from lstm_study.training.checkpoint import Checkpoint, write_checkpoint
from tests.support.engine import Threads, run_stage
from tests.support.forking import ForkingProcess
from tests.support.tiny import spec

SPEC = spec(
    "search.max_epochs=10",
    "space.lstm_units={min=1, max=99}",
    "space.embedding_dim={min=1, max=99}",
)
NO_REVIEWS = SimpleNamespace(train=None, validation=None)
_SLACK = 8
_DUE = "!"


def arithmetic(training, *, start, save, on_epoch, **_):
    """Stands in for `train`: a state that depends on every epoch before, saved as the real one."""
    state = start.variables[0] if start else np.array([training.seed % 1_000, 1.0])
    epochs = start.epochs if start else ()
    for number in range(len(epochs) + 1, training.epochs + 1):
        state = np.array([(state[0] * 31 + number) % 1_000, state[1] + 1])
        score = float(state[0]) / 1_000
        epochs = (
            *epochs,
            Epoch(
                epoch=number, train_loss=score, train_accuracy=score, validation_loss=score,
                validation_accuracy=score, train_seconds=0.0, validation_seconds=0.0,
                ended_at=now(),
            ),
        )  # fmt: skip
        checkpoint = Checkpoint(epochs=epochs, variables=(state, np.zeros(20_000)))
        write_checkpoint(save, checkpoint)
        on_epoch(checkpoint)


def search(folder: Path) -> None:
    """Runs a search to its end, as a command with one worker does; see `arithmetic`."""
    store = Store(folder)
    with store.hold("a test"):
        store.sweep()
        plan = make_plan(SPEC)
        oracle = RecordedHyperband(spec=SPEC, plan=plan, store=store)
        stage = SearchStage(SPEC, plan, oracle, store, report=ignore)
        run_stage(stage, Threads(store.scratch), store, spec=SPEC, corpus=NO_REVIEWS)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When a search is killed.

    Attributes:
        operations: After how many files were opened for writing or renamed. The signal comes from
            another process, at any instruction up to eight operations later.
        saved_first: Count only from its first checkpoint on, so that it gets on however often it
            is killed.
        fills_disk: Not killed: each operation from then on fails, as on a full disk.
    """

    operations: int
    saved_first: bool = True
    fills_disk: bool = False


_NEVER = Moment(operations=1_000_000)


class Searches(ForkingProcess):
    """The process that forks searches and kills them."""

    module = "tests.support.killed_search"

    def run(self, folder: Path, moment: Moment) -> str:
        """Runs a search in a folder up to a moment.

        Returns:
            "killed", "ended" where it got through before, the sentence it was refused with, or
            "failed", with a traceback on standard error.
        """
        return self.answer(str(folder), asdict(moment))

    def killed(self, folder: Path, moment: Moment) -> bool:
        """Runs a search in a folder; returns whether it was killed, or got through before."""
        answer = self.run(folder, moment)
        assert answer in ("killed", "ended"), answer
        return answer == "killed"

    def finish(self, folder: Path) -> None:
        """Runs a search to its end."""
        assert not self.killed(folder, _NEVER)


def main() -> None:
    """Runs a search for each line on standard input, and prints what became of it."""
    # A worker's thread whose search was refused meanwhile says so with a traceback.
    logging.disable()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        folder, moment = json.loads(line)
        print(_end_of(Path(folder), Moment(**moment)), file=answers, flush=True)


def _end_of(folder: Path, moment: Moment) -> str:
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        _search_in_child(folder, moment, writes)
    os.close(writes)
    with os.fdopen(reads, encoding="utf-8") as pipe:
        said = pipe.read(1)
        if said == _DUE:
            os.kill(child, signal.SIGKILL)
        said += pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {0: "ended", 1: said, -signal.SIGKILL: "killed"}.get(code, "failed")


def _search_in_child(folder: Path, moment: Moment, pipe: int) -> NoReturn:
    code = 2
    try:
        real_training.train = arithmetic
        # What a killed process has written is there without: only a power failure loses it.
        os.fsync = lambda _: None
        sys.addaudithook(_Watch(folder, moment, pipe))
        search(folder)
        code = 0
    except StudyError as error:
        os.write(pipe, str(error).encode())
        code = 1
    except Exception:  # noqa: BLE001 - said here, since nothing may leave a forked process
        traceback.print_exc()
    finally:
        os._exit(code)


class _Watch:
    """An audit hook that counts operations on a folder's files, and says when the moment is."""

    def __init__(self, folder: Path, moment: Moment, pipe: int) -> None:
        self._folder, self._operations, self._pipe = str(folder), moment.operations, pipe
        self._checkpoints = f"{folder}/checkpoints/"
        self._counts = not moment.saved_first
        self._fills_disk = moment.fills_disk
        self._lock = threading.Lock()

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        is_opened = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if not (is_opened or event == "os.rename") or self._folder not in str(arguments[0]):
            return
        with self._lock:
            if self._counts:
                self._operations -= 1
                if self._fills_disk and self._operations <= 0:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[0]))
                if self._operations == 0:
                    os.write(self._pipe, _DUE.encode())
                while self._operations <= -_SLACK:
                    time.sleep(60)
            elif event == "os.rename" and str(arguments[1]).startswith(self._checkpoints):
                self._counts = True


if __name__ == "__main__":
    main()
