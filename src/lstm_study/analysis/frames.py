"""Records as pandas data frames."""

from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_type_hints

from lstm_study.configuration import HYPERPARAMETERS, Configuration
from lstm_study.records import Epoch, Run, Trial

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
    frame = pd.DataFrame(rows, columns=None if rows else _columns(kind))
    return _with_times(_with_numbers(frame, kind))


def epochs_frame(records: Iterable[Trial | Run]) -> "pd.DataFrame":
    """Returns one row per epoch of every trial or run, with its id."""
    import pandas as pd

    names = [field.name for field in fields(Epoch)]
    rows = [
        {"id": record.training_id} | {name: getattr(epoch, name) for name in names}
        for record in records
        for epoch in record.epochs
    ]
    return _with_times(_with_numbers(pd.DataFrame(rows, columns=["id", *names]), Epoch))


def _columns(kind: type[Trial] | type[Run]) -> list[str]:
    """Returns the columns of a frame that has no row to take them from."""
    instead = {
        "configuration": HYPERPARAMETERS,
        "epochs": ["epochs_trained"],
        "failure": ["failure_kind", "failure_message"],
    }
    return [name for field in fields(kind) for name in instead.get(field.name, [field.name])]


def _with_numbers(
    frame: "pd.DataFrame", kind: type[Trial] | type[Run] | type[Epoch]
) -> "pd.DataFrame":
    """Turns columns of numbers that have none yet into such: all are NaN."""
    types = get_type_hints(Configuration) | get_type_hints(kind)
    for name in frame.columns:
        if types.get(name) in (int | None, float | None) and frame[name].isna().all():
            frame[name] = frame[name].astype("float64")
    return frame


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
