"""The report of a study that opens words and switches, such as pooling and directions."""

from lstm_study.analysis.answer.verdict import judge
from lstm_study.report.content import gather, illustrate
from lstm_study.report.formats.optuna import write_optuna
from lstm_study.report.formats.tensorboard import event_files
from lstm_study.report.page.html import render
from tests.support.fake_open_study import opened_study


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
