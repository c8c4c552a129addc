"""The machine code under the loop on the processor: products, tangent, blocks, threads, bits.

That its results are Keras's is tested in `test_lstm.py`.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lstm_study.model.lstm.cpu import blocks as lstm_blocks
from lstm_study.model.lstm.cpu import elementwise as lstm_passes
from lstm_study.model.lstm.cpu.matmul import LANES, product

NONE = np.zeros(0, "float32")


def placed(array: NDArray[Any], offset: int) -> NDArray[Any]:
    """A copy that begins so many numbers into its memory: SIMD loops meet it at another place."""
    memory = np.empty(array.size + offset, array.dtype)
    copy = memory[offset:].reshape(array.shape)
    copy[...] = array
    return copy


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 20), vectors=st.integers(1, 9), inner=st.integers(1, 12),
    spare=st.integers(0, 3), turned=st.booleans(), adds=st.booleans(),
)  # fmt: skip
def test_a_product_is_numpys_for_every_remainder_stride_and_order(
    rows, vectors, inner, spare, turned, adds
):
    random = np.random.default_rng(rows * 100 + vectors * 10 + inner)
    columns = vectors * LANES
    weights = random.normal(size=(rows, inner + spare) if turned else (inner, rows + spare))
    weights = weights.astype("float32")
    inputs = random.normal(size=(inner, columns + spare)).astype("float32")
    out = random.normal(size=(rows, columns + spare)).astype("float32")
    used = weights[:, :inner] if turned else weights[:, :rows].T
    expected = out.copy()
    expected[:, :columns] = used @ inputs[:, :columns] + adds * out[:, :columns]
    along, across = (1, weights.shape[1]) if turned else (weights.shape[1], 1)

    product(
        out.ctypes.data, out.shape[1], weights.ctypes.data, along, across, inputs.ctypes.data,
        inputs.shape[1], inner, rows, columns, int(adds),
    )  # fmt: skip

    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(out[:, columns:], expected[:, columns:])


def tanh(values: NDArray[np.float32]) -> NDArray[np.float32]:
    out = np.empty_like(values)
    lstm_passes.tanh(out.ctypes.data, values.ctypes.data, values.size)
    return out


def test_the_tangent_errs_by_less_than_four_units_in_the_last_place():
    values = np.concatenate(
        [np.linspace(-12, 12, 1_000_001), np.geomspace(1e-30, 1, 100_001)]
    ).astype("float32")

    error = np.abs(tanh(values) - np.tanh(values.astype("float64")))

    assert error.max() < 4 * np.finfo("float32").eps
    small = np.abs(values) < 0.1
    relative = error[small] / np.maximum(np.abs(values[small]), 1e-38)
    assert relative.max() < 4 * np.finfo("float32").eps


def test_the_tangent_of_what_is_no_number_or_without_end():
    found = tanh(np.array([np.nan, np.inf, -np.inf, 0.0, 1e30], "float32"))

    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:], [1.0, -1.0, 0.0, 1.0], rtol=1e-6)


def forward_and_backward(
    batch: int, time: int, features: int, units: int, *, offset: int = 0
) -> Any:
    """What both sweeps return for fixed numbers, somewhere in memory; states review by review."""
    random = np.random.default_rng(1)

    def numbers(*shape: int) -> NDArray[Any]:
        return placed(random.normal(0, 0.3, shape).astype("float32"), offset)

    def mask(*shape: int) -> NDArray[Any]:
        return placed((random.random(shape) < 0.8).astype("float32") / 0.8, offset)

    sequences = numbers(batch, time, features)
    output, carry = numbers(batch, units), numbers(batch, units)
    weights = numbers(features, 4 * units), numbers(units, 4 * units), numbers(4 * units)
    masks = mask(4, batch, features), mask(4, batch, units)
    alive = placed(np.arange(time) >= random.integers(0, time, (batch, 1)), offset)
    h, c, *kept = lstm_blocks.sweep_forward(
        "gates", sequences, *weights, output, carry, *masks, alive
    )
    gradients = lstm_blocks.sweep_backward(
        sequences, *weights[:2], *masks, alive, *kept, numbers(batch, time, units),
        numbers(batch, units), numbers(batch, units),
    )  # fmt: skip
    return h, c, *gradients


@pytest.mark.parametrize("shape", [(16, 37, 24, 20), (7, 8, 6, 5), (133, 9, 32, 13)])
def test_equal_numbers_give_equal_bits_wherever_they_lie_in_memory(shape):
    expected = forward_and_backward(*shape)
    for offset in (1, 3, 8, 17):
        for mine, theirs in zip(forward_and_backward(*shape, offset=offset), expected, strict=True):
            assert mine.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("threads", [2, 3, 8])
@pytest.mark.parametrize("batch", [5, 64, 133])
def test_no_bit_depends_on_the_threads(batch, threads, monkeypatch):
    shape = (batch, 11, 20, 12)
    monkeypatch.setattr(lstm_blocks, "thread_count", lambda: 1)
    expected = forward_and_backward(*shape)
    monkeypatch.setattr(lstm_blocks, "thread_count", lambda: threads)
    for mine, alone in zip(forward_and_backward(*shape), expected, strict=True):
        assert mine.tobytes() == alone.tobytes()


def test_a_review_is_read_alone_as_it_is_among_others():
    """Whatever lies in the lanes beside it, and in lanes that hold no review."""
    random = np.random.default_rng(3)
    sequences = random.normal(size=(130, 6, 5)).astype("float32")
    weights = [random.normal(size=s).astype("float32") for s in ((5, 28), (7, 28), (28,))]

    def last(rows: slice) -> NDArray[Any]:
        zeros = np.zeros((len(sequences[rows]), 7), "float32")
        return lstm_blocks.sweep_forward(
            "last", sequences[rows], *weights, zeros, zeros, NONE, NONE, NONE
        )[0]

    together = last(slice(None))
    for row in (0, 63, 64, 129):
        np.testing.assert_array_equal(last(slice(row, row + 1)), together[row : row + 1])


def test_steps_that_are_padding_in_the_whole_batch_are_passed_over():
    """Their inputs and gates are never read: here they would spoil every sum."""
    random = np.random.default_rng(2)
    batch, features, units, dead = 3, 4, 5, 16
    sequences = random.normal(size=(batch, dead + 5, features)).astype("float32")
    weights = [
        random.normal(size=s).astype("float32") for s in ((features, 4 * units), (units, 4 * units))
    ]
    bias, zeros = np.zeros(4 * units, "float32"), np.zeros((batch, units), "float32")
    alive = np.arange(dead + 5) >= dead + np.array([[0], [1], [3]])
    ones = np.ones((batch, units), "float32")

    def found(sequences: NDArray[Any], alive: NDArray[Any]) -> Any:
        h, c, *kept = lstm_blocks.sweep_forward(
            "gates", sequences, *weights, bias, zeros, zeros, NONE, NONE, alive
        )
        return (
            h,
            c,
            *lstm_blocks.sweep_backward(
                sequences, *weights, NONE, NONE, alive, *kept, NONE, ones, ones
            ),
        )

    spoiled = sequences.copy()
    spoiled[:, :dead] = np.nan
    whole, cut = found(spoiled, alive), found(sequences[:, dead:], alive[:, dead:])
    assert not whole[2][:, :dead].any()
    np.testing.assert_array_equal(whole[2][:, dead:], cut[2])
    for mine, theirs in zip((*whole[:2], *whole[3:]), (*cut[:2], *cut[3:]), strict=True):
        np.testing.assert_array_equal(mine, theirs)
