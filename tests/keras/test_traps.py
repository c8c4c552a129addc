"""Traps of plain Keras Tuner 1.4.8 and of Keras: each shown there, and what ours does instead."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from keras.src.datasets import imdb as keras_imdb

from lstm_study.configuration import Configuration
from lstm_study.corpus.batches import view
from lstm_study.corpus.sources.imdb_npz import read_half
from lstm_study.corpus.types import Split
from lstm_study.errors import DataError
from lstm_study.model.lstm import xla
from lstm_study.model.lstm.cpu import function as cpu_function
from lstm_study.model.lstm.layer import LSTM
from lstm_study.model.network import build_model
from lstm_study.progress.values import ignore
from lstm_study.records import Trial
from lstm_study.search.oracle import RecordedHyperband
from lstm_study.search.plan import make_plan
from lstm_study.search.stage import SearchStage
from lstm_study.store import Store
from lstm_study.training.training import predict
from tests.support.commands import environment, start, workers_of
from tests.support.engine import Threads, run_stage
from tests.support.reviews import Bomb, npy_with_pickle, write_npz
from tests.support.tiny import SPEC, spec, split

STUDY = spec("search.max_trials=2")
FIXED = "it has been fixed there"


class NoFit(keras_tuner.HyperModel):
    """A network that nobody trains: `fit` only remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[dict] = []

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        hp.Choice("units", [1, 2, 3, 4, 5, 6])
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(loss="mse")
        return model

    def fit(self, hp, model, *args, **options):
        del hp, model, args
        self.given.append(options)
        history = keras.callbacks.History()
        history.history = {"val_accuracy": [0.9, 0.5], "loss": [0.3, 0.1]}
        return history


def plain(folder: Path, kind=keras_tuner.RandomSearch, **options):
    """Keras Tuner's own tuner around a network that is not trained."""
    model = NoFit()
    tuner = kind(
        model,
        objective=keras_tuner.Objective("val_accuracy", "max"),
        directory=str(folder),
        project_name="plain",
        seed=1,
        **options,
    )
    tuner.oracle.verbose = 0
    return tuner, model


class OurSearch(SimpleNamespace):
    """Two trials of ours by the real oracle, dispatcher and worker, in this process."""

    trials: list[Trial]
    tf_data_iterators: int


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> Iterator[OurSearch]:
    """Runs them where tensorboard can't be imported, and where `fit` and tf.data fail the test."""
    store = Store(tmp_path_factory.mktemp("ours"))
    oracle = RecordedHyperband(spec=STUDY, plan=make_plan(STUDY), store=store)
    corpus = SimpleNamespace(train=split(60), validation=split(24, name="validation", seed=2))
    plan = make_plan(STUDY)
    stage = SearchStage(STUDY, plan, oracle, store, report=ignore)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "tensorboard", None)
        patch.setattr(keras.Model, "fit", _forbidden)
        patch.setattr(tf.data.Dataset, "from_tensor_slices", _forbidden)
        patch.setattr(tf.data.Dataset, "__iter__", _forbidden)
        run_stage(stage, Threads(store.scratch), store, spec=STUDY, corpus=corpus)
    yield OurSearch(trials=store.read_trials(), folder=store.folder)


def _forbidden(*_, **__):
    raise AssertionError("this is not how ours trains")


def test_trap_1_without_tensorboard_plain_trials_fail_and_ours_do_not(tmp_path, monkeypatch, ours):
    for name in [name for name in sys.modules if name.startswith("tensorboard.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    tuner, model = plain(tmp_path, max_trials=1)
    tuner.search()
    (trial,) = tuner.oracle.trials.values()
    assert trial.status == "FAILED", FIXED
    assert "tensorboard" in trial.message
    assert model.given == []
    assert [trial.status for trial in ours.trials] == ["completed", "completed"]


def test_trap_5_plain_keras_tuner_scores_the_best_epoch_and_ours_keeps_them_all(
    tmp_path, monkeypatch, ours
):
    monkeypatch.setattr(keras_tuner.Tuner, "_configure_tensorboard_dir", lambda *_: None)
    tuner, _ = plain(tmp_path, max_trials=1)
    tuner.search()
    (trial,) = tuner.oracle.trials.values()
    assert trial.score == 0.9, FIXED  # after two epochs it was 0.5
    (loss,) = trial.metrics.get_history("loss")
    assert loss.value == [0.3], FIXED  # the epoch's that was best; the last one's is nowhere
    for trial in ours.trials:
        values = [epoch.validation_accuracy for epoch in trial.epochs]
        assert len(values) == trial.budget_epochs
        assert trial.score == trial.score_last_epoch == values[-1]
        assert trial.score_best_epoch == max(values)
        assert all(epoch.train_seconds > 0 for epoch in trial.epochs)
        assert trial.parameter_count == trial.configuration.parameter_count


def test_trap_11_plain_hyperband_overrides_epochs_and_copies_callbacks_and_ours_takes_neither(
    tmp_path, monkeypatch, ours
):
    monkeypatch.setattr(keras_tuner.Tuner, "_configure_tensorboard_dir", lambda *_: None)
    monkeypatch.setattr(keras_tuner.Tuner, "load_model", lambda *_: None)
    tuner, model = plain(tmp_path, keras_tuner.Hyperband, max_epochs=3)
    callback = keras.callbacks.EarlyStopping(patience=5)
    tuner.oracle.max_collisions = 50
    tuner.on_trial_end = _stop_after(2, tuner)
    tuner.search(epochs=7, callbacks=[callback])
    assert {given["epochs"] for given in model.given} == {1}, FIXED
    handed = [each for given in model.given for each in given["callbacks"]]
    stoppers = [each for each in handed if isinstance(each, keras.callbacks.EarlyStopping)]
    assert len({id(each) for each in stoppers}) == len(model.given), FIXED
    assert callback not in stoppers, FIXED
    # Ours has neither: a trial trains for its budget.
    planned = make_plan(STUDY).brackets[0].bracket.rounds[0].budget_epochs
    assert [len(trial.epochs) for trial in ours.trials] == [planned, planned]


def _stop_after(count: int, tuner):
    ended = []
    end = tuner.on_trial_end

    def on_trial_end(trial) -> None:
        ended.append(trial)
        end(trial)
        if len(ended) == count:
            tuner.oracle.max_trials = 0
            tuner.oracle.populate_space = lambda _: {"status": "STOPPED"}

    return on_trial_end


def test_trap_25_recurrent_dropout_leaves_cudnn_in_keras_and_ours_runs_its_own_loop(monkeypatch):
    asked, loops = [], []

    def cudnn(*_, **__):
        asked.append(True)
        raise NotImplementedError

    monkeypatch.setattr(keras.src.backend, "lstm", cudnn)
    for module, loop in ((cpu_function, "cpu_lstm"), (xla, "xla_lstm")):
        monkeypatch.setattr(module, loop, _noted(getattr(module, loop), loops))
    sequences = np.ones((2, 3, 4), dtype="float32")
    keras.layers.LSTM(5, recurrent_dropout=0.2)(sequences, training=True)
    assert asked == [], FIXED
    keras.layers.LSTM(5)(sequences, training=True)
    assert asked == [True], "without recurrent dropout Keras asks for cuDNN"
    LSTM(5, recurrent_dropout=0.2)(sequences, training=True)
    assert (asked, loops) == ([True], [True])


def _noted(function, calls: list):
    def noted(*arguments, **options):
        calls.append(True)
        return function(*arguments, **options)

    return noted


def test_trap_26_ours_trains_and_predicts_without_fit_and_without_a_tf_data_iterator(
    ours, monkeypatch
):
    # The fixture trained and validated where either would have been an error.
    assert all(trial.failure is None for trial in ours.trials)
    monkeypatch.setattr(tf.data.Dataset, "__iter__", _forbidden)
    configuration = Configuration(vocabulary_size=100, maxlen=8, embedding_dim=4, lstm_units=4)
    model = build_model(configuration, protocol=STUDY.protocol, seed=1)
    assert predict(model, split(24), configuration).shape == (24,)
    with pytest.raises(AssertionError, match="not how ours"):
        model.fit(np.zeros((4, 8)), np.zeros((4, 1)), shuffle=False, verbose=0)


def test_trap_27_keras_drops_long_reviews_where_ours_cuts_them(tmp_path, monkeypatch):
    lists = np.empty(3, dtype=object)
    lists[0], lists[1], lists[2] = [5, 6], list(range(5, 45)), [7]
    path = write_npz(
        tmp_path / "imdb.npz", x_train=lists, y_train=np.array([0, 1, 0]),
        x_test=lists, y_test=np.array([0, 1, 0]),
    )  # fmt: skip
    monkeypatch.setattr(keras_imdb, "get_file", lambda **_: str(path))
    (reviews, _), _ = keras.datasets.imdb.load_data(maxlen=10)
    assert len(reviews) == 2, FIXED
    ranks, offsets, labels = read_half(path, "train")
    train = Split(
        name="train", token_ids=ranks + 3, offsets=offsets, labels=labels, document_ids=labels
    )
    seen = view(train, vocabulary_size=60, maxlen=10)
    assert seen.shape == (3, 10)
    (long,) = [row for row in seen.tolist() if row[0] != 0]
    assert long == list(range(38, 48)), "its last ten words"


def test_trap_27_reading_the_file_as_keras_did_runs_what_it_pickles_and_ours_refuses_it(tmp_path):
    """Keras before 3.15.1 reads it with `np.load(allow_pickle=True)`, and we allow for 3.12."""
    target = tmp_path / "ran"
    path = write_npz(tmp_path / "imdb.npz", x_train=npy_with_pickle(Bomb(target), rows=40))
    with pytest.raises(DataError, match="it asks for pathlib"):
        read_half(path, "train")
    assert not target.exists()
    with np.load(path, allow_pickle=True) as arrays:
        assert arrays["x_train"] is not None
    assert target.exists()


def test_trap_2_on_jax_keras_own_seeding_imports_tensorflow_and_our_workers_do_not(tmp_path):
    pytest.importorskip("jax", reason="jax is not installed: trap 2 is NOT tested")
    seeding = (
        "import keras, sys; keras.utils.set_random_seed(1); print('tensorflow' in sys.modules)"
    )
    jax = environment() | {"KERAS_BACKEND": "jax"}
    said = subprocess.run(
        [sys.executable, "-c", seeding], env=jax, capture_output=True, text=True, check=True
    ).stdout
    assert said.strip() == "True", FIXED

    (tmp_path / "tiny.toml").write_text(SPEC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "jax")
        process = start(
            "search", "tiny.toml", "--workers", "1", "--set", "search.max_trials=2", cwd=tmp_path
        )
    maps: set[str] = set()
    while process.poll() is None:
        for worker in workers_of(tmp_path):
            maps |= _libraries(worker)
        time.sleep(0.1)
    out, err = process.communicate()
    # Two trials are no whole search: the limit ends it, and there is no winner yet.
    assert "search.max_trials of 2 is reached" in out + err, out + err
    trials = Store(tmp_path / "study/runs/tiny").read_trials()
    assert [trial.status for trial in trials] == ["completed", "completed"]
    (session,) = Store(tmp_path / "study/runs/tiny").read_sessions()
    assert session.machine.backend == "jax"
    assert any("jaxlib" in path for path in maps), "the worker was looked at while it trained"
    assert not [path for path in maps if "tensorflow" in path]


def _libraries(process: int) -> set[str]:
    try:
        lines = Path(f"/proc/{process}/maps").read_text().splitlines()
    except OSError:
        return set()
    return {line.split()[-1] for line in lines if os.sep in line}
