"""The hypermodel: a study's `[space]` in Keras Tuner's terms, and back.

The only module that knows Keras Tuner's `HyperParameters`; everyone else has `Configuration`.
"""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import keras_tuner
from keras_tuner.src.engine.conditions import Parent

from lstm_study.configuration import Configuration, Hyperparameter
from lstm_study.model.grid import configuration_count, dimension_values, grid
from lstm_study.model.network import build_model
from lstm_study.seeds import derive
from lstm_study.spec import Choices, Fixed, ProtocolTable, Range, SpaceTable

_ENUMERABLE = 200_000
_FUTILE_DRAWS = 200


def hyperparameters(space: SpaceTable) -> keras_tuner.HyperParameters:
    """Declares the hyperparameters to Keras Tuner, with their conditions.

    Conditions are set without `conditional_scope`, which refuses two that are independent, and one
    on a hyperparameter that has a condition of its own.

    A range with a step is declared as the ordered list of its values: Keras Tuner 1.4.8 counts
    them with a floating-point `//` (hp_types/numerical.py) and so never draws the upper end of,
    say, 0 to 0.3 by 0.1.
    """
    hp = keras_tuner.HyperParameters()
    dimensions = list(space.dimensions().items())
    if space.declared is None:  # else parents come first: a builder asks for them first
        # Keras Tuner knows a condition's hyperparameter only once it is declared.
        dimensions.sort(key=lambda item: item[1].when is not None)
    for name, dimension in dimensions:
        if dimension == Fixed(value=None):
            continue  # `[protocol]` gives it
        _declare(hp, space.rows[name], dimension)
        parameter = hp.space[-1]
        parameter.conditions = [Parent(*condition) for condition in space.conditions(name)]
        if not hp.is_active(parameter):
            del hp.values[name]
    return hp


def _declare(
    hp: keras_tuner.HyperParameters, row: Hyperparameter, dimension: Range | Choices | Fixed
) -> None:
    if isinstance(dimension, Fixed):
        hp.Fixed(row.name, row.typed(dimension.value))
    elif (values := dimension_values(row, dimension)) is not None:
        hp.Choice(row.name, values, ordered=row.is_numeric)
    else:
        assert isinstance(dimension, Range)
        hp.Float(row.name, dimension.min, dimension.max, sampling=dimension.sampling)


def draw(space: SpaceTable, *, seed: int) -> Iterator[Configuration]:
    """Draws different configurations until the space is exhausted.

    Each hyperparameter of each draw has a seed of its own. (Keras Tuner seeds the n-th value drawn
    with seed + n, so that two nearby seeds give the same trials, shifted.)

    Args:
        space: The spec's `[space]`.
        seed: The study's seed.

    Yields:
        Configurations, each once.
    """
    hp = hyperparameters(space)
    size = configuration_count(space)
    seen: set[Configuration] = set()
    futile = 0
    for attempt in itertools.count():
        if size is not None and len(seen) == size:
            return
        drawn = {
            parameter.name: parameter.random_sample(derive(seed, "sample", parameter.name, attempt))
            for parameter in hp.space
        }
        active: dict[str, Any] = {}
        for parameter in hp.space:
            if all(condition.is_active(active) for condition in parameter.conditions):
                active[parameter.name] = drawn[parameter.name]
        configuration = space.configuration(active)
        if configuration not in seen:
            futile = 0
            seen.add(configuration)
            yield configuration
            continue
        futile += 1
        if futile == _FUTILE_DRAWS and size is not None and size <= _ENUMERABLE:
            yield from _rest(space, seen, seed=seed)
            return


def _rest(space: SpaceTable, seen: set[Configuration], *, seed: int) -> Iterator[Configuration]:
    """Yields what is left of a small space, shuffled, so that chance can't declare it exhausted."""
    rest = [configuration for configuration in grid(space) if configuration not in seen]
    random.Random(derive(seed, "sample rest")).shuffle(rest)  # noqa: S311
    yield from rest


class LSTMHyperModel(keras_tuner.HyperModel):  # type: ignore[misc]
    """The documented network as a Keras Tuner hypermodel.

    Args:
        space: The spec's `[space]`.
        protocol: The spec's `[protocol]`: optimizer and learning rate.
        seed: Seed of weights and dropout.
        steps: Training steps of the full budget, where a learning rate that falls ends at zero.
    """

    def __init__(
        self, space: SpaceTable, protocol: ProtocolTable, *, seed: int, steps: int = 0
    ) -> None:
        super().__init__(name="lstm", tunable=True)
        self.space = space
        self.protocol = protocol
        self.seed = seed
        self.steps = steps

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Adds the space to Keras Tuner's."""
        hp.merge(hyperparameters(self.space))

    def build(self, hp: keras_tuner.HyperParameters) -> Any:
        """Builds and compiles the network of the values in `hp`."""
        return build_model(
            self.space.configuration(hp.values),
            protocol=self.protocol,
            seed=self.seed,
            masked=self.protocol.masked,
            steps=self.steps,
        )
