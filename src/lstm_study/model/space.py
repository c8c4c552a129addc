"""The hypermodel: a study's `[space]` in Keras Tuner's terms, and back.

The only module that knows Keras Tuner's `HyperParameters`; everyone else has `Configuration`.
"""

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from typing import Any

import keras_tuner

from lstm_study.configuration import HYPERPARAMETERS, Configuration
from lstm_study.errors import SearchError
from lstm_study.model.network import build_model
from lstm_study.seeds import derive
from lstm_study.spec import Choices, Fixed, ProtocolTable, Range, SpaceTable

_RATES = ("dropout", "recurrent_dropout")
_ENUMERABLE = 200_000
_FUTILE_DRAWS = 200


def hyperparameters(space: SpaceTable) -> keras_tuner.HyperParameters:
    """Declares the seven hyperparameters to Keras Tuner.

    A range with a step is declared as the ordered list of its values: Keras Tuner 1.4.8 counts
    them with a floating-point `//` (hp_types/numerical.py) and so never draws the upper end of,
    say, 0 to 0.3 by 0.1.
    """
    hp = keras_tuner.HyperParameters()
    for name, dimension in space.dimensions().items():
        if isinstance(dimension, Fixed):
            hp.Fixed(name, _typed(name, dimension.value))
        elif (values := dimension_values(name, dimension)) is not None:
            hp.Choice(name, values, ordered=True)
        else:
            assert isinstance(dimension, Range)
            hp.Float(name, dimension.min, dimension.max, sampling=dimension.sampling)
    return hp


def dimension_values(name: str, dimension: Range | Choices | Fixed) -> list[Any] | None:
    """Returns the values a hyperparameter can take, ascending; None where it is continuous."""
    if isinstance(dimension, Fixed):
        return [_typed(name, dimension.value)]
    if isinstance(dimension, Choices):
        return sorted(_typed(name, value) for value in dimension.choices)
    low, high, step = dimension.min, dimension.max, dimension.step
    if dimension.sampling == "linear":
        if step is None and name in _RATES:
            return None
        count = math.floor((high - low) / (step or 1) + 1e-9) + 1
        return [_typed(name, low + index * (step or 1)) for index in range(count)]
    if step is not None:
        if step <= 1:
            raise SearchError(
                f"space.{name}.step must be > 1 with log sampling: values are multiplied by it. "
                f"Received: {step:g}."
            )
        count = math.floor(math.log(high / low, step) + 1e-9) + 1
        return [_typed(name, low * step**index) for index in range(count)]
    return None


def configuration_count(space: SpaceTable) -> int | None:
    """Returns how many different configurations the space holds; None where it is continuous."""
    count = 1
    for name, dimension in space.dimensions().items():
        values = dimension_values(name, dimension)
        if values is None and name in _RATES:
            return None
        count *= len(values) if values is not None else _integers(dimension)
    return count


def configuration_of(values: Mapping[str, Any]) -> Configuration:
    """Reads the configuration out of Keras Tuner's values, whose own `tuner/…` keys it ignores."""
    return Configuration.from_dict({name: _typed(name, values[name]) for name in HYPERPARAMETERS})


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
        values = {
            parameter.name: parameter.random_sample(derive(seed, "sample", parameter.name, attempt))
            for parameter in hp.space
        }
        configuration = configuration_of(values)
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
    values = [dimension_values(name, dim) or [] for name, dim in space.dimensions().items()]
    for combination in itertools.product(*values):
        yield configuration_of(dict(zip(HYPERPARAMETERS, combination, strict=True)))


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
    """

    def __init__(self, space: SpaceTable, protocol: ProtocolTable, *, seed: int) -> None:
        super().__init__(name="lstm", tunable=True)
        self.space = space
        self.protocol = protocol
        self.seed = seed

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
        )


def _typed(name: str, value: float) -> int | float:
    # Ten decimals: 3 * 0.1 is a rate of 0.3, not of 0.30000000000000004.
    return round(float(value), 10) if name in _RATES else round(value)


def _integers(dimension: Range | Choices | Fixed) -> int:
    assert isinstance(dimension, Range)
    return int(dimension.max - dimension.min) + 1
