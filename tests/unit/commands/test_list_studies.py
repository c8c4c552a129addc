"""Every study of a folder, with its state."""

from dataclasses import replace
from pathlib import Path

from lstm_study.commands.list_studies import list_studies
from lstm_study.records.state import Look, VerdictsState
from lstm_study.store import Store
from tests.support.fake_study import completed_study, interrupted_study
from tests.support.stored_study import leave


def test_studies_are_listed_with_state_verdict_and_winner(tmp_path: Path) -> None:
    study = completed_study()
    leave(study, tmp_path)
    leave(replace(interrupted_study(), name="other"), tmp_path)
    runs = tmp_path / "study" / "runs"
    look = Look(at="2025-03-02T10:00:00.000Z", seeds={"winner": 4}, kind="better")
    Store(runs / "fake").write_state(VerdictsState(looks=(look,)))
    (runs / "broken").mkdir()
    (runs / "broken" / "study.json").write_text("{")
    found = {each.name: each for each in list_studies(runs)}
    assert {name: each.state for name, each in found.items()} == {
        "fake": "finished", "other": "interrupted", "broken": "damaged"
    }  # fmt: skip
    assert found["fake"].verdict == "better"
    assert found["fake"].winner != ""
    assert found["fake"].trials == len(study.trials)
    assert found["other"].verdict == ""


def test_a_study_that_a_command_holds_is_running(tmp_path: Path) -> None:
    leave(completed_study(), tmp_path)
    store = Store(tmp_path / "study" / "runs" / "fake")
    with store.hold("lstm-study run fake.toml"):
        (found,) = list_studies(tmp_path / "study" / "runs")
    assert found.state == "running"


def test_a_folder_without_studies_is_an_empty_list(tmp_path: Path) -> None:
    assert list_studies(tmp_path) == []
