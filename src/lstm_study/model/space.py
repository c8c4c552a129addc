"""The hypermodel: a study's `[space]` in Keras Tuner's terms, and back.

The only module that knows Keras Tuner's `HyperParameters`; everyone else has `Configuration`.
"""

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import keras_tuner

from lstm_study.configuration import HYPERPARAMETERS, Configuration
from lstm_study.model.network import build_model
from lstm_study.seeds import derive
from lstm_study.spec import Choices, Fixed, ProtocolTable, Range, SpaceTable

_ENUMERABLE = 200_000
_FUTILE_DRAWS = 200


def hyperparameters(space: SpaceTable) -> keras_tuner.HyperParameters:
    """Declares the hyperparameters to Keras Tuner, conditional ones in their scope.

    A range with a step is declared as the ordered list of its values: Keras Tuner 1.4.8 counts
    them with a floating-point `//` (hp_types/numerical.py) and so never draws the upper end of,
    say, 0 to 0.3 by 0.1.
    """
    hp = keras_tuner.HyperParameters()
    # Keras Tuner knows a condition's hyperparameter only once it is declared.
    for name, dimension in sorted(
        space.dimensions().items(), key=lambda item: item[1].when is not None
    ):
        if dimension == Fixed(value=None):
            continue  # `[protocol]` gives it
        condition = space.condition(name)
        with hp.conditional_scope(*condition) if condition else nullcontext():
            _declare(hp, name, dimension)
    return hp


def _declare(
    hp: keras_tuner.HyperParameters, name: str, dimension: Range | Choices | Fixed
) -> None:
    row = HYPERPARAMETERS[name]
    if isinstance(dimension, Fixed):
        hp.Fixed(name, row.typed(dimension.value))
    elif (values := dimension_values(name, dimension)) is not None:
        hp.Choice(name, values, ordered=row.is_numeric)
    else:
        assert isinstance(dimension, Range)
        hp.Float(name, dimension.min, dimension.max, sampling=dimension.sampling)


def dimension_values(name: str, dimension: Range | Choices | Fixed) -> list[Any] | None:
    """Returns the values a hyperparameter can take, ascending; None where it is continuous."""
    row = HYPERPARAMETERS[name]
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
    sizes = {name: _size(name, dimension) for name, dimension in space.dimensions().items()}
    if None in sizes.values():
        return None
    conditions = {name: found for name in sizes if (found := space.condition(name))}
    parents = sorted({parent for parent, _ in conditions.values()})
    count = 0
    # A conditional hyperparameter has one value, the documented one, where its condition fails.
    for values in itertools.product(*(_values(space, parent) for parent in parents)):
        given = dict(zip(parents, values, strict=True))
        active = (
            size
            for name, size in sizes.items()
            if name not in parents
            and (name not in conditions or given[conditions[name][0]] in conditions[name][1])
        )
        count += math.prod(size for size in active if size is not None)
    return count


def _size(name: str, dimension: Range | Choices | Fixed) -> int | None:
    values = dimension_values(name, dimension)
    if values is not None:
        return len(values)
    if HYPERPARAMETERS[name].kind != "integer":
        return None
    assert isinstance(dimension, Range)
    return int(dimension.max - dimension.min) + 1


def _values(space: SpaceTable, name: str) -> list[Any]:
    return dimension_values(name, space.dimensions()[name]) or []


def configuration_of(values: Mapping[str, Any]) -> Configuration:
    """Reads the configuration out of Keras Tuner's values, whose own `tuner/…` keys it ignores."""
    return Configuration.from_dict(values)


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
        configuration = configuration_of(
            {
                parameter.name: drawn[parameter.name]
                for parameter in hp.space
                if all(condition.is_active(drawn) for condition in parameter.conditions)
            }
        )
        if configuration not in seen:
            futile = 0
            seen.add(configuration)
            yield configuration
            continue
        futile += 1
        if futile == _FUTILE_DRAWS and size is not None and size <= _ENUMERABLE:
            yield from _rest(space, seen, seed=seed)
            return


def grid(space: SpaceTable) -> Iterator[Configuration]:
    """Yields every configuration of a space that can be counted, the last dimension fastest."""
    names = [name for name in HYPERPARAMETERS if _values(space, name) != [None]]
    conditions = {name: found for name in names if (found := space.condition(name))}
    firsts = {name: _values(space, name)[0] for name in conditions}
    for combination in itertools.product(*(_values(space, name) for name in names)):
        values = dict(zip(names, combination, strict=True))
        inactive = [name for name, (parent, on) in conditions.items() if values[parent] not in on]
        if all(values[name] == firsts[name] for name in inactive):  # each configuration once
            yield configuration_of({k: v for k, v in values.items() if k not in inactive})


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
            configuration_of(hp.values),
            protocol=self.protocol,
            seed=self.seed,
            masked=self.protocol.masked,
            steps=self.steps,
        )
