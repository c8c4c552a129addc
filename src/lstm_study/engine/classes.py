"""The shape classes of a study, planned from its spec: what a worker may train together."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from lstm_study.configuration import Configuration
from lstm_study.model.shape_classes import ShapeClass, Work, plan_classes, why_alone
from lstm_study.schedule import hyperband
from lstm_study.spec import StudySpec
from lstm_study.spec.dimensions import Choices, Range

_VALUES_OF_A_RANGE = 5
# IMDB's own, where the spec takes no part of the reviews.
_REVIEWS = 20_000


class Classes:
    """The shape classes of a study.

    They are the same for search and comparison, so that a program is compiled once. What the search
    will propose is unknown: every size of the space stands for its share of the epochs.
    """

    def __init__(self, spec: StudySpec) -> None:
        self._protocol = spec.protocol
        reviews = spec.data.train_limit or _REVIEWS
        steps = -(-reviews // spec.protocol.batch_size)
        planned = set(plan_classes(_works(spec), steps=steps).values())
        self._planned = sorted(planned, key=lambda shape: shape.member_bytes)

    @property
    def planned(self) -> tuple[ShapeClass, ...]:
        """The classes, the one of the smallest members first."""
        return tuple(self._planned)

    def of(self, configuration: Configuration) -> ShapeClass | None:
        """Returns the class of a training; None for one that trains alone."""
        if why_alone(self._protocol, configuration):
            return None
        own = ShapeClass.of(configuration, batch_size=self._protocol.batch_size)
        return next((shape for shape in self._planned if shape.holds(own)), own)


def _works(spec: StudySpec) -> Iterator[Work]:
    if spec.builder is not None:
        return
    batch_size = spec.protocol.batch_size
    space = {name: _values(each) for name, each in spec.space.dimensions().items()}
    largest = {name: max(space[name]) for name in ("vocabulary_size", "maxlen")}
    sizes = [
        {"embedding_dim": width, "lstm_units": units, "lstm_layers": layers}
        for width, units, layers in itertools.product(
            space["embedding_dim"], space["lstm_units"], space["lstm_layers"]
        )
    ]
    for size in sizes:
        configuration = Configuration(**size, **largest)
        yield Work(
            shape=ShapeClass.of(configuration, batch_size=batch_size),
            longest=spec.search.max_epochs,
            epochs=_search_epochs(spec) / len(sizes),
        )
    yield Work(
        shape=ShapeClass.of(spec.baseline.configuration, batch_size=batch_size),
        longest=spec.protocol.epochs,
        epochs=float(spec.compare.seeds * spec.protocol.epochs),
    )


def _search_epochs(spec: StudySpec) -> float:
    search = spec.search
    if search.tuner == "hyperband":
        brackets = hyperband(
            max_epochs=search.max_epochs, factor=search.factor, iterations=search.iterations
        )
        return float(sum(bracket.epochs for bracket in brackets))
    return float((search.max_trials or 1) * search.max_epochs)


def _values(dimension: Any) -> list[Any]:
    """Returns a dimension's values, or some of a range, its ends included."""
    if isinstance(dimension, Choices):
        return list(dimension.choices)
    if isinstance(dimension, Range):
        spread = np.geomspace if dimension.min > 0 else np.linspace
        values = spread(dimension.min, dimension.max, _VALUES_OF_A_RANGE)
        return sorted({*values.round().astype(int).tolist(), int(dimension.max)})
    return [dimension.value]
