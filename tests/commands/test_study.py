"""The Python interface on the records of a finished fake study: no training, no TensorFlow."""

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

import lstm_study
from lstm_study import Study
from lstm_study.analysis.search.summary import ranking
from lstm_study.commands.compare import comparison_plan
from lstm_study.commands.progress_bar import ProgressBar
from lstm_study.errors import ComparisonError, DataError, ExportError, ReportError, SpecError
from lstm_study.progress.values import Progress
from lstm_study.records.state import Extent
from tests.support.fake_study import completed_study
from tests.support.stored_study import leave

RANKED = ranking(completed_study().trials, "max", max_epochs=9)


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    leave(completed_study(), tmp_path)
    monkeypatch.chdir(tmp_path)
    return Study.load("fake.toml")


@pytest.fixture
def unfinished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    study = completed_study()
    early = [trial for trial in study.trials if trial.budget_epochs < 9]
    running = replace(early[-1], status="running", score=None, ended_at="")
    leave(replace(study, trials=(*early[:-1], running), runs=()), tmp_path)
    monkeypatch.chdir(tmp_path)
    return Study.load("fake.toml")


def test_the_best_hyperparameters_are_those_of_the_ranking(study: Study) -> None:
    assert study.winner == RANKED[0]
    assert study.best_configuration == RANKED[0].configuration
    assert study.best_hyperparameters(3) == [t.configuration.as_dict() for t in RANKED[:3]]
    assert len(study.best_hyperparameters(1000)) == len(RANKED)


def test_the_best_is_that_of_what_was_run_where_the_file_says_another_study(study: Study) -> None:
    path = Path("fake.toml")
    path.write_text(path.read_text().replace("max_epochs = 9", "max_epochs = 27", 1))
    changed = Study.load("fake.toml")
    assert changed.spec.search.max_epochs == 27
    assert changed.winner == RANKED[0]


def test_without_a_trial_of_the_full_budget_there_is_no_best_one(unfinished: Study) -> None:
    assert unfinished.winner is None
    with pytest.raises(ComparisonError, match=r"no trial has completed the full budget.*run\(\)"):
        unfinished.best_hyperparameters()
    with pytest.raises(ComparisonError):
        _ = unfinished.best_configuration


def test_trials_have_their_rank_and_times_that_are_times(study: Study) -> None:
    frame = study.trials()
    assert list(frame.columns[:2]) == ["trial_id", "rank"]
    ranked = frame.dropna(subset=["rank"]).sort_values("rank")
    assert list(ranked["trial_id"]) == [trial.trial_id for trial in RANKED]
    assert isinstance(frame["started_at"].dtype, pd.DatetimeTZDtype)
    assert (frame["ended_at"] > frame["started_at"]).all()


def test_a_trial_without_a_live_worker_is_interrupted(unfinished: Study) -> None:
    assert "running" not in set(unfinished.trials()["status"])
    assert "interrupted" in set(unfinished.trials()["status"])


def test_the_summary_is_printed_best_first(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    study.results_summary(2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert f"1  {RANKED[0].trial_id}  score {RANKED[0].score:.4f}" in lines[1]


def test_finalists_are_listed_with_the_means_that_rank_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = [trial for trial in RANKED if trial.initial_epoch == 0][:2]
    finalists = [  # Each scores as the other one did.
        replace(trained, trial_id=name, parent=trial.trial_id, role="finalist")
        for name, trial, trained in (("f-1-s1", first, second), ("f-2-s1", second, first))
    ]
    leave(replace(completed_study(), trials=(*RANKED, *finalists), runs=()), tmp_path)
    monkeypatch.chdir(tmp_path)
    study = Study.load("fake.toml")
    frame = study.trials().dropna(subset=["rank"]).sort_values("rank")
    assert list(frame["trial_id"][:2]) == [second.trial_id, first.trial_id]
    assert list(frame["fresh_mean"].dropna()) == [first.score, second.score]
    study.results_summary(3)
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [", mean of fresh seeds" in line for line in lines] == [True, True, False]
    means = f"score {second.score:.4f}, mean of fresh seeds {first.score:.4f}"
    assert f"{second.trial_id}  {means}" in lines[0]


def test_without_a_model_it_is_said_what_to_call(study: Study) -> None:
    with pytest.raises(ExportError, match=r"no model has been exported. Call run\(\), or export"):
        study.predict("A fine film.")


def test_figures_are_matplotlibs_and_unknown_names_are_refused(study: Study) -> None:
    names = study.figures()
    assert names["slices"] == "Score along each hyperparameter"
    assert isinstance(study.figure("difference"), Figure)
    with pytest.raises(ReportError, match=r"must be one of .*slices.*Received: 'nonsense'"):
        study.figure("nonsense")


def test_a_notebook_shows_the_answer_with_its_figure(study: Study) -> None:
    html = study._repr_html_()
    assert study.verdict().headline in html
    assert study.verdict().details in html
    assert html.count("<svg") == 1


def test_a_study_without_a_title_is_headed_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = completed_study().spec_text.replace('title = "A fake study"\n', "")
    (tmp_path / "fake.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert Study.load("fake.toml")._repr_html_().startswith("<h3>fake</h3>")


def test_reading_writes_no_look_at_the_test_reviews(study: Study) -> None:
    study._repr_html_()
    study.figures()
    assert not (study.folder / "verdicts.json").exists()


def test_a_study_that_has_not_started_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fake.toml").write_text(completed_study().spec_text)
    monkeypatch.chdir(tmp_path)
    study = Study.load("fake.toml")
    assert "has not started" in study._repr_html_()
    assert study.trials().empty
    assert not study.status().begun


def test_progress_outside_a_terminal_is_a_line_for_each_stage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bar = ProgressBar()
    bar.stage("Search", "23 trials")
    bar.progress(
        Progress(stage="Search", done=1, total=23, failed=0, running=(), ended=(), best="",
                 elapsed_seconds=1, remaining_seconds=60)
    )  # fmt: skip
    shown = capsys.readouterr().err
    assert shown == "Search: 23 trials\n"


def test_a_verdict_prints_as_its_sentence(study: Study) -> None:
    verdict = study.verdict()
    assert str(verdict) == verdict.sentence
    assert verdict.headline in verdict._repr_html_()


def test_frames_without_a_row_have_the_columns_of_those_with_rows(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "fake.toml").write_text(completed_study().spec_text)
    full = study.trials(), study.runs(), study.epochs()
    monkeypatch.chdir(folder)
    new = Study.load("fake.toml")
    for empty, filled in zip((new.trials(), new.runs(), new.epochs()), full, strict=True):
        assert empty.empty
        assert set(empty.columns) == set(filled.columns)


def test_numbers_that_no_row_has_are_nan(study: Study) -> None:
    trials = study.trials()
    assert trials["learning_rate"].isna().all()
    assert trials["learning_rate"].dtype == "float64"
    assert study.runs()["own_epoch"].dtype == "float64"


@pytest.mark.parametrize("settings", ["search.max_epochs=4", {"search.max_epochs": 4}])
def test_settings_are_a_list(study: Study, settings: Any) -> None:
    with pytest.raises(SpecError, match=r'must be a list of "table.key=value". Received: .*Write'):
        Study.load("fake.toml", settings=settings)


def test_the_package_has_its_version_and_lists_what_it_exports() -> None:
    assert lstm_study.__version__ == version("lstm-study")
    assert {"Study", "__version__"} <= set(dir(lstm_study))


def test_a_comparison_of_few_seeds_is_the_plan_with_no_more_than_those(study: Study) -> None:
    whole = comparison_plan(study._opened)
    few = comparison_plan(study._opened, extent=Extent(most_seeds=2))
    assert (few.seeds, few.arms) == (2, whole.arms)
    assert comparison_plan(study._opened, extent=Extent(most_seeds=99)) == whole


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["A fine film.", float("nan")], r"Received: 'nan' \(of type float\), .* at index 1\."),
        ([7], r"every text must be a string. Received: '7' \(of type int\)"),
        (pd.DataFrame({"review": ["A fine film."]}), "must be given texts. Received: a table"),
    ],
)
def test_what_is_not_text_is_not_classified(study: Study, texts: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        study.predict(texts)
