"""The hyperbolic tangent of the Numba kernels: its error, and what is not a number."""

import numpy as np
from numpy.typing import NDArray

from lstm_study.model.lstm.cpu import elementwise


def tanh(values: NDArray[np.float32]) -> NDArray[np.float32]:
    out = np.empty_like(values)
    elementwise.tanh(out, values)
    return out


def test_the_error_is_less_than_four_units_in_the_last_place():
    values = np.concatenate(
        [np.linspace(-12, 12, 1_000_001), np.geomspace(1e-30, 1, 100_001)]
    ).astype("float32")

    error = np.abs(tanh(values) - np.tanh(values.astype("float64")))

    assert error.max() < 4 * np.finfo("float32").eps
    small = np.abs(values) < 0.1
    relative = error[small] / np.maximum(np.abs(values[small]), 1e-38)
    assert relative.max() < 4 * np.finfo("float32").eps


def test_nan_stays_nan_and_infinity_gives_one():
    found = tanh(np.array([np.nan, np.inf, -np.inf, 0.0, 1e30], "float32"))

    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:], [1.0, -1.0, 0.0, 1.0], rtol=1e-6)
