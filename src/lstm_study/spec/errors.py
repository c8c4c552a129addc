"""Messages for the problems of a study file: where · rule · received · next step."""

import difflib
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

_BROKEN = "broken_rule"
_WORDS = {
    "int_type": "must be an integer",
    "int_from_float": "must be an integer",
    "float_type": "must be a number",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "finite_number": "must be a finite number",
    "int_parsing_size": "must be an integer of common size",
}
_PATTERNS = {
    "study.name": "must be lower-case letters, digits and hyphens, 63 at most, the first no hyphen",
    "data.sha256": "must be 64 hexadecimal digits in lower case",
}
_HINTS = {
    "search.max_epochs": " For a quick check, use study/quickstart.toml.",
    "study.seed": " A seed of 0 would mean a random one to Keras Tuner.",
}
_BOUNDS = ("greater_than_equal", "greater_than", "less_than_equal", "less_than")
_RECEIVED = reprlib.Repr()
_RECEIVED.maxstring = _RECEIVED.maxother = 80
_RECEIVED.maxlong = 40
_RECEIVED.maxlevel = 3


def broken(rule: str, received: str, *, key: str = "") -> PydanticCustomError:
    """Returns the error of a rule of our own, to be raised in a validator.

    Args:
        rule: What must hold, as it follows the key: "needs min < max".
        received: What was given, in words.
        key: The key within the table that is validated, where it is not the table itself.
    """
    return PydanticCustomError(_BROKEN, "{rule}", {"rule": rule, "received": received, "key": key})


def shown(value: Any) -> str:
    """Writes a received value in one short line, however large or deep it is."""
    try:
        return _RECEIVED.repr(value)
    except ValueError:  # an integer of more digits than Python writes
        return "an integer of thousands of digits"


def sentences(error: ValidationError, *, where: str, model: type[BaseModel]) -> str:
    """Lists every problem of a study file, each once and in one line.

    Args:
        error: What pydantic found.
        where: What the file is called: its path.
        model: The whole file's model, for the names and limits it allows.
    """
    lines = [_sentence(details, where, model) for details in error.errors(include_url=False)]
    return "\n".join(dict.fromkeys(lines))


def _sentence(details: ErrorDetails, where: str, model: type[BaseModel]) -> str:
    parts = [str(part)[:60] for part in details["loc"]]
    kind, context = details["type"], details.get("ctx", {})
    if kind == _BROKEN:
        key = ".".join(part for part in (*parts, context["key"]) if part)
        return f"{where}: {key} {context['rule']}. Received: {context['received']}."
    key = ".".join(parts)
    if kind == "missing":
        kind_of = "table" if len(parts) == 1 else "key"
        return f"{where}: {key} is missing. Add the {kind_of}; study/imdb.toml shows every one."
    if kind == "extra_forbidden":
        return f"{where}: {key} is not a known {_unknown(parts, model)}"
    received = f"{shown(details['input'])} ({type(details['input']).__name__})"
    rule = _rule(details, key, parts, model, context)
    return f"{where}: {key} {rule}. Received: {received}.{_HINTS.get(key, '')}"


def _rule(
    details: ErrorDetails,
    key: str,
    parts: Sequence[str],
    model: type[BaseModel],
    context: Mapping[str, Any],
) -> str:
    kind = details["type"]
    if kind == "string_pattern_mismatch":
        return _PATTERNS[key]
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind in _BOUNDS:
        return _bounds(parts, model)
    return _WORDS.get(kind, details["msg"][0].lower() + details["msg"][1:])


def _bounds(parts: Sequence[str], model: Any) -> str:
    """States the whole rule of a bounded number: its type and both of its ends."""
    field = None
    for part in parts:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        if field is None:
            return "is out of range"
        model = field.annotation
    assert field is not None
    ends = {type(item).__name__: item for item in field.metadata}
    signs = [
        f"{sign} {getattr(ends[name], attribute):.15g}"
        for name, sign, attribute in (
            ("Ge", ">=", "ge"), ("Gt", ">", "gt"), ("Le", "<=", "le"), ("Lt", "<", "lt"),
        )
        if name in ends and getattr(ends[name], attribute) < 2**31 - 1
    ]  # fmt: skip
    kind = "an integer" if "int" in str(field.annotation) else "a number"
    return f"must be {kind} {' and '.join(signs)}"


def _unknown(parts: Sequence[str], model: type[BaseModel]) -> str:
    known: list[str] = list(model.model_fields)
    if len(parts) > 1:
        known = list(getattr(model.model_fields[parts[0]].annotation, "model_fields", {}))
    if parts[0] == "space" and len(parts) > 2:
        known = ["min", "max", "step", "sampling", "choices", "when"]
    near = difflib.get_close_matches(parts[-1], known, n=1, cutoff=0.5)
    advice = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
    return f"{'table' if len(parts) == 1 else 'key'}. {advice}"
