"""Every study of a folder, with its state."""

import errno
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from lstm_study import metrics
from lstm_study.cli.text.studies import studies_text
from lstm_study.commands import open_study, read_answer, read_status
from lstm_study.commands.list_studies import list_studies
from lstm_study.records.state import ReportState, SearchState
from lstm_study.store import Store
from tests.support.fake_study import completed_study, empty_study, interrupted_study, one_seed_study
from tests.support.stored_study import MADE, leave, leave_finished


def test_studies_are_listed_with_state_verdict_and_winner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = completed_study()
    leave_finished(study, tmp_path)
    leave(replace(interrupted_study(), name="other"), tmp_path)
    runs = tmp_path / "study" / "runs"
    answer = read_answer(open_study(tmp_path / "fake.toml"))
    (runs / "broken").mkdir()
    (runs / "broken" / "study.json").write_text("{")
    found = {each.name: each for each in list_studies(runs)}
    assert {name: each.state for name, each in found.items()} == {
        "fake": "finished", "other": "interrupted", "broken": "damaged"
    }  # fmt: skip
    assert (found["fake"].verdict, found["fake"].caveats) == (answer.verdict.kind, "")
    assert found["fake"].winner != ""
    assert found["fake"].trials == len(study.trials)
    assert found["other"].verdict == ""


@pytest.mark.parametrize(("seeds", "kind"), [(4, "no difference shown"), (1, "cannot say")])
def test_networks_that_learned_nothing_are_listed_as_such_as_the_headline_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeds: int, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    study = completed_study(seeds=seeds)
    text = study.spec_text.replace("seeds = 4", f"seeds = {seeds}")
    draw = np.random.default_rng(1)
    constant = {
        name: draw.uniform(0.6, 0.9, row.shape).astype(np.float32)
        for name, row in study.predictions.items()
    }
    runs = tuple(
        replace(run, **metrics.test_fields(study.test_labels, constant[run.run_id]))
        for run in study.runs
    )
    leave_finished(replace(study, spec_text=text, runs=runs, predictions=constant), tmp_path)
    answer = read_answer(open_study("fake.toml"))
    assert "The winner has learned nothing. The baseline has" in answer.verdict.headline
    (found,) = list_studies()
    assert found.verdict == kind
    assert found.caveats == "the winner and the baseline have learned nothing"
    console = Console(file=io.StringIO(), width=200)
    console.print(studies_text([found]))
    assert f"{found.verdict}; {found.caveats}" in console.file.getvalue()
    # Where predictions are damaged, the last verdict that was read is shown.
    Path("study/runs/fake/predictions/winner-s1.npy").write_bytes(b"")
    assert [(each.verdict, each.caveats) for each in list_studies()] == [(found.verdict, "")]


def test_a_study_that_the_user_may_not_read_is_marked_and_the_others_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("fake", "of-another-user", "in-another-folder", "with-a-closed-folder"):
        leave(replace(completed_study(), name=name), tmp_path)
    runs = tmp_path / "study" / "runs"
    forbidden = {
        runs / "of-another-user" / "lock",
        runs / "in-another-folder" / "study.json",
        runs / "with-a-closed-folder" / "trials",
    }
    (runs / "of-another-user" / "lock").touch()

    def refusing(function: Callable[..., object]) -> Callable[..., object]:
        def refuse(path: Path, *args: object, **kwargs: object) -> object:
            if path in forbidden:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return function(path, *args, **kwargs)

        return refuse

    # Root, as which tests may run, may read all.
    monkeypatch.setattr(Path, "open", refusing(Path.open))
    monkeypatch.setattr(Path, "is_file", refusing(Path.is_file))
    monkeypatch.setattr(Path, "iterdir", refusing(Path.iterdir))
    assert {each.name: each.state for each in list_studies(runs)} == {
        "fake": "interrupted", "of-another-user": "unreadable", "in-another-folder": "unreadable",
        "with-a-closed-folder": "unreadable",
    }  # fmt: skip


def test_a_study_that_a_command_holds_is_running(tmp_path: Path) -> None:
    leave(completed_study(), tmp_path)
    store = Store(tmp_path / "study" / "runs" / "fake")
    with store.hold("lstm-study run fake.toml"):
        (found,) = list_studies(tmp_path / "study" / "runs")
    assert found.state == "running"


def test_a_study_is_finished_where_nothing_is_left_of_it_and_not_by_its_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = one_seed_study()
    text = study.spec_text.replace("seeds = 4", "seeds = 1")
    leave_finished(replace(study, spec_text=text), tmp_path)
    store = Store(tmp_path / "study" / "runs" / "fake")

    def states() -> tuple[str, str]:
        (found,) = list_studies(tmp_path / "study" / "runs")
        assert found.verdict == ("cannot say" if found.state == "finished" else "")
        return found.state, read_status(open_study("fake.toml")).state

    assert states() == ("finished", "finished")
    # A limit ended the search, and what was being trained then stays as it is.
    plan = store.read_state(SearchState)
    store.write_state(replace(plan, stopped="search.time_limit of 1 h is reached"))
    early = next(each for each in store.read_trials() if each.budget_epochs < 9)
    store.write(replace(early, status="interrupted"))
    assert states() == ("finished", "finished")
    store.write_state(plan)
    assert states() == ("interrupted", "interrupted"), "without a limit that trial goes on"
    store.write(early)
    store.write_state(replace(MADE, made_at=study.runs[0].started_at))
    assert states() == ("interrupted", "interrupted"), "the report is older than the last training"
    store.path(ReportState).unlink()
    assert states() == ("interrupted", "interrupted"), "the report is not written"


def test_a_study_that_trained_nothing_has_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    leave(empty_study(), tmp_path)
    (found,) = list_studies(tmp_path / "study" / "runs")
    assert (found.state, read_status(open_study("fake.toml")).begun) == ("not started", False)


def test_a_folder_without_studies_is_an_empty_list(tmp_path: Path) -> None:
    assert list_studies(tmp_path) == []
