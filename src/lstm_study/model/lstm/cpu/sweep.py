"""Both sweeps of the fast LSTM over one block of a batch, compiled by Numba.

The same computation as `model/lstm/xla.py`. It is faster than a program compiled by XLA, or than
NumPy, because

- the matrix products are those of `matmul.py`, made for small matrices;
- everything between two products, four gates and a state, is one pass over memory
  (`elementwise.py`);
- one compilation serves all lengths, batch sizes and network sizes; Numba caches it on disk.

A block of up to 32 rows of the batch runs from its first step to its last on one thread, so that
blocks spread over threads. States are [units, lanes]: the rows lie side by side in vectors of 16,
so that every number of units fills the vectors. A lane without a row computes values that nothing
reads.

With one dropout mask per gate each gate reads inputs and states of its own, in four stacks; else
all gates read the same, in one stack. Below inputs and states lies a row of ones, and below their
weights the bias, so that the products add the bias and sum its gradient. The sigmoid is computed
with tanh, `σ(z) = (1 + tanh(z / 2)) / 2`; the half is part of the weights, which is exact.

Shapes are in terms of `rows` and `lanes` of the block, `time`, `features`, `units` and `stacks`;
`columns` are those of a stack, 4 · units / stacks, and `width` is features + units + 1. All arrays
are float32 unless stated otherwise, and C-contiguous. Gates are in Keras's order: input, forget,
candidate, output.

Source: as `model/lstm/xla.py`.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_study.model.lstm.arrays import GATES
from lstm_study.model.lstm.cpu.compiled import compiled
from lstm_study.model.lstm.cpu.elementwise import (
    activate,
    activate_gradient,
    add_masked,
    apply_mask,
    clear_held,
    copy,
    copy_held,
    count_held,
    transpose,
)
from lstm_study.model.lstm.cpu.matmul import matmul

Array = NDArray[Any]


class BlockInputs(NamedTuple):
    """What both sweeps read.

    Attributes:
        sequences: [rows, time, features].
        alive: bool [rows, time]; where False the state is held and the input not read. Of size 0
            where all steps count.
        state_masks: Dropout of the state, [stacks, units · lanes]; [stacks, 0] for none.
        go_backwards: Whether the first step reads the last input.
        zero_held_outputs: Whether the output of a held step is zero, not the state.
    """

    sequences: Array
    alive: Array
    state_masks: Array
    go_backwards: bool
    zero_held_outputs: bool


class StepBuffers(NamedTuple):
    """States and gates in the order of computation: all of them, or the last in turn.

    Attributes:
        gates: After their activation, [time or 1, 4, units, lanes].
        outputs: [time + 1 or 2, units, lanes]; the first is the initial one.
        carries: [time + 1 or 2, units, lanes]; the first is the initial one.
    """

    gates: Array
    outputs: Array
    carries: Array


class RowMasks(NamedTuple):
    """Dropout row by row.

    Attributes:
        inputs: [stacks, rows, features]; [stacks, rows, 0] for none.
        states: [stacks, rows, units]; [stacks, rows, 0] for none.
    """

    inputs: Array
    states: Array


class BlockGradients(NamedTuple):
    """Gradients that the backward sweep starts from, and those that it writes.

    Attributes:
        d_outputs: With respect to every returned output, [rows, time, units] in the order of
            computation; of size 0 for none.
        d_output: With respect to the last output, [units, lanes]; to the initial one on return.
        d_carry: Likewise.
        d_sequences: [rows, time, features], written.
        d_weights: [4 · units, whole_vectors(width)], added to.
    """

    d_outputs: Array
    d_output: Array
    d_carry: Array
    d_sequences: Array
    d_weights: Array


class Scratch(NamedTuple):
    """Memory of the backward sweep.

    Attributes:
        d_z: Gradient of the gates before activation, [4, units, lanes].
        read: What a stack reads, [lanes, whole_vectors(width)]; ones after the states, then zeros.
        state: [lanes, units].
        d_state: [stacks, units, lanes].
        d_read: [stacks, lanes, whole_vectors(features)].
        held_output: [units, lanes].
        held_carry: [units, lanes].
    """

    d_z: Array
    read: Array
    state: Array
    d_state: Array
    d_read: Array
    held_output: Array
    held_carry: Array


@compiled
def block_forward(
    inputs: BlockInputs, input_masks: Array, buffers: StepBuffers, returned: Array,
    weights: Array, operand: Array,
) -> None:  # fmt: skip
    """Runs one block of the LSTM over its sequences.

    Args:
        inputs: What is read.
        input_masks: Dropout of the inputs, [stacks, features · lanes]; [stacks, 0] for none.
        buffers: Written, but for the initial state.
        returned: Outputs of every step, [rows, time, units] in the order of computation, written;
            of size 0 where they are not returned.
        weights: [width, 4 · units]: kernel, recurrent kernel and bias, the sigmoids' halved.
        operand: Memory for what the stacks read, [stacks, width, lanes]; ones in the last row of
            each.
    """
    sequences, alive, state_masks, go_backwards, _ = inputs
    rows, time, features = sequences.shape
    stacks, width, lanes = operand.shape
    units = width - 1 - features
    columns = GATES // stacks * units
    gates, outputs, carries = buffers
    by_stack = gates.reshape((len(gates), stacks, columns, lanes))
    by_gate = gates.reshape((len(gates), GATES, units * lanes))
    flat_outputs = outputs.reshape((len(outputs), units * lanes))
    flat_carries = carries.reshape((len(carries), units * lanes))
    flat_operand = operand.reshape((stacks, width * lanes))
    n_inputs, n_read = features * lanes, (features + units) * lanes
    for step in range(time):
        t = time - 1 - step if go_backwards else step
        h, new_h = step % len(outputs), (step + 1) % len(outputs)
        c, new_c = step % len(carries), (step + 1) % len(carries)
        slot = step % len(gates)
        held = count_held(alive, t)
        if held == rows:
            copy(flat_outputs[new_h], flat_outputs[h])
            copy(flat_carries[new_c], flat_carries[c])
            _return_output(inputs, returned, outputs[h], step, t)
            continue
        for row in range(rows):
            for feature in range(features):
                operand[0, feature, row] = sequences[row, t, feature]
        for stack in range(stacks - 1, -1, -1):
            target = flat_operand[stack]
            if stack or input_masks.size:
                apply_mask(target[:n_inputs], flat_operand[0], input_masks[stack])
            apply_mask(target[n_inputs:n_read], flat_outputs[h], state_masks[stack])
        for stack in range(stacks):
            first = stack * columns
            part = weights[:, first : first + columns]
            matmul(by_stack[slot, stack], part, operand[stack], False)
        activate(by_gate[slot], flat_carries[c], flat_carries[new_c], flat_outputs[new_h])
        if held:
            copy_held(outputs[new_h], outputs[h], alive, t)
            copy_held(carries[new_c], carries[c], alive, t)
        _return_output(inputs, returned, outputs[new_h], step, t)


@compiled
def block_backward(
    inputs: BlockInputs, row_masks: RowMasks, buffers: StepBuffers, weights: Array,
    transposed_kernel: Array, gradients: BlockGradients, scratch: Scratch,
) -> None:  # fmt: skip
    """Takes the gradient of a scalar back through `block_forward`.

    Args:
        inputs: As `block_forward` had them.
        row_masks: The same dropout row by row.
        buffers: As `block_forward` wrote them, of all steps.
        weights: [features + units, 4 · units]: kernel and recurrent kernel.
        transposed_kernel: [4 · units, whole_vectors(features)].
        gradients: Read and written.
        scratch: Memory.
    """
    sequences, alive, state_masks, go_backwards, _ = inputs
    rows, time, features = sequences.shape
    gates, outputs, carries = buffers
    d_outputs, d_output, d_carry, d_sequences, d_weights = gradients
    d_z, d_state, d_read = scratch.d_z, scratch.d_state, scratch.d_read
    stacks, units, lanes = d_state.shape
    size, columns = units * lanes, GATES // stacks * units
    by_gate = gates.reshape((time, GATES, size))
    flat_carries = carries.reshape((time + 1, size))
    flat_d_z, flat_d_state = d_z.reshape((GATES, size)), d_state.reshape((stacks, size))
    stacked_d_z = d_z.reshape((stacks, columns, lanes))
    flat_d_output, flat_d_carry = d_output.reshape(size), d_carry.reshape(size)
    for step in range(time - 1, -1, -1):
        t = time - 1 - step if go_backwards else step
        _add_output_gradient(inputs, d_output, d_outputs, step, t)
        held = count_held(alive, t)
        if held == rows:
            d_sequences[:, t] = np.float32(0.0)
            continue
        if held:
            copy(scratch.held_output.reshape(size), flat_d_output)
            copy(scratch.held_carry.reshape(size), flat_d_carry)
        activate_gradient(
            flat_d_z, by_gate[step], flat_carries[step], flat_carries[step + 1],
            flat_d_output, flat_d_carry,
        )  # fmt: skip
        if held:
            # At a held step nothing passes through the gates, and the state's gradient is kept.
            for gate in range(GATES):
                clear_held(d_z[gate], alive, t)
            copy_held(d_carry, scratch.held_carry, alive, t)
        transpose(scratch.state[:rows], outputs[step])
        for stack in range(stacks):
            _read_rows(scratch, sequences, row_masks, stack, t)
            first = stack * columns
            part = weights[features:, first : first + columns]
            d_of_rows = stacked_d_z[stack, :, :rows]
            matmul(d_weights[first : first + columns], d_of_rows.T, scratch.read[:rows], True)
            matmul(d_state[stack], part.T, stacked_d_z[stack], False)
            kernel = transposed_kernel[first : first + columns]
            matmul(d_read[stack, :rows], d_of_rows, kernel, False)
        apply_mask(flat_d_output, flat_d_state[0], state_masks[0])
        for stack in range(1, stacks):
            add_masked(flat_d_output, flat_d_state[stack], state_masks[stack])
        _sum_input_gradients(d_sequences, d_read, row_masks.inputs, t)
        if held:
            copy_held(d_output, scratch.held_output, alive, t)


@compiled
def _read_rows(scratch: Scratch, sequences: Array, row_masks: RowMasks, stack: int, t: int) -> None:
    """Writes what a stack reads at step t, row by row: inputs and state with their dropout."""
    rows, _, features = sequences.shape
    units = scratch.state.shape[1]
    for row in range(rows):
        target = scratch.read[row]
        apply_mask(target[:features], sequences[row, t], row_masks.inputs[stack, row])
        states = target[features : features + units]
        apply_mask(states, scratch.state[row], row_masks.states[stack, row])


@compiled
def _sum_input_gradients(d_sequences: Array, d_read: Array, masks: Array, t: int) -> None:
    """Writes the gradient of step t's inputs: the sum over what the stacks read of them."""
    for row in range(d_sequences.shape[0]):
        target = d_sequences[row, t]
        apply_mask(target, d_read[0, row], masks[0, row])
        for stack in range(1, d_read.shape[0]):
            add_masked(target, d_read[stack, row], masks[stack, row])


@compiled
def _is_zeroed(inputs: BlockInputs, row: int, t: int) -> bool:
    """Whether a row's returned output is zero since its state is held at step t."""
    if inputs.zero_held_outputs and inputs.alive.size:
        return bool(inputs.alive[row, t] == 0)
    return False


@compiled
def _return_output(inputs: BlockInputs, returned: Array, output: Array, step: int, t: int) -> None:
    """Writes a step's output, [units, lanes], to `returned`, [rows, time, units]."""
    if not returned.size:
        return
    for row in range(returned.shape[0]):
        if _is_zeroed(inputs, row, t):
            returned[row, step] = np.float32(0.0)
        else:
            for unit in range(output.shape[0]):
                returned[row, step, unit] = output[unit, row]


@compiled
def _add_output_gradient(
    inputs: BlockInputs, d_output: Array, d_outputs: Array, step: int, t: int
) -> None:
    """Adds the gradient of a returned output, [rows, time, units], to the state's."""
    if not d_outputs.size:
        return
    for row in range(d_outputs.shape[0]):
        if not _is_zeroed(inputs, row, t):
            for unit in range(d_output.shape[0]):
                d_output[unit, row] += d_outputs[row, step, unit]
