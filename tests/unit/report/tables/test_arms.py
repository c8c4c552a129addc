"""The tables of arms: intervals over seeds, costs, values."""

from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest
from scipy import stats

from lstm_study.analysis.answer.arms import make_arm
from lstm_study.records import StudyRecords
from lstm_study.report.tables.arms import arm_tables
from lstm_study.report.tables.comparison import arm_configurations
from lstm_study.report.tables.table import Table
from lstm_study.spec import StudySpec
from tests.support.fake_study import completed_study


def tables_of(study: StudyRecords) -> dict[str, Table]:
    spec = StudySpec.model_validate(dict(study.spec), strict=False)
    return {table.name: table for table in arm_tables(study, spec, level=0.95)}


def test_the_mean_of_last_epochs_costs_all_its_networks_in_every_table():
    study = completed_study()
    source = [
        replace(run, predict_1000_seconds=0.5) if run.arm == "winner" else run for run in study.runs
    ]
    last = [
        replace(run, arm="winner-last-three", run_id=f"winner-last-three-s{run.seed_index}")
        for run in source
        if run.arm == "winner"
    ]
    predictions = dict(study.predictions)
    predictions |= {run.run_id: predictions[f"winner-s{run.seed_index}"] for run in last}
    tables = tables_of(replace(study, runs=(*source, *last), predictions=predictions))
    for name in ("comparison", "models"):
        rows = {row["arm"]: row for row in tables[name].records()}
        one, three = rows["winner"], rows["winner-last-three"]
        assert three["parameter_count"] == 3 * one["parameter_count"]
        assert (one["predict_1000_seconds"], three["predict_1000_seconds"]) == (0.5, 1.5)
    assert three["training_seconds"] == one["training_seconds"]
    labels = {row["arm"]: row["label"] for row in tables["comparison"].records()}
    assert labels["winner-last-three"] == f"3 × {labels['winner']}"


def test_a_value_that_the_protocol_gives_is_shown_as_the_protocols():
    rows = tables_of(completed_study(baseline__learning_rate="0.003"))["hyperparameters"].records()
    (row,) = (row for row in rows if row["hyperparameter"] == "learning_rate")
    assert (row["baseline"], row["winner"], row["searched"]) == (0.003, 0.001, "given by protocol")


def test_an_arms_mean_accuracy_is_the_same_number_in_sentences_and_in_tables():
    labels = np.ones(400, dtype=np.int8)
    right = (200, 200, 220, 258)
    rows = [np.where(np.arange(400) < many, 0.9, 0.1) for many in right]
    arm = make_arm("winner", probabilities=np.array(rows), labels=labels, seed_indices=[1, 2, 3, 4])
    assert arm.accuracy == fmean(many / 400 for many in right)
    # 54.875%, which rounds up or down by its last bit.
    assert arm.accuracy != sum(right) / 1600


def test_an_arms_interval_is_students():
    study = completed_study()
    row = next(r for r in tables_of(study)["comparison"].records() if r["arm"] == "winner")
    values = [run.test_accuracy for run in study.runs if run.arm == "winner"]
    expected = stats.ttest_1samp(values, 0.5).confidence_interval(0.95)
    found = (row["test_accuracy_mean_low"], row["test_accuracy_mean_high"])
    assert found == pytest.approx((expected.low, expected.high))


def test_the_baselines_own_epochs_are_shown_before_it_has_a_run():
    study = replace(completed_study(baseline__epochs="7"), runs=(), predictions={}, control=None)
    rows = {row["arm"]: row for row in tables_of(study)["comparison"].records()}
    assert {arm: row["epochs"] for arm, row in rows.items()} == {"baseline": 7, "winner": 5}


def test_of_equal_trials_the_winner_shown_before_its_first_run_is_the_one_that_was_validated():
    study = completed_study()
    full = max(trial.budget_epochs for trial in study.trials)
    equal = [
        replace(trial, score=0.9, parameter_count=1)
        for trial in study.trials
        if trial.role == "search" and trial.budget_epochs == full and trial.status == "completed"
    ]
    (winner, *_) = (run for run in study.runs if run.arm == "winner")
    for trial in equal:
        validated = replace(
            winner, run_id="winner-validation-s1", arm="winner-validation", trained_on="train",
            configuration=trial.configuration,
        )  # fmt: skip
        records = replace(study, trials=tuple(equal), runs=(validated,), predictions={})
        spec = StudySpec.model_validate(dict(study.spec), strict=False)
        assert arm_configurations(records, spec)["winner"] == trial.configuration
    assert len({trial.configuration for trial in equal}) > 1
