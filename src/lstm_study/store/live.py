"""What a running command leaves for `status`, `watch` and the next one: where its workers stand.

None of it is synchronised to disk: it may be lost.
"""

import json
from contextlib import suppress

from lstm_study.errors import RecordError
from lstm_study.files import read_bytes, write_text
from lstm_study.records.codec import state_from_json, state_to_json
from lstm_study.records.state import Extent, Live
from lstm_study.store.files import StudyFiles


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
                found[path.stem] = state_from_json(
                    read_bytes(path).decode(errors="replace"), Live, where=str(path)
                )
        return found

    def forget_live(self, worker: str) -> None:
        """Deletes where a worker stood, once it is gone."""
        self.path(Live, worker).unlink(missing_ok=True)

    def write_extent(self, extent: Extent) -> None:
        """Writes how much of the comparison this command trains, for `read_extent`."""
        write_text(self.path(Extent), state_to_json(extent), durable=False)

    def read_extent(self) -> Extent | None:
        """Reads how much of the comparison the running or the last command trains, if it says."""
        try:
            path = self.path(Extent)
            return state_from_json(
                read_bytes(path).decode(errors="replace"), Extent, where=str(path)
            )
        except (OSError, RecordError):
            return None

    def write_time_left(self, stage: str, seconds: float | None) -> None:
        """Writes how long a stage will take, for `read_time_left`; it may be lost."""
        self.check_in_place()
        path = self.folder / "live" / "time-left"
        write_text(path, json.dumps({stage: seconds}), durable=False)

    def read_time_left(self) -> dict[str, float | None]:
        """Reads how long the running stage will take, by its name; empty where none is."""
        try:
            left: dict[str, float | None] = json.loads(
                read_bytes(self.folder / "live" / "time-left")
            )
        except (OSError, ValueError, RecursionError):
            return {}
        return left
