"""What to do about a damaged file of a study, in the error that names it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lstm_study.errors import RecordError, StoreError
from lstm_study.records.kinds import BY_TYPE
from lstm_study.records.state import StudyState


@contextmanager
def repair_advice(kind: Any) -> Iterator[None]:
    """Adds to an error of reading a file of a kind what to do, and what that loses.

    Raises:
        StoreError: The user may not read the file: nothing is wrong with it.
        RecordError: For all else.
    """
    try:
        yield
    except RecordError as error:
        if isinstance(error.__cause__, PermissionError):
            raise StoreError(
                f"{error} Correct its permissions, then run the same command again."
            ) from error
        found = BY_TYPE[kind] if isinstance(kind, type) else kind
        step = "`lstm-study check STUDY.toml --repair` moves it aside"
        if found.type is StudyState:
            step = "Restore it from a copy, or start over with --fresh"
        raise RecordError(f"{error} {step}: {found.lost}.") from error
