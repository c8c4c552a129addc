"""Tests of the Optuna storage, read back by Optuna."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy import event
from sqlalchemy.engine import Engine

from lstm_study.analysis.search.summary import full_curve, winner
from lstm_study.configuration import HYPERPARAMETERS
from lstm_study.errors import ReportError
from lstm_study.report.formats.optuna import write_optuna
from tests.support.fake_study import (
    completed_study,
    controlled_study,
    failed_study,
    interrupted_study,
    large_study,
)

_opened: list[optuna.storages.RDBStorage] = []


@pytest.fixture(autouse=True, scope="module")
def storages_are_closed() -> Iterator[None]:
    """Closes what the tests opened: Python 3.13 warns of databases that are left open."""
    yield
    for storage in _opened:
        storage.remove_session()
        storage.engine.dispose()


def _load(path: Path, name: str = "fake") -> optuna.Study:
    _opened.append(optuna.storages.RDBStorage(f"sqlite:///{path}"))
    return optuna.load_study(study_name=name, storage=_opened[-1])


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> optuna.Study:
    return _load(write_optuna(failed_study(), folder=tmp_path_factory.mktemp("optuna")))


def test_every_trial_is_there_with_its_values_epochs_times_and_state(failed: optuna.Study) -> None:
    records = failed_study()
    by_id = {trial.trial_id: trial for trial in records.trials}
    theirs = {trial.user_attrs["trial_id"]: trial for trial in failed.trials}
    assert theirs.keys() == by_id.keys()
    for trial_id, found in theirs.items():
        ours = by_id[trial_id]
        names = [name for name, row in HYPERPARAMETERS.items() if row.is_core]
        assert found.params == {name: getattr(ours.configuration, name) for name in names}
        assert found.distributions.keys() == found.params.keys()
        assert found.intermediate_values == {
            epoch.epoch: epoch.validation_accuracy for epoch in full_curve(ours, by_id)
        }
        assert found.datetime_start.astimezone(UTC) == datetime.fromisoformat(ours.started_at)
        assert found.datetime_complete.astimezone(UTC) == datetime.fromisoformat(ours.ended_at)
        if ours.status == "failed":
            assert found.state is TrialState.FAIL
            assert ours.failure is not None
            assert ours.failure.message in found.user_attrs["error"]
        else:
            full = ours.budget_epochs == 9
            assert found.state is (TrialState.COMPLETE if full else TrialState.PRUNED)
            assert found.value == ours.score


def test_the_storage_takes_more_trials_as_any_of_optunas_does(tmp_path: Path) -> None:
    study = _load(write_optuna(completed_study(), folder=tmp_path))
    before = len(study.trials)
    trial = study.ask(study.trials[0].distributions)
    study.tell(trial, 0.5)
    assert [item.number for item in study.trials] == list(range(before + 1))
    assert optuna.importance.get_param_importances(study)


def test_a_thousand_trials_are_written_whole_in_a_few_statements(tmp_path: Path) -> None:
    executed: list[str] = []

    def note(*told: Any) -> None:
        executed.append(told[2])

    records = large_study(1000)
    listened = (Engine, "before_cursor_execute", note)
    event.listen(*listened)
    path = write_optuna(records, folder=tmp_path)
    event.remove(*listened)
    assert 20 < len(executed) < 300, "a statement for each trial takes minutes"
    study = _load(path)
    assert len(study.trials) == len(records.trials)
    by_id = {trial.trial_id: trial for trial in records.trials}
    for found in study.trials[::97]:
        ours = by_id[found.user_attrs["trial_id"]]
        assert found.value == ours.score
        assert len(found.intermediate_values) == ours.budget_epochs


def test_optunas_best_trial_is_the_winner_and_the_order_is_that_of_time(
    failed: optuna.Study,
) -> None:
    best = winner(failed_study().trials, "max", max_epochs=9)
    assert best is not None
    assert failed.best_trial.user_attrs["trial_id"] == best.trial_id
    starts = [trial.datetime_start for trial in failed.trials]
    assert starts == sorted(starts)
    assert failed.metric_names == ["validation_accuracy"]


def test_a_search_that_was_stopped_is_written_with_what_still_runs(tmp_path: Path) -> None:
    study = _load(write_optuna(interrupted_study(), folder=tmp_path))
    assert Counter(trial.state.name for trial in study.trials) == {
        "COMPLETE": 4, "PRUNED": 2, "FAIL": 1, "RUNNING": 1
    }  # fmt: skip


def test_the_random_control_is_a_study_of_its_own_and_a_second_writing_replaces_the_first(
    tmp_path: Path,
) -> None:
    study = controlled_study()
    (tmp_path / "optuna.db").write_text("an earlier one")
    path = write_optuna(
        replace(study, trials=study.trials[:2] + study.trials[-1:]), folder=tmp_path
    )
    assert len(_load(path, "fake control").trials) == 1
    assert len(_load(path).trials) == 2
    assert [item.name for item in tmp_path.iterdir()] == ["optuna.db"]


def test_a_folder_that_cannot_be_written_to_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match=r"optuna\.db: cannot be written"):
        write_optuna(interrupted_study(), folder=tmp_path / "file")
