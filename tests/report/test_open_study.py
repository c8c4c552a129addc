"""The report of a study that opens words and switches, such as pooling and directions."""

import re
from dataclasses import replace

import pytest

from lstm_study.analysis.answer.verdict import judge
from lstm_study.report.content import gather, illustrate
from lstm_study.report.figures.predictions import calibration
from lstm_study.report.formats.optuna import write_optuna
from lstm_study.report.formats.tensorboard import event_files
from lstm_study.report.page.html import render
from lstm_study.report.page.trial_data import same_in_every_trial
from tests.support.fake_open_study import OPENED, built_study, opened_study
from tests.support.fake_study import failed_study
from tests.support.own import DECLARED
from tests.support.report_page import parse


def test_its_columns_figures_and_values_are_those_it_opens(tmp_path):
    records = opened_study()
    content = illustrate(
        gather(
            records,
            verdict=judge(records),
            made_at="2025-03-02T10:00:00.000Z",
            versions={"keras": "3.15.0"},
            git_commit="0123456789ab",
            bundle="model",
        )
    )
    trials = content.tables["trials"]
    assert set(trials.column("pooling")) == {"last", "max", "all"}
    assert set(trials.column("bidirectional")) == {"yes", "no"}
    assert "clip_norm" not in [column.name for column in trials.columns]
    space = {row["hyperparameter"]: row for row in content.tables["hyperparameters"].records()}
    assert space["pooling"]["searched"] == "last, max, all"
    assert space["word_dropout"]["searched"] == "0.1, 0.2, where pooling is max"
    assert space["pooling"]["baseline"] == "last"
    assert space["summed_gradients"]["searched"] == "fixed at yes"
    arms = set(content.tables["calibration"].column("arm"))
    assert {"winner", "winner, calibrated"} <= arms
    page = render(content)
    assert "winner, calibrated" in page
    assert event_files(records)
    assert write_optuna(records, folder=tmp_path).is_file()


def _content(records):
    return gather(
        records, verdict=judge(records), made_at="2025-03-02T10:00:00.000Z", versions={},
        git_commit="", bundle=None,
    )  # fmt: skip


def test_lines_of_the_reliability_diagram_differ_without_colour():
    figure = calibration(_content(opened_study()).tables["calibration"]).figure()
    lines = [line for line in figure.axes[0].lines if not line.get_label().startswith("_")]
    assert {"control", "winner, calibrated"} <= {line.get_label() for line in lines}
    looks = [(line.get_marker(), line.get_linestyle()) for line in lines]
    assert len(set(looks)) == len(lines)


def test_columns_of_the_trials_table_are_all_that_the_search_varies():
    for records, names in ((opened_study(), OPENED), (built_study(), DECLARED)):
        content = _content(records)
        page = parse(render(content))
        (trials,) = [
            node for node in page.find("table") if "trials" in node.attributes["class"].split()
        ]
        heads = {head.attributes["data-column"] for head in trials.find("thead")[0].find("th")}
        once = same_in_every_trial(content.tables["trials"], content.spec)
        assert heads >= names.keys() - {*once}
        assert heads >= {"vocabulary_size", "maxlen"} - {*once}
        assert not heads & {*once}
        assert not {*once} & {*content.spec.space.searched()}


def test_what_is_the_same_in_every_trial_is_said_once():
    content = _content(opened_study())
    page = re.sub(r"\s+", " ", parse(render(content)).text)
    assert "The same in every trial: status completed; " in page
    assert "; summed gradients yes" in page
    trials = content.tables["trials"]
    failed = _content(failed_study())
    assert "status" not in same_in_every_trial(failed.tables["trials"], failed.spec)
    one = replace(trials, rows=trials.rows[:1])
    assert same_in_every_trial(one, content.spec) == []


def test_finalists_have_the_mean_that_they_are_ranked_by_beside_their_score():
    records = opened_study()
    trials = _content(records).tables["trials"].records()
    means = {row["trial_id"]: row["fresh_mean"] for row in trials if row["fresh_mean"] is not None}
    scores = {}
    for trial in records.trials:
        if trial.role == "finalist":
            scores.setdefault(trial.parent, []).append(trial.score)
    assert len(scores) == 2
    assert means == {name: pytest.approx(sum(each) / 3) for name, each in scores.items()}
    best = next(row for row in trials if row["rank"] == 1)
    assert best["fresh_mean"] == max(means.values())


def test_values_that_are_grouped_have_three_digits():
    rate = 0.000734442
    records = opened_study()
    trials = tuple(
        replace(trial, configuration=trial.configuration.with_values(learning_rate=rate * number))
        for number, trial in enumerate(records.trials, start=1)
    )
    content = _content(replace(records, trials=trials))
    pairs = content.tables["pairs"].records()
    words = {row[f"{side}_values"] for row in pairs for side in ("first", "second")
             if row[side] == "learning_rate"}  # fmt: skip
    assert words
    assert all(len(part) <= len("0.000734") for each in words for part in each.split("–"))
