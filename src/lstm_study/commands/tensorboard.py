"""TensorBoard's event files beside a stage's progress, for `--tensorboard`."""

import time
from typing import Self

from lstm_study.commands.open_study import OpenStudy, Show
from lstm_study.progress.values import Progress
from lstm_study.report.formats.tensorboard import LiveTensorBoard

_EVERY_SECONDS = 5.0


class WithTensorBoard:
    """Shows progress as `show` does, and keeps event files up to date with the records."""

    def __init__(self, show: Show, study: OpenStudy) -> None:
        self._show, self._store = show, study.store
        self._files = LiveTensorBoard(study.spec.study.name, folder=study.reports)
        self._next = 0.0

    def __enter__(self) -> Self:
        self.stage("Events", f"see them with: tensorboard --logdir {self._files.folder}")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # After an error the study may be another process's, or its disk full.
        if kind is None or issubclass(kind, KeyboardInterrupt):
            self._update()

    def stage(self, name: str, detail: str) -> None:
        """Passes it on."""
        self._show.stage(name, detail)

    def progress(self, progress: Progress) -> None:
        """Passes it on, and periodically writes what is new in the records."""
        self._show.progress(progress)
        moment = time.monotonic()
        if moment >= self._next:
            self._next = moment + _EVERY_SECONDS
            self._update()

    def _update(self) -> None:
        self._files.update([*self._store.read_trials(), *self._store.read_runs()])
