"""The two sweeps of the fast LSTM over time: forward, and backward through its own gradient.

Written in `keras.ops` once for TensorFlow and JAX; `lstm.py` compiles them with XLA. What makes
them several times faster than a loop over Keras's cell with automatic differentiation:

- Time is cut into chunks of `CHUNK` steps. The products that do not depend on the previous step
  (inputs times kernel, and in the gradient everything but the state's own) are made once a chunk,
  as large matrix products whose operands still lie in the cache.
- The forward sweep keeps the four gates and the states, and nothing else; the gradient is
  written out by hand from them.
- Within a chunk a plain loop runs step by step. Writing the steps out one after another was
  slower, to compile and to run: XLA then recomputes the gradient's chain through the carry anew
  for each later step.
- The first chunk and the last are data, not shape: arrays may be longer than the time they hold,
  and one compiled program then serves every shorter length. Chunks at the front that are padding in
  the whole batch are not visited.

Gates are in Keras's order: input, forget, candidate, output. In comments and docstrings `batch`,
`capacity` (time of the arrays), `features` and `units` are the sizes.

Source: Hochreiter & Schmidhuber 1997; gradient by the chain rule of
`c_t = f·c_{t-1} + i·g`, `h_t = o·tanh(c_t)`, with `i, f, o = σ(z)`, `g = tanh(z)`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from lstm_study.model.lstm.arrays import (
    CHUNK,
    GATES,
    Kept,
    Masks,
    Span,
    Tensor,
    Weights,
    at,
    chunk_of_sequences,
    chunk_of_states,
    dropped,
    filled,
    flat,
    is_alive,
    loop,
    product,
    product_over_rows,
    put,
    room,
    sum_of_dropped,
)


def sweep_forward(
    sequences: Tensor,
    weights: Weights,
    state: tuple[Tensor, Tensor],
    masks: Masks,
    span: Span,
) -> tuple[tuple[Tensor, Tensor], Kept]:
    """Runs the LSTM over `sequences` and keeps what its gradient needs.

    Args:
        sequences: float [batch, capacity, features]; capacity is a multiple of `CHUNK`.
        weights: The layer's weights, in the dtype of the sequences.
        state: Output and carry before the first step, float [batch, units] each.
        masks: Dropout of this call.
        span: Which steps count.

    Returns:
        Output and carry after the last step, and what is kept.
    """
    time = sequences.shape[1] or ops.shape(sequences)[1]
    gates = tuple(room(time, state[0]) for _ in range(GATES))
    kept = Kept(
        gates,
        filled(time + 1, state[0]),
        filled(time + 1, state[1]),
    )

    def keep(t: Any, gates: Sequence[Any], output: Any, carry: Any, kept: Any) -> Kept:
        return Kept(
            tuple(put(buffer, t, gate) for buffer, gate in zip(kept[0], gates, strict=True)),
            put(kept[1], t + 1, output),
            put(kept[2], t + 1, carry),
        )

    return _run_forward(sequences, weights, state, masks, span, kept, keep)


def sweep_outputs(
    sequences: Tensor,
    weights: Weights,
    state: tuple[Tensor, Tensor],
    masks: Masks,
    span: Span,
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """As `sweep_forward`, but keeps only the outputs: float [capacity, batch, units]."""
    time = sequences.shape[1] or ops.shape(sequences)[1]
    outputs = filled(time, state[0])
    return _run_forward(
        sequences, weights, state, masks, span, outputs, lambda t, _g, h, _c, kept: put(kept, t, h)
    )


def sweep_last(
    sequences: Tensor,
    weights: Weights,
    state: tuple[Tensor, Tensor],
    masks: Masks,
    span: Span,
) -> tuple[Tensor, Tensor]:
    """As `sweep_forward`, but keeps nothing: output and carry after the last step."""
    nothing = ops.zeros((), "int32")
    last, _ = _run_forward(
        sequences, weights, state, masks, span, nothing, lambda _t, _g, _h, _c, kept: kept
    )
    return last


def _run_forward(
    sequences: Any,
    weights: Weights,
    state: tuple[Any, Any],
    masks: Masks,
    span: Span,
    kept: Any,
    keep: Callable[[Any, Sequence[Any], Any, Any, Any], Any],
) -> tuple[tuple[Any, Any], Any]:
    kernels, recurrent, biases = (ops.split(weight, GATES, axis=-1) for weight in weights)

    def chunk(i: Any, output: Any, carry: Any, kept: Any) -> Any:
        j = span.first + i
        rows = chunk_of_sequences(sequences, j)
        projected = [
            product(x, kernel) + bias
            for x, kernel, bias in zip(dropped(rows, masks.inputs), kernels, biases, strict=True)
        ]

        def step(k: Any, output: Any, carry: Any, kept: Any) -> tuple[Any, Any, Any]:
            t = j * CHUNK + k
            i, f, g, o = (
                at(x, k) + ops.matmul(h, kernel)
                for x, h, kernel in zip(
                    projected, dropped(output, masks.states), recurrent, strict=True
                )
            )
            i, f, g, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)
            new_carry = f * carry + i * g
            alive = is_alive(span, t)
            output = ops.where(alive, o * ops.tanh(new_carry), output)
            carry = ops.where(alive, new_carry, carry)
            return output, carry, keep(t, (i, f, g, o), output, carry, kept)

        return loop(CHUNK, step, (output, carry, kept))

    output, carry, kept = loop(span.chunks - span.first, chunk, (*state, kept))
    return (output, carry), kept


def sweep_backward(
    sequences: Tensor,
    weights: Weights,
    masks: Masks,
    span: Span,
    kept: Kept,
    d_outputs: Tensor | None,
    d_state: tuple[Tensor, Tensor],
) -> tuple[Tensor, Weights, tuple[Tensor, Tensor]]:
    """Takes the gradient of a scalar back through `sweep_forward`.

    Args:
        sequences: As `sweep_forward` had them; likewise weights, masks and span.
        weights: See there.
        masks: See there.
        span: See there.
        kept: What `sweep_forward` kept.
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
        i, f, g, o = (at(gate, t) for gate in kept.gates)
        alive = is_alive(span, t)
        if upstream is not None:
            d_output = d_output + at(upstream, k)
        tanh_carry = ops.tanh(at(kept.carries, t + 1))
        # At a held step nothing passes through the gates; the gradient of the state goes by.
        through_output = ops.where(alive, d_output, 0.0)
        through_carry = ops.where(alive, d_carry, 0.0) + through_output * o * (
            1 - tanh_carry * tanh_carry
        )
        d_gates = (
            through_carry * g * i * (1 - i),
            through_carry * at(kept.carries, t) * f * (1 - f),
            through_carry * i * (1 - g * g),
            through_output * tanh_carry * o * (1 - o),
        )
        d_previous = sum_of_dropped(
            [ops.matmul(d, kernel) for d, kernel in zip(d_gates, recurrent, strict=True)],
            masks.states,
        )
        return (
            ops.where(alive, d_previous, d_output),
            ops.where(alive, through_carry * f, d_carry),
            tuple(put(buffer, k, d) for buffer, d in zip(d_z, d_gates, strict=True)),
        )

    def chunk(i: Any, d_output: Any, d_carry: Any, d_sequences: Any, d_z: Any, sums: Any) -> Any:
        j = span.chunks - 1 - i
        upstream = None if d_outputs is None else chunk_of_sequences(d_outputs, j)
        d_output, d_carry, d_z = loop(
            CHUNK,
            lambda k, h, c, z: step(j * CHUNK, CHUNK - 1 - k, h, c, z, upstream),
            (d_output, d_carry, d_z),
        )
        d_rows = sum_of_dropped(
            [product(d, kernel) for d, kernel in zip(d_z, kernels, strict=True)], masks.inputs
        )
        d_sequences = ops.slice_update(
            d_sequences, (0, j * CHUNK, 0), ops.transpose(d_rows, (1, 0, 2))
        )
        rows = dropped(chunk_of_sequences(sequences, j), masks.inputs)
        states = dropped(chunk_of_states(kept.outputs, j), masks.states)
        sums = tuple(
            (
                d_kernel + product_over_rows(x, d, d_kernel.dtype),
                d_recurrent + product_over_rows(h, d, d_recurrent.dtype),
                d_bias + ops.cast(ops.matmul(ops.transpose(flat(d)), ones), d_bias.dtype),
            )
            for (d_kernel, d_recurrent, d_bias), x, h, d in zip(
                sums, rows, states, d_z, strict=True
            )
        )
        return d_output, d_carry, d_sequences, d_z, sums

    d_z = tuple(room(CHUNK, d_state[0]) for _ in range(GATES))
    # Hundreds of chunks summed in a half precision would lose the small ones.
    sums_dtype = keras.backend.result_type(weights.kernel.dtype, "float32")
    sums = tuple(
        tuple(ops.zeros((units, n), sums_dtype) for n in (weights.kernel.shape[0], units, 1))
        for _ in range(GATES)
    )
    start = (*d_state, ops.zeros_like(sequences), d_z, sums)
    d_output, d_carry, d_sequences, _, sums = loop(span.chunks - span.first, chunk, start)
    if d_outputs is not None:
        # The outputs of the chunks before the first are the initial state.
        skipped = ops.arange(d_outputs.shape[1] or ops.shape(d_outputs)[1]) < span.first * CHUNK
        d_output = d_output + ops.sum(ops.where(skipped[None, :, None], d_outputs, 0.0), axis=1)
    d_kernel, d_recurrent, d_bias = (
        ops.cast(ops.transpose(ops.concatenate(parts)), weights.kernel.dtype)
        for parts in zip(*sums, strict=True)
    )
    return d_sequences, Weights(d_kernel, d_recurrent, d_bias[0]), (d_output, d_carry)
