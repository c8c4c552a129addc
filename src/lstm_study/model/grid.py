"""The configurations of a space whose values can be counted: how many they are, and all of them."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstm_study.configuration import Configuration, Hyperparameter
from lstm_study.spec import Choices, Fixed, Range, SpaceTable


def dimension_values(row: Hyperparameter, dimension: Range | Choices | Fixed) -> list[Any] | None:
    """Returns the values a hyperparameter can take, ascending; None where it is continuous."""
    if isinstance(dimension, Fixed):
        return [row.typed(dimension.value)]
    if isinstance(dimension, Choices):
        return sorted(map(row.typed, dimension.choices))
    count = dimension.value_count(whole=row.kind == "integer")
    if math.isinf(count):
        return None
    low, step = dimension.min, dimension.step or 1
    if dimension.sampling == "log":
        return [row.typed(low * step**index) for index in range(int(count))]
    return [row.typed(low + index * step) for index in range(int(count))]


def configuration_count(space: SpaceTable) -> int | None:
    """Returns how many different configurations the space holds; None where it is continuous."""
    if continuous(space):
        return None
    sizes = {name: len(_values(space, name)) for name in space.dimensions()}
    conditions = _conditions(space)
    named = {parent for found in conditions.values() for parent, _ in found}
    parents = [name for name in sizes if name in named]

    def count(left: list[str], kept: dict[str, Any]) -> int:
        # A hyperparameter has one value, the documented one, where its conditions fail.
        if not left:
            return math.prod(
                size
                for name, size in sizes.items()
                if name not in named and _is_active(name, kept, conditions)
            )
        first, rest = left[0], left[1:]
        if not _is_active(first, kept, conditions):
            return count(rest, kept)
        return sum(count(rest, kept | {first: value}) for value in _values(space, first))

    return count(parents, {})


_Conditions = Mapping[str, list[tuple[str, list[Any]]]]


def _conditions(space: SpaceTable) -> _Conditions:
    return {name: space.conditions(name) for name in space.dimensions()}


def continuous(space: SpaceTable) -> list[str]:
    """Returns the names of the hyperparameters that have too many values to count."""
    return [f"space.{name}" for name in space.dimensions() if not _values(space, name)]


def _is_active(name: str, values: Mapping[str, Any], conditions: _Conditions) -> bool:
    """Whether a hyperparameter's conditions hold, and those of the ones it depends on."""
    return all(
        parent in values and values[parent] in on and _is_active(parent, values, conditions)
        for parent, on in conditions[name]
    )


def _values(space: SpaceTable, name: str) -> Sequence[Any]:
    """Returns a dimension's values, ascending; none where it is continuous."""
    row, dimension = space.rows[name], space.dimensions()[name]
    values = dimension_values(row, dimension)
    if values is None and row.kind == "integer":
        assert isinstance(dimension, Range)
        return range(int(dimension.min), int(dimension.max) + 1)  # log sampling without a step
    return values or []


def holds(space: SpaceTable, configuration: Configuration) -> bool:
    """Whether a space whose values can be counted holds the configuration; lists none of it."""
    given, conditions = configuration.as_dict(), _conditions(space)
    active = {
        name: given[name]
        for name in conditions
        if name in given and _is_active(name, given, conditions)
    }
    return space.configuration(active) == configuration and all(
        value in _values(space, name) for name, value in active.items()
    )


def grid(space: SpaceTable) -> Iterator[Configuration]:
    """Yields every configuration of a space that can be counted, the last dimension fastest."""
    names = [name for name in space.dimensions() if list(_values(space, name)) != [None]]
    conditions = _conditions(space)
    firsts = {name: _values(space, name)[0] for name in names if conditions[name]}
    for combination in itertools.product(*(_values(space, name) for name in names)):
        values = dict(zip(names, combination, strict=True))
        inactive = [name for name in firsts if not _is_active(name, values, conditions)]
        if all(values[name] == firsts[name] for name in inactive):  # each configuration once
            yield space.configuration({k: v for k, v in values.items() if k not in inactive})
