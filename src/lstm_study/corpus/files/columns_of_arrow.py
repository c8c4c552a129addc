"""Columns as Arrow holds them, which is how Parquet is read, too."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from lstm_study.corpus.files.column_names import close_names
from lstm_study.corpus.files.input_files import InputFile
from lstm_study.errors import DataError

BATCH_ROWS = 4_096
"""How many rows are held as Python's values at a time."""
_HUGGING_FACE, _CLASSES = b"huggingface", b"lstm_study.class_names"


def class_names(schema: Any, column: str) -> tuple[str, ...]:
    """Returns the names that Hugging Face's ClassLabel gives to a column's numbers, from 0.

    Args:
        schema: That of `OpenFile`; None for files without one.
        column: The column.

    Returns:
        The names; none if the file does not have any.
    """
    if schema is None or schema.get_field_index(column) < 0:
        return ()
    return tuple(json.loads((schema.field(column).metadata or {}).get(_CLASSES, b"[]")))


def class_name(value: Any, names: Sequence[str]) -> Any:
    """Returns the name of a number that has one, None for -1 (no class); else the value itself."""
    if not names or not isinstance(value, int) or isinstance(value, bool) or value >= len(names):
        return value
    return names[value] if value >= 0 else None


def check_wanted(member: InputFile, wanted: Sequence[str], names: Sequence[str]) -> None:
    """Refuses a file that lacks a column, or has two of its name.

    Raises:
        DataError: It does.
    """
    if twice := [name for name in dict.fromkeys(wanted) if names.count(name) > 1]:
        raise DataError(
            f"{member}: must have one column {twice[0]!r}. Received: {names.count(twice[0])} of "
            "them. Rename one."
        )
    for name in wanted:
        if name not in names:
            raise DataError(close_names(name, names, where=str(member)))


def text_schema(schema: Any) -> Any:
    """Returns a schema without what programs noted in it, but for the names of classes."""
    features: Any = {}
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        features = json.loads((schema.metadata or {})[_HUGGING_FACE])["info"]["features"]
    schema = schema.remove_metadata()
    for place, name in enumerate(schema.names):
        field = schema.field(place).remove_metadata()
        feature = features.get(name) if isinstance(features, dict) else None
        names = feature.get("names") if isinstance(feature, dict) else None
        if isinstance(names, list) and all(isinstance(each, str) for each in names):
            field = field.with_metadata({_CLASSES: json.dumps(names)})
        schema = schema.set(place, field)
    return schema


def values_by_row(
    batches: Iterable[Any], columns: Sequence[str], done: list[int]
) -> Iterator[tuple[None, tuple[Any, ...]]]:
    """Yields the values of each row; `done` counts the bytes of the batches."""
    for batch in batches:
        lists = [_values(batch.column(name)) for name in columns]
        yield from ((None, row) for row in zip(*lists, strict=True))
        done[0] += batch.nbytes


def _values(column: Any) -> list[Any]:
    """Returns a column's values; bytes that are UTF-8 are text, which some programs write so."""
    import pyarrow

    kind = column.type
    if pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind):
        with suppress(pyarrow.ArrowInvalid):
            column = column.cast(pyarrow.large_string())
    return list(column.to_pylist())
