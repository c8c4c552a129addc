"""Tables of the comparison's runs, and their learning curves."""

from collections.abc import Sequence

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
    hyperparameter_columns,
    training_cells,
)
from lstm_study.report.tables.table import Column, Table, cells_of, table
from lstm_study.spec import StudySpec


def run_tables(records: StudyRecords, spec: StudySpec) -> list[Table]:
    """Builds the tables of the runs; without any they have no rows."""
    return [_runs(records, spec), _run_curves(records.runs)]


def _runs(records: StudyRecords, spec: StudySpec) -> Table:
    columns = (
        RUN_ID,
        ARM,
        Column("seed_index", "From 1; runs with the same index use the same order of reviews",
               form="count"),
        SEED,
        STATUS,
        Column("trained_on",
               "training: all training reviews; train: without the validation reviews"),
        Column("masked", "Whether padding was masked and batches grouped by length"),
        TEST_ACCURACY,
        Column("test_loss", "Binary cross-entropy on test", form="loss"),
        Column("test_reviews", "Reviews evaluated", unit="reviews", form="count"),
        Column("test_seconds", "Time of the evaluation, including compilation", form="duration"),
        Column("predict_1000_seconds", "Time to predict 1,000 reviews, without compilation",
               form="duration"),
        Column("epochs_trained", "Epochs trained", unit="epochs", form="count"),
        Column("protocol_epochs", "Epochs to train", unit="epochs", form="count"),
        Column("trained_as", "The run whose training this evaluation is of"),
        SECONDS,
        SECONDS_PER_EPOCH,
        *hyperparameter_columns(spec),
        PARAMETER_COUNT,
        WORKER,
        STARTED_AT,
        ENDED_AT,
        Column("error", "Why it failed"),
    )  # fmt: skip
    rows = [training_cells(run, columns) for run in records.runs]
    if (control := records.control) is not None:
        rows.append(
            cells_of(None, columns)
            | cells_of(
                control,
                columns,
                run_id=CONTROL,
                arm=CONTROL,
                trained_on="training",
                parameter_count=control.feature_count,
                error=control.failure.message if control.failure else None,
            )
        )
    title = "One run: one training with one seed, on test or on validation"
    return table("runs", title, columns, rows)


def _run_curves(runs: Sequence[Run]) -> Table:
    measures = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    columns = (
        ARM,
        RUN_ID,
        EPOCH,
        Column("measure", "Name of the measure"),
        Column("value", "Its value after the epoch", form="loss"),
    )
    rows = (
        cells_of(run, columns, epoch=epoch.epoch, measure=measure, value=value)
        for run in runs
        if run.arm != ABLATION and not run.trained_as
        for epoch in run.epochs
        for measure in measures
        if (value := getattr(epoch, measure)) is not None
    )
    title = "One measure of one epoch of one run; ablation trainings are in epochs.csv only"
    return table("run_curves", title, columns, rows)
