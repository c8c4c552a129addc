"""A search killed with SIGKILL at fifty random moments, and its files torn at random bytes.

What is killed is a whole search in a process of its own: oracle, dispatcher, worker, records,
checkpoints. Only the network is replaced, by arithmetic on two numbers that takes a millisecond
where a network takes seconds, so that fifty kills fit into a minute; `end_to_end` kills
real ones.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lstm_study.errors import RecordError, StoreError
from lstm_study.progress.values import ignore
from lstm_study.provenance import now
from lstm_study.records import Epoch, Trial
from lstm_study.search.oracle import RecordedHyperband
from lstm_study.search.plan import make_plan
from lstm_study.search.stage import SearchStage
from lstm_study.store import Store
from lstm_study.training import one
from lstm_study.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from tests.support.engine import Threads, run_stage
from tests.support.tiny import spec

SPEC = spec(
    "search.max_epochs=10",
    "space.lstm_units={min=1, max=99}",
    "space.embedding_dim={min=1, max=99}",
)
NO_REVIEWS = SimpleNamespace(train=None, validation=None)


def arithmetic(training, *, start, save, on_epoch, **_):
    """Stands in for `train`: a state that depends on every epoch before, saved as the real one."""
    state = start.variables[0] if start else np.array([training.seed % 1_000, 1.0])
    epochs = start.epochs if start else ()
    for number in range(len(epochs) + 1, training.epochs + 1):
        time.sleep(0.001)
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


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    monkeypatch.setattr(one, "train", arithmetic)


def search(folder: Path) -> None:
    """Runs a search to its end, as a command with one worker does."""
    store = Store(folder)
    with store.hold("a test"):
        store.sweep()
        plan = make_plan(SPEC)
        oracle = RecordedHyperband(spec=SPEC, plan=plan, store=store)
        stage = SearchStage(SPEC, plan, oracle, store, report=ignore)
        run_stage(stage, Threads(store.scratch), store, spec=SPEC, corpus=NO_REVIEWS)


def timeless(trial: Trial) -> Trial:
    """A trial's record without the times that no two runs share."""
    epochs = tuple(replace(epoch, ended_at="") for epoch in trial.epochs)
    return replace(trial, epochs=epochs, started_at="", ended_at="")


def table(folder: Path) -> list[Trial]:
    return [timeless(trial) for trial in Store(folder).read_trials()]


def killed(work: Callable[[], None], *, after_seconds: float) -> bool:
    """Does work in a forked process, killed after some time; returns whether it was."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    time.sleep(after_seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0, "the search itself failed"
    return False


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> Path:
    """A search that was never interrupted."""
    folder = tmp_path_factory.mktemp("reference")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one, "train", arithmetic)
        search(folder)
    return folder


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_search_killed_at_fifty_random_moments_is_the_one_that_never_was(tmp_path, reference):
    chance = random.Random(20)
    kills = rounds = 0
    while kills < 50:
        folder = tmp_path / str(rounds)
        rounds += 1
        while killed(lambda at=folder: search(at), after_seconds=chance.uniform(0.02, 0.25)):
            kills += 1
        assert table(folder) == table(reference)
        assert not list(folder.rglob("*~")), "half-written files are swept up"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_every_state_file_torn_at_random_bytes_is_resumed_or_refused_in_a_sentence(
    tmp_path, reference
):
    chance = random.Random(21)
    folder = tmp_path / "torn"
    while True:
        killed(lambda: search(folder), after_seconds=0.15)
        files = sorted(path for path in folder.rglob("*") if path.suffix in (".json", ".npz"))
        if {path.suffix for path in files} == {".json", ".npz"} and len(files) > 12:
            break
    refused = resumed = 0
    for path in files:
        whole = path.read_bytes()
        path.write_bytes(whole[: chance.randrange(len(whole))])
        try:
            Store(folder).read_trials()
            if path.suffix == ".npz":
                with pytest.raises(RecordError, match="is damaged"):
                    read_checkpoint(path)
            resumed += 1
            path.write_bytes(whole)
        except StoreError as error:
            assert str(path) in str(error)
            assert "moves it aside: it is trained again" in str(error)
            refused += 1
            path.unlink()
    assert refused > 5
    search(folder)
    assert table(folder) == table(reference)


def test_a_torn_checkpoint_is_trained_again_to_the_bit(tmp_path, reference):
    folder = tmp_path / "torn"
    while not list(folder.glob("checkpoints/*-r1.npz")):
        killed(lambda: search(folder), after_seconds=0.05)
    for path in folder.glob("checkpoints/*.npz"):
        path.write_bytes(path.read_bytes()[:1_000])
    search(folder)
    assert table(folder) == table(reference)


def test_any_wrong_bit_of_a_checkpoint_is_harmless_or_a_known_error(tmp_path):
    """The archive's readers raise a dozen kinds of errors; one of an unknown kind was once retried
    for ever."""
    path = tmp_path / "c.npz"
    variables = (np.arange(3.0), np.ones((2, 2), dtype=np.float32))
    write_checkpoint(path, Checkpoint(epochs=(), variables=variables))
    whole = path.read_bytes()
    refused = 0
    for position in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            path.write_bytes(damaged)
            try:
                found = read_checkpoint(path)
            except RecordError as error:
                assert str(path) in str(error)
                refused += 1
                continue
            assert found is not None
            assert len(found.variables) <= 2
    assert refused > len(whole)


def test_a_full_disk_ends_in_a_sentence_and_resumes(tmp_path, reference, monkeypatch):
    folder = tmp_path / "full"
    writes = 0
    replace_file = Path.replace

    def full(self, target):
        nonlocal writes
        writes += 1
        if writes == 40:
            raise OSError(28, "No space left on device")
        return replace_file(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(StoreError, match=r"No space left on device.*Free space"):
            search(folder)
    assert not list(folder.rglob("*~"))
    search(folder)
    assert table(folder) == table(reference)
