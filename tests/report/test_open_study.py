"""The report of a study that opens words and switches, such as pooling and directions."""

from dataclasses import replace

from lstm_study.analysis.answer.verdict import judge
from lstm_study.report.content import gather, illustrate
from lstm_study.report.formats.optuna import write_optuna
from lstm_study.report.formats.tensorboard import event_files
from lstm_study.report.page.html import render
from lstm_study.spec import StudySpec
from tests.support.fake_study import compared_study

OPENED = {
    "bidirectional": {"choices": [False, True]},
    "pooling": {"choices": ["last", "max", "all"]},
    "learning_rate": {"min": 0.001, "max": 0.01, "sampling": "log"},
    "word_dropout": {"choices": [0.1, 0.2], "when": {"pooling": ["max"]}},
}


def opened_study():
    """The compared fake study with an open space, and configurations out of it."""
    records = compared_study()
    spec = StudySpec.model_validate(
        {**records.spec, "space": {**records.spec["space"], **OPENED, "summed_gradients": True}},
        strict=False,
    )

    def opened(configuration):
        number = configuration.maxlen + configuration.lstm_units
        pooling = ("last", "max", "all")[number % 3]
        return configuration.with_values(
            bidirectional=configuration.embedding_dim > 32, pooling=pooling, summed_gradients=True,
            learning_rate=0.001 * (1 + number % 7), word_dropout=0.1 * (pooling == "max"),
        )  # fmt: skip

    baseline = spec.baseline.configuration
    return replace(
        records,
        spec=spec.model_dump(mode="json"),
        trials=tuple(replace(t, configuration=opened(t.configuration)) for t in records.trials),
        runs=tuple(
            replace(
                run,
                configuration=baseline
                if run.arm.startswith("baseline")
                else opened(run.configuration),
                temperature=2.0 if run.arm == "winner-validation" else None,
            )
            for run in records.runs
        ),
    )


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
