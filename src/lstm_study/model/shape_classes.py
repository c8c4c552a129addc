"""Shape classes: which networks one compiled program can train at once, and how many classes pay.

A program's shape is the size of its arrays. Everything else is data to it: seeds, rates, learning
rate and its schedule, clipping, decay, order of reviews, budget, whether padding is masked; and of
the sizes a member's own vocabularies, maxlen, embedding width and units, as long as they are no
larger than the class's. A class whose program pools, has pairs, drops words or clips also trains
members that do not.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from lstm_study.configuration import Configuration
from lstm_study.spec import ProtocolTable

FEWEST_UNITS = 16
READ_ROWS = 128
"""Reviews that a population reads at once, beside training."""

# What populations train beyond the core. What is not here trains alone, a new row of the table too.
_OPENED = frozenset({
    "bidirectional", "pooling", "embedding_dropout", "word_dropout", "output_dropout",
    "pair_vocabulary_size", "learning_rate", "learning_rate_schedule", "clip_norm", "weight_decay",
    "batch_size", "summed_gradients",
})  # fmt: skip
_FEATURES = 8
_ROWS = 16

# Milliseconds on an H100 with JAX 0.11, fitted to steps of 64 reviews × 500 tokens (decision 22).
# A class is a program for each of some sizes of its populations, and as many that read.
_COMPILING = 10_000.0
_COMPILING_A_SIZE = 5_000.0
# For one step of time, forward and backward, by units: nearly the same for 1 member and for 30.
# From 64 units on the prototype's 0.007 and 0.019 by today's number of instructions, which is half.
_LATENCY = {16: 0.004, 32: 0.004, 64: 0.006, 128: 0.010, 256: 0.027}
_LATENCY_OF_THE_LOOP = 0.056
# A member's share of a step: of the embedding's update, and of everything that depends on time.
_PER_WEIGHT = 1.0e-8
_PER_PRODUCT = 5.75e-8 / 64
# How many times longer a processor takes for it, at least; not fitted.
_PROCESSOR = 100


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
        clips: Whether any member's gradient is clipped.
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
    clips: bool = False

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
            clips=configuration.clip_norm > 0,
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
            clips=self.clips or other.clips,
        )

    @property
    def member_bytes(self) -> int:
        """Memory that a member needs, about: weights, moments, gradient; what a step keeps.

        Weights and moments are there twice while a checkpoint is fetched. A step keeps inputs,
        gates, their gradients, states and carries in single precision. Reading takes `READ_ROWS`
        at once, and keeps half as much for each.
        """
        weights = (self.vocabulary_size + self.pair_rows) * self.embedding_dim
        units = self.lstm_layers * self.directions * self.lstm_units
        # Pooled, a layer's outputs have a gradient at every step; pairs are rows of their own.
        layers = units * (16 if self.pools else 14)
        layers += self.embedding_dim * 8 * self.directions * (2 if self.pair_rows else 1)
        return 4 * (8 * weights + self.maxlen * max(self.rows, READ_ROWS // 2) * layers)


def why_alone(protocol: ProtocolTable, configuration: Configuration) -> str:
    """Says why a training can't be a member of a population; empty where it can."""
    if configuration.own is not None:
        return "a custom builder: populations train the LSTM"
    if protocol.optimizer != "adam":
        return f"optimizer {protocol.optimizer!r}: populations train with Adam"
    if others := set(configuration.opened()) - _OPENED:
        return f"{', '.join(sorted(others))}: populations do not know what that changes"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWork:
    """Trainings to come of one smallest class, as far as the plan of classes depends on them.

    Attributes:
        shape: That class.
        longest: Epochs of the longest one.
        epochs: Of all together; an expectation where what will be proposed is unknown.
    """

    shape: ShapeClass
    longest: int
    epochs: float


def plan_classes(works: Iterable[PlannedWork], *, steps: int) -> dict[ShapeClass, ShapeClass]:
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
    by_shape: dict[ShapeClass, PlannedWork] = {}
    for work in works:
        known = by_shape.get(work.shape)
        by_shape[work.shape] = work if known is None else _together(known, work)
    alike: list[list[PlannedWork]] = []
    for shape in sorted(by_shape):
        group = next((each for each in alike if each[0].shape.is_joinable(shape)), None)
        if group is None:
            alike.append(group := [])
        group.append(by_shape[shape])
    planned: dict[ShapeClass, ShapeClass] = {}
    for found in alike:
        planned |= _plan_alike(found, steps)
    return planned


def places_for(members: int, *, shape: ShapeClass, steps: int, on_gpu: bool) -> int:
    """Says how many places a population of some members has: each number is a program of its own.

    Few different numbers, and a power of two where the idle places cost less than compiling does.

    Args:
        members: How many there are.
        shape: Their class.
        steps: Training steps that the one with most to do has left.
        on_gpu: Whether the device is a GPU, on which an idle place costs little.

    Example:
        >>> places = partial(places_for, shape=ShapeClass.of(Configuration(), batch_size=64))
        >>> [places(n, steps=300, on_gpu=True) for n in (1, 3, 5, 9, 14, 33)]
        [1, 4, 8, 16, 16, 64]
        >>> [places(n, steps=30_000, on_gpu=True) for n in (1, 3, 5, 9, 14, 33)]
        [1, 3, 5, 10, 14, 40]
    """
    if members == 0:
        return 0
    coarse = 1 << (members - 1).bit_length()
    if not pays_compiling(coarse - members, shape=shape, steps=steps, on_gpu=on_gpu):
        return coarse
    step = 1 << max(0, members.bit_length() - 3)
    return -(-members // step) * step


def pays_compiling(places: int, *, shape: ShapeClass, steps: int, on_gpu: bool) -> bool:
    """Whether a program without so many idle places saves more than compiling it costs."""
    idle = places * steps * _member_milliseconds(shape) * (1 if on_gpu else _PROCESSOR)
    return idle > _COMPILING_A_SIZE


def _plan_alike(works: Sequence[PlannedWork], steps: int) -> dict[ShapeClass, ShapeClass]:
    """Plans works of different shapes that one class can hold."""
    groups = dict(enumerate(works))
    shapes = {number: [work.shape] for number, work in groups.items()}

    def saved(a: int, b: int) -> float:
        apart = _milliseconds(groups[a], steps) + _milliseconds(groups[b], steps)
        return apart - _milliseconds(_together(groups[a], groups[b]), steps)

    savings = {pair: saved(*pair) for pair in itertools.combinations(groups, 2)}
    while savings:
        # Of equal savings the first.
        a, b = max(savings, key=lambda pair: (savings[pair], -pair[0], -pair[1]))
        if savings[a, b] <= 0:
            break
        groups[a] = _together(groups[a], groups.pop(b))
        shapes[a] += shapes.pop(b)
        for pair in [pair for pair in savings if b in pair]:
            del savings[pair]
        savings |= {pair: saved(*pair) for pair in savings if a in pair}
    return {shape: groups[number].shape for number, own in shapes.items() for shape in own}


def _together(a: PlannedWork, b: PlannedWork) -> PlannedWork:
    """Returns two works as one of the class that holds both."""
    return PlannedWork(
        shape=a.shape.joined(b.shape),
        longest=max(a.longest, b.longest),
        epochs=a.epochs + b.epochs,
    )


def _milliseconds(work: PlannedWork, steps: int) -> float:
    """Time of a population of all these trainings, begun together."""
    shape = work.shape
    latency = _LATENCY.get(shape.lstm_units, _LATENCY_OF_THE_LOOP)
    return (
        _COMPILING
        + work.longest * steps * shape.maxlen * shape.lstm_layers * latency
        + work.epochs * steps * _member_milliseconds(shape)
    )


def _member_milliseconds(shape: ShapeClass) -> float:
    """A member's share of a step's time."""
    weights = (shape.vocabulary_size + shape.pair_rows) * shape.embedding_dim
    products = shape.maxlen * shape.rows * shape.embedding_dim * shape.lstm_units * shape.directions
    return _PER_WEIGHT * weights + _PER_PRODUCT * products * shape.lstm_layers
