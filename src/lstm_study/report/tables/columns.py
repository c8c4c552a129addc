"""Columns that several tables share: one name and one explanation for each."""

from lstm_study.configuration import Configuration, shown
from lstm_study.records import Run, Trial
from lstm_study.report.tables.table import Cell, Column
from lstm_study.spec import StudySpec

PARAMETER_COUNT = Column(
    name="parameter_count", meaning="Trainable numbers in the network", unit="numbers", form="count"
)
STATUS = Column(name="status", meaning="completed, failed, interrupted or running")
SECONDS = Column(
    name="seconds", meaning="Training time, over all restarts", unit="seconds", form="duration"
)
SECONDS_PER_EPOCH = Column(
    name="seconds_per_epoch", meaning="Mean time of an epoch's training steps, without validation",
    unit="seconds", form="duration",
)  # fmt: skip
SEED = Column(name="seed", meaning="Seed of weights, dropout and shuffling", form="text")
WORKER = Column(name="worker", meaning="Process that trained it last")
STARTED_AT = Column(name="started_at", meaning="When training began, ISO 8601, UTC", form="date")
ENDED_AT = Column(
    name="ended_at", meaning="When it completed or failed, ISO 8601, UTC", form="date"
)
ARM = Column(name="arm", meaning="Arm of the comparison: baseline, winner, ...")
RUN_ID = Column(name="run_id", meaning="Run: arm and seed index")
TRIAL_ID = Column(name="trial_id", meaning="Trial: bracket, slot, round")
ROLE = Column(name="role", meaning="search; control: random control, which cannot win; finalist")
BUDGET = Column(
    name="budget_epochs", meaning="Epochs after which the trial ends, including its parent's",
    unit="epochs", form="count",
)  # fmt: skip
BRACKET = Column(
    name="bracket",
    meaning="Hyperband bracket; in bracket 0 every trial has the full budget",
    form="count",
)
ROUND = Column(name="round", meaning="Round of halving within the bracket, from 0", form="count")
ITERATION = Column(name="iteration", meaning="Pass over all brackets, from 0", form="count")
EPOCH = Column(name="epoch", meaning="Number of the epoch, from 1", unit="epochs", form="count")


def hyperparameter_columns(spec: StudySpec) -> tuple[Column, ...]:
    """Returns a column for each hyperparameter that concerns a study."""
    rows = [spec.space.rows[name] for name in spec.hyperparameters]
    return tuple(
        Column(name=row.name, meaning=row.meaning, unit=row.unit, form=row.form) for row in rows
    )


def label_column(spec: StudySpec) -> Column:
    """Returns the column of a configuration's short name."""
    meaning = "Its hyperparameters in short" if spec.builder else "Embedding width / LSTM units"
    return Column(name="label", meaning=meaning)


def configuration_cells(configuration: Configuration) -> dict[str, Cell]:
    """Returns the values of `hyperparameter_columns`."""
    return {
        name: shown(value) if isinstance(value, bool) else value
        for name, value in configuration.as_dict().items()
    }


def parameter_count(training: Trial | Run) -> int:
    """Returns the parameters of a training's network, recorded or from its configuration."""
    return training.parameter_count or training.configuration.parameter_count


def seconds_per_epoch(training: Trial | Run) -> float | None:
    """Returns the mean seconds of a training's epochs; None where it trained none."""
    if not training.epochs:
        return None
    return sum(epoch.train_seconds for epoch in training.epochs) / len(training.epochs)


def measure_form(objective: str) -> str:
    """Returns how values of an objective are written."""
    return "percent" if objective.endswith("accuracy") else "loss"


def in_words(objective: str) -> str:
    """Returns an objective as prose says it: "validation accuracy"."""
    return objective.replace("_auc", " ROC AUC").replace("_", " ")
