"""TensorBoard's event files, kept up to date while a study runs.

TensorBoard follows a growing file. Each file is the rendering of one record, and a later record
of the same training renders to the same bytes followed by more. So an update appends the new bytes,
and after a kill, even midway of a write, the missing ones. No event is written twice.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from lstm_study.errors import ReportError
from lstm_study.records import Run, Trial
from lstm_study.report.formats.tensorboard import (
    FOLDER_NAME,
    event_file,
    experiment_file,
    require_tensorboardx,
)

_STAGES = ("search", "control", "runs")


class LiveTensorBoard:
    """A study's event files.

    Args:
        name: The study's.
        folder: Where the folder `tensorboard` goes; files of another search in it are deleted.

    Raises:
        DependencyError: tensorboardX is not installed.
    """

    def __init__(self, name: str, *, folder: Path) -> None:
        require_tensorboardx()
        self.folder = folder / FOLDER_NAME
        self._name = name
        self._written: dict[str, Trial | Run] = {}
        self._is_swept = False

    def update(self, trainings: Sequence[Trial | Run]) -> None:
        """Brings the files up to date.

        Args:
            trainings: All trials and runs; one that has not started is left out.

        Raises:
            ReportError: The folder can't be written to.
        """
        begun = [training for training in trainings if training.started_at]
        try:
            if not self._is_swept:
                self._sweep({event_file(training)[0] for training in begun})
            if begun:
                first = min(training.started_at for training in begun)
                self._bring_up_to_date(*experiment_file(self._name, begun, began=first))
            for training in begun:
                key = _key(training)
                if self._written.get(key) != training:
                    self._bring_up_to_date(*event_file(training))
                    self._written[key] = training
        except OSError as error:
            raise ReportError(
                f"{self.folder}: cannot be written ({error.strerror or error}). "
                "Free space, or leave out --tensorboard: "
                "`lstm-study report --format tensorboard` writes the same files later."
            ) from error

    def _sweep(self, known: set[str]) -> None:
        """Deletes the folders of trainings that this study does not have."""
        folders = {(self.folder / path).parent for path in known}
        for stage in _STAGES:
            for path in (self.folder / stage).glob("*"):
                if path not in folders:
                    shutil.rmtree(path)
        self._is_swept = True

    def _bring_up_to_date(self, path: str, data: bytes) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        there = file.read_bytes() if file.is_file() else b""
        if not data.startswith(there):
            file.unlink()
            there = b""
        if len(there) < len(data):
            with file.open("ab") as appended:
                appended.write(data[len(there) :])


def _key(training: Trial | Run) -> str:
    return training.trial_id if isinstance(training, Trial) else f"run {training.run_id}"
