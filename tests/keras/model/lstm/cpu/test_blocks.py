"""The Numba sweeps over a batch: blocks, threads, bits, padding.

`test_layer.py` tests that the results are Keras's.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lstm_study.model.lstm.arrays import Steps
from lstm_study.model.lstm.cpu import blocks
from lstm_study.model.lstm.cpu.blocks import batch_backward, batch_forward

NO_DROPOUT, NO_MASK = np.zeros(0, "float32"), np.zeros(0, "bool")
LAST = Steps(go_backwards=False, keep_gates=False, return_outputs=False, zero_held_outputs=False)
TRAINING = LAST._replace(keep_gates=True)
BACKWARDS = Steps(go_backwards=True, keep_gates=True, return_outputs=True, zero_held_outputs=True)


def placed(array: NDArray[Any], offset: int) -> NDArray[Any]:
    """Returns a copy at an offset in memory, so that vector loops start at another alignment."""
    memory = np.empty(array.size + offset, array.dtype)
    copy = memory[offset:].reshape(array.shape)
    copy[...] = array
    return copy


def forward_and_backward(
    batch: int, time: int, features: int, units: int, *, steps: Steps = BACKWARDS, offset: int = 0
) -> Any:
    """Returns the results of both sweeps for fixed numbers: states, outputs, gradients."""
    random = np.random.default_rng(1)

    def numbers(*shape: int) -> NDArray[Any]:
        return placed(random.normal(0, 0.3, shape).astype("float32"), offset)

    def dropout(*shape: int) -> NDArray[Any]:
        return placed((random.random(shape) < 0.8).astype("float32") / 0.8, offset)

    arguments = [
        numbers(batch, time, features),
        *(numbers(features, 4 * units), numbers(units, 4 * units), numbers(4 * units)),
        *(numbers(batch, units), numbers(batch, units)),
        *(dropout(4, batch, features), dropout(4, batch, units)),
        placed(np.arange(time) >= random.integers(0, time, (batch, 1)), offset),
    ]
    *results, outputs, carries, gates = batch_forward(*arguments, steps=steps)
    d_last = numbers(batch, units), numbers(batch, units)
    d_outputs = numbers(batch, time, units) if steps.return_outputs else NO_DROPOUT
    kept = outputs, carries, gates
    return *results, *batch_backward(*arguments, *kept, d_outputs, *d_last, steps=steps)


@pytest.mark.parametrize("steps", [TRAINING, BACKWARDS])
@pytest.mark.parametrize("shape", [(16, 37, 24, 20), (7, 8, 6, 5), (133, 9, 32, 13)])
def test_equal_numbers_give_equal_bits_at_any_alignment_in_memory(shape, steps):
    expected = forward_and_backward(*shape, steps=steps)
    for offset in (1, 3, 8, 17):
        received = forward_and_backward(*shape, steps=steps, offset=offset)
        for mine, theirs in zip(received, expected, strict=True):
            assert mine.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("threads", [2, 3, 8])
@pytest.mark.parametrize("batch", [5, 64, 133])
def test_no_bit_depends_on_the_number_of_threads(batch, threads, monkeypatch):
    shape = (batch, 11, 20, 12)
    monkeypatch.setattr(blocks, "thread_count", lambda: 1)
    expected = forward_and_backward(*shape)
    monkeypatch.setattr(blocks, "thread_count", lambda: threads)
    for mine, alone in zip(forward_and_backward(*shape), expected, strict=True):
        assert mine.tobytes() == alone.tobytes()


@pytest.mark.parametrize(("of_inputs", "of_state"), [(1, 4), (4, 1), (1, 1)])
def test_one_dropout_mask_for_all_gates_is_four_equal_ones(of_inputs, of_state):
    random = np.random.default_rng(4)
    batch, time, features, units = 5, 4, 3, 6
    given = [
        random.normal(0, 0.3, shape).astype("float32")
        for shape in (
            (batch, time, features), (features, 4 * units), (units, 4 * units), (4 * units,),
            (batch, units), (batch, units),
        )
    ]  # fmt: skip
    d_outputs = random.normal(size=(batch, time, units)).astype("float32")
    d_last = d_outputs[:, 0], d_outputs[:, 1]

    def results(masks: list[NDArray[Any]]) -> Any:
        arguments = *given, *masks, NO_MASK
        *found, outputs, carries, gates = batch_forward(*arguments, steps=BACKWARDS)
        kept = outputs, carries, gates
        return *found, *batch_backward(*arguments, *kept, d_outputs, *d_last, steps=BACKWARDS)

    masks = [
        (random.random((count, batch, size)) < 0.8).astype("float32") / np.float32(0.8)
        for count, size in ((of_inputs, features), (of_state, units))
    ]
    four = [mask.repeat(4 // len(mask), axis=0) for mask in masks]
    for mine, theirs in zip(results(masks), results(four), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


def test_the_output_for_a_review_does_not_depend_on_the_rest_of_the_batch():
    """Neither on the lanes beside it nor on lanes without a review."""
    random = np.random.default_rng(3)
    sequences = random.normal(size=(130, 6, 5)).astype("float32")
    weights = [random.normal(size=s).astype("float32") for s in ((5, 28), (7, 28), (28,))]

    def last(rows: slice) -> NDArray[Any]:
        zeros = np.zeros((len(sequences[rows]), 7), "float32")
        return batch_forward(
            sequences[rows], *weights, zeros, zeros, NO_DROPOUT, NO_DROPOUT, NO_MASK, steps=LAST
        )[0]

    together = last(slice(None))
    for row in (0, 63, 64, 129):
        np.testing.assert_array_equal(last(slice(row, row + 1)), together[row : row + 1])


@pytest.mark.parametrize("steps", [TRAINING, BACKWARDS])
def test_steps_that_are_padding_in_the_whole_batch_are_skipped(steps):
    """Their inputs and gates are never read: NaN there would spread to every sum."""
    random = np.random.default_rng(2)
    batch, features, units, dead = 3, 4, 5, 16
    sequences = random.normal(size=(batch, dead + 5, features)).astype("float32")
    weights = [
        random.normal(size=s).astype("float32") for s in ((features, 4 * units), (units, 4 * units))
    ]
    bias, zeros = np.zeros(4 * units, "float32"), np.zeros((batch, units), "float32")
    alive = np.arange(dead + 5) >= dead + np.array([[0], [1], [3]])
    ones = np.ones((batch, units), "float32")

    def results(sequences: NDArray[Any], alive: NDArray[Any]) -> Any:
        arguments = sequences, *weights, bias, zeros, zeros, NO_DROPOUT, NO_DROPOUT, alive
        *found, outputs, carries, gates = batch_forward(*arguments, steps=steps)
        time = sequences.shape[1]
        d_outputs = np.ones((batch, time, units), "float32")
        if not steps.return_outputs:
            d_outputs = NO_DROPOUT
        kept = outputs, carries, gates
        gradients = batch_backward(*arguments, *kept, d_outputs, ones, ones, steps=steps)
        return [*found[:2], *gradients[1:]], gradients[0]

    spoiled = sequences.copy()
    spoiled[:, :dead] = np.nan
    whole, d_sequences = results(spoiled, alive)
    cut, d_cut = results(sequences[:, dead:], alive[:, dead:])
    assert not d_sequences[:, :dead].any()
    np.testing.assert_array_equal(d_sequences[:, dead:], d_cut)
    for mine, theirs in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(mine, theirs)
