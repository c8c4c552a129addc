"""The two sweeps of the fast LSTM, made by NumPy on the processor.

The same sums as `lstm_sweeps.py`, made by NumPy, whose matrix products (OpenBLAS, MKL, Accelerate)
are those of the processor's own kernels. What that gains over a compiled loop:

- Nothing is compiled. A new length, batch size or width of the network costs nothing, where a
  program of XLA's costs seconds each: a search meets dozens.
- Every operation writes into memory that the sweep already holds.

What makes it fast enough, at some thousand operations a batch:

- The four gates lie in one array [4, batch, units], so that one call serves all of them: one
  stacked product, one hyperbolic tangent. The three sigmoids are tangents, too:
  `σ(z) = (1 + tanh(z / 2)) / 2`, and the half is taken into the weights, exactly.
- What does not depend on the previous step is done a chunk of steps at a time, as in
  `lstm_sweeps.py`.

TensorFlow calls them through `lstm_host.py`; they see arrays, not tensors.

In comments and docstrings `batch`, `time`, `features` and `units` are the sizes. Gates are in the
order input, forget, output, candidate here: the sigmoids lie side by side.

Source: as `lstm_sweeps.py`.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_study.model.lstm_arrays import CHUNK, GATES

Array = NDArray[Any]

FROM_KERAS = [0, 1, 3, 2]
"""Where each gate stands in Keras's order (input, forget, candidate, output); its own inverse."""
_SIGMOIDS = slice(0, 3)
_INPUT, _FORGET, _OUTPUT, _CANDIDATE = range(GATES)
_ALIGNMENT = 64


class _Weights(NamedTuple):
    """Weights by gate, the three sigmoids' halved.

    Attributes:
        kernel: [4, features, units].
        recurrent: [4, units, units].
        bias: [4, 1, units].
    """

    kernel: Array
    recurrent: Array
    bias: Array


def _by_gate(matrix: Array) -> Array:
    """[n, 4 · units] in Keras's order to [4, n, units] in the order here."""
    n, columns = matrix.shape
    return matrix.reshape(n, GATES, columns // GATES).transpose(1, 0, 2)[FROM_KERAS]


def _as_keras_has_them(matrices: Array) -> Array:
    """The inverse of `_by_gate`."""
    _, n, units = matrices.shape
    return np.ascontiguousarray(matrices[FROM_KERAS].transpose(1, 0, 2)).reshape(n, GATES * units)


def _halved(matrices: Array) -> Array:
    matrices[_SIGMOIDS] *= 0.5
    return matrices


def _empty(shape: tuple[int, ...], dtype: Any) -> Array:
    """Memory for an array that TensorFlow takes over as it is; it copies what is not aligned."""
    size = int(np.prod(shape))
    spare = _ALIGNMENT // np.dtype(dtype).itemsize
    memory = np.empty(size + spare, dtype)
    first = (-memory.ctypes.data % _ALIGNMENT) // memory.itemsize
    return memory[first : first + size].reshape(shape)


def _if_given(array: Array) -> Array | None:
    return array if array.size else None


def _rows(into: Array, sequences: Array, mask: Array | None) -> Array:
    """What the gates read of a chunk: [batch, n, features] to [4 or 1, n · batch, features]."""
    n = sequences.shape[1]
    part = into[:, :n]
    # Turned first and dropped out then: in one go NumPy walks through memory in a worse order.
    part[0] = sequences.transpose(1, 0, 2)
    if mask is not None:
        for gate in range(len(mask) - 1, -1, -1):
            np.multiply(part[0], mask[gate], out=part[gate])
    return part.reshape(len(into), -1, into.shape[-1])


def _chunks(alive: Array | None, time: int) -> Iterator[tuple[int, int]]:
    """First step and end of each chunk in which some row is alive."""
    for first in range(0, time, CHUNK):
        end = min(first + CHUNK, time)
        if alive is None or alive[:, first:end].any():
            yield first, end


def _held(alive: Array | None, time: int) -> list[Array | None]:
    """For each step the rows that hold their state, bool [batch, 1]; None where there are none."""
    if alive is None:
        return [None] * time
    held: Any = np.logical_not(alive[:, :, None])
    some = held.any(axis=(0, 2))
    return [held[:, t] if some[t] else None for t in range(time)]


# A training that diverges is the caller's to notice, as with any other loop.
_QUIETLY = np.errstate(over="ignore", invalid="ignore")


@_QUIETLY
def sweep_forward(
    keeps: str,
    sequences: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array,
    output: Array,
    carry: Array,
    input_masks: Array,
    state_masks: Array,
    alive: Array,
) -> tuple[Array, ...]:
    """Runs the LSTM over `sequences`.

    Args:
        keeps: "gates" for all that the gradient needs, "outputs", or "last" for neither.
        sequences: float [batch, time, features].
        kernel: As Keras shapes it; likewise the recurrent kernel and the bias.
        output: Before the first step, float [batch, units]; likewise the carry.
        input_masks: float [4 or 1, batch, features], or of size 0 for none.
        state_masks: float [4 or 1, batch, units], or of size 0 for none.
        alive: bool [batch, time], or of size 0 for everywhere True.

    Returns:
        Output and carry after the last step [batch, units]; the gates, after their activation,
        [time, 4, batch, units] where kept; the outputs [time + 1, batch, units], first the initial
        one, where kept; and with the gates the carries, likewise.
    """
    batch, time, features = sequences.shape
    units, dtype = output.shape[1], sequences.dtype
    weights = _Weights(*(_halved(_by_gate(w)) for w in (kernel, recurrent_kernel, bias[None])))
    of_inputs, of_states, alive_ = (_if_given(x) for x in (input_masks, state_masks, alive))
    held = _held(alive_, time)
    read = np.empty((len(input_masks) or 1, CHUNK, batch, features), dtype)
    projected = np.empty((GATES, CHUNK, batch, units), dtype)
    dropped = None if of_states is None else np.empty((len(of_states), batch, units), dtype)
    product = np.empty((batch, units), dtype)

    # Where a step is not kept, it is written over the one before the last.
    kept_steps = 2 if keeps == "last" else time + 1
    outputs = _empty((kept_steps, batch, units), dtype)
    carries = _empty((time + 1 if keeps == "gates" else 2, batch, units), dtype)
    gates = _empty((time if keeps == "gates" else 1, GATES, batch, units), dtype)
    outputs[0], carries[0] = output, carry
    done = 0

    for first, end in _chunks(alive_, time):
        _hold(outputs, carries, done, first)
        n = end - first
        rows = _rows(read, sequences[:, first:end], of_inputs)
        part = projected[:, :n]
        np.matmul(rows, weights.kernel, out=part.reshape(GATES, -1, units))
        part += weights.bias[:, None]
        for k in range(n):
            t = first + k
            h, c = outputs[t % len(outputs)], carries[t % len(carries)]
            new_h, new_c = outputs[(t + 1) % len(outputs)], carries[(t + 1) % len(carries)]
            z = gates[t % len(gates)]
            if dropped is not None:
                np.multiply(h, state_masks, out=dropped)
            np.matmul(h[None] if dropped is None else dropped, weights.recurrent, out=z)
            z += part[:, k]
            np.tanh(z, out=z)
            sigmoids = z[_SIGMOIDS]
            sigmoids *= 0.5
            sigmoids += 0.5
            np.multiply(z[_FORGET], c, out=new_c)
            np.multiply(z[_INPUT], z[_CANDIDATE], out=product)
            new_c += product
            np.tanh(new_c, out=product)
            np.multiply(z[_OUTPUT], product, out=new_h)
            if (rows_held := held[t]) is not None:
                np.copyto(new_h, h, where=rows_held)
                np.copyto(new_c, c, where=rows_held)
        done = end
    _hold(outputs, carries, done, time)
    last = outputs[time % len(outputs)].copy(), carries[time % len(carries)].copy()
    if keeps == "gates":
        return *last, gates, outputs, carries
    return (*last, outputs) if keeps == "outputs" else last


def _hold(outputs: Array, carries: Array, first: int, end: int) -> None:
    """Writes the states after the steps from first to end, which are not visited."""
    for states in (outputs, carries):
        for t in range(first, end):
            states[(t + 1) % len(states)] = states[t % len(states)]


@_QUIETLY
def sweep_backward(
    sequences: Array,
    kernel: Array,
    recurrent_kernel: Array,
    input_masks: Array,
    state_masks: Array,
    alive: Array,
    gates: Array,
    outputs: Array,
    carries: Array,
    d_outputs: Array,
    d_output: Array,
    d_carry: Array,
) -> tuple[Array, ...]:
    """Takes the gradient of a scalar back through `sweep_forward`.

    Args:
        sequences: As `sweep_forward` had them; likewise weights, masks and alive.
        kernel: See there.
        recurrent_kernel: See there.
        input_masks: See there.
        state_masks: See there.
        alive: See there.
        gates: What `sweep_forward` kept; likewise outputs and carries.
        outputs: See there.
        carries: See there.
        d_outputs: With respect to the output of every step, float [batch, time, units], or of size
            0 where only the last state was used.
        d_output: With respect to the last output, float [batch, units]; likewise the carry.
        d_carry: See there.

    Returns:
        Gradients with respect to sequences, kernel, recurrent kernel, bias, output and carry.
    """
    batch, time, features = sequences.shape
    units, dtype = d_output.shape[1], sequences.dtype
    to_inputs, to_states = (
        np.ascontiguousarray(_by_gate(matrix).transpose(0, 2, 1))
        for matrix in (kernel, recurrent_kernel)
    )
    of_inputs, of_states, alive_, upstream = (
        _if_given(x) for x in (input_masks, state_masks, alive, d_outputs)
    )
    held = _held(alive_, time)
    read = np.empty((len(input_masks) or 1, CHUNK, batch, features), dtype)
    dropped = np.empty((len(state_masks) or 1, CHUNK, batch, units), dtype)
    factors = np.empty((CHUNK, GATES, batch, units), dtype)
    of_carry = np.empty((CHUNK, batch, units), dtype)
    d_z = np.empty((GATES, CHUNK, batch, units), dtype)
    d_read = np.empty((GATES, CHUNK, batch, features), dtype)
    d_states = np.empty((GATES, batch, units), dtype)
    through, d_previous = (np.empty((batch, units), dtype) for _ in range(2))
    ones = np.ones((1, CHUNK * batch, 1), dtype)
    d_sequences = _empty(sequences.shape, dtype)
    sums = [np.zeros((GATES, n, units), dtype) for n in (features, units, 1)]
    d_h, d_c = d_output.copy(), d_carry.copy()
    begun = time

    for first, end in reversed(list(_chunks(alive_, time))):
        _pass_by(d_h, d_sequences, upstream, end, begun)
        begun = first
        n = end - first
        _factors(
            factors[:n], of_carry[:n], gates[first:end], outputs[first + 1 : end + 1],
            carries[first:end], carries[first + 1 : end + 1],
        )  # fmt: skip
        for k in range(n - 1, -1, -1):
            t = first + k
            z, factor = d_z[:, k], factors[k]
            if upstream is not None:
                d_h += upstream[:, t]
            np.multiply(d_h, of_carry[k], out=through)
            through += d_c
            np.multiply(through, factor, out=z)
            np.multiply(d_h, factor[_OUTPUT], out=z[_OUTPUT])
            rows_held = held[t]
            if rows_held is not None:
                # At a held step nothing passes through the gates; the gradient goes by.
                np.copyto(z, 0.0, where=rows_held)
            np.matmul(z, to_states, out=d_states)
            if of_states is not None:
                d_states *= of_states
            np.add.reduce(d_states, axis=0, out=d_previous)
            through *= gates[t, _FORGET]
            if rows_held is not None:
                np.copyto(d_previous, d_h, where=rows_held)
                np.copyto(through, d_c, where=rows_held)
            d_h, d_previous = d_previous, d_h
            d_c, through = through, d_c
        flat = d_z[:, :n].reshape(GATES, -1, units)
        _gradient_of_rows(d_sequences[:, first:end], d_read[:, :n], flat, to_inputs, of_inputs)
        read_by_gates = (
            _rows(read, sequences[:, first:end], of_inputs),
            _rows(dropped, outputs[first:end].transpose(1, 0, 2), of_states),
            ones[:, : n * batch],
        )
        for i, rows in enumerate(read_by_gates):
            sums[i] += np.matmul(rows.transpose(0, 2, 1), flat)
    _pass_by(d_h, d_sequences, upstream, 0, begun)
    d_kernel, d_recurrent, d_bias = (_as_keras_has_them(each) for each in sums)
    return d_sequences, d_kernel, d_recurrent, d_bias[0], d_h, d_c


def _pass_by(d_h: Array, d_sequences: Array, upstream: Array | None, first: int, end: int) -> None:
    """Goes back over the steps from first to end, which are not visited."""
    d_sequences[:, first:end] = 0.0
    if upstream is not None:
        d_h += upstream[:, first:end].sum(axis=1)


def _factors(
    factors: Array, of_carry: Array, gates: Array, h: Array, carries: Array, new_carries: Array
) -> None:
    """What the gradients of a chunk are multiplied by, of all that does not depend on them.

    The gradients of the gates before activation are the carry's gradient times `factors` (the
    output's gradient, for the output gate); that of the carry is the output's times `of_carry`,
    and what comes from the next step.
    """
    i, f, o, g = (gates[:, gate] for gate in range(GATES))
    # σ' = σ (1 - σ), tanh' = 1 - tanh².
    sigmoids = factors[:, _SIGMOIDS]
    np.subtract(1.0, gates[:, _SIGMOIDS], out=sigmoids)
    sigmoids[:, _INPUT] *= i
    sigmoids[:, _INPUT] *= g
    sigmoids[:, _FORGET] *= f
    sigmoids[:, _FORGET] *= carries
    sigmoids[:, _OUTPUT] *= h  # which is o · tanh(c)
    candidate = factors[:, _CANDIDATE]
    np.multiply(g, g, out=candidate)
    np.subtract(1.0, candidate, out=candidate)
    candidate *= i
    np.tanh(new_carries, out=of_carry)
    of_carry *= h
    np.subtract(o, of_carry, out=of_carry)


def _gradient_of_rows(
    d_rows: Array, d_read: Array, d_z: Array, to_inputs: Array, masks: Array | None
) -> None:
    """Writes the gradient of [batch, n, features] from that of the gates, [4, n · batch, units]."""
    np.matmul(d_z, to_inputs, out=d_read.reshape(GATES, -1, d_read.shape[-1]))
    first = d_read[0]
    if masks is not None and len(masks) == GATES:
        d_read *= masks[:, None]
    for gate in range(1, GATES):
        first += d_read[gate]
    if masks is not None and len(masks) == 1:
        first *= masks[0]
    d_rows[...] = first.transpose(1, 0, 2)
