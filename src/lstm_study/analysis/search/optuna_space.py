"""The study's space in Optuna's words, for importance and for the storage that its dashboard opens.

Imports optuna, so import it where it is used.
"""

import math
from collections.abc import Iterable
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from lstm_study.configuration import Configuration
from lstm_study.spec import Choices, Range, SpaceTable


def distributions(
    space: SpaceTable, configurations: Iterable[Configuration] = ()
) -> dict[str, BaseDistribution]:
    """Returns Optuna's distribution of every hyperparameter, fixed ones included.

    Args:
        space: The study's.
        configurations: Tried ones. Where one lies outside the space, as a baseline that was let
            into the search may, its hyperparameter's distribution is widened to hold it.
    """
    tried = list(configurations)
    dimensions = space.dimensions()
    return {
        name: _distribution(
            dimensions[name],
            [item.value(name) for item in tried],
            whole=space.rows[name].kind == "integer",
        )
        for name in _names(space)
    }


def parameters(configuration: Configuration, space: SpaceTable) -> dict[str, Any]:
    """Returns a configuration as Optuna's params: the core, and what the space opens."""
    return {name: configuration.value(name) for name in _names(space)}


def _names(space: SpaceTable) -> list[str]:
    opened = space.opened()
    return [name for name, row in space.rows.items() if row.is_core or name in opened]


def _distribution(dimension: Any, tried: list[Any], *, whole: bool) -> BaseDistribution:
    if not isinstance(dimension, Range):
        values = dimension.choices if isinstance(dimension, Choices) else [dimension.value]
        held = sorted({*values, *tried})
        if not isinstance(held[0], bool | str):
            held = [int(value) if whole else float(value) for value in held]
        return CategoricalDistribution(held)
    log = dimension.sampling == "log"
    low, high, step = dimension.min, dimension.max, None if log else dimension.step
    if step is not None:
        high = low + math.floor((high - low) / step + 1e-9) * step
        steps = [(value - low) / step for value in tried]
        if any(abs(number - round(number)) > 1e-6 for number in steps):
            step = None
    low, high = min([low, *tried]), max([high, *tried])
    if step is not None:
        # Optuna wants the range to be a whole number of steps, also where a value widened it.
        high = low + round((high - low) / step) * step
    if whole:
        return IntDistribution(int(low), int(high), log=log, step=int(step or 1))
    return FloatDistribution(float(low), round(float(high), 10), log=log, step=step)
