"""A whole study on real reviews, from the command line, as a user sees it."""

import json
import re
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from lstm_study import Study
from lstm_study.store import Store
from tests.support.commands import lstm_study, workers_of
from tests.support.tiny import SPEC


def test_a_study_runs_from_reviews_to_report_and_model(finished):
    folder, result = finished
    assert result.code == 0, result.out + result.err
    assert result.err == ""
    for line in ("Winner", "Baseline", "Verdict", "Report", "Model"):
        assert f"\n{line}" in result.out
    assert (folder / "reports/tiny/report.html").stat().st_size > 10_000
    assert (folder / "reports/tiny/model/sentiment-lstm.keras").is_file()
    assert (folder / "reports/tiny/model/sentiment-lstm.h5").is_file()


def test_no_log_noise_of_tensorflow_reaches_the_terminal(finished):
    folder, result = finished
    noise = ("tensorflow", "cuda", "absl", "WARNING", "oneDNN", "Warning")
    assert not [word for word in noise if word in result.out + result.err]
    log = (folder / "study/runs/tiny/study.log").read_text()
    assert "Z lstm-study run tiny.toml" in log
    assert re.search(r"Z Search: b\d-00-r0 \d\d\.\d\d%  vocabulary ", log)
    assert re.search(r"Z Comparison: winner-s1 \d\d\.\d\d%", log)


def test_the_progress_lines_count_what_runs(finished):
    _, result = finished
    lines = [line for line in result.out.splitlines() if line.startswith("Search ")]
    assert "6 trials, 11 epochs" in lines[0]
    counted = [line.split()[1] for line in lines if " of 6 " in line]
    assert counted == ["1", "2", "3", "4", "5", "6"]
    assert all("spent" in line and "left" in line for line in lines if " of 6 " in line)


def test_the_plan_says_beforehand_what_the_comparison_could_show(finished):
    _, result = finished
    (line,) = [line for line in result.out.splitlines() if line.startswith("Power ")]
    assert "no verdict is given with fewer than 4 seeds: set compare.seeds to 4 or more" in line
    assert "with so few test reviews, no number of seeds detects 1 point" in line
    assert result.out.index("Power ") < result.out.index("\nSearch ")


def test_a_second_run_says_at_once_that_the_study_is_finished(finished, monkeypatch):
    folder, first = finished
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    result = lstm_study("run", "tiny.toml", cwd=folder)
    assert result.code == 0
    assert "finished; --fresh starts it over" in result.out
    assert result.out.split("\n\n")[-1].split() == first.out[first.out.index("Winner") :].split()
    assert "lstm_study.cli" in result.err, "imports are listed"
    assert "tensorflow" not in result.err, "nothing is trained"


def test_nothing_is_left_running(original):
    folder, _ = original
    assert workers_of(folder) == []


def test_the_test_half_was_opened_once_for_each_run_and_never_by_the_search(finished):
    folder, _ = finished
    lines = (folder / "study/runs/tiny/openings.jsonl").read_text().splitlines()
    opened = [json.loads(line)["run_id"] for line in lines]
    records = Store(folder / "study/runs/tiny").read_runs()
    tested = [run.run_id for run in records if run.trained_on == "training"]
    # The mean of the last epochs is evaluated with the last one: no opening of its own.
    tested = [name for name in tested if "-last-three-" not in name]
    assert {"baseline-s1", "baseline-s2", "winner-s1", "winner-s2"} <= set(tested)
    assert sorted(opened) == sorted([*tested, "control", "test-reviews"])


def test_status_says_what_is_done(finished):
    folder, _ = finished
    result = lstm_study("status", "tiny.toml", cwd=folder)
    assert result.code == 0
    assert "6 of 6 done" in result.out
    # Three arms with two seeds each, and a validation run of baseline and winner.
    assert "8 of 8 done" in result.out.partition("Comparison")[2]


def test_python_sees_the_same_study_as_data_frames(finished, monkeypatch):
    folder, _ = finished
    monkeypatch.chdir(folder)
    study = Study.load("tiny.toml")
    trials, runs = study.trials(), study.runs()
    assert len(trials) == 6
    assert set(trials["status"]) == {"completed"}
    assert trials["score"].between(0, 1).all()
    sizes = runs[runs["trained_as"] == ""].groupby("arm").size().to_dict()
    assert sizes == {
        "baseline": 2, "winner": 2, "baseline-masked": 2, "baseline-validation": 1,
        "winner-validation": 1,
    }  # fmt: skip
    assert set(runs[~runs["masked"]]["arm"]) <= {
        "baseline", "baseline-own-epoch", "baseline-last-three", "baseline-validation"
    }  # fmt: skip
    assert trials["masked"].all()
    assert study.verdict().kind == "cannot say", "two seeds are too few"
    written = pd.read_csv(folder / "reports/tiny/tables/trials.csv")
    assert sorted(written["trial_id"]) == sorted(trials["trial_id"])
    epochs = study.epochs()
    assert len(epochs) == 11 + runs["protocol_epochs"].sum()


def test_predict_reads_arguments_lines_and_csv_alike(finished):
    folder, _ = finished
    texts = ["A fine film.", "A dull, dull film, <br /> and long!"]
    model = "reports/tiny/model"
    arguments = lstm_study("predict", model, *texts, cwd=folder)
    lines = lstm_study("predict", model, cwd=folder, stdin="\n".join(texts) + "\n")
    assert arguments.code == 0, arguments.err
    assert arguments.out == lines.out
    assert arguments.err == lines.err == "", "answers alone, without the backend's remarks"
    probabilities = [float(line.split("\t")[0]) for line in lines.out.splitlines()]
    pd.DataFrame({"id": [7, 8], "text": texts}).to_csv(folder / "in.csv", index=False)
    result = lstm_study(
        "predict", model, "--csv", "in.csv", "--out", "out.csv", cwd=folder
    )  # fmt: skip
    assert result.code == 0, result.err
    written = pd.read_csv(folder / "out.csv")
    assert list(written["id"]) == [7, 8]
    assert written["probability"].tolist() == pytest.approx(probabilities, abs=1e-4)


def test_a_changed_spec_is_refused_by_the_name_of_its_key(finished):
    folder, _ = finished
    (folder / "changed.toml").write_text(SPEC.replace("max_epochs = 3", "max_epochs = 9"))
    result = lstm_study("search", "changed.toml", cwd=folder)
    assert result.code == 1
    assert "search.max_epochs was 3, is 9" in result.err
    assert "--fresh" in result.err


def test_an_export_holds_the_words_of_what_was_run_whatever_the_file_says_now(finished, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished[0], folder)
    model = folder / "reports" / "tiny" / "model"
    words = (model / "vocabulary.txt").read_bytes()
    changes = ("data.train_limit=200", 'data.tokens="characters"', "study.seed=4")
    settings = [argument for change in changes for argument in ("--set", change)]
    result = lstm_study("export", "tiny.toml", *settings, cwd=folder)
    assert result.code == 0, result.err
    assert (model / "vocabulary.txt").read_bytes() == words
    store = Store(folder / "study" / "runs" / "tiny")
    store.write_state(replace(store.read_began(), data_digest="0" * 64))
    result = lstm_study("export", "tiny.toml", cwd=folder)
    assert result.code == 1
    assert "these are not the reviews that tiny.toml was run on" in result.err
    assert (model / "vocabulary.txt").read_bytes() == words


@pytest.mark.parametrize("file", ["corpus.json", "spec.toml"])
def test_what_a_study_began_with_is_written_again_after_a_repair_and_nothing_is_trained(
    finished, tmp_path, file
):
    folder = tmp_path / "copy"
    shutil.copytree(finished[0], folder)
    records = folder / "study" / "runs" / "tiny"
    before, runs = (records / file).read_bytes(), read_all(records / "runs")
    (records / file).write_bytes(before[:40])
    assert lstm_study("check", "tiny.toml", "--repair", cwd=folder).code == 0
    result = lstm_study("run", "tiny.toml", cwd=folder)
    assert result.code == 0, result.err
    assert "finished; --fresh starts it over" in result.out
    assert (records / file).read_bytes() == before
    assert read_all(records / "runs") == runs


def test_what_is_exported_may_change_in_a_finished_study_and_is_written(finished, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished[0], folder)
    result = lstm_study("run", "tiny.toml", "--set", "export.ensemble=true", cwd=folder)
    assert result.code == 0, result.err
    assert "finished; --fresh" not in result.out
    assert (folder / "reports/tiny/model/sentiment-lstm-ensemble.keras").is_file()


def read_all(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_another_arm_is_exported_beside_the_winner_and_what_is_no_network_is_not(finished):
    folder, _ = finished
    before = (folder / "reports/tiny/model/configuration.json").read_bytes()
    result = lstm_study("export", "tiny.toml", "--arm", "baseline-masked", cwd=folder)
    assert result.code == 0, result.err
    assert result.out.splitlines()[-1] == "Model     reports/tiny/baseline-masked-model/"
    assert (folder / "reports/tiny/model/configuration.json").read_bytes() == before
    said = lstm_study("predict", "reports/tiny/baseline-masked-model", "A fine film.", cwd=folder)
    assert 0 < float(said.out.split()[0]) < 1
    for arm, why in (
        ("control", "the classical control is exported beside the winner, as model-classical/"),
        ("winner-last-three", "is no single network"),
        ("winner-validation", "winner-validation is trained without the validation reviews"),
        (
            "runner-up-9",
            "the arm 'runner-up-9' has no completed run to export. Export one of: base",
        ),
    ):
        refused = lstm_study("export", "tiny.toml", "--arm", arm, cwd=folder)
        assert refused.code == 1
        assert why in refused.err


def test_one_more_seed_is_no_change_but_more_work(finished, tmp_path):
    folder, _ = finished
    result = lstm_study("status", "tiny.toml", "--set", "compare.seeds=3", cwd=folder)
    assert "8 of 11 done" in result.out


def test_the_baseline_command_prints_summary_and_accuracy_and_saves_both_formats(finished):
    folder, _ = finished
    result = lstm_study("baseline", "tiny.toml", "--epochs", "1", cwd=folder)
    assert result.code == 0, result.err
    assert "Total params" in result.out
    accuracy = next(line for line in result.out.splitlines() if line.startswith("Accuracy: "))
    assert 0 <= float(accuracy.removeprefix("Accuracy: ").rstrip("%")) <= 100
    saved = folder / "reports/tiny-baseline-1-epochs/baseline-model"
    assert (saved / "sentiment-lstm.keras").is_file()
    assert (saved / "sentiment-lstm.h5").is_file()
