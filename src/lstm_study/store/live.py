"""What a running command leaves for `status`, `watch` and the next one: where its workers stand.

None of it is synchronised to disk: it may be lost.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from lstm_study.errors import RecordError
from lstm_study.files import read_bytes, read_object, write_text
from lstm_study.records.codec import state_from_json, state_to_json
from lstm_study.records.state import Extent, Live
from lstm_study.store.files import StudyFiles

T = TypeVar("T")


class LiveFiles(StudyFiles):
    """The files of one study, those of a running command included."""

    def write_live(self, worker: str, live: Live) -> None:
        """Writes where a worker stands; not synchronised to disk, for it may be lost."""
        self.check_in_place()
        path = self.path(Live, worker)
        write_text(path, state_to_json(live), durable=False)

    def read_live(self) -> dict[str, Live]:
        """Reads where each worker stands."""
        found = {}
        for path in self.paths(Live):
            with suppress(OSError, RecordError):
                found[path.stem] = _read(path, Live)
        return found

    def forget_live(self, worker: str) -> None:
        """Deletes where a worker stood, once it is gone."""
        self.path(Live, worker).unlink(missing_ok=True)

    def write_extent(self, extent: Extent) -> None:
        """Writes how much of the comparison this command trains, for `read_extent`."""
        write_text(self.path(Extent), state_to_json(extent), durable=False)

    def read_extent(self) -> Extent | None:
        """Reads how much of the comparison the running or the last command trains, if it says."""
        with suppress(OSError, RecordError):
            return _read(self.path(Extent), Extent)
        return None

    def write_time_left(self, stage: str, seconds: float | None) -> None:
        """Writes how long a stage will take, for `read_time_left`; it may be lost."""
        self.check_in_place()
        path = self.folder / "live" / "time-left"
        write_text(path, json.dumps({stage: seconds}), durable=False)

    def read_time_left(self) -> dict[str, float | None]:
        """Reads how long the running stage will take, by its name; empty where none is."""
        return read_object(self.folder / "live" / "time-left")


def _read(path: Path, kind: type[T]) -> T:
    return state_from_json(read_bytes(path).decode(errors="replace"), kind, where=str(path))
