"""Columns that several tables share, so that one thing is called and explained in one way."""

from lstm_study.configuration import HYPERPARAMETERS, Configuration
from lstm_study.records import Run, Trial
from lstm_study.report.tables.table import Cell, Column

HYPERPARAMETER_COLUMNS = tuple(
    Column(name=row.name, meaning=row.meaning, unit=row.unit, form=row.form)
    for row in HYPERPARAMETERS.values()
)
PARAMETER_COUNT = Column(
    name="parameter_count", meaning="Trainable numbers in the network", unit="numbers", form="count"
)
STATUS = Column(name="status", meaning="completed, failed, interrupted or running")
SECONDS = Column(
    name="seconds", meaning="Time worked, over restarts", unit="seconds", form="duration"
)
SECONDS_PER_EPOCH = Column(
    name="seconds_per_epoch", meaning="Mean time of an epoch's training steps, validation left out",
    unit="seconds", form="duration",
)  # fmt: skip
SEED = Column(name="seed", meaning="Seed of weights, dropout and shuffling", form="text")
WORKER = Column(name="worker", meaning="Process that trained it last")
STARTED_AT = Column(name="started_at", meaning="When training began, ISO 8601, UTC", form="date")
ENDED_AT = Column(
    name="ended_at", meaning="When it completed or failed, ISO 8601, UTC", form="date"
)
ARM = Column(name="arm", meaning="What the comparison compares: baseline, winner, ...")
RUN_ID = Column(name="run_id", meaning="Run: arm and seed index")
TRIAL_ID = Column(name="trial_id", meaning="Trial: bracket, slot, round")
ROLE = Column(name="role", meaning="search, or control: drawn at random beside it, cannot win")
BUDGET = Column(
    name="budget_epochs", meaning="Epochs after which the trial ends, its parent's included",
    unit="epochs", form="count",
)  # fmt: skip
BRACKET = Column(
    name="bracket", meaning="Hyperband's bracket; 0 trains everything in full", form="count"
)
ROUND = Column(name="round", meaning="Round of halving within the bracket, from 0", form="count")
ITERATION = Column(name="iteration", meaning="Pass over all brackets, from 0", form="count")
EPOCH = Column(name="epoch", meaning="Number of the epoch, from 1", unit="epochs", form="count")


def configuration_cells(configuration: Configuration) -> dict[str, Cell]:
    """Returns the values of `HYPERPARAMETER_COLUMNS`."""
    return configuration.as_dict()


def parameter_count(training: Trial | Run) -> int:
    """Returns the parameters of a training's network, as recorded or as its configuration says."""
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
    return objective.replace("_", " ")
