"""Tests of the metrics of each arm, and of what is said of the winner's calibration."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lstm_study import metrics
from lstm_study.analysis.statistics.calibration import tempered, why_not_calibrated
from lstm_study.records import Run, StudyRecords
from lstm_study.report.tables.metrics import CALIBRATED, metric_tables
from lstm_study.report.tables.table import Cell
from tests.support.fake_study import compared_study, completed_study, failed_study, one_seed_study

NAMES = (
    "accuracy", "balanced_accuracy", "f1", "roc_auc", "log_loss", "brier_score",
    "calibration_error",
)  # fmt: skip


def _by_arm(study: StudyRecords) -> dict[Cell, dict[str, Cell]]:
    (found,) = (table for table in metric_tables(study) if table.name == "arm_metrics")
    return {row["arm"]: row for row in found.records()}


def _with_temperatures(study: StudyRecords, *values: float | None) -> StudyRecords:
    """Gives the winner validation runs, one for each temperature."""
    run = next(run for run in study.runs if run.run_id == "winner-s1")
    fitted = [
        replace(
            run, arm="winner-validation", run_id=f"winner-validation-s{index}",
            seed_index=index, trained_on="train", test_accuracy=None, temperature=value,
        )
        for index, value in enumerate(values, start=1)
    ]  # fmt: skip
    return replace(study, runs=(*study.runs, *fitted))


def test_an_arms_metrics_are_mean_and_deviation_over_its_runs() -> None:
    study = completed_study()
    row = _by_arm(study)["winner"]
    runs = [
        metrics.measure(study.test_labels, study.predictions[f"winner-s{index}"])
        for index in range(1, 5)
    ]
    for name in NAMES:
        values = [getattr(run, name) for run in runs]
        assert row[f"{name}_mean"] == pytest.approx(np.mean(values))
        assert row[f"{name}_sd"] == pytest.approx(np.std(values, ddof=1))
    assert (row["runs"], row["failed"], row["left_out"]) == (4, 0, 0)


def test_a_run_without_a_result_is_counted_as_failed_and_is_in_no_mean() -> None:
    row = _by_arm(failed_study())["winner"]
    assert (row["runs"], row["failed"]) == (3, 1)


def test_an_arm_whose_every_run_failed_has_a_row_without_means() -> None:
    study = failed_study()
    runs = tuple(
        replace(run, status="failed", test_accuracy=None) if run.arm == "winner" else run
        for run in study.runs
    )
    row = _by_arm(replace(study, runs=runs))["winner"]
    assert (row["runs"], row["failed"], row["accuracy_mean"]) == (0, 4, None)


def test_a_run_that_failed_by_the_decision_rule_is_counted_and_in_the_means() -> None:
    study = completed_study()
    study.predictions["winner-s2"][:] = 0.4
    row = _by_arm(study)["winner"]
    assert (row["runs"], row["failed"], row["left_out"]) == (4, 0, 1)
    losses = [metrics.log_loss(study.test_labels, study.predictions[f"winner-s{i}"])
              for i in range(1, 5)]  # fmt: skip
    assert row["log_loss_mean"] == pytest.approx(np.mean(losses))


def test_one_run_has_means_and_no_deviation() -> None:
    row = _by_arm(one_seed_study())["winner"]
    assert row["log_loss_mean"] is not None
    assert row["log_loss_sd"] is None


def test_control_and_ensemble_have_a_row_each() -> None:
    found = _by_arm(compared_study())
    assert found["control"]["runs"] == found["ensemble"]["runs"] == 1


def test_reviews_of_one_label_have_no_area_under_the_curve_and_all_else() -> None:
    study = completed_study()
    row = _by_arm(replace(study, test_labels=np.ones_like(study.test_labels)))["winner"]
    assert row["roc_auc_mean"] is row["roc_auc_sd"] is None
    assert row["log_loss_sd"] is not None


def test_the_calibrated_winner_is_its_runs_at_the_mean_temperature() -> None:
    study = _with_temperatures(completed_study(), 1.5, 6.0)
    found = _by_arm(study)
    row, winner = found[CALIBRATED], found["winner"]
    assert row["temperature"] == pytest.approx(math.sqrt(1.5 * 6.0))
    assert row["validation_runs"] == 2
    assert winner["temperature"] is None
    assert row["accuracy_mean"] == winner["accuracy_mean"]
    errors = [
        metrics.calibration_error(study.test_labels, tempered(study.predictions[f"winner-s{i}"], 3))
        for i in range(1, 5)
    ]
    assert row["calibration_error_mean"] == pytest.approx(np.mean(errors))
    assert row["calibration_error_mean"] != pytest.approx(winner["calibration_error_mean"])


def test_without_a_temperature_there_is_no_calibrated_row_and_a_reason() -> None:
    study = completed_study()
    begun = _with_temperatures(study, None)
    status: Run = replace(begun.runs[-1], status="interrupted")
    reasons = {
        "the winner has no validation runs": study,
        "no validation run of the winner has completed": replace(
            begun, runs=(*begun.runs[:-1], status)
        ),
        "the winner’s validation runs recorded no temperature": begun,
    }
    for reason, each in reasons.items():
        assert why_not_calibrated(each.runs, "winner") == reason
        assert CALIBRATED not in _by_arm(each)
    assert why_not_calibrated(_with_temperatures(study, 2.0).runs, "winner") == ""
    assert why_not_calibrated(study.runs, "runner-up-1") == (
        "the arm runner-up-1 has no validation runs"
    )
