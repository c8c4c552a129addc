"""Both sweeps of the fast LSTM over time, for XLA: forward, and back through its gradient.

Written in `keras.ops` for TensorFlow and JAX; `xla.py` compiles them. They are several times faster
than a loop over Keras's cell with automatic differentiation because

- time is cut into chunks of `CHUNK` steps: the products that do not depend on the previous step
  (inputs times kernel, and in the gradient all but the state's own) are computed once per chunk,
  as large matrix products whose operands are still in the cache;
- the forward sweep keeps the four gates and the states only, and the gradient is written by hand;
- the steps of a chunk are a plain loop. Unrolled it compiled and ran more slowly: XLA recomputed
  the gradient's chain through the carry for each later step;
- the first and the last chunk are data, not shape: arrays may be longer than the time they hold, so
  that one compiled program serves all shorter lengths. Chunks that are padding in the whole batch,
  at either end, are skipped.

`batch`, `capacity` (the arrays' time), `features` and `units` are the sizes.

Source: Hochreiter & Schmidhuber 1997; gradient by the chain rule of
`c_t = f·c_{t-1} + i·g`, `h_t = o·tanh(c_t)`, with `i, f, o = σ(z)`, `g = tanh(z)`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import keras
from keras import ops

from lstm_study.model.lstm.arrays import GATES, Masks, Tensor, Weights

CHUNK = 8
"""Time steps per chunk. 8 to 32 are equally fast on CPUs; with 8 the rows of a batch of 64 fit in a
second-level cache, and the padding to whole chunks is least."""

Keep = Literal["gates", "outputs", "nothing"]


class Span(NamedTuple):
    """Which steps are computed.

    Attributes:
        alive: bool [capacity, batch]; where False the state is held and the input not read.
        first: int scalar; the first chunk. Before it the state is the initial one.
        end: int scalar; one past the last chunk. From it on the state is the last one.
    """

    alive: Tensor
    first: Tensor
    end: Tensor


class KeptSteps(NamedTuple):
    """What the forward sweep keeps of its steps; index 0 holds the initial state.

    Attributes:
        outputs: float [capacity + 1, batch, units].
        carries: float [capacity + 1, batch, units].
        gates: Four of float [capacity + 1, batch, units], after their activation.
    """

    outputs: Tensor
    carries: Tensor
    gates: tuple[Tensor, ...]


def lstm_forward(
    sequences: Tensor,
    weights: Weights,
    state: tuple[Tensor, Tensor],
    masks: Masks,
    span: Span,
    *,
    keep: Keep,
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, ...]]:
    """Runs the LSTM over `sequences`.

    Args:
        sequences: float [batch, capacity, features]; capacity is a multiple of `CHUNK`.
        weights: The layer's weights, in the dtype of the sequences.
        state: Output and carry before the first step, float [batch, units] each.
        masks: Dropout of this call.
        span: Which steps are computed.
        keep: "gates" for all that the gradient needs, "outputs" for these alone.

    Returns:
        Output and carry after the last step; and what is kept: the fields of `KeptSteps` for
        "gates", the outputs alone for "outputs", () for "nothing".
    """
    kernels, recurrent, biases = (ops.split(weight, GATES, axis=-1) for weight in weights)
    steps = (sequences.shape[1] or ops.shape(sequences)[1]) + 1
    kept: tuple[Any, ...] = ()
    if keep != "nothing":
        kept = (_repeat(state[0], steps),)
    if keep == "gates":
        gates = tuple(_zeros_for_steps(steps, state[0]) for _ in range(GATES))
        kept = (*kept, _repeat(state[1], steps), gates)

    def chunk(i: Any, output: Any, carry: Any, kept: Any) -> Any:
        j = span.first + i
        rows = _chunk_of_sequences(sequences, j)
        projected = [
            _matmul_rows(x, kernel) + bias
            for x, kernel, bias in zip(_masked(rows, masks.inputs), kernels, biases, strict=True)
        ]

        def step(k: Any, output: Any, carry: Any, kept: Any) -> tuple[Any, Any, Any]:
            t = j * CHUNK + k
            i, f, g, o = (
                _at(x, k) + ops.matmul(h, kernel)
                for x, h, kernel in zip(
                    projected, _masked(output, masks.states), recurrent, strict=True
                )
            )
            i, f, g, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)
            new_carry = f * carry + i * g
            alive = _is_alive(span, t)
            output = ops.where(alive, o * ops.tanh(new_carry), output)
            carry = ops.where(alive, new_carry, carry)
            values = (output, carry, (i, f, g, o))[: len(kept)]
            kept = keras.tree.map_structure(
                lambda buffer, value: _replace(buffer, t + 1, value), kept, values
            )
            return output, carry, kept

        return _loop(CHUNK, step, (output, carry, kept))

    output, carry, kept = _loop(span.end - span.first, chunk, (*state, kept))
    if keep != "nothing":
        # Nothing was written after the last chunk, where the last output is held.
        held = (ops.arange(steps) > span.end * CHUNK)[:, None, None]
        kept = (ops.where(held, output, kept[0]), *kept[1:])
    return (output, carry), kept


def lstm_backward(
    sequences: Tensor,
    weights: Weights,
    masks: Masks,
    span: Span,
    kept: KeptSteps,
    d_outputs: Tensor | None,
    d_state: tuple[Tensor, Tensor],
) -> tuple[Tensor, Weights, tuple[Tensor, Tensor]]:
    """Takes the gradient of a scalar back through `lstm_forward`.

    Args:
        sequences, weights, masks, span: As `lstm_forward` had them.
        kept: What `lstm_forward` kept with "gates".
        d_outputs: Gradient with respect to the output of every step, float
            [batch, capacity, units]; None where only the last state was used.
        d_state: Gradient with respect to output and carry after the last step.

    Returns:
        Gradients with respect to sequences, weights and initial state. Those of the weights are
        summed over the chunks in float32 at least and returned in the dtype of the weights.
    """
    kernels, recurrent = (
        [ops.transpose(part) for part in ops.split(weight, GATES, axis=-1)]
        for weight in (weights.kernel, weights.recurrent_kernel)
    )
    units = weights.recurrent_kernel.shape[0]
    ones = ops.ones((CHUNK * ops.shape(sequences)[0], 1), sequences.dtype)

    def step(first: Any, k: Any, d_output: Any, d_carry: Any, d_z: Any, upstream: Any) -> Any:
        t = first + k
        i, f, g, o = (_at(gate, t + 1) for gate in kept.gates)
        alive = _is_alive(span, t)
        if upstream is not None:
            d_output = d_output + _at(upstream, k)
        tanh_carry = ops.tanh(_at(kept.carries, t + 1))
        # At a held step nothing passes through the gates, and the state's gradient is kept.
        through_output = ops.where(alive, d_output, 0.0)
        through_carry = ops.where(alive, d_carry, 0.0) + through_output * o * (
            1 - tanh_carry * tanh_carry
        )
        d_gates = (
            through_carry * g * i * (1 - i),
            through_carry * _at(kept.carries, t) * f * (1 - f),
            through_carry * i * (1 - g * g),
            through_output * tanh_carry * o * (1 - o),
        )
        d_previous = _sum_masked(
            [ops.matmul(d, kernel) for d, kernel in zip(d_gates, recurrent, strict=True)],
            masks.states,
        )
        return (
            ops.where(alive, d_previous, d_output),
            ops.where(alive, through_carry * f, d_carry),
            tuple(_replace(buffer, k, d) for buffer, d in zip(d_z, d_gates, strict=True)),
        )

    def chunk(i: Any, d_output: Any, d_carry: Any, d_sequences: Any, d_z: Any, sums: Any) -> Any:
        j = span.end - 1 - i
        upstream = None if d_outputs is None else _chunk_of_sequences(d_outputs, j)
        d_output, d_carry, d_z = _loop(
            CHUNK,
            lambda k, h, c, z: step(j * CHUNK, CHUNK - 1 - k, h, c, z, upstream),
            (d_output, d_carry, d_z),
        )
        d_rows = _sum_masked(
            [_matmul_rows(d, kernel) for d, kernel in zip(d_z, kernels, strict=True)], masks.inputs
        )
        d_sequences = ops.slice_update(
            d_sequences, (0, j * CHUNK, 0), ops.transpose(d_rows, (1, 0, 2))
        )
        rows = _masked(_chunk_of_sequences(sequences, j), masks.inputs)
        states = _masked(_chunk_of_states(kept.outputs, j), masks.states)
        sums = tuple(
            (
                d_kernel + _outer_products(x, d, d_kernel.dtype),
                d_recurrent + _outer_products(h, d, d_recurrent.dtype),
                d_bias + ops.cast(ops.matmul(ops.transpose(_flat(d)), ones), d_bias.dtype),
            )
            for (d_kernel, d_recurrent, d_bias), x, h, d in zip(
                sums, rows, states, d_z, strict=True
            )
        )
        return d_output, d_carry, d_sequences, d_z, sums

    d_z = tuple(_zeros_for_steps(CHUNK, d_state[0]) for _ in range(GATES))
    # Hundreds of chunks summed in a half precision would lose the small ones.
    sums_dtype = keras.backend.result_type(weights.kernel.dtype, "float32")
    sums = tuple(
        tuple(ops.zeros((units, n), sums_dtype) for n in (weights.kernel.shape[0], units, 1))
        for _ in range(GATES)
    )
    d_output, d_carry = d_state
    if d_outputs is not None:
        # The outputs after the last chunk are the last state, those before the first the initial.
        t = ops.arange(d_outputs.shape[1] or ops.shape(d_outputs)[1])
        d_output = d_output + _sum_steps(d_outputs, t >= span.end * CHUNK)
    start = (d_output, d_carry, ops.zeros_like(sequences), d_z, sums)
    d_output, d_carry, d_sequences, _, sums = _loop(span.end - span.first, chunk, start)
    if d_outputs is not None:
        d_output = d_output + _sum_steps(d_outputs, t < span.first * CHUNK)
    d_kernel, d_recurrent, d_bias = (
        ops.cast(ops.transpose(ops.concatenate(parts)), weights.kernel.dtype)
        for parts in zip(*sums, strict=True)
    )
    return d_sequences, Weights(d_kernel, d_recurrent, d_bias[0]), (d_output, d_carry)


def _loop(count: Any, body: Callable[..., Any], start: tuple[Any, ...]) -> Any:
    """Calls `body(k, *values)` for k in 0 … count - 1, each time with the values it returned."""
    zero = ops.zeros((), "int32")
    _, values = ops.while_loop(
        lambda k, _: k < count, lambda k, values: (k + 1, body(k, *values)), (zero, start)
    )
    return values


def _slice(array: Any, start: tuple[Any, ...], sizes: tuple[Any, ...]) -> Any:
    """`keras.ops.slice` whose start is data.

    TensorFlow's `tf.slice` inside XLA compiles a program for each value that its start is computed
    from, here the number of chunks; XLA's own operation does not. Keras takes `ops.slice_update`
    from the same module.
    """
    if keras.backend.backend() == "tensorflow":
        from tensorflow.compiler.tf2xla.python import xla

        return xla.dynamic_slice(array, ops.stack(start), ops.stack(sizes))
    return ops.slice(array, start, sizes)


def _zeros_for_steps(steps: Any, like: Any) -> Any:
    return ops.zeros((steps, *ops.shape(like)), like.dtype)


def _repeat(state: Any, steps: Any) -> Any:
    return ops.broadcast_to(state, (steps, *ops.shape(state)))


def _at(buffer: Any, t: Any) -> Any:
    """Array t of [steps, batch, units]."""
    return _slice(buffer, (t, 0, 0), (1, *ops.shape(buffer)[1:]))[0]


def _replace(buffer: Any, t: Any, value: Any) -> Any:
    """The buffer with array t replaced, which XLA does in place."""
    return ops.slice_update(buffer, (t, 0, 0), value[None])


def _is_alive(span: Span, t: Any) -> Any:
    """Whether step t counts for each row: bool [batch, 1]."""
    return ops.transpose(_slice(span.alive, (t, 0), (1, ops.shape(span.alive)[1])))


def _chunk_of_sequences(sequences: Any, j: Any) -> Any:
    """Chunk j of [batch, capacity, n], time first: [CHUNK, batch, n]."""
    batch, _, features = ops.shape(sequences)
    rows = _slice(sequences, (0, j * CHUNK, 0), (batch, CHUNK, features))
    return ops.transpose(rows, (1, 0, 2))


def _chunk_of_states(states: Any, j: Any) -> Any:
    """The states before the steps of chunk j: [CHUNK, batch, units]."""
    return _slice(states, (j * CHUNK, 0, 0), (CHUNK, *ops.shape(states)[1:]))


def _masked(rows: Any, masks: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """What each gate reads of the rows."""
    return (rows,) * GATES if masks is None else tuple(rows * mask for mask in masks)


def _sum_masked(parts: Sequence[Any], masks: tuple[Any, ...] | None) -> Any:
    """The transpose of `_masked`: the gradient of the rows from those of the gates."""
    first, *rest = (
        parts if masks is None else [part * mask for part, mask in zip(parts, masks, strict=True)]
    )
    for part in rest:
        first = first + part
    return first


def _sum_steps(values: Any, chosen: Any) -> Any:
    """The sum of [batch, capacity, n] over the chosen steps, bool [capacity]."""
    return ops.sum(ops.where(chosen[None, :, None], values, 0.0), axis=1)


def _flat(rows: Any) -> Any:
    """[CHUNK, batch, n] as [CHUNK · batch, n]."""
    return ops.reshape(rows, (-1, rows.shape[-1]))


def _matmul_rows(rows: Any, matrix: Any) -> Any:
    """[CHUNK, batch, n] times [n, m], as one matrix product."""
    product = ops.matmul(_flat(rows), matrix)
    return ops.reshape(product, (*ops.shape(rows)[:-1], matrix.shape[-1]))


def _outer_products(rows: Any, gradients: Any, dtype: Any) -> Any:
    """A matrix's gradient, transposed: [CHUNK, batch, n], [CHUNK, batch, m] to [m, n]."""
    return ops.cast(ops.matmul(ops.transpose(_flat(gradients)), _flat(rows)), dtype)
