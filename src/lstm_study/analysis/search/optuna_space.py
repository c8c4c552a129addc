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

from lstm_study.configuration import HYPERPARAMETERS, Configuration
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
    return {
        name: _distribution(
            dimension,
            [getattr(item, name) for item in tried],
            whole=HYPERPARAMETERS[name].kind == "integer",
        )
        for name, dimension in space.dimensions().items()
    }


def parameters(configuration: Configuration) -> dict[str, int | float]:
    """Returns a configuration as Optuna's params, those that `[protocol]` gives left out."""
    return {name: value for name, value in configuration.as_dict().items() if value is not None}


def _distribution(dimension: Any, tried: list[float], *, whole: bool) -> BaseDistribution:
    if not isinstance(dimension, Range):
        values = dimension.choices if isinstance(dimension, Choices) else [dimension.value]
        held = sorted({*values, *tried})
        return CategoricalDistribution([int(value) if whole else float(value) for value in held])
    low, high, step = dimension.min, dimension.max, dimension.step
    log = dimension.sampling == "log"
    if step is not None and not log:
        high = low + math.floor((high - low) / step + 1e-9) * step
    if step is not None and not log:
        steps = [(value - low) / step for value in tried]
        if any(abs(number - round(number)) > 1e-6 for number in steps):
            step = None
    low, high = min(low, *tried) if tried else low, max(high, *tried) if tried else high
    if log:
        step = None
    if step is not None:
        # Optuna wants the range to be a whole number of steps, also where a value widened it.
        high = low + round((high - low) / step) * step
    if whole:
        return IntDistribution(int(low), int(high), log=log, step=int(step or 1))
    return FloatDistribution(float(low), round(float(high), 10), log=log, step=step)
