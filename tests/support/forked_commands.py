"""The commands without networks: each in a process forked from one that has loaded all they need.

Oracle, stages, records and command line are the real ones. Replaced are what takes seconds: the
network, by arithmetic on a few numbers; workers, by threads; the figures of a report and the files
of a model, by the few facts that other commands read from them. So a whole study takes a second.
"""

import contextlib
import hashlib
import importlib
import json
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np

import lstm_study.export
import lstm_study.report.write
from lstm_study.cli import command_line
from lstm_study.commands import workers
from lstm_study.engine.devices import Workers
from lstm_study.export.layout import CONFIGURATION, NETWORK
from lstm_study.provenance import now
from lstm_study.records import Epoch
from lstm_study.records.trainings import trainings_sha256
from lstm_study.training import training as real_training
from lstm_study.training.checkpoint import Checkpoint, write_checkpoint
from tests.support.commands import Result
from tests.support.engine import Threads
from tests.support.forking import ForkingProcess
from tests.support.tiny import SPEC

TRAINED = Path("trained.log")
_STUDIES = "study/runs"
_SIGNALS = {"kill -9": signal.SIGKILL, "kill": signal.SIGTERM, "Ctrl-C": signal.SIGINT}
_DUE = "!"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """When and how a command is ended.

    Attributes:
        by: "kill -9", "kill" or "Ctrl-C".
        operations: After how many files of the study were opened for writing or renamed.
    """

    by: str
    operations: int


class ForkedCommands(ForkingProcess):
    """The process that forks commands, and ends them where that is asked for."""

    module = "tests.support.forked_commands"
    environment = MappingProxyType(
        {
            "LSTM_STUDY_TIMING": "off",
            "OMP_NUM_THREADS": "1",
            "KERAS_BACKEND": "tensorflow",
            "NO_COLOR": "1",
            "TERM": "dumb",
        }
    )

    def run(self, *arguments: str, cwd: Path, ended: Ended | None = None) -> Result:
        """Runs `lstm-study` with arguments in a folder; its code is negative where it was killed.

        Each epoch that it trains is a line of `trained.log` in that folder: training, then number.
        """
        how = asdict(ended) if ended is not None else None
        return Result(**json.loads(self.answer(str(cwd), arguments, how)))


class _Network:
    """What stands in for a trained model: its state after the last epoch."""

    def __init__(self, state: np.ndarray) -> None:
        self.state = state

    def get_weights(self) -> list[np.ndarray]:
        return [self.state]


def _train(
    training: Any, *, validation: Any, start: Any, save: Path, on_epoch: Any, **_: Any
) -> Any:
    """Stands in for `train`: a state that depends on the network, its seed and all its epochs."""
    of = f"{training.configuration} {training.masked} {training.schedule_epochs}"
    begin = int(hashlib.sha256(f"{training.seed} {of}".encode()).hexdigest()[:6], 16) % 1_000
    state = start.variables[0] if start else np.array([float(begin), 1.0])
    epochs, earlier = (start.epochs, start.earlier) if start else ((), ())
    for number in range(len(epochs) + 1, training.epochs + 1):
        with TRAINED.open("a") as file:
            file.write(f"{save.stem} {number}\n")
        if number - 1 in training.keeps:
            earlier = (*earlier, (state,))
        state = np.array([(state[0] * 31 + number) % 1_000, state[1] + 1])
        score = float(state[0]) / 1_000
        validated = score if validation is not None else None
        epochs = (
            *epochs,
            Epoch(
                epoch=number, train_loss=score, train_accuracy=score, validation_loss=validated,
                validation_accuracy=validated, train_seconds=0.02, validation_seconds=0.01,
                ended_at=now(),
            ),
        )  # fmt: skip
        checkpoint = Checkpoint(epochs=epochs, variables=(state,), earlier=earlier)
        write_checkpoint(save, checkpoint)
        on_epoch(checkpoint)
    return _Network(state)


def _probabilities(state: np.ndarray, reviews: Any) -> np.ndarray:
    """Right for most reviews, of one state for others than of another."""
    draw = np.random.default_rng(int(state[0]) * 100 + int(state[1]))
    is_right = draw.random(len(reviews)) < 0.6 + state[0] / 5_000
    sure = draw.uniform(0.5, 1.0, len(reviews))
    return np.where(reviews.labels == is_right, sure, 1 - sure).astype(np.float32)


def _predict(model: _Network, reviews: Any, configuration: Any) -> np.ndarray:
    del configuration
    return _probabilities(model.state, reviews)


def _predict_earlier(model: Any, earlier: Any, reviews: Any, configuration: Any) -> list[Any]:
    del model, configuration
    return [_probabilities(weights[0], reviews) for weights in earlier]


class _Engine(Threads):
    """Threads with the interface of `engine.processes.Processes`."""

    def __init__(self, size: Workers, *, log_path: Path, scratch: Path) -> None:
        del log_path
        super().__init__(scratch, workers=size.count)
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True
        for link in self._links.values():
            link.received.put(_End())

    def _serve(self, worker: Any, link: Any) -> None:
        receive = link.receive

        def received() -> Any:
            found = receive()
            if isinstance(found, _End):
                # In the middle of a training, too, as a worker's process is ended.
                sys.exit()
            return found

        link.receive = received
        super()._serve(worker, link)


class _End:
    """Ends a worker's thread."""


def _write_bundle(
    *,
    run: Any,
    records: Any,
    folder: Path,
    made_at: str,
    ensemble: Any = None,
    temperature: float | None = None,
    no_temperature: str = "",
    **_: Any,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    sha256 = trainings_sha256(records.trials, records.runs, records.control)
    named = {"run_id": run.run_id, "test_accuracy": run.test_accuracy, "ended_at": run.ended_at}
    members = [member.run_id for member, _ in ensemble or ()]
    about = {
        "made_at": made_at,
        "study": {"trainings_sha256": sha256, "title": records.title},
        "run": named,
        "ensemble": members,
        "no_ensemble": "too few" if ensemble is not None and not members else "",
        "temperature": temperature,
        "no_temperature": no_temperature,
    }
    (folder / CONFIGURATION).write_text(json.dumps(about))
    (folder / NETWORK).write_text("")


def _write_report(records: Any, *, verdict: Any, folder: Path, made_at: str, **_: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"made_at": made_at}))
    (folder / "report.html").write_text(verdict.sentence)
    return folder / "report.html"


def _replace_what_is_slow() -> None:
    real_training.train, real_training.predict = _train, _predict
    real_training.predict_earlier = _predict_earlier
    workers.Processes = _Engine
    baseline = importlib.import_module("lstm_study.commands.baseline")
    baseline._model_summary = lambda study: f"the baseline of {study.where}"
    lstm_study.export.write_bundle = _write_bundle
    lstm_study.export.write_classical = lambda *_, **__: None
    lstm_study.report.write.write_report = _write_report
    # What a killed process has written is there without: only a power failure loses it.
    os.fsync = lambda _: None
    command_line._leave_at_once = lambda _: None


def main() -> None:
    """Runs a command for each line on standard input, and prints what became of it."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    _replace_what_is_slow()
    with tempfile.TemporaryDirectory() as folder:
        _load(Path(folder))
    for line in sys.stdin:
        cwd, arguments, ended = json.loads(line)
        result = _result(Path(cwd), arguments, Ended(**ended) if ended else None)
        print(json.dumps(asdict(result)), file=answers, flush=True)


def _load(folder: Path) -> None:
    """Imports all that commands need, by running a study here."""
    before = Path.cwd()
    os.chdir(folder)
    Path("tiny.toml").write_text(SPEC)
    for arguments in (["run", "tiny.toml", "--workers", "1"], ["check", "tiny.toml"]):
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            assert _code(arguments) == 0, arguments
    os.chdir(before)


def _code(arguments: Sequence[str]) -> int:
    sys.argv = ["lstm-study", *arguments]
    try:
        command_line.main()
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    return 0


def _result(cwd: Path, arguments: Sequence[str], ended: Ended | None) -> Result:
    reads, writes = os.pipe()
    out, error = cwd / "out", cwd / "err"
    child = os.fork()
    if child == 0:
        os.close(reads)
        _run_in_child(cwd, arguments, ended, writes)
    os.close(writes)
    with os.fdopen(reads, encoding="utf-8") as pipe:
        if pipe.read(1) == _DUE and ended is not None:
            os.kill(child, _SIGNALS[ended.by])
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Result(code=code, out=out.read_text(), err=error.read_text())


def _run_in_child(cwd: Path, arguments: Sequence[str], ended: Ended | None, pipe: int) -> NoReturn:
    code = 70
    try:
        os.chdir(cwd)
        for number, name in ((1, "out"), (2, "err")):
            file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, number)
        if ended is not None:
            sys.addaudithook(_Watch(ended.operations, pipe))
        code = _code(arguments)
    except BaseException:  # noqa: BLE001 - said here, since nothing may leave a forked process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class _Watch:
    """An audit hook that counts operations on a study's files, and says when the moment is."""

    def __init__(self, operations: int, pipe: int) -> None:
        self._operations, self._pipe = operations, pipe
        self._lock = threading.Lock()

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        is_opened = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if not (is_opened or event == "os.rename") or _STUDIES not in str(arguments[0]):
            return
        with self._lock:
            self._operations -= 1
            if self._operations == 0:
                os.write(self._pipe, _DUE.encode())


if __name__ == "__main__":
    main()
