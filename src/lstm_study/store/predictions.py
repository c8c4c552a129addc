"""Reads and writes the test probabilities of runs, and the test labels: one array a file."""

import gzip
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_study.errors import RecordError
from lstm_study.files import array_from, digest_of, open_regular, read_bytes, write_array
from lstm_study.records import Control, CorpusSummary, Run
from lstm_study.records.consistency import of_predictions
from lstm_study.records.kinds import kind_of
from lstm_study.store.files import StudyFiles
from lstm_study.store.repair_advice import repair_advice

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_KIND = kind_of("predictions/labels.npy")
_MOST_REVIEWS = 2**22
# For a compressed copy: its size says little, and its corpus.json may be of unknown origin.
_MOST_REVIEWS_PACKED = 2**24
_HEADER_BYTES = 4_096
_NUMBER_BYTES = 8


class PredictionFiles(StudyFiles):
    """The files of one study, its arrays included."""

    def write_predictions(
        self, run_id: str, probabilities: "NDArray[np.float32]", labels: "NDArray[np.int8]"
    ) -> None:
        """Writes one run's test probabilities, float32 [reviews], and the labels, int8 [reviews].

        The order of reviews is the test half's own, the same for every run of a study.
        """
        for name, array in (("labels", labels), (run_id, probabilities)):
            write_array(self.folder / "predictions" / f"{name}.npy", array)
            self.ledger.note(f"predictions/{name}.npy", digest_of(array))

    def read_predictions(self, name: str) -> "NDArray[Any] | None":
        """Reads one run's test probabilities, or "labels"; None where there are none.

        Raises:
            RecordError: They are damaged, or not those that were written.
        """
        path = self.folder / "predictions" / f"{name}.npy"
        digest = self.ledger.files().get(f"predictions/{name}.npy")
        with repair_advice(_KIND):
            array = _read_array(path, most=self._test_reviews() or _MOST_REVIEWS)
            if array is not None and digest is not None and digest_of(array) != digest:
                raise RecordError(f"{path}: its numbers were changed after it was written.")
        return array

    def _test_reviews(self) -> int:
        """Returns how many test reviews there are; 0 where the record that says it can't be read.

        Its damage is not that of the predictions, which carry their own digests.
        """
        with suppress(RecordError):
            corpus = self.read(CorpusSummary)
            return corpus.test_reviews if corpus is not None else 0
        return 0

    def read_evaluated(
        self, name: str, record: Run | Control, labels: "NDArray[Any] | None"
    ) -> "NDArray[Any]":
        """Reads the test probabilities of a run that was evaluated.

        Raises:
            RecordError: They are missing, damaged, or not those of the run's record.
        """
        path = self.folder / "predictions" / f"{name}.npy"
        found = self.read_predictions(name)
        with repair_advice(_KIND):
            for file, array in ((path.with_name("labels.npy"), labels), (path, found)):
                if array is None:
                    raise RecordError(f"{file}: is missing, and {name} was evaluated on test.")
            assert labels is not None
            assert found is not None
            if reason := of_predictions(record, found, labels):
                raise RecordError(f"{path}: {reason}.")
        return found


def _read_array(path: Path, *, most: int) -> "NDArray[Any] | None":
    """Reads an array of so many numbers at most, or its compressed copy; None without either."""
    limit = _HEADER_BYTES + _NUMBER_BYTES * most
    packed = path.with_name(f"{path.name}.gz")
    found = path if path.exists() or not packed.exists() else packed
    try:
        if found is path:
            return array_from(read_bytes(path, limit=limit))
        limit = min(limit, _HEADER_BYTES + _NUMBER_BYTES * _MOST_REVIEWS_PACKED)
        with open_regular(packed) as file, gzip.GzipFile(fileobj=file) as unpacked:
            read_bytes(packed, limit=limit)
            data = unpacked.read(limit + 1)
            if len(data) > limit:
                raise ValueError(f"holds more than {limit:,} bytes")
            return array_from(data)
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise RecordError(f"{found}: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    return str(error) if type(error) is ValueError else f"is damaged ({error})"
