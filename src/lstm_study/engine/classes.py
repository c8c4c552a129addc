"""The shape classes of a study, planned from its spec: what a worker may train together."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from lstm_study.configuration import HYPERPARAMETERS, Configuration
from lstm_study.model.class_plan import PlannedWork, plan_classes
from lstm_study.model.grid import configuration_count
from lstm_study.model.shape_classes import ShapeClass, why_alone
from lstm_study.schedule import hyperband
from lstm_study.spec import StudySpec
from lstm_study.spec.dimensions import Choices, Range

# What a shape class depends on, beside the largest vocabulary and maxlen.
_SIZES = (
    "embedding_dim", "lstm_units", "lstm_layers", "bidirectional", "pooling",
    "pair_vocabulary_size", "word_dropout", "batch_size",
)  # fmt: skip
_VALUES_OF_A_RANGE = 5
# The training reviews of IMDB, for a spec without `train_limit`.
_REVIEWS = 20_000


class Classes:
    """The shape classes of a study.

    They are the same for search and comparison, so that a program is compiled once. What the search
    will propose is unknown: every size of the space stands for its share of the epochs.
    """

    def __init__(self, spec: StudySpec) -> None:
        self._protocol = spec.protocol
        reviews = spec.data.train_limit or _REVIEWS
        planned: set[ShapeClass] = set()
        # Batches of different sizes are never one program.
        by_batch_size: dict[int, list[PlannedWork]] = {}
        for work in _works(spec):
            by_batch_size.setdefault(work.shape.batch_size, []).append(work)
        for batch_size, works in by_batch_size.items():
            planned.update(plan_classes(works, steps=-(-reviews // batch_size)).values())
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


def _works(spec: StudySpec) -> Iterator[PlannedWork]:
    if spec.builder is not None:
        return
    batch_size = spec.protocol.batch_size
    dimensions = spec.space.dimensions()
    space = {
        name: _values(name, dimensions[name]) for name in ("vocabulary_size", "maxlen", *_SIZES)
    }
    largest = {name: max(space[name]) for name in ("vocabulary_size", "maxlen")}
    # Only whether there are pairs matters; a class that drops words costs no more.
    pairs = space["pair_vocabulary_size"]
    space["pair_vocabulary_size"] = sorted({min(pairs), max(pairs)})
    space["word_dropout"] = [max(space["word_dropout"])]
    space["pooling"] = sorted({"last" if each == "last" else "all" for each in space["pooling"]})
    sizes = [
        dict(zip(_SIZES, values, strict=True))
        for values in itertools.product(*(space[name] for name in _SIZES))
    ]
    for size in sizes:
        configuration = Configuration(**largest, **size)
        yield PlannedWork(
            shape=ShapeClass.of(configuration, batch_size=batch_size),
            longest=spec.search.max_epochs,
            epochs=_search_epochs(spec) / len(sizes),
        )
    epochs = spec.baseline.epochs or spec.protocol.epochs
    yield PlannedWork(
        shape=ShapeClass.of(spec.baseline.configuration, batch_size=batch_size),
        longest=epochs,
        epochs=float(spec.compare.seeds * epochs),
    )


def _search_epochs(spec: StudySpec) -> float:
    search = spec.search
    if search.tuner == "hyperband":
        brackets = hyperband(
            max_epochs=search.max_epochs, factor=search.factor, iterations=search.iterations
        )
        return float(sum(bracket.epochs for bracket in brackets))
    limits = [search.max_trials, configuration_count(spec.space)]
    # The search refuses a grid without either; its baseline can be trained.
    trials = min((each for each in limits if each is not None), default=0)
    return float(trials * search.max_epochs)


def _values(name: str, dimension: Any) -> list[Any]:
    """Returns a hyperparameter's values, or some of a range, its ends included."""
    row = HYPERPARAMETERS[name]
    # A conditional hyperparameter that is inactive has its documented value.
    elsewhere = {row.documented} if dimension.when else set()
    if isinstance(dimension, Choices):
        return list({*dimension.choices, *elsewhere})
    if isinstance(dimension, Range):
        spread = np.geomspace if dimension.min > 0 else np.linspace
        values = map(row.typed, spread(dimension.min, dimension.max, _VALUES_OF_A_RANGE).tolist())
        return sorted({*values, row.typed(dimension.max), *elsewhere})
    return [dimension.value]
