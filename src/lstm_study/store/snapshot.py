"""A study's records as they were when first read, for commands that only look."""

from pathlib import Path
from typing import Any, TypeVar

from lstm_study.store import Store

T = TypeVar("T")


class Snapshot(Store):
    """A store that reads each record's file once; for reading alone.

    States, such as where workers stand, are read whenever they are asked for.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._found: dict[Path, Any] = {}

    def outdated(self) -> list[str]:
        """Returns what it does of the files as they are now.

        The search may have ended since its trials were read here.
        """
        return Store(self.folder).outdated() if super().outdated() else []

    def _read(self, path: Path, kind: type[T]) -> T | None:
        if path not in self._found:
            self._found[path] = super()._read(path, kind)
        found: T | None = self._found[path]
        return found
