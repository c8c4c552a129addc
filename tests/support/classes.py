"""Shape classes of populations in tests and benchmarks."""

import functools
from collections.abc import Sequence
from typing import Any

from lstm_study.model.shape_classes import ShapeClass


def class_of(trainings: Sequence[Any]) -> ShapeClass:
    """Returns the smallest class that holds some trainings, all of one batch size and depth."""
    return functools.reduce(
        ShapeClass.joined,
        (ShapeClass.of(each.configuration, batch_size=each.batch_size) for each in trainings),
    )
