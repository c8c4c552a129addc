"""`[model]` of a study file: a custom builder, and what it declared when it was asked.

A study file gives `builder` alone. A process that imports the file (`model/exploration.py`) finds
out the rest when a study begins, and the study's records hold it from then on.
"""

import re
from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from lstm_study.configuration import STUDYS_OWN, ValueKind
from lstm_study.spec.dimensions import Declared, Fixed, SpecTable
from lstm_study.spec.errors import broken, shown

_BUILDER = re.compile(r"(?P<file>.+\.py):(?P<function>[A-Za-z_]\w*)")


class ModelTable(SpecTable):
    """`[model]`: a function that builds the network, in the place of the LSTM; "" for the LSTM.

    Attributes:
        builder: "my_model.py:build": a file, from the study file's folder, and a function in it.
        sha256: Of the file, as it was when the study began.
        source: Its text.
        is_compiled: Whether the function compiles the baseline's network; else the study does, by
            `[protocol]`. A note in the records alone: the model card asks the exported network.
        parameter_count: Of the largest network that was built when the file was explored.
        hyperparameters: What the function declares, by name, in its order.
    """

    builder: str = ""
    sha256: str = ""
    source: str = ""
    is_compiled: bool = False
    parameter_count: int = Field(default=0, ge=0)
    hyperparameters: dict[str, Declared] | None = None

    @model_validator(mode="after")
    def _names_a_function(self) -> Self:
        if self.builder and not _BUILDER.fullmatch(self.builder):
            raise broken(
                'must name a file and a function in it, as "my_model.py:build"',
                repr(self.builder),
                key="builder",
            )
        return self

    @property
    def file(self) -> str:
        """The file of the builder, as the study file gives it."""
        return self.builder.rpartition(":")[0]

    @property
    def function(self) -> str:
        """The name of the function."""
        return self.builder.rpartition(":")[2]

    @property
    def is_explored(self) -> bool:
        """Whether what the function declares is known."""
        return self.hyperparameters is not None


def with_model(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Fills in what a study with a builder of its own leaves out of `[space]` and `[baseline]`.

    Args:
        tables: A study file's tables, or a record's, with a `model.builder`.

    Raises:
        PydanticCustomError: A table holds what the builder gives, or lacks what it asks for.
    """
    model = tables["model"]
    if isinstance(model, ModelTable):
        model = model.model_dump()
    where = model["builder"]
    if tables.get("space"):
        raise broken(f"must not be given: {where} declares it", "a table", key="space")
    protocol = tables.get("protocol", {})
    if protocol.get("masked"):
        raise broken(
            f"must be false: {where} reads whole, padded reviews", "true", key="protocol.masked"
        )
    declared = model.get("hyperparameters")
    baseline = dict(tables.get("baseline", {}))
    epochs = {name: baseline.pop(name) for name in ("epochs",) if name in baseline}
    for name, value in baseline.items():
        if not isinstance(value, int | float | str):
            raise broken(
                "must be a number, a string, or true or false", shown(value), key=f"baseline.{name}"
            )
    if declared is not None:
        baseline = _complete(baseline, declared, where)
    fields = {name: baseline.pop(name) for name in STUDYS_OWN if name in baseline}
    return {
        **tables,
        "space": {"declared": declared or {}},
        "protocol": {**protocol, "masked": False},
        "baseline": {**fields, **epochs, "own": baseline},
    }


def _complete(
    baseline: Mapping[str, Any], declared: Mapping[str, Any], where: str
) -> dict[str, Any]:
    """Checks the baseline's values and returns them all, in the builder's order."""
    known = {
        name: each if isinstance(each, Declared) else Declared.model_validate(each)
        for name, each in declared.items()
    }
    for name in baseline:
        if name not in known:
            names = ", ".join(known) or "none"
            raise broken(
                f"is not a hyperparameter that {where} declares ({names})",
                repr(baseline[name]),
                key=f"baseline.{name}",
            )
    missing = [
        name
        for name, each in known.items()
        if name not in baseline
        and not isinstance(each.dimension, Fixed)
        and is_active(name, baseline, known)
    ]
    if missing:
        raise broken(
            f"needs a value of every hyperparameter that {where} declares: "
            f"{', '.join(missing)} is missing",
            ", ".join(baseline) or "none",
            key="baseline",
        )
    found = {}
    for name, each in known.items():
        value = baseline.get(name, each.default)
        if not _fits(each.kind, value, each.values()):
            raise broken(_rule(each, where), repr(value), key=f"baseline.{name}")
        found[name] = float(value) if each.kind == "number" else value
    return found


def is_active(name: str, values: Mapping[str, Any], declared: Mapping[str, Declared]) -> bool:
    """Whether a hyperparameter's conditions hold, and those of the ones it depends on.

    Without a value, a hyperparameter is at its default.
    """
    return all(
        parent in declared
        and values.get(parent, declared[parent].default) in on
        and is_active(parent, values, declared)
        for parent, on in (declared[name].dimension.when or {}).items()
    )


def _fits(kind: ValueKind, value: Any, choices: list[Any]) -> bool:
    if kind == "switch":
        return isinstance(value, bool)
    if kind == "choice":
        return isinstance(value, str) and value in choices
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and (kind == "number" or isinstance(value, int))


def _rule(each: Declared, where: str) -> str:
    kinds = {"integer": "an integer", "number": "a number", "switch": "true or false"}
    known = f"one of {', '.join(map(repr, each.values()))}"
    return f"must be {kinds.get(each.kind, known)}, as {where} declares it"
