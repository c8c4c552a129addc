"""What `status` shows of a running search: rounds, rate and workers."""

import io
import json
import re
import time

import pytest
from rich.console import Console

from lstm_study.cli import text
from lstm_study.commands import open_study, read_status
from lstm_study.records import Role
from lstm_study.records.state import BracketState, Live, ReportState, RoundState, SearchState
from lstm_study.schedule import hyperband
from lstm_study.store import Store
from tests.support.fake_study import interrupted_study
from tests.support.stored_study import leave


def bracket(number: int, *rounds: tuple[int, int], role: Role = "search") -> BracketState:
    """Makes a bracket of (trials, last epoch) per round."""
    found = tuple(RoundState(trials=n, initial_epoch=0, budget_epochs=to) for n, to in rounds)
    return BracketState(iteration=0, bracket=number, role=role, rounds=found)


PLAN = SearchState(
    trials=31,
    epochs=150,
    exhausted=False,
    brackets=(
        *(
            bracket(each.bracket, *((item.trials, item.budget_epochs) for item in each.rounds))
            for each in hyperband(max_epochs=9, factor=3, iterations=1)
        ),
        bracket(0, (8, 9), role="control"),
    ),
)


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    """A search that was interrupted after six trials, in the current folder."""
    monkeypatch.chdir(tmp_path)
    leave(interrupted_study(), tmp_path)
    found = Store(tmp_path / "study/runs/fake")
    found.write_state(PLAN)
    return found


def said() -> str:
    console = Console(file=io.StringIO(), width=120, no_color=True, highlight=False)
    console.print(text.status(read_status(open_study("fake.toml"))))
    return console.file.getvalue()


def test_it_counts_each_brackets_rounds_and_tells_the_control_from_bracket_0(store):
    lines = [line.strip() for line in said().splitlines()]
    assert "bracket 2: 0 of 9 to epoch 1, 0 of 3 to epoch 3, 0 of 1 to epoch 9" in lines
    assert "bracket 1: 2 of 5 to epoch 3, 1 of 2 to epoch 9" in lines
    assert "bracket 0: 3 of 3 to epoch 9" in lines
    assert "random control: 0 of 8 to epoch 9" in lines


def test_of_a_search_that_nobody_holds_it_shows_no_worker(store):
    store.write_live("w1", Live(training_id="b2-07-r0"))
    assert "b2-07-r0" not in said()


def test_of_a_search_at_work_it_shows_what_each_worker_trains(store):
    at = Live(training_id="b2-07-r0", epochs=1, epoch=1, step=30, steps=250)
    with store.hold("lstm-study search fake.toml"):
        store.write_time_left("Search", 125.0)
        store.write_live("w1", at)
        store.write_live("w2", Live())
        found = said()
    assert "in use by process" in found
    (counts,) = [line for line in found.splitlines() if line.startswith("Search")]
    assert "6 of 31 done" in counts
    assert "epochs a" in counts
    assert "about 2 min 5 s left" in counts
    assert "w1: b2-07-r0 epoch 1 of 1 (30 of 250 steps), vocabulary" in found
    assert "w2: waits for its next training" in found


def test_of_a_worker_that_sends_nothing_it_says_for_how_long(store):
    at = Live(training_id="b2-07-r0", epochs=1, epoch=1, step=30, steps=250, at=time.time() - 125)
    with store.hold("lstm-study search fake.toml"):
        store.write_time_left("Search", 125.0)
        store.write_live("w1", at)
        found = said()
    assert re.search(r"\(30 of 250 steps\), silent for 2 min \d+ s; replaced if it stays", found)


def test_a_report_that_was_made_in_another_folder_is_said_to_be_there(store, tmp_path):
    assert re.search(r"Report +not written yet", said())
    store.write_state(ReportState(made_at="2026-01-02", versions={}, git_commit="", model=""))
    folder = tmp_path / "reports" / "fake"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("")
    for made_at in ("2026-01-01", "2026-01-02"):
        (folder / "manifest.json").write_text(json.dumps({"made_at": made_at}))
        is_last = made_at == "2026-01-02"
        assert ("reports/fake/report.html" in said()) == is_last
        assert bool(re.search(r"Report +in another folder: name it by --out", said())) != is_last
