"""A study with a builder of its own: killed, resumed, reported, exported; a changed file."""

import json
import os
import signal
from pathlib import Path

import pandas as pd
import pytest

from lstm_study import Study
from tests.end_to_end.test_kill import wait_until
from tests.support import own
from tests.support.commands import lstm_study, start, workers_of

SMALL = ("--set", "search.tuner=random", "--set", "search.max_trials=4", "--set",
         "search.max_epochs=2", "--workers", "1")  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "own.toml").write_text(own.SPEC + "ablation = true\n[export]\nensemble = true\n")
    (tmp_path / "own.py").write_text(own.BUILDER)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for process in workers_of(tmp_path):
        os.kill(process, signal.SIGKILL)


def test_a_killed_study_of_ones_own_network_resumes_and_ends_with_report_and_model(folder):
    files = folder / "study/runs/own/trials"
    process = start("search", "own.toml", *SMALL, cwd=folder)
    wait_until(lambda: process.poll() is not None or len(list(files.glob("*.json"))) >= 2)
    process.kill()
    _, err = process.communicate()
    assert process.returncode == -signal.SIGKILL, err
    began = json.loads((folder / "study/runs/own/study.json").read_text())
    assert began["spec"]["model"]["source"] == own.BUILDER

    done = lstm_study("run", "own.toml", *SMALL, cwd=folder)
    assert done.code == 0, done.out + done.err
    study = Study.load("own.toml", settings=list(SMALL[1:6:2]))
    trials = study.trials()
    assert (trials["status"] == "completed").all()
    assert {"filters_0", "pooling", "compiled"} <= set(trials.columns)
    assert trials["parameter_count"].min() > 400
    runs = study.runs()
    assert set(runs.query("arm == 'baseline'")["pooling"]) == {"mean"}
    assert runs["test_accuracy"].notna().any()

    table = pd.read_csv(folder / "reports/own/tables/hyperparameters.csv")
    assert "filters_1" in set(table["hyperparameter"])
    card = (folder / "reports/own/model/MODEL_CARD.md").read_text()
    assert "Built by `own.py:build`" in card

    # From here on the file would leave a trace if it were run.
    (folder / "own.py").write_text("open('was-run', 'w').write('')\n" + own.BUILDER)
    refused = lstm_study("run", "own.toml", *SMALL, cwd=folder)
    assert refused.code == 1
    assert "own.py: must be the file that the study was started with (SHA-256 " in refused.err
    for command in (["report"], ["status"], ["records", "--to", "kept"]):
        name, *options = command
        found = lstm_study(name, "own.toml", *SMALL[:6], *options, cwd=folder)
        assert found.code == 0, found.err
    texts = ["a fine film", "what a bore"]
    found = lstm_study("predict", "reports/own/model", *texts, cwd=folder)
    assert found.code == 0, found.err
    assert len(study.predict(texts)) == 2
    assert not (folder / "was-run").exists()
