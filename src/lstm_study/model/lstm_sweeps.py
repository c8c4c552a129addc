"""The two sweeps of the fast LSTM over time: forward, and backward through its own gradient.

Written in `keras.ops` once for TensorFlow and JAX; `lstm.py` compiles them with XLA. What makes
them several times faster than a loop over Keras's cell with automatic differentiation:

- Time is cut into chunks of `CHUNK` steps. The products that do not depend on the previous step
  (inputs times kernel, and in the gradient everything but the state's own) are made once a chunk,
  as large matrix products whose operands still lie in the cache.
- The forward sweep keeps the four gates and the states, and nothing else; the gradient is
  written out by hand from them.
- Within a chunk a plain loop runs step by step. Writing the steps out one after another costs
  more: XLA then fuses the gradient's elementwise chain anew into each step, so both the compiling
  and the running grow with the square of the steps.
- The number of chunks is data, not shape: arrays may be longer than the time they hold, and one
  compiled program then serves every shorter length.

Gates are in Keras's order: input, forget, candidate, output. In comments and docstrings `batch`,
`capacity` (time of the arrays), `features` and `units` are the sizes.

Source: Hochreiter & Schmidhuber 1997; gradient by the chain rule of
`c_t = f·c_{t-1} + i·g`, `h_t = o·tanh(c_t)`, with `i, f, o = σ(z)`, `g = tanh(z)`.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from keras import ops

CHUNK = 8
"""Time steps that share one product of inputs and kernel. 8 to 32 run equally fast on CPUs; at 8
the rows of a batch of 64 stay in a second-level cache, and the least padding is computed."""

# A tensor of whichever backend runs.
Tensor = Any
GATES = 4


class Weights(NamedTuple):
    """What the layer learns, as `keras.layers.LSTM` shapes it.

    Attributes:
        kernel: float [features, 4 · units].
        recurrent_kernel: float [units, 4 · units].
        bias: float [4 · units].
    """

    kernel: Tensor
    recurrent_kernel: Tensor
    bias: Tensor


class Masks(NamedTuple):
    """Dropout of one call: for each gate one mask, the same at every step; None drops nothing.

    Attributes:
        inputs: Four of float [batch, features], 0 or 1 / (1 - rate).
        states: Four of float [batch, units].
    """

    inputs: tuple[Tensor, ...] | None
    states: tuple[Tensor, ...] | None


class Span(NamedTuple):
    """Which steps count.

    Attributes:
        alive: bool [capacity, batch]; where False the state is held and the input not read.
        chunks: int scalar; steps from `chunks · CHUNK` on are not visited at all.
    """

    alive: Tensor
    chunks: Tensor


class Kept(NamedTuple):
    """What the forward sweep leaves for the gradient.

    Attributes:
        gates: Four of float [capacity, batch, units], after their activation.
        outputs: float [capacity + 1, batch, units], first the initial state.
        carries: float [capacity + 1, batch, units], likewise.
    """

    gates: tuple[Tensor, ...]
    outputs: Tensor
    carries: Tensor


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
    gates = tuple(_room(time, state[0]) for _ in range(GATES))
    kept = Kept(
        gates,
        _put(_room(time + 1, state[0]), 0, state[0]),
        _put(_room(time + 1, state[1]), 0, state[1]),
    )

    def keep(t: Any, gates: Sequence[Any], output: Any, carry: Any, kept: Any) -> Kept:
        return Kept(
            tuple(_put(room, t, gate) for room, gate in zip(kept[0], gates, strict=True)),
            _put(kept[1], t + 1, output),
            _put(kept[2], t + 1, carry),
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
    outputs = _room(time, state[0])
    return _run_forward(
        sequences, weights, state, masks, span, outputs, lambda t, _g, h, _c, kept: _put(kept, t, h)
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

    def chunk(j: Any, output: Any, carry: Any, kept: Any) -> tuple[Any, Any, Any]:
        rows = _chunk_of_sequences(sequences, j)
        projected = [
            _product(x, kernel) + bias
            for x, kernel, bias in zip(_dropped(rows, masks.inputs), kernels, biases, strict=True)
        ]

        def step(k: Any, output: Any, carry: Any, kept: Any) -> tuple[Any, Any, Any]:
            t = j * CHUNK + k
            i, f, g, o = (
                _at(x, k) + ops.matmul(h, kernel)
                for x, h, kernel in zip(
                    projected, _dropped(output, masks.states), recurrent, strict=True
                )
            )
            i, f, g, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)
            new_carry = f * carry + i * g
            alive = _alive(span, t)
            output = ops.where(alive, o * ops.tanh(new_carry), output)
            carry = ops.where(alive, new_carry, carry)
            return output, carry, keep(t, (i, f, g, o), output, carry, kept)

        return _loop(CHUNK, step, (output, carry, kept))

    output, carry, kept = _loop(span.chunks, chunk, (*state, kept))
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
        summed in float32 over the chunks and returned in the dtype of the weights.
    """
    kernels, recurrent = (
        [ops.transpose(part) for part in ops.split(weight, GATES, axis=-1)]
        for weight in (weights.kernel, weights.recurrent_kernel)
    )
    units = weights.recurrent_kernel.shape[0]
    ones = ops.ones((CHUNK * ops.shape(sequences)[0], 1), sequences.dtype)

    def step(first: Any, k: Any, d_output: Any, d_carry: Any, d_z: Any, upstream: Any) -> Any:
        t = first + k
        i, f, g, o = (_at(gate, t) for gate in kept.gates)
        alive = _alive(span, t)
        if upstream is not None:
            d_output = d_output + _at(upstream, k)
        tanh_carry = ops.tanh(_at(kept.carries, t + 1))
        # At a held step nothing passes through the gates; the gradient of the state goes by.
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
        d_previous = _sum_of_dropped(
            [ops.matmul(d, kernel) for d, kernel in zip(d_gates, recurrent, strict=True)],
            masks.states,
        )
        return (
            ops.where(alive, d_previous, d_output),
            ops.where(alive, through_carry * f, d_carry),
            tuple(_put(room, k, d) for room, d in zip(d_z, d_gates, strict=True)),
        )

    def chunk(i: Any, d_output: Any, d_carry: Any, d_sequences: Any, d_z: Any, sums: Any) -> Any:
        j = span.chunks - 1 - i
        upstream = None if d_outputs is None else _chunk_of_sequences(d_outputs, j)
        d_output, d_carry, d_z = _loop(
            CHUNK,
            lambda k, h, c, z: step(j * CHUNK, CHUNK - 1 - k, h, c, z, upstream),
            (d_output, d_carry, d_z),
        )
        d_rows = _sum_of_dropped(
            [_product(d, kernel) for d, kernel in zip(d_z, kernels, strict=True)], masks.inputs
        )
        d_sequences = ops.slice_update(
            d_sequences, (0, j * CHUNK, 0), ops.transpose(d_rows, (1, 0, 2))
        )
        rows = _dropped(_chunk_of_sequences(sequences, j), masks.inputs)
        states = _dropped(_chunk_of_states(kept.outputs, j), masks.states)
        sums = tuple(
            (
                d_kernel + _product_over_rows(x, d, d_kernel.dtype),
                d_recurrent + _product_over_rows(h, d, d_recurrent.dtype),
                d_bias + ops.cast(ops.matmul(ops.transpose(_flat(d)), ones), d_bias.dtype),
            )
            for (d_kernel, d_recurrent, d_bias), x, h, d in zip(
                sums, rows, states, d_z, strict=True
            )
        )
        return d_output, d_carry, d_sequences, d_z, sums

    d_z = tuple(_room(CHUNK, d_state[0]) for _ in range(GATES))
    sums = tuple(
        tuple(ops.zeros((units, n), "float32") for n in (weights.kernel.shape[0], units, 1))
        for _ in range(GATES)
    )
    start = (*d_state, ops.zeros_like(sequences), d_z, sums)
    d_output, d_carry, d_sequences, _, sums = _loop(span.chunks, chunk, start)
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


def _room(steps: Any, like: Any) -> Any:
    return ops.zeros((steps, *ops.shape(like)), like.dtype)


def _at(room: Any, t: Any) -> Any:
    return ops.slice(room, (t, 0, 0), (1, *ops.shape(room)[1:]))[0]


def _put(room: Any, t: Any, value: Any) -> Any:
    return ops.slice_update(room, (t, 0, 0), value[None])


def _alive(span: Span, t: Any) -> Any:
    """Whether each row reads step t: bool [batch, 1]."""
    return ops.transpose(ops.slice(span.alive, (t, 0), (1, ops.shape(span.alive)[1])))


def _chunk_of_sequences(sequences: Any, j: Any) -> Any:
    """Chunk j of [batch, capacity, features], time first: [CHUNK, batch, features]."""
    batch, _, features = ops.shape(sequences)
    rows = ops.slice(sequences, (0, j * CHUNK, 0), (batch, CHUNK, features))
    return ops.transpose(rows, (1, 0, 2))


def _chunk_of_states(states: Any, j: Any) -> Any:
    """The states before the steps of chunk j: [CHUNK, batch, units]."""
    return ops.slice(states, (j * CHUNK, 0, 0), (CHUNK, *ops.shape(states)[1:]))


def _dropped(rows: Any, masks: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """What each gate reads of the rows."""
    return (rows,) * GATES if masks is None else tuple(rows * mask for mask in masks)


def _sum_of_dropped(parts: Sequence[Any], masks: tuple[Any, ...] | None) -> Any:
    """The transpose of `_dropped`: what the gates' gradients come to on the rows."""
    first, *rest = (
        parts if masks is None else [part * mask for part, mask in zip(parts, masks, strict=True)]
    )
    for part in rest:
        first = first + part
    return first


def _flat(rows: Any) -> Any:
    return ops.reshape(rows, (-1, rows.shape[-1]))


def _product(rows: Any, matrix: Any) -> Any:
    """[CHUNK, batch, n] times [n, m], as one matrix product."""
    product = ops.matmul(_flat(rows), matrix)
    return ops.reshape(product, (*ops.shape(rows)[:-1], matrix.shape[-1]))


def _product_over_rows(rows: Any, gradients: Any, dtype: Any) -> Any:
    """The gradient of a matrix, transposed: [CHUNK, batch, n], [CHUNK, batch, m] to [m, n]."""
    return ops.cast(ops.matmul(ops.transpose(_flat(gradients)), _flat(rows)), dtype)
