"""Tables of metrics on test: of each run, of each arm, and the confusion counts of each arm."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lstm_study import metrics
from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.statistics.calibration import temperature_of, tempered
from lstm_study.analysis.statistics.failures import failed_runs
from lstm_study.arm_names import CONTROL, VALIDATION_SUFFIX
from lstm_study.records import Run, StudyRecords
from lstm_study.report.tables.columns import ARM, RUN_ID
from lstm_study.report.tables.table import Column, Table, cells_of, table

WINNER = "winner"
CALIBRATED = "winner, calibrated"


def metric_tables(records: StudyRecords) -> list[Table]:
    """Builds the tables of metrics; without predictions they have no rows."""
    runs = _metrics(records)
    return [runs, _arm_metrics(records, runs), _confusion(runs)]


def _validation_runs(records: StudyRecords) -> list[Run]:
    return [run for run in records.runs if run.arm == WINNER + VALIDATION_SUFFIX]


def evaluated(records: StudyRecords) -> list[tuple[str, str, Any]]:
    """Returns arm, id and probabilities of everything that was evaluated on test.

    The classical control and the ensemble have one row each, named like their arms.
    """
    arms = arms_from_records(records)
    ids = {
        (run.arm, run.seed_index): run.run_id for run in records.runs if run.status == "completed"
    }
    return [
        (name, ids.get((name, index), name), row)
        for name, arm in arms.items()
        for index, row in zip(arm.seed_indices, arm.probabilities, strict=True)
    ]


def _metrics(records: StudyRecords) -> Table:
    counted = "Reviews that are {} and classified as {}"
    columns = (
        ARM,
        RUN_ID,
        Column("accuracy", "Share of test reviews classified correctly", form="percent"),
        Column("balanced_accuracy",
               "Mean of the shares of positive and negative reviews classified correctly",
               form="percent"),
        Column("majority_share",
               "Share of the more frequent label: the accuracy of always answering it",
               form="percent"),
        Column("log_loss", "Binary cross-entropy, probabilities clipped at 1e-7", unit="nats",
               form="loss"),
        Column("roc_auc", "Area under the ROC curve", form="loss"),
        Column("f1", "F1 of the positive label", form="loss"),
        Column("brier_score", "Mean squared error of the probability", form="loss"),
        Column("calibration_error", "Expected calibration error, 15 equal bins", form="loss"),
        Column("true_positive", counted.format("positive", "positive"), unit="reviews",
               form="count"),
        Column("false_negative", counted.format("positive", "negative"), unit="reviews",
               form="count"),
        Column("false_positive", counted.format("negative", "positive"), unit="reviews",
               form="count"),
        Column("true_negative", counted.format("negative", "negative"), unit="reviews",
               form="count"),
    )  # fmt: skip
    rows = []
    for arm, run_id, probabilities in evaluated(records):
        found = metrics.measure(records.test_labels, probabilities)  # type: ignore[arg-type]
        rows.append(
            cells_of(found, columns, arm=arm, run_id=run_id) | cells_of(found.confusion, columns)
        )
    return table("metrics", "Metrics of one run on test", columns, rows)


_AVERAGED = (
    ("accuracy", "test accuracy", "percent", "bare_points"),
    ("balanced_accuracy", "balanced accuracy", "percent", "bare_points"),
    ("f1", "F1 of the positive label", "loss", "loss"),
    ("roc_auc", "area under the ROC curve", "loss", "loss"),
    ("log_loss", "binary cross-entropy", "loss", "loss"),
    ("brier_score", "squared error of the probability", "loss", "loss"),
    ("calibration_error", "expected calibration error, 15 equal bins", "loss", "loss"),
)


def _arm_metrics(records: StudyRecords, runs: Table) -> Table:
    """Averages each arm's metrics over its completed runs; arms without one have no means.

    The winner has a second row, its runs' logits divided by its temperature.
    """
    columns = (
        ARM,
        Column("runs", "Completed runs in the means", unit="runs", form="count"),
        Column("failed", "Runs without a result: diverged, or lost by the machine", unit="runs",
               form="count"),
        Column("left_out", "Completed runs that failed by the decision rule: in the means here, "
               "left out of differences", unit="runs", form="count"),
        *(
            column
            for name, words, form, spread in _AVERAGED
            for column in (
                Column(f"{name}_mean", f"Mean {words} of its runs", form=form,
                       unit="nats" if name == "log_loss" else ""),
                Column(f"{name}_sd", f"Standard deviation of {words} over runs, n − 1",
                       form=spread, unit="nats" if name == "log_loss" else ""),
            )
        ),
        Column("temperature", "What logits were divided by; empty where they are as trained",
               form="coefficient"),
        Column("validation_runs", "Validation runs that the temperature was fitted on",
               unit="runs", form="count"),
    )  # fmt: skip
    if not runs.rows:
        return table("arm_metrics", "Metrics of one arm on test", columns, [])
    found = arms_from_records(records)
    begun = [run for run in records.runs if run.trained_on == "training"]
    failed = {run.arm: 0 for run in begun} | dict.fromkeys(found, 0)
    for run in begun:
        failed[run.arm] += run.status == "failed"
    if records.control is not None:
        failed[CONTROL] = int(records.control.status == "failed")
    rows: list[dict[str, Any]] = []
    for arm, count in failed.items():
        of_arm = [row for row in runs.records() if row["arm"] == arm]
        rows.append(
            cells_of(None, columns, arm=arm, failed=count)
            | {"left_out": len(failed_runs(found[arm])) if arm in found else 0}
            | _averages(of_arm)
        )
    temperature = temperature_of(records.runs, WINNER)
    if temperature is not None and WINNER in found:
        of_winner = next(row for row in rows if row["arm"] == WINNER)
        calibrated = [
            asdict(metrics.measure(found[WINNER].labels, tempered(row, temperature)))
            for row in found[WINNER].probabilities
        ]
        fitted = [
            run
            for run in _validation_runs(records)
            if run.status == "completed" and run.temperature is not None
        ]
        again = {"arm": CALIBRATED, "temperature": temperature, "validation_runs": len(fitted)}
        rows.insert(rows.index(of_winner) + 1, of_winner | _averages(calibrated) | again)
    return table("arm_metrics", "Metrics of one arm on test", columns, rows)


def _averages(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Averages metrics over runs; one that is not defined for a run has no mean."""
    found: dict[str, Any] = {"runs": len(rows)}
    for name, *_ in _AVERAGED:
        values = [row[name] for row in rows]
        is_known = bool(values) and None not in values
        found[f"{name}_mean"] = statistics.fmean(values) if is_known else None
        found[f"{name}_sd"] = statistics.stdev(values) if is_known and len(values) > 1 else None
    return found


def _confusion(runs: Table) -> Table:
    """Averages the confusion counts of each arm's runs."""
    columns = (
        ARM,
        Column("runs", "Completed runs in the mean", unit="runs", form="count"),
        *(
            Column(column.name, f"{column.meaning}, mean over runs", unit="reviews", form="count")
            for column in runs.columns[-4:]
        ),
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for arm in dict.fromkeys(runs.column("arm")):
        mine = [row for row in runs.records() if row["arm"] == arm]
        means = {
            column.name: math.fsum(float(row[column.name] or 0) for row in mine) / len(mine)
            for column in columns[2:]
        }
        rows.append({"arm": arm, "runs": len(mine), **means})
    return table("confusion", "Confusion matrix of one arm", columns, rows)
