"""The small matrix product against NumPy's."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_study.model.lstm.cpu.matmul import LANES, matmul


@settings(max_examples=60)
@given(
    rows=st.integers(1, 20), vectors=st.integers(1, 9), inner=st.integers(1, 12),
    spare=st.integers(0, 3), transposed=st.booleans(), accumulate=st.booleans(),
)  # fmt: skip
def test_a_product_is_numpys_for_every_remainder_and_every_view(
    rows, vectors, inner, spare, transposed, accumulate
):
    random = np.random.default_rng(rows * 100 + vectors * 10 + inner)
    columns = vectors * LANES

    def numbers(*shape):
        return random.normal(size=shape).astype("float32")

    # Views of larger arrays, whose other numbers must not change.
    weights = numbers(inner + spare, rows + spare)[:inner, :rows]
    if transposed:
        weights = numbers(rows, inner + spare)[:, :inner].T
    inputs = numbers(inner, columns + spare)[:, :columns]
    whole = numbers(rows, columns + spare)
    expected = whole.copy()
    expected[:, :columns] = weights.T @ inputs + accumulate * whole[:, :columns]

    matmul(whole[:, :columns], weights, inputs, accumulate)

    np.testing.assert_allclose(whole, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(whole[:, columns:], expected[:, columns:])
