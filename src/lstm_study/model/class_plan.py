"""How many shape classes a study has and how many places a population, by what compiling costs.

One program less to compile, and one population instead of two that take turns, are weighed against
the padding of the smaller networks. All constants of this estimate are here. They decide how long a
study takes, never what it finds: where one is wrong, a plan is slower.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lstm_study.model.shape_classes import ShapeClass

_MS_COMPILE_PROGRAM = 5_000.0
"""Compiling one program. Source: 5 to 7 s on two processor cores, and 3 to 6 s with an H100
(decision 22, study/GPU.md)."""
_MS_COMPILE_CLASS = 2 * _MS_COMPILE_PROGRAM
"""Compiling a class: one program that trains and one that predicts, at the least."""
_MS_TIME_STEP_BY_UNITS = {16: 0.004, 32: 0.004, 64: 0.006, 128: 0.010, 256: 0.027}
"""One time step of a layer, forward and backward, nearly the same for 1 member and for 30.

Source: a prototype's steps of 64 reviews × 500 tokens on an H100 with JAX 0.11 (decision 22). For
64 and 128 units it took 0.007 and 0.019, here scaled by the kernels' number of instructions, which
has halved since.
"""
_MS_TIME_STEP_WITHOUT_KERNEL = 0.056
"""Likewise, for more units than the kernels take: the plain loop. Source: the same prototype."""
_MS_PER_WEIGHT = 1.0e-8
"""A member's share of a training step for each weight of its embeddings. Source: the same."""
_MS_PER_PRODUCT = 5.75e-8 / 64
"""A member's share for each product of tokens, rows, features and units. Source: the same."""
_CPU_FACTOR = 100
"""How many times longer a CPU takes for a member's share, at least. Not measured."""


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
    """Returns how many places a population has: each number of places is a program of its own.

    Few different numbers, and a power of two where the idle places cost less than compiling does.

    Args:
        members: How many there are.
        shape: Their class.
        steps: Training steps left for the member that has most of them left.
        on_gpu: Whether the device is a GPU, on which an idle place costs little.

    Example:
        >>> from lstm_study.configuration import Configuration
        >>> of = {"shape": ShapeClass.of(Configuration(), batch_size=64), "on_gpu": True}
        >>> [places_for(members, steps=300, **of) for members in (1, 3, 5, 9, 14, 33)]
        [1, 4, 8, 16, 16, 64]
        >>> [places_for(members, steps=30_000, **of) for members in (1, 3, 5, 9, 14, 33)]
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
    idle = places * steps * _member_milliseconds(shape) * (1 if on_gpu else _CPU_FACTOR)
    return idle > _MS_COMPILE_PROGRAM


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
    """Joins two works in the class that holds both."""
    return PlannedWork(
        shape=a.shape.joined(b.shape),
        longest=max(a.longest, b.longest),
        epochs=a.epochs + b.epochs,
    )


def _milliseconds(work: PlannedWork, steps: int) -> float:
    """Time of a population of all these trainings, begun together."""
    shape = work.shape
    latency = _MS_TIME_STEP_BY_UNITS.get(shape.lstm_units, _MS_TIME_STEP_WITHOUT_KERNEL)
    return (
        _MS_COMPILE_CLASS
        + work.longest * steps * shape.maxlen * shape.lstm_layers * latency
        + work.epochs * steps * _member_milliseconds(shape)
    )


def _member_milliseconds(shape: ShapeClass) -> float:
    """A member's share of a step's time."""
    weights = (shape.vocabulary_size + shape.pair_rows) * shape.embedding_dim
    products = shape.maxlen * shape.rows * shape.embedding_dim * shape.lstm_units * shape.directions
    return _MS_PER_WEIGHT * weights + _MS_PER_PRODUCT * products * shape.lstm_layers
