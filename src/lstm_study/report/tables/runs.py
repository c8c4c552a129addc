"""Tables of the comparison's runs, and their learning curves."""

from collections.abc import Sequence
from typing import Any

from lstm_study.analysis.answer.ablation import ARM as ABLATION
from lstm_study.analysis.answer.arms import CONTROL
from lstm_study.records import Run, StudyRecords
from lstm_study.report.tables.arms import TEST_ACCURACY
from lstm_study.report.tables.columns import (
    ARM,
    ENDED_AT,
    EPOCH,
    PARAMETER_COUNT,
    RUN_ID,
    SECONDS,
    SECONDS_PER_EPOCH,
    SEED,
    STARTED_AT,
    STATUS,
    WORKER,
    configuration_cells,
    hyperparameter_columns,
    parameter_count,
    seconds_per_epoch,
)
from lstm_study.report.tables.table import Column, Table, table
from lstm_study.spec import StudySpec


def run_tables(records: StudyRecords, spec: StudySpec) -> list[Table]:
    """Builds the tables of the runs; without any they have no rows."""
    return [_runs(records, spec), _run_curves(records.runs)]


def _runs(records: StudyRecords, spec: StudySpec) -> Table:
    columns = (
        RUN_ID,
        ARM,
        Column(name="seed_index", form="count",
               meaning="From 1; runs with the same index use the same order of reviews"),
        SEED,
        STATUS,
        Column(name="trained_on",
               meaning="training: all training reviews; train: without the validation reviews"),
        Column(name="masked", meaning="Whether padding was masked and batches grouped by length"),
        TEST_ACCURACY,
        Column(name="test_loss", meaning="Binary cross-entropy on test", form="loss"),
        Column(name="test_reviews", meaning="Reviews evaluated", unit="reviews", form="count"),
        Column(name="test_seconds", meaning="Time of the evaluation, including compilation",
               unit="seconds", form="duration"),
        Column(name="predict_1000_seconds", unit="seconds", form="duration",
               meaning="Time to predict 1,000 reviews, without compilation"),
        Column(name="epochs_trained", meaning="Epochs trained", unit="epochs", form="count"),
        Column(name="protocol_epochs", meaning="Epochs to train", unit="epochs", form="count"),
        Column(name="trained_as", meaning="The run whose training this evaluation is of"),
        SECONDS,
        SECONDS_PER_EPOCH,
        *hyperparameter_columns(spec),
        PARAMETER_COUNT,
        WORKER,
        STARTED_AT,
        ENDED_AT,
        Column(name="error", meaning="Why it failed"),
    )  # fmt: skip
    same = ("run_id", "arm", "seed_index", "seed", "status", "trained_on", "test_accuracy",
            "test_loss", "test_reviews", "test_seconds", "predict_1000_seconds",
            "protocol_epochs", "trained_as", "seconds", "worker", "started_at",
            "ended_at")  # fmt: skip
    rows: list[dict[str, Any]] = [
        configuration_cells(run.configuration)
        | {name: getattr(run, name) for name in same}
        | {
            "masked": "yes" if run.masked else "no",
            "epochs_trained": len(run.epochs),
            "seconds_per_epoch": seconds_per_epoch(run),
            "parameter_count": parameter_count(run),
            "error": run.failure.message if run.failure else None,
        }
        for run in records.runs
    ]
    control = records.control
    if control is not None:
        shared = ("status", "test_accuracy", "test_loss", "test_reviews", "seconds", "worker",
                  "predict_1000_seconds", "started_at", "ended_at")  # fmt: skip
        rows.append(
            dict.fromkeys(column.name for column in columns)
            | {name: getattr(control, name) for name in shared}
            | {
                "run_id": CONTROL,
                "arm": CONTROL,
                "trained_on": "training",
                "parameter_count": control.feature_count,
                "error": control.failure.message if control.failure else None,
            }
        )
    return table(
        "runs", "One run: one training with one seed, on test or on validation", columns, rows
    )


def _run_curves(runs: Sequence[Run]) -> Table:
    measures = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    columns = (
        ARM,
        RUN_ID,
        EPOCH,
        Column(name="measure", meaning="Name of the measure"),
        Column(name="value", meaning="Its value after the epoch", form="loss"),
    )
    return table(
        "run_curves",
        "One measure of one epoch of one run; ablation trainings are in epochs.csv only",
        columns,
        (
            {
                "arm": run.arm,
                "run_id": run.run_id,
                "epoch": epoch.epoch,
                "measure": measure,
                "value": getattr(epoch, measure),
            }
            for run in runs
            if run.arm != ABLATION and not run.trained_as
            for epoch in run.epochs
            for measure in measures
            if getattr(epoch, measure) is not None
        ),
    )
