"""`report --format`: a study's records in the formats of other tools."""

from pathlib import Path

from lstm_study.commands.opened import OpenStudy


def write_optuna(study: OpenStudy) -> Path:
    """Writes the search as an Optuna storage into the report's folder, and returns the file."""
    from lstm_study.report.formats.optuna import write_optuna as write

    return write(study.store.read_all(), folder=study.reports)


def write_tensorboard(study: OpenStudy) -> Path:
    """Writes TensorBoard's event files into the report's folder, and returns theirs."""
    from lstm_study.report.formats.tensorboard import write_tensorboard as write

    return write(study.store.read_all(), folder=study.reports)
