"""Both sweeps over a batch: cut into blocks for `sweep.py`, spread over threads, put together.

A block has 32 lanes, or 16 where the batch is that small: a batch of 64 then occupies two threads,
and larger blocks would be 1% faster (decision 13). Blocks do not depend on the number of threads,
so neither do results, to the bit.

All arrays are float32 unless stated otherwise. In comments and docstrings `batch`, `time`,
`features` and `units` are the sizes, and `blocks` and `lanes` those of the blocks. Gates are in
Keras's order.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_study.model.lstm.arrays import GATES, Steps
from lstm_study.model.lstm.cpu.matmul import whole_vectors
from lstm_study.model.lstm.cpu.sweep import (
    BlockGradients,
    BlockInputs,
    RowMasks,
    Scratch,
    StepBuffers,
    block_backward,
    block_forward,
)
from lstm_study.model.lstm.cpu.threads import (
    aligned_empty,
    aligned_zeros,
    for_each,
    thread_count,
)

Array = NDArray[Any]

_MAX_LANES = 32
_CANDIDATE = 2


class Arguments(NamedTuple):
    """What the layer computes from.

    Attributes:
        sequences: [batch, time, features].
        kernel, recurrent_kernel, bias: As Keras shapes them.
        output, carry: Before the first step, [batch, units].
        input_masks: Dropout of the inputs, [4 or 1, batch, features]; of size 0 for none.
        state_masks: Dropout of the state, [4 or 1, batch, units]; of size 0 for none.
        alive: bool [batch, time], False where the state is held; of size 0 if nowhere.
    """

    sequences: Array
    kernel: Array
    recurrent_kernel: Array
    bias: Array
    output: Array
    carry: Array
    input_masks: Array
    state_masks: Array
    alive: Array


class _Batch:
    """A batch cut into blocks."""

    def __init__(self, arguments: Arguments, steps: Steps) -> None:
        self.steps = steps
        self.sequences = arguments.sequences
        self.batch, self.time, self.features = arguments.sequences.shape
        self.units = arguments.output.shape[1]
        self.lanes = min(_MAX_LANES, whole_vectors(self.batch))
        self.firsts = range(0, self.batch, self.lanes)
        given = (arguments.input_masks, arguments.state_masks)
        self.stacks = max(len(given[0]), len(given[1]), 1)
        self.masks = tuple(self._one_per_stack(masks) for masks in given)
        self.alive = arguments.alive.reshape(-1, self.time)

    def _one_per_stack(self, masks: Array) -> Array:
        if not masks.size:
            return np.empty((self.stacks, self.batch, 0), np.float32)
        return masks if len(masks) == self.stacks else masks.repeat(self.stacks, axis=0)

    def rows(self, first: int) -> slice:
        """Returns a block's rows of the batch."""
        return slice(first, min(first + self.lanes, self.batch))

    def inputs(self, first: int) -> BlockInputs:
        """Returns what both sweeps read of a block."""
        rows = self.rows(first)
        masks = self.lane_masks(self.masks[1], first)
        return BlockInputs(
            self.sequences[rows], self.alive[rows], masks,
            self.steps.go_backwards, self.steps.zero_held_outputs,
        )  # fmt: skip

    def row_masks(self, first: int) -> RowMasks:
        """Returns a block's dropout row by row."""
        return RowMasks(*(each[:, self.rows(first)].copy() for each in self.masks))

    def lane_masks(self, masks: Array, first: int) -> Array:
        """Returns a block's rows of [stacks, batch, n] as [stacks, n · lanes]."""
        return self.in_lanes(masks, first).reshape(self.stacks, -1)

    def in_lanes(self, array: Array, first: int) -> Array:
        """Returns a block's rows of [..., batch, n] as [..., n, lanes]; zeros in unused lanes."""
        part = array[..., self.rows(first), :]
        found = aligned_zeros(*part.shape[:-2], part.shape[-1], self.lanes)
        found[..., : part.shape[-2]] = part.swapaxes(-1, -2)
        return found

    def for_each_block(self, work: Callable[[int, int], None]) -> None:
        """Calls `work` with each block's number and first row, on all threads available."""
        for_each(lambda part: work(*part), list(enumerate(self.firsts)), threads=thread_count())

    def in_rows(self, blocks: Array) -> Array:
        """Returns [blocks, n, lanes] as [batch, n]."""
        rows = blocks.transpose(0, 2, 1).reshape(-1, blocks.shape[1])
        return np.ascontiguousarray(rows[: self.batch])


def _read_only(arrays: tuple[Array, ...]) -> list[Array]:
    """Contiguous views of one Numba type, so that one compilation serves all callers."""
    views = [np.ascontiguousarray(array)[...] for array in arrays]
    for view in views:
        view.flags.writeable = False
    return views


def batch_forward(*arrays: Array, steps: Steps) -> tuple[Array, ...]:
    """Runs the LSTM over a batch.

    Args:
        *arrays: Those of `Arguments`.
        steps: How it goes over time, and what it returns.

    Returns:
        Output and carry after the last step [batch, units]. If outputs are returned, those of every
        step, [batch, time, units]. If gates are kept, what `batch_backward` needs: outputs and
        carries [blocks, time + 1, units, lanes], first the initial ones, and the gates after their
        activation [blocks, time, 4, units, lanes].
    """
    arguments = Arguments(*_read_only(arrays))
    batch = _Batch(arguments, steps)
    time, features, units, lanes = batch.time, batch.features, batch.units, batch.lanes
    weights = aligned_empty(features + units + 1, GATES * units)
    bias = arguments.bias[None]
    np.concatenate([arguments.kernel, arguments.recurrent_kernel, bias], out=weights)
    by_gate = weights.reshape(-1, GATES, units)
    by_gate[:, :_CANDIDATE] *= 0.5
    by_gate[:, _CANDIDATE + 1 :] *= 0.5

    # Steps that are not kept share the memory of one step's gates and two states.
    n, keep = len(batch.firsts), steps.keep_gates
    gates = aligned_empty(n, time if keep else 1, GATES, units, lanes)
    outputs, carries = (aligned_empty(n, time + 1 if keep else 2, units, lanes) for _ in range(2))
    returned = aligned_empty(batch.batch, time if steps.return_outputs else 0, units)

    def sweep(number: int, first: int) -> None:
        outputs[number, 0] = batch.in_lanes(arguments.output, first)
        carries[number, 0] = batch.in_lanes(arguments.carry, first)
        operand = aligned_zeros(batch.stacks, features + units + 1, lanes)
        operand[:, -1] = 1.0
        block_forward(
            batch.inputs(first), batch.lane_masks(batch.masks[0], first),
            StepBuffers(gates[number], outputs[number], carries[number]),
            returned[batch.rows(first)], weights, operand,
        )  # fmt: skip

    batch.for_each_block(sweep)
    last = [batch.in_rows(states[:, time % states.shape[1]]) for states in (outputs, carries)]
    all_outputs = [returned] if steps.return_outputs else []
    return *last, *all_outputs, *([outputs, carries, gates] if keep else [])


def batch_backward(*arrays: Array, steps: Steps) -> tuple[Array, ...]:
    """Takes the gradient of a scalar back through `batch_forward`.

    Args:
        *arrays: Those of `Arguments`; outputs, carries and gates as `batch_forward` kept them; the
            gradients with respect to the output of every step, [batch, time, units], of size 0
            where they were not returned, and to the last output and carry, [batch, units].
        steps: As `batch_forward` had it.

    Returns:
        Gradients with respect to sequences, kernel, recurrent kernel, bias, output and carry.
    """
    *given, outputs, carries, gates, d_outputs, d_output, d_carry = _read_only(arrays)
    arguments = Arguments(*given)
    batch = _Batch(arguments, steps)
    features, units, lanes = batch.features, batch.units, batch.lanes
    weights = aligned_empty(features + units, GATES * units)
    np.concatenate([arguments.kernel, arguments.recurrent_kernel], out=weights)
    transposed_kernel = aligned_zeros(GATES * units, whole_vectors(features))
    transposed_kernel[:, :features] = arguments.kernel.T

    n, width = len(batch.firsts), whole_vectors(features + units + 1)
    d_sequences = aligned_empty(*arguments.sequences.shape)
    d_weights = aligned_zeros(n, GATES * units, width)
    d_states = aligned_empty(n, 2, units, lanes)
    d_outputs = d_outputs.reshape(-1, batch.time, units)

    def sweep(number: int, first: int) -> None:
        rows = batch.rows(first)
        d_states[number, 0] = batch.in_lanes(d_output, first)
        d_states[number, 1] = batch.in_lanes(d_carry, first)
        read = aligned_zeros(lanes, width)
        read[:, features + units] = 1.0
        block_backward(
            batch.inputs(first), batch.row_masks(first),
            StepBuffers(gates[number], outputs[number], carries[number]),
            weights, transposed_kernel,
            BlockGradients(
                d_outputs=d_outputs[rows],
                d_output=d_states[number, 0],
                d_carry=d_states[number, 1],
                d_sequences=d_sequences[rows],
                d_weights=d_weights[number],
            ),
            Scratch(
                d_z=aligned_empty(GATES, units, lanes),
                read=read,
                state=aligned_empty(lanes, units),
                d_state=aligned_empty(batch.stacks, units, lanes),
                d_read=aligned_empty(batch.stacks, lanes, transposed_kernel.shape[1]),
                held_output=aligned_empty(units, lanes),
                held_carry=aligned_empty(units, lanes),
            ),
        )  # fmt: skip

    batch.for_each_block(sweep)
    d_all = d_weights.sum(axis=0).T
    d_kernel, d_recurrent, d_bias = np.split(d_all[: features + units + 1], [features, -1])
    return (
        d_sequences,
        np.ascontiguousarray(d_kernel),
        np.ascontiguousarray(d_recurrent),
        d_bias[0].copy(),
        *(batch.in_rows(d_states[:, k]) for k in range(2)),
    )
