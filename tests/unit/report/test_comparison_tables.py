"""Intervals of the arms, and every arm beside the baseline."""

from dataclasses import replace

import pytest
from scipy import stats

from lstm_study.analysis.verdict import judge, judge_all
from lstm_study.records import StudyRecords
from lstm_study.report.answer_tables import answer_tables
from lstm_study.report.comparison_tables import comparison_tables
from lstm_study.report.tables import Table
from lstm_study.spec import StudySpec
from tests.support.fake_study import completed_study, one_seed_study


def with_runner_up(study: StudyRecords) -> StudyRecords:
    """Adds an arm whose runs are the winner's, read by other seeds of the fake."""
    twins = [
        replace(run, run_id=f"runner-up-1-s{run.seed_index}", arm="runner-up-1")
        for run in study.runs
        if run.arm == "winner"
    ]
    own = {twin.run_id: study.predictions[f"winner-s{twin.seed_index}"] for twin in twins}
    return replace(study, runs=(*study.runs, *twins), predictions={**study.predictions, **own})


def differences_of(study: StudyRecords, *, looks: int = 1) -> Table:
    spec = StudySpec.model_validate(dict(study.spec), strict=False)
    seed = spec.study.seed
    tables = answer_tables(study, spec, judge(study, seed=seed, looks=looks))
    return next(table for table in tables if table.name == "differences")


def test_an_arms_interval_is_students():
    study = completed_study()
    spec = StudySpec.model_validate(dict(study.spec), strict=False)
    table = comparison_tables(study, spec)[0]
    row = next(row for row in table.records() if row["arm"] == "winner")
    values = [run.test_accuracy for run in study.runs if run.arm == "winner"]
    expected = stats.ttest_1samp(values, 0.5).confidence_interval(0.95)
    found = (row["test_accuracy_mean_low"], row["test_accuracy_mean_high"])
    assert found == pytest.approx((expected.low, expected.high))


def test_every_arm_stands_beside_the_baseline_and_all_but_the_winner_are_corrected():
    study = with_runner_up(completed_study())
    winner, runner_up = differences_of(study).records()
    assert (winner["arm"], runner_up["arm"]) == ("winner", "runner-up-1")
    assert winner["adjusted_p_value"] is None
    assert runner_up["adjusted_p_value"] == runner_up["p_value"], "a family of one"
    entries = judge_all(study, seed=study.spec["study"]["seed"])
    for row, entry in zip((winner, runner_up), entries, strict=True):
        assert row["low"] == entry.verdict.difference.low
        assert row["test"] == "t test with a two-level bootstrap standard error"


def test_a_later_look_widens_every_arms_interval():
    study = with_runner_up(completed_study())
    first, second = differences_of(study), differences_of(study, looks=2)
    for before, after in zip(first.records(), second.records(), strict=True):
        assert (before["level"], after["level"]) == (0.95, 0.975)
        assert after["high"] > before["high"]


def test_an_arm_that_can_not_be_judged_has_its_row_and_no_numbers():
    (row,) = differences_of(one_seed_study()).records()
    assert (row["arm"], row["seeds"], row["difference"], row["test"]) == ("winner", 1, None, None)
    assert row["disagreement"] is not None
