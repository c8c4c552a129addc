"""Runs trained and evaluated: one training, two evaluations; and an A/A that shows nothing."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_study.analysis.answer.verdict import judge
from lstm_study.comparison.arms import (
    ComparisonPlan,
    last_epochs_run,
    own_epoch_run,
    plan_runs,
    validation_run,
)
from lstm_study.comparison.jobs import Due, Jobs
from lstm_study.comparison.stage import ComparisonStage
from lstm_study.configuration import Configuration
from lstm_study.corpus.load import load
from lstm_study.corpus.types import Corpus
from lstm_study.progress.values import ignore
from lstm_study.records import Control, Run
from lstm_study.store import Store
from lstm_study.training.checkpoint import read_checkpoint
from lstm_study.training.training import Training, predict, train
from tests.support.engine import Threads, run_stage
from tests.support.tiny import spec as tiny_spec

SPEC = tiny_spec("compare.seeds=6", "protocol.epochs=3", "protocol.learning_rate=0.02")
CONFIGURATION = SPEC.baseline.configuration


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    return load(SPEC.data, seed=SPEC.study.seed, cache=tmp_path_factory.mktemp("cache"))


def planned(
    own_epoch: int | None,
    *,
    arm: str = "winner",
    configuration: Configuration = CONFIGURATION,
    seeds: int = SPEC.compare.seeds,
) -> list[Run]:
    plan = ComparisonPlan(arms={arm: configuration}, seeds=seeds)
    epochs = {} if own_epoch is None else {arm: own_epoch}
    return plan_runs(plan, spec=SPEC, own_epochs=epochs)


class Given(Jobs):
    """Exactly the jobs that a test wants done."""

    def __init__(self, *due: Due, store: Store) -> None:
        super().__init__(ComparisonPlan(arms={}, seeds=1), spec=SPEC, store=store)
        self._due = list(due)

    def waiting(self):
        found, self._due = self._due, []
        yield from found


def do(run: Run | None, store: Store, corpus: Corpus) -> None:
    """Has a worker do one run, or the classical control."""
    due = Due(name="control") if run is None else Due(name=run.run_id, run=run)
    jobs = Given(due, store=store)
    plan = ComparisonPlan(arms={}, seeds=1)
    stage = ComparisonStage(plan, jobs, spec=SPEC, store=store, corpus=corpus, report=ignore)
    run_stage(stage, Threads(store.scratch), store, spec=SPEC, corpus=corpus)


def trained_alone(run: Run, corpus: Corpus, folder: Path, *, epochs: int) -> Any:
    """The probabilities of a training that never halted, and its weights."""
    model = train(
        Training(
            configuration=run.configuration, protocol=SPEC.protocol, seed=run.seed, epochs=epochs,
            masked=run.masked,
        ),
        reviews=corpus.training, validation=None, start=None, save=folder / "alone.npz",
        where="alone", on_step=lambda step: None, on_epoch=lambda checkpoint: None,
    )  # fmt: skip
    test = corpus.open_test(on_open=lambda: None)
    return predict(model, test, run.configuration)


def stored(store: Store, run_id: str) -> np.ndarray:
    return np.load(store.folder / "predictions" / f"{run_id}.npy")


@pytest.mark.parametrize("own_epoch", [2, 4])
def test_one_training_is_evaluated_at_both_epochs_and_over_its_last_three_to_the_bit(
    tmp_path, corpus, own_epoch
):
    store, run = Store(tmp_path / "study"), planned(own_epoch)[0]
    do(run, store, corpus)
    own_id = own_epoch_run(run).run_id
    done, own = store.read(Run, run.run_id), store.read(Run, own_id)
    assert (done.status, own.status) == ("completed", "completed")
    assert (len(done.epochs), len(own.epochs)) == (3, own_epoch)
    assert done.epochs[:2] == own.epochs[:2], "it is one training"
    alone = {n: trained_alone(run, corpus, tmp_path, epochs=n) for n in {1, 2, 3, own_epoch}}
    assert (stored(store, run.run_id) == alone[3]).all()
    assert (stored(store, own_id) == alone[own_epoch]).all()
    mean = np.mean([alone[1], alone[2], alone[3]], axis=0, dtype=np.float64)
    assert (stored(store, last_epochs_run(run).run_id) == mean.astype(np.float32)).all()
    assert {opening.run_id for opening in store.read_openings()} == {run.run_id, own_id}
    assert not store.checkpoint_path(run.run_id).exists()
    kept = [read_checkpoint(store.weights_path(run_id)) for run_id in (run.run_id, own_id)]
    assert [len(checkpoint.epochs) for checkpoint in kept] == [3, own_epoch]
    assert (kept[0].variables[0] != kept[1].variables[0]).any()


def test_the_record_holds_every_metric_and_what_reading_costs(tmp_path, corpus):
    store, run = Store(tmp_path), planned(None)[0]
    do(run, store, corpus)
    found = store.read(Run, run.run_id)
    labels = corpus.open_test(on_open=lambda: None).labels
    probabilities = stored(store, run.run_id)
    assert found.test_accuracy == np.mean((probabilities > 0.5) == labels)
    assert found.test_brier_score == pytest.approx(np.mean((probabilities - labels) ** 2))
    for value in (found.test_loss, found.test_roc_auc, found.test_calibration_error):
        assert 0 < value < 2
    assert 0 < found.predict_1000_seconds < 60


def test_killed_after_its_own_epoch_it_opens_test_there_once_and_resumes_to_the_bit(
    tmp_path, corpus, monkeypatch
):
    store, run = Store(tmp_path / "study"), planned(1)[0]

    class Killed(BaseException):
        pass

    def kill(self, record) -> None:
        write(self, record)
        if isinstance(record, Run) and record.run_id == run.run_id and len(record.epochs) == 2:
            raise Killed

    write = Store.write
    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", kill)
        with pytest.raises(Killed):
            do(run, store, corpus)
    assert store.read(Run, "winner-own-epoch-s1").status == "completed"
    assert store.read(Run, run.run_id).status == "running"
    do(run, store, corpus)
    assert (stored(store, run.run_id) == trained_alone(run, corpus, tmp_path, epochs=3)).all()
    opened = [opening.run_id for opening in store.read_openings()]
    assert sorted(opened) == ["winner-own-epoch-s1", "winner-s1"]


def test_a_validation_run_leaves_validation_out_and_never_opens_test(tmp_path, corpus):
    store = Store(tmp_path)
    run = validation_run(
        "baseline-validation-s1", arm="baseline-validation", configuration=CONFIGURATION, spec=SPEC
    )
    do(run, store, corpus)
    found = store.read(Run, run.run_id)
    assert found.status == "completed"
    assert [epoch.epoch for epoch in found.epochs] == [1, 2, 3]
    assert all(0 < epoch.validation_accuracy < 1 for epoch in found.epochs)
    assert found.test_accuracy is None
    assert store.read_openings() == []
    assert not store.weights_path(run.run_id).exists()


def test_a_run_that_fails_fails_at_both_epochs_and_the_verdict_is_a_sentence(tmp_path, corpus):
    store = Store(tmp_path)
    store.begin(SPEC, spec_text="", settings=(), data_digest="")
    impossible = CONFIGURATION.with_values(vocabulary_size=10_000_000, embedding_dim=8_192)
    run = planned(2, configuration=impossible)[0]
    do(run, store, corpus)
    failed = [store.read(Run, run_id) for run_id in ("winner-s1", "winner-own-epoch-s1")]
    assert [each.status for each in failed] == ["failed", "failed"]
    assert failed[0].failure == failed[1].failure
    assert store.read_openings() == []
    verdict = judge(store.read_all())
    assert verdict.kind == "cannot say"
    assert "no completed run of the winner" in verdict.sentence
    assert "no completed run of the baseline" in verdict.sentence


def test_a_control_that_fails_is_recorded_and_stops_nobody(tmp_path, corpus, monkeypatch):
    store = Store(tmp_path)
    one_label = replace(corpus.train, labels=np.zeros_like(corpus.train.labels))
    do(None, store, replace(corpus, train=one_label))
    found = store.read(Control)
    assert found.status == "failed"
    assert found.failure.message
    assert store.read_openings() == []


def test_the_control_reads_real_reviews_better_than_chance_and_keeps_its_probabilities(
    tmp_path, corpus
):
    store = Store(tmp_path)
    do(None, store, corpus)
    found = store.read(Control)
    assert found.status == "completed"
    assert found.test_accuracy > 0.6
    assert len(found.candidates) == 6
    best = max(candidate.validation_accuracy for candidate in found.candidates)
    chosen = (found.weighting, found.inverse_regularisation)
    first = next(each for each in found.candidates if each.validation_accuracy == best)
    assert chosen == (first.weighting, first.inverse_regularisation)
    labels = corpus.open_test(on_open=lambda: None).labels
    assert found.test_accuracy == np.mean((stored(store, "control") > 0.5) == labels)
    assert json.loads((tmp_path / "control.json").read_text())["kind"] == "control"


def test_baseline_against_itself_under_other_seeds_shows_no_difference(tmp_path, corpus):
    store = Store(tmp_path)
    store.begin(SPEC, spec_text='[study]\nname = "tiny"\n', settings=(), data_digest="")
    configuration = CONFIGURATION.with_values(vocabulary_size=2_000, maxlen=30)
    runs = planned(None, arm="baseline", configuration=configuration, seeds=8)
    for run in runs:
        do(run, store, corpus)
    records = store.read_all()
    records = replace(records, runs=tuple(run for run in records.runs if run.arm == "baseline"))
    found = {records.predictions[run.run_id].tobytes() for run in records.runs}
    assert len(found) == 8, "eight networks"
    halves = [
        replace(run, arm="winner" if run.seed_index % 2 else "baseline") for run in records.runs
    ]
    verdict = judge(replace(records, runs=tuple(halves)))
    assert verdict.kind == "no difference shown"
    assert [arm.seeds for arm in verdict.arms] == [4, 4]
    assert min(arm.lowest for arm in verdict.arms) > 0.5, "they have learned something"
