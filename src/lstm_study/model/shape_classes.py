"""Shape classes: which networks one compiled program can train at once, and how many classes pay.

A program's shape is the size of its arrays. Everything else is data to it: seeds, rates, learning
rate and its schedule, clipping, decay, order of reviews, budget, whether padding is masked; and of
the sizes a member's own vocabularies, maxlen, embedding width and units, as long as they are no
larger than the class's. A class whose program pools, has pairs or drops words also trains members
that do not.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Self

from lstm_study.configuration import Configuration
from lstm_study.spec import ProtocolTable

FEWEST_UNITS = 16
_FEATURES = 8
_ROWS = 16

# Milliseconds on an H100 with JAX 0.11, fitted to steps of 64 reviews × 500 tokens (decision 22).
_COMPILING = 5_000.0
# For one step of time, forward and backward, by units: nearly the same for 1 member and for 30.
_LATENCY = {16: 0.004, 32: 0.004, 64: 0.007, 128: 0.019}
_LATENCY_OF_THE_LOOP = 0.056
# A member's share of a step: of the embedding's update, and of everything that depends on time.
_PER_WEIGHT = 1.0e-8
_PER_PRODUCT = 5.75e-8 / 64


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ShapeClass:
    """The sizes of a population's arrays.

    Attributes:
        vocabulary_size: Rows of the embedding.
        maxlen: Tokens of a review.
        embedding_dim: Columns of the embedding, a multiple of 8.
        lstm_units: Units of each layer, a power of two from 16 on.
        lstm_layers: Layers, one above the other.
        batch_size: Reviews of a batch; its rows are the next multiple of 16.
        directions: In how many each layer reads, 1 or 2.
        pair_rows: Rows of the pairs' embedding; 0 where no member has pairs.
        pools: Whether the outputs of every step are pooled; else the last one alone is used.
        drops_words: Whether any member has word dropout, which is drawn on the processor.
    """

    vocabulary_size: int
    maxlen: int
    embedding_dim: int
    lstm_units: int
    lstm_layers: int
    batch_size: int
    directions: int = 1
    pair_rows: int = 0
    pools: bool = False
    drops_words: bool = False

    @classmethod
    def of(cls, configuration: Configuration, *, batch_size: int) -> Self:
        """Returns the smallest class that a configuration fits.

        Args:
            configuration: The hyperparameters.
            batch_size: Reviews of a batch where the configuration does not say it.

        Example:
            >>> ShapeClass.of(Configuration(), batch_size=64).lstm_units
            128
        """
        return cls(
            vocabulary_size=configuration.vocabulary_size,
            maxlen=configuration.maxlen,
            embedding_dim=-(-configuration.embedding_dim // _FEATURES) * _FEATURES,
            lstm_units=max(FEWEST_UNITS, 1 << (configuration.lstm_units - 1).bit_length()),
            lstm_layers=configuration.lstm_layers,
            batch_size=configuration.batch_size or batch_size,
            directions=configuration.directions,
            pair_rows=configuration.pair_rows,
            pools=configuration.pooling != "last",
            drops_words=configuration.word_dropout > 0,
        )

    def __str__(self) -> str:
        """In words: "128/128 ↔ pooled, 500 tokens of 50,000 words, batches of 64"."""
        layers = f"×{self.lstm_layers}" if self.lstm_layers > 1 else ""
        shape = " ↔" * (self.directions > 1) + " pooled" * self.pools
        pairs = f" and {self.pair_rows:,} pairs" if self.pair_rows else ""
        return (
            f"{self.embedding_dim}/{self.lstm_units}{layers}{shape}, {self.maxlen} tokens of "
            f"{self.vocabulary_size:,} words{pairs}, batches of {self.batch_size}"
        )

    @property
    def rows(self) -> int:
        """Rows of a batch's arrays."""
        return -(-self.batch_size // _ROWS) * _ROWS

    def holds(self, other: Self) -> bool:
        """Whether every network of another class fits this one."""
        return self.is_joinable(other) and self.joined(other) == self

    def is_joinable(self, other: Self) -> bool:
        """Whether one class can hold both: layers, directions and batches can't be padded."""
        return (self.lstm_layers, self.directions, self.batch_size) == (
            other.lstm_layers,
            other.directions,
            other.batch_size,
        )

    def joined(self, other: Self) -> Self:
        """Returns the smallest class that holds both."""
        return type(self)(
            vocabulary_size=max(self.vocabulary_size, other.vocabulary_size),
            maxlen=max(self.maxlen, other.maxlen),
            embedding_dim=max(self.embedding_dim, other.embedding_dim),
            lstm_units=max(self.lstm_units, other.lstm_units),
            lstm_layers=self.lstm_layers,
            batch_size=self.batch_size,
            directions=self.directions,
            pair_rows=max(self.pair_rows, other.pair_rows),
            pools=self.pools or other.pools,
            drops_words=self.drops_words or other.drops_words,
        )

    @property
    def member_bytes(self) -> int:
        """Memory that a member needs, about: weights, moments, gradient; what a step keeps.

        Weights and moments are there twice while a checkpoint is fetched. A step keeps inputs,
        gates, their gradients, states and carries in single precision.
        """
        weights = (self.vocabulary_size + self.pair_rows) * self.embedding_dim
        units = self.lstm_layers * self.directions * self.lstm_units
        # Pooled, a layer's outputs have a gradient at every step; pairs are rows of their own.
        layers = units * (16 if self.pools else 14)
        layers += self.embedding_dim * 8 * self.directions * (2 if self.pair_rows else 1)
        return 4 * (8 * weights + self.maxlen * self.rows * layers)


def why_alone(protocol: ProtocolTable, configuration: Configuration) -> str:
    """Says why a training can't be a member of a population; empty where it can."""
    if configuration.own is not None:
        return "a builder of one's own: populations train the LSTM"
    if protocol.optimizer != "adam":
        return f"optimizer {protocol.optimizer!r}: populations train with Adam"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Trainings to come of one smallest class, as far as the plan of classes depends on them.

    Attributes:
        shape: That class.
        longest: Epochs of the longest one.
        epochs: Of all together; an expectation where what will be proposed is unknown.
    """

    shape: ShapeClass
    longest: int
    epochs: float


def plan_classes(works: Iterable[Work], *, steps: int) -> dict[ShapeClass, ShapeClass]:
    """Says which class each training of a plan runs in, so that all together take least time.

    Classes are joined, two at a time and the most profitable first, as long as that saves time: one
    program less to compile, and one population instead of two that take turns, against the padding
    of the smaller.

    Args:
        works: The plan's trainings.
        steps: Training steps of an epoch.

    Returns:
        The class of each training's own smallest class. Equal works give equal classes, in
        whatever order they come.
    """
    by_shape: dict[ShapeClass, list[Work]] = {}
    for work in works:
        by_shape.setdefault(work.shape, []).append(work)
    groups = {number: by_shape[shape] for number, shape in enumerate(sorted(by_shape))}
    costs = {number: _milliseconds(group, steps) for number, group in groups.items()}

    def saved(a: int, b: int) -> float:
        if not groups[a][0].shape.is_joinable(groups[b][0].shape):
            return 0.0
        return costs[a] + costs[b] - _milliseconds(groups[a] + groups[b], steps)

    savings = {(a, b): saved(a, b) for a, b in itertools.combinations(groups, 2)}
    while savings:
        # Of equal savings the first.
        a, b = max(savings, key=lambda pair: (savings[pair], -pair[0], -pair[1]))
        if savings[a, b] <= 0:
            break
        groups[a] += groups.pop(b)
        costs[a] = _milliseconds(groups[a], steps)
        savings = {
            (c, d): saved(c, d) if a in (c, d) else known
            for (c, d), known in savings.items()
            if b not in (c, d)
        }
    return {work.shape: _class_of(group) for group in groups.values() for work in group}


def _class_of(group: Sequence[Work]) -> ShapeClass:
    return reduce(ShapeClass.joined, (work.shape for work in group))


def _milliseconds(group: Sequence[Work], steps: int) -> float:
    """Time of a population of all these trainings, begun together."""
    shape = _class_of(group)
    latency = _LATENCY.get(shape.lstm_units, _LATENCY_OF_THE_LOOP)
    together = max(work.longest for work in group) * steps
    each = sum(work.epochs for work in group) * steps
    weights = (shape.vocabulary_size + shape.pair_rows) * shape.embedding_dim
    products = shape.maxlen * shape.rows * shape.embedding_dim * shape.lstm_units * shape.directions
    return (
        _COMPILING
        + together * shape.maxlen * shape.lstm_layers * latency
        + each * (_PER_WEIGHT * weights + _PER_PRODUCT * products * shape.lstm_layers)
    )
