"""Columns that several tables share: one name and one explanation for each."""

import math
from collections.abc import Sequence
from typing import Any

from lstm_study.objectives import OBJECTIVES
from lstm_study.records import Run, Trial
from lstm_study.report.tables.table import Column, cells_of
from lstm_study.spec import StudySpec

PARAMETER_COUNT = Column(
    "parameter_count", "Trainable parameters of the network", unit="numbers", form="count"
)
PREDICTING_PARAMETERS = Column(
    "parameter_count", "Trainable parameters of all networks that a prediction takes; of the "
    "classical control, its features", unit="numbers", form="count",
)  # fmt: skip
STATUS = Column("status", "completed, failed, interrupted or running")
SECONDS = Column("seconds", "Training time, over all restarts", form="duration")
SECONDS_PER_EPOCH = Column("seconds_per_epoch",
                           "Mean time of an epoch's training steps, without validation",
                           form="duration")  # fmt: skip
SEED = Column("seed", "Seed of weights, dropout and shuffling", form="text")
WORKER = Column("worker", "Process that trained it last")
STARTED_AT = Column("started_at", "When training began, ISO 8601, UTC", form="date")
ENDED_AT = Column("ended_at", "When it completed or failed, ISO 8601, UTC", form="date")
ARM = Column("arm", "Arm of the comparison: baseline, winner, ...")
RUN_ID = Column("run_id", "Run: arm and seed index")
TRIAL_ID = Column("trial_id", "Trial: bracket, slot, round")
ROLE = Column("role", "search; control: random control, which cannot win; finalist")
BUDGET = Column("budget_epochs", "Epochs after which the trial ends, including its parent's",
                unit="epochs", form="count")  # fmt: skip
BRACKET = Column(
    "bracket", "Hyperband bracket; in bracket 0 every trial has the full budget", form="count"
)
ROUND = Column("round", "Round of halving within the bracket, from 0", form="count")
ITERATION = Column("iteration", "Pass over all brackets, from 0", form="count")
DIFFERENCE = Column("difference", "Mean test accuracy, candidate minus reference", form="points")
INTERVAL = (
    Column("low", "Lower end of its interval", form="points"),
    Column("high", "Upper end of its interval", form="points"),
    Column("level", "Confidence level", form="share"),
)
P_VALUE = Column("p_value", "Two-sided, of the test that the interval inverts", form="probability")
EPOCH = Column("epoch", "Number of the epoch, from 1", unit="epochs", form="count")


def hyperparameter_columns(spec: StudySpec) -> tuple[Column, ...]:
    """Returns a column for each hyperparameter that concerns a study."""
    rows = [spec.space.rows[name] for name in spec.hyperparameters]
    return tuple(Column(row.name, row.meaning, unit=row.unit, form=row.form) for row in rows)


def short_name_column(spec: StudySpec) -> Column:
    """Returns the column of a configuration's short name."""
    own = "Its hyperparameters in short"
    return Column("label", own if spec.builder else "Embedding width / LSTM units")


def seconds_per_epoch(training: Trial | Run) -> float | None:
    """Returns the mean seconds of a training's epochs; None where it trained none."""
    if not training.epochs:
        return None
    return math.fsum(epoch.train_seconds for epoch in training.epochs) / len(training.epochs)


def training_cells(training: Trial | Run, columns: Sequence[Column]) -> dict[str, Any]:
    """Returns a training's row in a table of trials or of runs."""
    return cells_of(
        training,
        columns,
        **training.configuration.as_dict(),
        epochs_trained=len(training.epochs),
        seconds_per_epoch=seconds_per_epoch(training),
        parameter_count=training.trainable_parameters,
        error=training.failure.message if training.failure else None,
    )


def measure_form(objective: str) -> str:
    """Returns how values of an objective are written."""
    return "percent" if OBJECTIVES[objective].is_share else "loss"


TEST_ACCURACY = Column(
    "test_accuracy", "Share of test reviews classified correctly", form="percent"
)
