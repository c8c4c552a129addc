"""JSON in which one value at a time is of another kind."""

import copy
from collections.abc import Iterator
from typing import Any

FORGED: tuple[Any, ...] = (
    None, [], {}, "x", -1, True, 10**400, float("nan"), float("inf"), [["x"]], {"x": []}
)  # fmt: skip


def forged(values: dict[str, Any], instead: Any) -> Iterator[dict[str, Any]]:
    """Yields copies of nested objects and lists, each with another value replaced."""
    for *way, last in _places(values):
        changed = copy.deepcopy(values)
        within: Any = changed
        for name in way:
            within = within[name]
        within[last] = instead
        yield changed


def _places(values: Any, *at: Any) -> Iterator[tuple[Any, ...]]:
    for name in values if isinstance(values, dict) else range(len(values)):
        yield (*at, name)
        if isinstance(values[name], dict | list):
            yield from _places(values[name], *at, name)
