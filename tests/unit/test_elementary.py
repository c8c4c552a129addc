"""Logarithms and exponentials that are the C library's, whatever NumPy chooses."""

import math

import numpy as np
import pytest

from lstm_study.elementary import exp, log, log1p


@pytest.mark.parametrize(
    ("ours", "theirs"), [(log, math.log), (log1p, math.log1p), (exp, math.exp)]
)
def test_every_number_is_the_c_librarys_in_the_shape_given(ours, theirs):
    values = np.random.default_rng(1).uniform(1e-7, 1, size=(3, 40, 5)).astype(np.float32)
    found = ours(values)
    assert found.shape == values.shape
    assert found.dtype == np.float64
    assert found.ravel().tolist() == [theirs(float(each)) for each in values.ravel()]
    assert ours(np.empty((0, 2))).shape == (0, 2)
    assert float(ours(0.25)) == theirs(0.25)
