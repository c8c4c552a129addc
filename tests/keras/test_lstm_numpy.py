"""The loop that NumPy makes: bits that depend on numbers alone, and what it leaves unvisited.

That its results are Keras's is tested in `test_lstm.py`.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lstm_study.model import lstm_numpy
from lstm_study.model.lstm_arrays import CHUNK

NONE = np.zeros(0, "float32")


def placed(array: NDArray[Any], offset: int) -> NDArray[Any]:
    """A copy that begins so many numbers into its memory: SIMD loops meet it at another place."""
    memory = np.empty(array.size + offset, array.dtype)
    copy = memory[offset:].reshape(array.shape)
    copy[...] = array
    return copy


def forward_and_backward(batch: int, time: int, features: int, units: int, *, offset: int) -> Any:
    """What both sweeps return for fixed numbers, somewhere in memory."""
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
    h, c, gates, outputs, carries = lstm_numpy.sweep_forward(
        "gates", sequences, *weights, output, carry, *masks, alive
    )
    gradients = lstm_numpy.sweep_backward(
        sequences, *weights[:2], *masks, alive, gates, outputs, carries, NONE,
        numbers(batch, units), numbers(batch, units),
    )  # fmt: skip
    return h, c, outputs, carries, *gradients


@pytest.mark.parametrize("shape", [(16, 37, 24, 20), (7, CHUNK, 6, 5), (33, 21, 32, 13)])
def test_equal_numbers_give_equal_bits_wherever_they_lie_in_memory(shape):
    expected = forward_and_backward(*shape, offset=0)
    for offset in (1, 3, 8, 17):
        for mine, theirs in zip(forward_and_backward(*shape, offset=offset), expected, strict=True):
            assert mine.tobytes() == theirs.tobytes()


def test_chunks_that_are_padding_in_the_whole_batch_are_passed_over():
    """Their inputs and gates are never read: here they would spoil every sum."""
    random = np.random.default_rng(2)
    batch, features, units, dead = 3, 4, 5, 2 * CHUNK
    sequences = random.normal(size=(batch, dead + 5, features)).astype("float32")
    weights = [
        random.normal(size=s).astype("float32") for s in ((features, 4 * units), (units, 4 * units))
    ]
    bias, zeros = np.zeros(4 * units, "float32"), np.zeros((batch, units), "float32")
    alive = np.arange(dead + 5) >= dead + np.array([[0], [1], [3]])
    ones = np.ones((batch, units), "float32")

    def found(sequences: NDArray[Any], alive: NDArray[Any]) -> Any:
        h, c, *kept = lstm_numpy.sweep_forward(
            "gates", sequences, *weights, bias, zeros, zeros, NONE, NONE, alive
        )
        return (
            h,
            c,
            *lstm_numpy.sweep_backward(
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
