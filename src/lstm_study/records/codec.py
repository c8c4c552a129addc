"""Records as JSON and back: equal records give equal bytes.

On disk each record is one JSON object with its `kind` and `schema_version`. Schema history:

* 1: first version.
* 2: trials and runs say whether they were `masked`; those of version 1 were not. The kind
  `review_facts` came later: studies without it have none, and nothing else changed.
* 3: each object ends with its digest; those of versions 1 and 2 have none.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json as parse_json

from lstm_study.configuration import HYPERPARAMETERS
from lstm_study.errors import RecordError
from lstm_study.files import seal, unseal
from lstm_study.records.consistency import contradictions
from lstm_study.records.kinds import BY_TYPE, KINDS

SCHEMA_VERSION = 3
READABLE_VERSIONS = (1, 2, 3)
_SEALED_SINCE = 3
_CORE = {name for name, row in HYPERPARAMETERS.items() if row.is_core}

T = TypeVar("T")


def to_json(record: Any, *, previous: str = "") -> str:
    """Writes a record as one line of JSON; `previous` is the digest of a file's line before it.

    Raises:
        ValueError: A number in it is NaN or infinite: a failed training has no score.
    """
    header = {"kind": BY_TYPE[type(record)].name, "schema_version": SCHEMA_VERSION}
    text = json.dumps(header | json_object(record), allow_nan=False, ensure_ascii=False)
    return seal(text, previous=previous)


def from_json(text: str, kind: type[T], *, where: str, previous: str = "") -> T:
    """Reads what `to_json` wrote as a record of a class; `where` is its path, for errors.

    Raises:
        RecordError: The text is damaged, of another kind, or of a version that can't be read, or
            the record contradicts itself.
    """
    name = BY_TYPE[kind].name
    values, digest = _parse(text, name, where, previous)
    if values.pop("kind", None) != name:
        raise RecordError(f"{where}: is not a {name} record.")
    version = values.pop("schema_version", None)
    if version not in READABLE_VERSIONS:
        raise RecordError(
            f"{where}: schema_version must be 1 to {SCHEMA_VERSION}. Received: {version!r}. "
            "Read it with the version of lstm-study that wrote it."
        )
    if version >= _SEALED_SINCE and not digest:
        raise RecordError(f"{where}: is not a complete {name} record (its digest is missing).")
    record: T = _build(values, name, where)
    _refuse_contradictions(record, where)
    return record


def state_to_json(state: Any) -> str:
    """Writes what a stage remembers as JSON that is readable, too; None is left out."""
    return seal(json.dumps(json_object(state, without_none=True), allow_nan=False, indent=1))


def state_from_json(text: str, kind: type[T], *, where: str) -> T:
    """Reads what `state_to_json` wrote.

    Raises:
        RecordError: The text is damaged, or the state contradicts itself.
    """
    name = BY_TYPE[kind].name
    state: T = _build(_parse(text, name, where)[0], name, where)
    _refuse_contradictions(state, where)
    return state


def _refuse_contradictions(record: Any, where: str) -> None:
    if found := contradictions(record):
        raise RecordError(f"{where}: contradicts itself ({'; '.join(found)}).")


def json_object(record: Any, *, without_none: bool = False) -> dict[str, Any]:
    """Returns a record as a JSON object."""
    values = _adapter(BY_TYPE[type(record)].name).dump_python(
        record, mode="json", by_alias=True, exclude_none=without_none
    )
    found: dict[str, Any] = _without_documented(values)
    return found


def _without_documented(value: Any, *, at: str = "") -> Any:
    """Leaves out of configurations what no study file opened, which reads as documented.

    Args:
        value: A record's values, or a part of them.
        at: The name of the part: configurations are at "configuration", or in "arms" by arm.
    """
    if isinstance(value, list):
        return [_without_documented(item, at=at) for item in value]
    if not isinstance(value, dict):
        return value
    if at in ("configuration", "arms") and value.keys() >= _CORE:
        kept = _CORE if value.get("own") is None else {"vocabulary_size", "maxlen"}
        return {
            name: item
            for name, item in value.items()
            if name in kept
            or item != (HYPERPARAMETERS[name].documented if name in HYPERPARAMETERS else None)
        }
    inside = at == "arms"
    return {
        name: _without_documented(item, at=at if inside else name) for name, item in value.items()
    }


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(next(kind.type for kind in KINDS if kind.name == name))


def _parse(text: str, name: str, where: str, previous: str = "") -> tuple[dict[str, Any], str]:
    try:
        body, digest = unseal(text.rstrip("\n"), previous=previous)
        values = parse_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise RecordError(f"{where}: is not a complete {name} record ({error}).") from error
    if not isinstance(values, dict):
        raise RecordError(f"{where}: is not a {name} record.")
    return values, digest


def _build(values: Mapping[str, Any], name: str, where: str) -> Any:
    try:
        # From JSON, where a list is the only way to say a tuple, strict types can be asked for.
        return _adapter(name).validate_json(json.dumps(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise RecordError(
            f"{where}: is not a complete {name} record ({place}: {first['msg'].lower()})."
        ) from error
