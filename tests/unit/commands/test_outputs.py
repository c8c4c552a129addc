"""Whether a model and a report are of the trainings that there are."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lstm_study.commands import open_study, read_answer, read_status
from lstm_study.commands.list_studies import list_studies
from lstm_study.commands.outputs import is_model_current, is_report_current, own_model
from lstm_study.commands.run import is_done
from lstm_study.export.layout import NETWORK
from lstm_study.records import Control, Run
from lstm_study.records.trainings import trainings_sha256
from lstm_study.store import Store
from tests.support.fake_study import completed_study
from tests.support.stored_study import MADE, leave_finished

LATE = "2999-01-01T00:00:00.000Z"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A finished study in the current folder, with its report."""
    monkeypatch.chdir(tmp_path)
    leave_finished(completed_study(), tmp_path)
    reports = tmp_path / "reports" / "fake"
    (reports / "model").mkdir(parents=True)
    (reports / "report.html").write_text("")
    (reports / "manifest.json").write_text(json.dumps({"made_at": MADE.made_at}))
    return Store(tmp_path / "study/runs/fake")


def _digest(store: Store) -> str:
    return trainings_sha256(store.read_trials(), store.read_runs(), store.read(Control))


def _export(
    store: Store,
    *,
    made_at: str = LATE,
    trainings: str | None = None,
    title: str | None = None,
    **asked: Any,
) -> None:
    """Leaves a bundle of the winner's first run; one of an earlier version has no digest."""
    run = store.read(Run, "winner-s1")
    assert run is not None
    about = {
        "made_at": made_at,
        "run": {"run_id": run.run_id, "test_accuracy": run.test_accuracy, "ended_at": run.ended_at},
        "study": {} if trainings is None else {"trainings_sha256": trainings, "title": title},
        **asked,
    }
    folder = Path("reports/fake/model")
    (folder / "configuration.json").write_text(json.dumps(about))
    (folder / NETWORK).write_text("")


def test_a_model_is_current_by_its_digest_and_one_of_an_earlier_version_by_its_time(
    store: Store,
) -> None:
    study = open_study("fake.toml")
    _export(store, made_at="1970-01-01T00:00:00.000Z", trainings=_digest(store))
    model = own_model(study)
    assert model is not None and is_model_current(study, model)
    _export(store, trainings="of others")
    assert not is_model_current(study, model)
    last = max(run.ended_at for run in store.read_runs())
    _export(store, made_at=last)
    assert is_model_current(study, model)
    _export(store, made_at=min(run.ended_at for run in store.read_runs()))
    assert not is_model_current(study, model)


def test_a_study_is_not_finished_whose_model_lacks_trainings_that_its_report_has(
    store: Store,
) -> None:
    store.write_state(replace(MADE, trainings_sha256=_digest(store)))
    _export(store, trainings=_digest(store))
    assert is_done(open_study("fake.toml"))
    assert read_status(open_study("fake.toml")).state == "finished"
    # As after `compare --more-seeds 2` and `report`, without `export`.
    _export(store, trainings="before seeds were added")
    assert not is_done(open_study("fake.toml"))
    assert read_status(open_study("fake.toml")).state == "interrupted"
    assert read_answer(open_study("fake.toml")).outdated == (Path("reports/fake/model"),)


def _begin(store: Store, **export: bool) -> None:
    """Leaves what a command with these settings wrote when it was killed at its beginning."""
    path = Path("fake.toml")
    lines = (f"{key} = {str(value).lower()}\n" for key, value in export.items())
    path.write_text(f"{path.read_text()}\n[export]\n{''.join(lines)}")
    study = open_study("fake.toml")
    data = store.read_began().data_digest
    assert store.begin(study.spec, spec_text=study.spec_text, settings=(), data_digest=data)


ENSEMBLE = {"ensemble": ["winner-s1", "winner-s2"], "no_ensemble": ""}
NO_ENSEMBLE = {"ensemble": [], "no_ensemble": ""}
CALIBRATED = {"temperature": 1.2, "no_temperature": ""}
NOT_CALIBRATED = {"temperature": None, "no_temperature": "the winner has no validation runs"}
AS_TRAINED = {"temperature": None, "no_temperature": ""}


@pytest.mark.parametrize(
    ("export", "before", "after"),
    [
        ({"ensemble": True}, NO_ENSEMBLE, ENSEMBLE),
        ({"ensemble": True}, NO_ENSEMBLE, {"ensemble": [], "no_ensemble": "there is one run"}),
        ({"calibrate": False}, CALIBRATED, AS_TRAINED),
        ({"calibrate": False}, NOT_CALIBRATED, AS_TRAINED),
    ],
)
def test_a_model_is_exported_again_where_a_killed_command_changed_what_is_asked_for(
    store: Store, export: dict[str, bool], before: dict[str, Any], after: dict[str, Any]
) -> None:
    _export(store, trainings=_digest(store), **before)
    assert is_done(open_study("fake.toml"))
    _begin(store, **export)
    assert not is_done(open_study("fake.toml"))
    assert read_status(open_study("fake.toml")).state == "interrupted"
    assert [each.state for each in list_studies()] == ["interrupted"]
    assert read_answer(open_study("fake.toml")).outdated == (Path("reports/fake/model"),)
    _export(store, trainings=_digest(store), **after)
    assert is_done(open_study("fake.toml"))
    assert [each.state for each in list_studies()] == ["finished"]


def test_a_report_is_written_again_where_a_killed_command_changed_what_it_shows(
    store: Store,
) -> None:
    _export(store, trainings=_digest(store))
    made = replace(MADE, trainings_sha256=_digest(store))
    export = store.read_spec().export.model_dump(mode="json")
    store.write_state(replace(made, title=store.read_spec().study.heading, export=export))
    assert is_report_current(store)
    _begin(store, excerpts=False)
    assert not is_report_current(store)
    assert read_status(open_study("fake.toml")).state == "interrupted"
    store.write_state(replace(made, export=export | {"excerpts": False}))
    assert is_report_current(store)
    study = open_study("fake.toml")
    for title, is_current in ((store.read_spec().study.heading, True), ("Another", False)):
        _export(store, trainings=_digest(store), title=title)
        store.write_state(replace(made, title=title))
        assert is_report_current(store) == is_current
        assert is_model_current(study, Path("reports/fake/model")) == is_current


def test_status_is_shown_of_a_finished_study_whose_beginning_is_damaged(store: Store) -> None:
    _export(store, trainings=_digest(store), title="Fake", **NO_ENSEMBLE)
    path = store.folder / "study.json"
    path.write_bytes(path.read_bytes()[:99])
    assert read_status(open_study("fake.toml")).state == "finished"


def test_a_finished_study_of_an_earlier_version_lacks_settings_that_are_newer(
    store: Store,
) -> None:
    _export(store)
    began = store.read_began()
    data = {key: value for key, value in began.spec["data"].items() if key != "columns"}
    store.write_state(replace(began, spec=began.spec | {"data": data}))
    assert is_done(open_study("fake.toml"))


def test_to_ask_whether_a_quick_comparison_is_done_fixes_nothing(store: Store) -> None:
    # As `run --quick` asks before it holds the study, which another command may be training.
    for path in store.paths(Run):
        path.unlink()
        store.ledger.remove(str(path.relative_to(store.folder)))
    files = sorted(store.folder.rglob("*"))
    assert not is_done(open_study("fake.toml"), quick=True)
    assert sorted(store.folder.rglob("*")) == files
    assert not store.is_compared
