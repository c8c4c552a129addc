"""The interval of an arm's mean test accuracy over its seeds."""

import pytest
from scipy import stats

from lstm_study.report.tables.arms import arm_tables
from lstm_study.spec import StudySpec
from tests.support.fake_study import completed_study


def test_an_arms_interval_is_students():
    study = completed_study()
    spec = StudySpec.model_validate(dict(study.spec), strict=False)
    tables = arm_tables(study, spec, level=0.95)
    table = next(table for table in tables if table.name == "comparison")
    row = next(row for row in table.records() if row["arm"] == "winner")
    values = [run.test_accuracy for run in study.runs if run.arm == "winner"]
    expected = stats.ttest_1samp(values, 0.5).confidence_interval(0.95)
    found = (row["test_accuracy_mean_low"], row["test_accuracy_mean_high"])
    assert found == pytest.approx((expected.low, expected.high))
