"""The report of a study that opens words and switches, such as pooling and directions."""

from dataclasses import replace

from lstm_study.analysis.answer.verdict import judge
from lstm_study.report.content import gather, illustrate
from lstm_study.report.figures.predictions import calibration
from lstm_study.report.formats.optuna import write_optuna
from lstm_study.report.formats.tensorboard import event_files
from lstm_study.report.page.html import render
from tests.support.fake_open_study import OPENED, built_study, opened_study
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
        page = parse(render(_content(records)))
        (trials,) = [
            node for node in page.find("table") if "trials" in node.attributes["class"].split()
        ]
        heads = {head.attributes["data-column"] for head in trials.find("thead")[0].find("th")}
        assert heads >= names.keys()
        assert heads >= {"vocabulary_size", "maxlen"}


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
