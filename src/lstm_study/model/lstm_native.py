"""The two sweeps of the fast LSTM on the processor, as machine code made by Numba.

The same sums as `lstm_sweeps.py`. What that gains over a program compiled by XLA, or over NumPy:

- The matrix products are `lstm_tiles.py`'s, made for small matrices.
- All between two products, four gates and a state, is one pass over memory.
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
Keras's order: input, forget, candidate, output. `lstm_host.py` calls the sweeps for TensorFlow.

Source: as `lstm_sweeps.py`.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import carray, types
from numba.extending import intrinsic

from lstm_study.model.lstm_arrays import GATES
from lstm_study.model.lstm_tiles import product, whole_vectors
from lstm_study.model.machine_code import compiled

_BYTES = 4
_NUMBER = np.float32
_ONE, _HALF = np.float32(1.0), np.float32(0.5)

# tanh(x) ≈ x · p(x²) / q(x²): the least relative error of this form on 0 < |x| <= 9, 2.1e-8, found
# by weighted least squares; beyond, tanh is 1 in single precision. With the rounding of single
# precision it errs by 4e-7 at most: tests/keras/test_lstm_native.py.
_FARTHEST = np.float32(9.0)
_P1, _P2 = np.float32(0.13381025195121765), np.float32(0.003495587036013603)
_P3, _P4 = np.float32(2.0609068087651394e-05), np.float32(1.3354643613183725e-08)
_Q1, _Q2 = np.float32(0.4671434164047241), np.float32(0.025876978412270546)
_Q3, _Q4 = np.float32(0.00032856332836672664), np.float32(7.776550319249509e-07)


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


@intrinsic  # type: ignore[untyped-decorator]  # Numba is untyped
def _pointer(typing: Any, address: Any) -> Any:
    """The address as what `carray` takes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), generate


@compiled
def _numbers(address: int, size: int) -> Any:
    return carray(_pointer(address), (size,), _NUMBER)


@compiled
def _four(address: int, size: int) -> Any:
    """Four arrays that lie one behind the other: LLVM then has few that could overlap."""
    whole = _numbers(address, GATES * size)
    return (
        whole[:size],
        whole[size : 2 * size],
        whole[2 * size : 3 * size],
        whole[3 * size :],
    )


@compiled
def _after(address: int, numbers: int) -> int:
    return address + _BYTES * numbers


@compiled
def _copy(out: int, values: int, size: int) -> None:
    target, source = _numbers(out, size), _numbers(values, size)
    for k in range(size):
        target[k] = source[k]


@compiled
def _multiply(out: int, left: int, right: int, size: int) -> None:
    target, a, b = _numbers(out, size), _numbers(left, size), _numbers(right, size)
    for k in range(size):
        target[k] = a[k] * b[k]


@compiled
def _add(out: int, values: int, size: int) -> None:
    target, source = _numbers(out, size), _numbers(values, size)
    for k in range(size):
        target[k] += source[k]


@compiled
def _add_product(out: int, left: int, right: int, size: int) -> None:
    target, a, b = _numbers(out, size), _numbers(left, size), _numbers(right, size)
    for k in range(size):
        target[k] += a[k] * b[k]


@compiled
def _dropped(out: int, values: int, mask: int, size: int) -> None:
    """Values times the mask, where there is one."""
    if mask:
        _multiply(out, values, mask, size)
    else:
        _copy(out, values, size)


@compiled
def _turn(out: int, out_stride: int, values: int, stride: int, rows: int, columns: int) -> None:
    """Writes [rows, columns] as [columns, rows], each with its stride."""
    target = _numbers(out, columns * out_stride)
    source = _numbers(values, rows * stride)
    for row in range(rows):
        for column in range(columns):
            target[column * out_stride + row] = source[row * stride + column]


@compiled
def _tanh(x: Any) -> Any:
    x = _FARTHEST if x > _FARTHEST else x  # which is False of a NaN, and leaves it one
    x = -_FARTHEST if x < -_FARTHEST else x
    s = x * x
    p = _ONE + s * (_P1 + s * (_P2 + s * (_P3 + s * _P4)))
    q = _ONE + s * (_Q1 + s * (_Q2 + s * (_Q3 + s * _Q4)))
    return x * p / q


@compiled
def tanh(out: int, values: int, size: int) -> None:
    """The hyperbolic tangent of `size` numbers."""
    target, source = _numbers(out, size), _numbers(values, size)
    for k in range(size):
        target[k] = _tanh(source[k])


@compiled
def _activate(gates: int, carry: int, new_carry: int, new_output: int, size: int) -> None:
    """From the gates before activation, [4, size], to those after it, and to the new state."""
    i_, f_, g_, o_ = _four(gates, size)
    c, new_c, new_h = _numbers(carry, size), _numbers(new_carry, size), _numbers(new_output, size)
    for k in range(size):
        i = _HALF * _tanh(i_[k]) + _HALF
        f = _HALF * _tanh(f_[k]) + _HALF
        g = _tanh(g_[k])
        o = _HALF * _tanh(o_[k]) + _HALF
        i_[k], f_[k], g_[k], o_[k] = i, f, g, o
        both = f * c[k] + i * g
        new_c[k] = both
        new_h[k] = o * _tanh(both)


@compiled
def _deactivate(
    d_z: int, gates: int, carry: int, new_carry: int, d_output: int, d_carry: int, size: int
) -> None:
    """From the gradients of the new state to those of gates, before activation, and old carry."""
    i_, f_, g_, o_ = _four(gates, size)
    d_i, d_f, d_g, d_o = _four(d_z, size)
    c, new_c = _numbers(carry, size), _numbers(new_carry, size)
    d_h, d_c = _numbers(d_output, size), _numbers(d_carry, size)
    for k in range(size):
        i, f, g, o = i_[k], f_[k], g_[k], o_[k]
        squashed, of_output = _tanh(new_c[k]), d_h[k]
        # σ' = σ (1 - σ), tanh' = 1 - tanh².
        through = d_c[k] + of_output * o * (_ONE - squashed * squashed)
        d_i[k] = through * g * i * (_ONE - i)
        d_f[k] = through * c[k] * f * (_ONE - f)
        d_g[k] = through * i * (_ONE - g * g)
        d_o[k] = of_output * squashed * o * (_ONE - o)
        d_c[k] = through * f


@compiled
def _held(live: int, t: int, rows: int, time: int) -> int:
    """How many rows hold their state at step t."""
    if not live:
        return 0
    alive = carray(_pointer(live), (rows * time,), np.uint8)
    held = 0
    for row in range(rows):
        held += alive[row * time + t] == 0
    return held


@compiled
def _put_held(
    out: int, values: int, live: int, t: int, rows: int, lanes: int, time: int, columns: int
) -> None:
    """Writes the values, [columns, lanes], over those of the rows that hold their state.

    Zeros where no values are given.
    """
    alive = carray(_pointer(live), (rows * time,), np.uint8)
    target = _numbers(out, columns * lanes)
    source = _numbers(values if values else out, columns * lanes)
    for row in range(rows):
        if alive[row * time + t] == 0:
            for column in range(columns):
                at = column * lanes + row
                target[at] = source[at] if values else np.float32(0.0)


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
        h = _after(kept.outputs, t % kept.output_steps * state)
        c = _after(kept.carries, t % kept.carry_steps * state)
        new_h = _after(kept.outputs, (t + 1) % kept.output_steps * state)
        new_c = _after(kept.carries, (t + 1) % kept.carry_steps * state)
        held = _held(read.live, t, rows, time)
        if held == rows:
            _copy(new_h, h, state)
            _copy(new_c, c, state)
            continue
        here = _after(read.sequences, t * features)
        _turn(operand, lanes, here, time * features, rows, features)
        for stack in range(stacks - 1, -1, -1):
            target = _after(operand, stack * inner * lanes)
            if input_masks:
                _multiply(target, operand, _after(input_masks, stack * inputs), inputs)
            elif stack:
                _copy(target, operand, inputs)
            mask = _after(read.state_masks, stack * state) if read.state_masks else 0
            _dropped(_after(target, inputs), h, mask, state)
        z = _after(kept.gates, t % kept.gate_steps * GATES * state)
        together = GATES // stacks * units
        for stack in range(stacks):
            product(
                _after(z, stack * together * lanes), lanes,
                _after(weights, stack * together), GATES * units, 1,
                _after(operand, stack * inner * lanes), lanes, inner, together, lanes, 0,
            )  # fmt: skip
        _activate(z, c, new_c, new_h, state)
        if held:
            _put_held(new_h, h, read.live, t, rows, lanes, time, units)
            _put_held(new_c, c, read.live, t, rows, lanes, time, units)


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
        held = _held(read.live, t, rows, time)
        if held == rows:
            _clear_inputs(gradients, t, rows, time, features)
            continue
        if held:
            _copy(room.held_output, gradients.d_output, state)
            _copy(room.held_carry, gradients.d_carry, state)
        carry = _after(kept.carries, t * state)
        _deactivate(
            room.d_z, _after(kept.gates, t * GATES * state), carry, _after(carry, state),
            gradients.d_output, gradients.d_carry, state,
        )  # fmt: skip
        if held:
            # At a held step nothing passes through the gates; the gradient goes by.
            for gate in range(GATES):
                d_gate = _after(room.d_z, gate * state)
                _put_held(d_gate, 0, read.live, t, rows, lanes, time, units)
            held_carry = room.held_carry
            _put_held(gradients.d_carry, held_carry, read.live, t, rows, lanes, time, units)
        _turn(room.state, units, _after(kept.outputs, t * state), lanes, units, rows)
        for stack in range(stacks):
            _read_rows(size, read, room, input_masks, state_masks, stack, t, batch)
            d_z = _after(room.d_z, stack * together * lanes)
            product(
                _after(gradients.d_weights, stack * together * width), width,
                d_z, 1, lanes, room.read, width, rows, together, width, 1,
            )  # fmt: skip
            product(
                _after(room.d_state, stack * state), lanes,
                _after(weights, (features * GATES * units) + stack * together), 1, GATES * units,
                d_z, lanes, together, units, lanes, 0,
            )  # fmt: skip
            product(
                _after(room.d_read, stack * lanes * read_width), read_width,
                d_z, lanes, 1,
                _after(turned_kernel, stack * together * read_width), read_width,
                together, rows, read_width, 0,
            )  # fmt: skip
        _sum_of_dropped(
            gradients.d_output, room.d_state, state, read.state_masks, state, state, stacks
        )
        for row in range(rows):
            _sum_of_dropped(
                _after(gradients.d_sequences, (row * time + t) * features),
                _after(room.d_read, row * read_width), lanes * read_width,
                _after(input_masks, row * features) if input_masks else 0, batch * features,
                features, stacks,
            )  # fmt: skip
        if held:
            held_output = room.held_output
            _put_held(gradients.d_output, held_output, read.live, t, rows, lanes, time, units)


@compiled
def _read_rows(
    size: Sizes, read: Read, room: Room, input_masks: int, state_masks: int, stack: int, t: int,
    batch: int,
) -> None:  # fmt: skip
    """Writes what a stack reads at step t, review by review: inputs and state, dropped out."""
    rows, _, time, features, units, _ = size
    width = whole_vectors(features + units + 1)
    for row in range(rows):
        target = _after(room.read, row * width)
        inputs = _after(read.sequences, (row * time + t) * features)
        review = stack * batch + row
        mask = _after(input_masks, review * features) if input_masks else 0
        _dropped(target, inputs, mask, features)
        mask = _after(state_masks, review * units) if state_masks else 0
        _dropped(_after(target, features), _after(room.state, row * units), mask, units)


@compiled
def _sum_of_dropped(
    out: int, parts: int, part_step: int, masks: int, mask_step: int, size: int, stacks: int
) -> None:
    """The transpose of dropping out: what the stacks' gradients come to.

    The parts lie `part_step` numbers apart, their masks `mask_step`.
    """
    _dropped(out, parts, masks, size)
    for stack in range(1, stacks):
        part = _after(parts, stack * part_step)
        if masks:
            _add_product(out, part, _after(masks, stack * mask_step), size)
        else:
            _add(out, part, size)


@compiled
def _add_turned(gradients: Gradients, t: int, rows: int, lanes: int, time: int, units: int) -> None:
    """Adds the gradient of step t's output to the state's."""
    target = _numbers(gradients.d_output, units * lanes)
    source = _numbers(_after(gradients.d_outputs, t * units), rows * time * units)
    for row in range(rows):
        for unit in range(units):
            target[unit * lanes + row] += source[row * time * units + unit]


@compiled
def _clear_inputs(gradients: Gradients, t: int, rows: int, time: int, features: int) -> None:
    for row in range(rows):
        target = _numbers(_after(gradients.d_sequences, (row * time + t) * features), features)
        for feature in range(features):
            target[feature] = np.float32(0.0)
