"""What the live page is told: where the study stands, without a report."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from lstm_study.analysis.search.summary import winner
from lstm_study.commands import OpenStudy, open_study
from lstm_study.commands.watch import progress, watch
from lstm_study.records.state import Live
from tests.support.fake_study import completed_study
from tests.support.stored_study import leave

STUDY = completed_study()


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenStudy:
    """A search in progress: the last trial runs, its first epoch is recorded."""
    last = STUDY.trials[-1]
    running = replace(last, status="running", score=None, ended_at="", epochs=last.epochs[:1])
    leave(replace(STUDY, trials=(*STUDY.trials[:-1], running), runs=()), tmp_path)
    monkeypatch.chdir(tmp_path)
    opened = open_study("fake.toml")
    noise = "I0000 00:00:1.5 7 port.cc:153] oneDNN custom operations are on."
    lines = [*(f"line {number}" for number in range(100)), noise, noise]
    opened.store.log_path.write_text("\n".join(lines))
    return opened


def test_a_running_study_shows_counts_workers_curves_and_the_end_of_its_log(
    study: OpenStudy,
) -> None:
    last = STUDY.trials[-1]
    with study.store.hold("lstm-study run fake.toml"):
        study.store.write_live(
            "worker-1", Live(training_id=last.trial_id, epochs=9, epoch=2, step=5, steps=25)
        )
        found = progress(study)
    assert "lstm-study run fake.toml" in found["headline"]
    search, comparison = found["stages"]
    assert search["done"] == len(STUDY.trials) - 1
    assert comparison["done"] == 0
    assert any("workers on cpu" in fact for fact in search["facts"])
    (running,) = found["running"]
    assert (running["training_id"], running["epoch"], running["step"]) == (last.trial_id, 2, 5)
    assert len(running["curve"]) >= 1
    assert found["log"][-1] == "line 99"
    assert len(found["log"]) == 12
    best = winner(STUDY.trials[:-1], "max", max_epochs=9)
    assert best is not None
    assert best.trial_id in found["best"][0]


def test_a_study_that_nobody_works_on_says_how_to_resume_it(study: OpenStudy) -> None:
    found = progress(study)
    assert found["headline"].endswith("lstm-study run fake.toml")
    assert found["running"] == []


def test_a_pipe_in_the_logs_place_is_not_waited_at(study: OpenStudy) -> None:
    study.store.log_path.unlink()
    os.mkfifo(study.store.log_path)
    study.store.log("a line")
    assert progress(study)["log"] == []


def test_the_page_of_a_study_without_a_title_has_its_name(study: OpenStudy) -> None:
    untitled = study.spec.study.model_copy(update={"title": ""})
    renamed = replace(study, spec=study.spec.model_copy(update={"study": untitled}))
    server = watch(renamed, port=0)
    server._server.server_close()
    assert b"<title>fake: progress</title>" in server.page
