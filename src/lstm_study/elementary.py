"""Logarithms and exponentials of arrays, with the same bits on every processor.

NumPy chooses its own by the processor's instructions. They may differ in the last bit, and the same
records would give another report. These are the C library's.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray


def log(values: ArrayLike) -> NDArray[np.float64]:
    """Natural logarithms, in the shape given, of numbers above 0."""
    return _each(math.log, values)


def log1p(values: ArrayLike) -> NDArray[np.float64]:
    """Natural logarithms of 1 + x, in the shape given, of numbers above -1."""
    return _each(math.log1p, values)


def exp(values: ArrayLike) -> NDArray[np.float64]:
    """Exponentials, in the shape given, of numbers below 709."""
    return _each(math.exp, values)


def _each(function: Callable[[float], float], values: ArrayLike) -> NDArray[np.float64]:
    given = np.asarray(values, dtype=np.float64)
    found = np.fromiter(map(function, given.ravel().tolist()), dtype=np.float64, count=given.size)
    return found.reshape(given.shape)
