"""Keras Tuner's other searches, the baseline among the trials, and the random control: for real.

All three begin with the same command, and their reports are written from their records.
"""

import csv
import os
import signal
import time
from pathlib import Path

import pytest

from lstm_study.records import Trial
from lstm_study.spec import parse_spec
from lstm_study.store import Store
from tests.support.commands import Result, lstm_study, start
from tests.support.tiny import SPEC

BASE = (
    "search.max_epochs=2", "search.include_baseline=true", "space.maxlen=8", "space.dropout=0.2",
    "space.recurrent_dropout=0.2", "data.train_limit=100",
)  # fmt: skip
TUNERS = {
    "random": ("search.tuner=random", "search.max_trials=3", "search.control=random"),
    "bayesian": ("search.tuner=bayesian", "search.max_trials=3"),
    "grid": (
        "search.tuner=grid",
        "study.objective=validation_auc",
        "space.embedding_dim=4",
        "space.vocabulary_size=50",
    ),
}

FIRST = {"bayesian": ("search.max_trials=2",)}


def command(name: str, *more: str) -> list[str]:
    settings = (*BASE, *TUNERS[name], f"study.name={name}", *more)
    return ["search", "tiny.toml", "--workers", "1", *(f"--set={item}" for item in settings)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    found = tmp_path_factory.mktemp("tuners")
    (found / "tiny.toml").write_text(SPEC)
    return found


@pytest.fixture(scope="module")
def ended(folder) -> dict[str, Result]:
    """All three at once: one is killed in its second trial, one ends there and is allowed more."""
    processes = {
        name: start(*command(name, *FIRST.get(name, ())), "--tensorboard", cwd=folder)
        for name in TUNERS
    }
    second = folder / "study/runs/random/trials/b0-01-r0.json"
    deadline = time.monotonic() + 500
    while not second.is_file():
        assert time.monotonic() < deadline
        assert processes["random"].poll() is None
        time.sleep(0.05)
    os.kill(processes["random"].pid, signal.SIGKILL)
    processes["random"].communicate()
    results = {"random": lstm_study(*command("random"), "--tensorboard", cwd=folder)}
    out, err = processes["bayesian"].communicate(timeout=500)
    results["two"] = Result(code=processes["bayesian"].returncode, out=out, err=err)
    assert len(trials(folder, "bayesian")) == 2
    processes["bayesian"] = start(*command("bayesian"), "--tensorboard", cwd=folder)
    for name in ("bayesian", "grid"):
        out, err = processes[name].communicate(timeout=500)
        results[name] = Result(code=processes[name].returncode, out=out, err=err)
    return results


def trials(folder: Path, name: str) -> list[Trial]:
    return Store(folder / "study/runs" / name).read_trials()


@pytest.mark.parametrize("name", TUNERS)
def test_every_trial_gets_the_full_budget_and_a_record_and_one_wins(folder, ended, name):
    assert ended[name].code == 0, ended[name].err
    assert "finished; winner b0-" in ended[name].out
    found = trials(folder, name)
    assert {trial.status for trial in found} == {"completed"}
    assert {len(trial.epochs) for trial in found} == {2}
    assert len({trial.configuration for trial in found if trial.role == "search"}) == sum(
        trial.role == "search" for trial in found
    )


def test_a_search_that_had_ended_goes_on_when_it_is_allowed_more_trials(ended):
    assert "finished; winner b0-" in ended["two"].out
    assert "search.max_trials was 2, is 3; finished work stays valid" in ended["bayesian"].out


def test_the_baseline_is_the_first_trial_of_each(folder, ended):
    baseline = parse_spec(SPEC, where="tiny.toml").baseline.configuration
    for name in TUNERS:
        searched = [trial for trial in trials(folder, name) if trial.role == "search"]
        assert [t.trial_id for t in searched if t.configuration == baseline] == ["b0-00-r0"]


def test_the_random_control_has_as_many_epochs_as_the_search_and_cannot_win(folder, ended):
    by_role = {"search": 0, "control": 0}
    for trial in trials(folder, "random"):
        by_role[trial.role] += len(trial.epochs)
    assert by_role == {"search": 6, "control": 6}
    assert "winner c-" not in ended["random"].out


def test_a_grid_tries_each_configuration_of_its_space_beside_the_baseline(folder, ended):
    assert [trial.configuration.lstm_units for trial in trials(folder, "grid")[1:]] == [4, 6]


def test_event_files_were_written_while_they_ran_and_hold_no_epoch_twice(folder, ended):
    tf = pytest.importorskip("tensorflow")
    from tensorflow.core.util import event_pb2

    for trial in trials(folder, "random"):
        stage = "control" if trial.role == "control" else "search"
        (path,) = (folder / "reports/random/tensorboard" / stage / trial.trial_id).iterdir()
        events = [
            event_pb2.Event.FromString(record.numpy())
            for record in tf.data.TFRecordDataset(str(path))
        ]
        steps = [
            event.step
            for event in events
            if any(value.tag == "train_loss" for value in event.summary.value)
        ]
        assert steps == [epoch.epoch for epoch in trial.epochs]


def test_the_report_is_written_from_the_records_and_tells_control_from_search(folder, ended):
    arguments = command("random")[2:]
    settings = [each for each in arguments if each.startswith("--set")]
    report = lstm_study("report", "tiny.toml", *settings, cwd=folder)
    assert report.code == 0, report.err
    with (folder / "reports/random/tables/trials.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert (folder / "reports/random/report.html").stat().st_size > 10_000
