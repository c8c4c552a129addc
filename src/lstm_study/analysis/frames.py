"""Records as pandas data frames."""

from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from lstm_study.records import Run, Trial

if TYPE_CHECKING:
    import pandas as pd


def frame_of(
    records: Iterable[Trial] | Iterable[Run], kind: type[Trial] | type[Run]
) -> "pd.DataFrame":
    """Returns one row per record, a column per field and per hyperparameter.

    Instead of the history there is `epochs_trained`, instead of the failure its `failure_kind` and
    `failure_message`. Times are timestamps in UTC.
    """
    import pandas as pd

    rows = [_row(record) for record in records]
    frame = pd.DataFrame(rows, columns=None if rows else [field.name for field in fields(kind)])
    return _with_times(frame)


def epochs_frame(records: Iterable[Trial | Run]) -> "pd.DataFrame":
    """Returns one row per epoch of every trial or run, with its id."""
    import pandas as pd

    return _with_times(
        pd.DataFrame(
            [
                {"id": record.training_id}
                | {field.name: getattr(epoch, field.name) for field in fields(epoch)}
                for record in records
                for epoch in record.epochs
            ]
        )
    )


def _with_times(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Turns the columns of times into timestamps in UTC; what has not happened is NaT."""
    import pandas as pd

    for name in ("started_at", "ended_at"):
        if name in frame:
            frame[name] = pd.to_datetime(frame[name].replace("", None), utc=True, format="ISO8601")
    return frame


def _row(record: Trial | Run) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name == "configuration":
            row |= value.as_dict()
        elif field.name == "epochs":
            row["epochs_trained"] = len(value)
        elif field.name == "failure":
            row["failure_kind"] = value.kind if value else None
            row["failure_message"] = value.message if value else None
        else:
            row[field.name] = value
    return row
