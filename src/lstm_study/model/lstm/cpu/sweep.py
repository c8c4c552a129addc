"""The two sweeps of the fast LSTM on the processor, as machine code made by Numba.

The same sums as `model/lstm/xla.py`. What that gains over a program compiled by XLA, or over NumPy:

- The matrix products are `matmul.py`'s, made for small matrices.
- All between two products, four gates and a state, is one pass over memory: `elementwise.py`.
- One program serves all lengths, batch sizes and widths of a network. It is compiled once on a
  machine, in some seconds, and kept in a file.

Everything is done for one block of up to 32 reviews from its first step to its last, so that blocks
can be spread over threads. In a block the reviews lie side by side, [units, lanes], in vectors of
16: no width of a network leaves a vector half empty. A lane without a review computes, harmlessly,
and is not read.

With one dropout mask per gate each gate reads rows of its own, and the four are four stacks; else
all gates read the same rows, and there is one stack. A row of ones stands under the inputs and
states, and the bias under their weights, so that it is added, and its gradient made, in passing. A
sigmoid is a tangent, `σ(z) = (1 + tanh(z / 2)) / 2`, and the half is taken into the weights, which
is exact.

Arrays are addresses here. `lanes`, `time`, `features`, `units` and `stacks` are sizes; gates are in
Keras's order: input, forget, candidate, output. `function.py` calls the sweeps for TensorFlow.

Source: as `model/lstm/xla.py`.
"""

from typing import NamedTuple

import numpy as np

from lstm_study.model.lstm.arrays import GATES
from lstm_study.model.lstm.cpu.compiled import compiled
from lstm_study.model.lstm.cpu.elementwise import (
    activate,
    add,
    add_product,
    after,
    copy,
    deactivate,
    dropped,
    held_rows,
    multiply,
    numbers,
    put_held,
    turn,
)
from lstm_study.model.lstm.cpu.matmul import product, whole_vectors


class Sizes(NamedTuple):
    """Sizes of a block.

    Attributes:
        rows: Reviews in it, the first of its lanes.
        lanes: A whole number of vectors.
        time: Steps.
        features: Of the inputs.
        units: Of the state.
        stacks: 4 where each gate reads rows of its own, else 1.
    """

    rows: int
    lanes: int
    time: int
    features: int
    units: int
    stacks: int


class Read(NamedTuple):
    """Addresses of what both sweeps read; 0 for what is not given.

    Attributes:
        sequences: [rows, time, features].
        live: bool [rows, time]; where False the state is held and the input not read.
        state_masks: Dropout of the state, [stacks, units, lanes].
    """

    sequences: int
    live: int
    state_masks: int


class Kept(NamedTuple):
    """Addresses of what the forward sweep writes; and how many steps there is room for.

    With less room than steps, the steps take turns.

    Attributes:
        gates: After their activation, [gate_steps, 4, units, lanes].
        outputs: [output_steps, units, lanes]; the first is given.
        carries: [carry_steps, units, lanes]; the first is given.
        gate_steps: Steps or 1.
        output_steps: Steps + 1 or 2.
        carry_steps: Steps + 1 or 2.
    """

    gates: int
    outputs: int
    carries: int
    gate_steps: int
    output_steps: int
    carry_steps: int


class Gradients(NamedTuple):
    """Addresses of what the backward sweep reads beside the rest, and of what it writes.

    Attributes:
        d_outputs: With respect to every step's output, [rows, time, units]; 0 for none.
        d_output: With respect to the last output, [units, lanes]; to the initial one at the end.
        d_carry: Likewise.
        d_sequences: [rows, time, features].
        d_weights: [4 · units, row]: of each gate's unit with respect to all that it reads,
            inputs, state and bias; zero at first. A row is a whole number of vectors.
    """

    d_outputs: int
    d_output: int
    d_carry: int
    d_sequences: int
    d_weights: int


class Room(NamedTuple):
    """Addresses of what the backward sweep works in.

    Attributes:
        d_z: Gradient of the gates before activation, [4, units, lanes].
        read: What a stack reads, [lanes, row], as `Gradients.d_weights` has its rows.
        state: The state, [lanes, units].
        d_state: [stacks, units, lanes].
        d_read: [stacks, lanes, read row], a whole number of vectors.
        held_output: [units, lanes]; likewise the carry.
        held_carry: See there.
    """

    d_z: int
    read: int
    state: int
    d_state: int
    d_read: int
    held_output: int
    held_carry: int


@compiled
def sweep_forward(
    size: Sizes, read: Read, kept: Kept, weights: int, input_masks: int, operand: int
) -> None:
    """Runs one block of the LSTM over its sequences.

    Args:
        size: Sizes.
        read: What is read.
        kept: What is written.
        weights: Address of [features + units + 1, 4 · units]: kernel, recurrent kernel and bias,
            the sigmoids' halved.
        input_masks: Address of [stacks, features, lanes]; 0 for none.
        operand: Address of room for what the stacks read, [stacks, features + units + 1, lanes];
            zeros, and ones in the last row of each.
    """
    rows, lanes, time, features, units, stacks = size
    inputs, state, inner = features * lanes, units * lanes, features + units + 1
    for t in range(time):
        h = after(kept.outputs, t % kept.output_steps * state)
        c = after(kept.carries, t % kept.carry_steps * state)
        new_h = after(kept.outputs, (t + 1) % kept.output_steps * state)
        new_c = after(kept.carries, (t + 1) % kept.carry_steps * state)
        held = held_rows(read.live, t, rows, time)
        if held == rows:
            copy(new_h, h, state)
            copy(new_c, c, state)
            continue
        here = after(read.sequences, t * features)
        turn(operand, lanes, here, time * features, rows, features)
        for stack in range(stacks - 1, -1, -1):
            target = after(operand, stack * inner * lanes)
            if input_masks:
                multiply(target, operand, after(input_masks, stack * inputs), inputs)
            elif stack:
                copy(target, operand, inputs)
            mask = after(read.state_masks, stack * state) if read.state_masks else 0
            dropped(after(target, inputs), h, mask, state)
        z = after(kept.gates, t % kept.gate_steps * GATES * state)
        together = GATES // stacks * units
        for stack in range(stacks):
            product(
                after(z, stack * together * lanes), lanes,
                after(weights, stack * together), GATES * units, 1,
                after(operand, stack * inner * lanes), lanes, inner, together, lanes, 0,
            )  # fmt: skip
        activate(z, c, new_c, new_h, state)
        if held:
            put_held(new_h, h, read.live, t, rows, lanes, time, units)
            put_held(new_c, c, read.live, t, rows, lanes, time, units)


@compiled
def sweep_backward(
    size: Sizes, read: Read, kept: Kept, gradients: Gradients, room: Room,
    weights: int, turned_kernel: int, input_masks: int, state_masks: int, batch: int,
) -> None:  # fmt: skip
    """Takes the gradient of a scalar back through `sweep_forward`.

    Args:
        size: As `sweep_forward` had it; likewise what it read and kept, of every step.
        read: See there.
        kept: See there.
        gradients: What is read and written beside that.
        room: Memory to work in.
        weights: Address of [features + units, 4 · units]: kernel and recurrent kernel.
        turned_kernel: Address of [4 · units, read row], the kernel's transpose.
        input_masks: Address of [stacks, batch, features], from the block's first row; 0 for none.
        state_masks: Likewise, [stacks, batch, units]: those of `read`, review by review.
        batch: Reviews in the whole batch.
    """
    rows, lanes, time, features, units, stacks = size
    state, width = units * lanes, whole_vectors(features + units + 1)
    read_width, together = whole_vectors(features), GATES // stacks * units
    for t in range(time - 1, -1, -1):
        if gradients.d_outputs:
            _add_turned(gradients, t, rows, lanes, time, units)
        held = held_rows(read.live, t, rows, time)
        if held == rows:
            _clear_inputs(gradients, t, rows, time, features)
            continue
        if held:
            copy(room.held_output, gradients.d_output, state)
            copy(room.held_carry, gradients.d_carry, state)
        carry = after(kept.carries, t * state)
        deactivate(
            room.d_z, after(kept.gates, t * GATES * state), carry, after(carry, state),
            gradients.d_output, gradients.d_carry, state,
        )  # fmt: skip
        if held:
            # At a held step nothing passes through the gates; the gradient goes by.
            for gate in range(GATES):
                d_gate = after(room.d_z, gate * state)
                put_held(d_gate, 0, read.live, t, rows, lanes, time, units)
            held_carry = room.held_carry
            put_held(gradients.d_carry, held_carry, read.live, t, rows, lanes, time, units)
        turn(room.state, units, after(kept.outputs, t * state), lanes, units, rows)
        for stack in range(stacks):
            _read_rows(size, read, room, input_masks, state_masks, stack, t, batch)
            d_z = after(room.d_z, stack * together * lanes)
            product(
                after(gradients.d_weights, stack * together * width), width,
                d_z, 1, lanes, room.read, width, rows, together, width, 1,
            )  # fmt: skip
            product(
                after(room.d_state, stack * state), lanes,
                after(weights, (features * GATES * units) + stack * together), 1, GATES * units,
                d_z, lanes, together, units, lanes, 0,
            )  # fmt: skip
            product(
                after(room.d_read, stack * lanes * read_width), read_width,
                d_z, lanes, 1,
                after(turned_kernel, stack * together * read_width), read_width,
                together, rows, read_width, 0,
            )  # fmt: skip
        _sum_of_dropped(
            gradients.d_output, room.d_state, state, read.state_masks, state, state, stacks
        )
        for row in range(rows):
            _sum_of_dropped(
                after(gradients.d_sequences, (row * time + t) * features),
                after(room.d_read, row * read_width), lanes * read_width,
                after(input_masks, row * features) if input_masks else 0, batch * features,
                features, stacks,
            )  # fmt: skip
        if held:
            held_output = room.held_output
            put_held(gradients.d_output, held_output, read.live, t, rows, lanes, time, units)


@compiled
def _read_rows(
    size: Sizes, read: Read, room: Room, input_masks: int, state_masks: int, stack: int, t: int,
    batch: int,
) -> None:  # fmt: skip
    """Writes what a stack reads at step t, review by review: inputs and state, dropped out."""
    rows, _, time, features, units, _ = size
    width = whole_vectors(features + units + 1)
    for row in range(rows):
        target = after(room.read, row * width)
        inputs = after(read.sequences, (row * time + t) * features)
        review = stack * batch + row
        mask = after(input_masks, review * features) if input_masks else 0
        dropped(target, inputs, mask, features)
        mask = after(state_masks, review * units) if state_masks else 0
        dropped(after(target, features), after(room.state, row * units), mask, units)


@compiled
def _sum_of_dropped(
    out: int, parts: int, part_step: int, masks: int, mask_step: int, size: int, stacks: int
) -> None:
    """The transpose of dropping out: what the stacks' gradients come to.

    The parts lie `part_step` numbers apart, their masks `mask_step`.
    """
    dropped(out, parts, masks, size)
    for stack in range(1, stacks):
        part = after(parts, stack * part_step)
        if masks:
            add_product(out, part, after(masks, stack * mask_step), size)
        else:
            add(out, part, size)


@compiled
def _add_turned(gradients: Gradients, t: int, rows: int, lanes: int, time: int, units: int) -> None:
    """Adds the gradient of step t's output to the state's."""
    target = numbers(gradients.d_output, units * lanes)
    source = numbers(after(gradients.d_outputs, t * units), rows * time * units)
    for row in range(rows):
        for unit in range(units):
            target[unit * lanes + row] += source[row * time * units + unit]


@compiled
def _clear_inputs(gradients: Gradients, t: int, rows: int, time: int, features: int) -> None:
    for row in range(rows):
        target = numbers(after(gradients.d_sequences, (row * time + t) * features), features)
        for feature in range(features):
            target[feature] = np.float32(0.0)
