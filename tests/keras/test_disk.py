"""The disk that a search takes: full-size checkpoints over a whole schedule, and the real file."""

import json
import os
import threading
import time
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lstm_study.configuration import Configuration
from lstm_study.files import replacing
from lstm_study.model.network import build_model
from lstm_study.progress.values import ignore
from lstm_study.provenance import now
from lstm_study.records import Epoch
from lstm_study.search.disk import checkpoint_bytes, peak_checkpoint_bytes
from lstm_study.search.oracle import RecordedHyperband
from lstm_study.search.plan import make_plan
from lstm_study.search.stage import SearchStage
from lstm_study.seeds import derive
from lstm_study.spec import ProtocolTable, load_spec
from lstm_study.store import Store
from lstm_study.training import checkpoint, training
from lstm_study.training.checkpoint import Checkpoint, training_state, write_checkpoint
from tests.support.engine import Threads, run_stage

STUDY = load_spec(Path(__file__).parents[2] / "study" / "imdb.toml")
NO_REVIEWS = SimpleNamespace(train=None, validation=None)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_a_real_checkpoint_is_as_large_as_is_planned(tmp_path, optimizer):
    configuration = Configuration(
        vocabulary_size=20_000, maxlen=4, embedding_dim=32, lstm_units=16, recurrent_dropout=0.2
    )
    model = build_model(configuration, protocol=ProtocolTable(optimizer=optimizer), seed=1)
    write_checkpoint(tmp_path / "c.npz", Checkpoint(epochs=(), variables=training_state(model)))
    planned = checkpoint_bytes(configuration, optimizer=optimizer)
    assert 0.9 * planned < (tmp_path / "c.npz").stat().st_size <= planned


class FullSize:
    """Stands in for `train`: files as large as real ones, with a hole for the numbers."""

    def __init__(self) -> None:
        self.peak = 0
        self._lock = threading.Lock()

    def train(self, training, *, start, save, on_epoch, **_):
        epochs = start.epochs if start else ()
        chance = np.random.default_rng(derive(training.seed, "score"))
        for number in range(len(epochs) + 1, training.epochs + 1):
            score = float(chance.random())
            epoch = Epoch(
                epoch=number, train_loss=score, train_accuracy=score, validation_loss=score,
                validation_accuracy=score, train_seconds=0.0, validation_seconds=0.0,
                ended_at=now(),
            )  # fmt: skip
            epochs = (*epochs, epoch)
            with replacing(save, durable=False) as temporary:
                temporary.write_text(json.dumps([asdict(each) for each in epochs]) + "\n")
                size = checkpoint_bytes(
                    training.configuration, optimizer=training.protocol.optimizer
                )
                os.truncate(temporary, size)
                time.sleep(0.002)
                self._look(save.parents[2])
            on_epoch(Checkpoint(epochs=epochs, variables=()))

    def read(self, path: Path) -> Checkpoint | None:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            epochs = json.loads(file.readline())
        return Checkpoint(epochs=tuple(Epoch(**epoch) for epoch in epochs), variables=())

    def _look(self, folder: Path) -> None:
        with self._lock:
            total = 0
            for path in folder.rglob("*.npz*"):
                try:
                    total += path.stat().st_size
                except FileNotFoundError:
                    continue
            self.peak = max(self.peak, total)


@pytest.mark.parametrize("workers", [1, 2])
def test_trap_21_thirty_trials_of_the_full_size_space_stay_under_a_gigabyte(
    tmp_path, monkeypatch, workers
):
    full_size = FullSize()
    monkeypatch.setattr(training, "train", full_size.train)
    monkeypatch.setattr(checkpoint, "read_checkpoint", full_size.read)
    store, plan = Store(tmp_path), make_plan(STUDY)
    oracle = RecordedHyperband(spec=STUDY, plan=plan, store=store)
    stage = SearchStage(STUDY, plan, oracle, store, report=ignore)
    engine = Threads(store.scratch, workers=workers)
    run_stage(stage, engine, store, spec=STUDY, corpus=NO_REVIEWS)
    assert len(store.read_trials()) == 30
    assert {trial.status for trial in store.read_trials()} == {"completed"}
    bound = peak_checkpoint_bytes(plan, spec=STUDY, workers=workers)
    assert full_size.peak <= bound < 10**9
    assert full_size.peak > bound / 4, "a bound that is never come near says nothing"
    assert list((tmp_path / "checkpoints").iterdir()) == []
