"""What the sweeps of the fast LSTM pass around, and the few array operations they share.

Written in `keras.ops` for TensorFlow and JAX. In comments and docstrings `batch`, `capacity`
(time of the arrays), `features` and `units` are the sizes.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
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
        first: int scalar; the chunks before it hold the initial state and are not visited.
        chunks: int scalar; nor are those from it on.
    """

    alive: Tensor
    first: Tensor
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


def loop(count: Any, body: Callable[..., Any], start: tuple[Any, ...]) -> Any:
    """Calls `body(k, *values)` for k in 0 … count - 1, each time with the values it returned."""
    zero = ops.zeros((), "int32")
    _, values = ops.while_loop(
        lambda k, _: k < count, lambda k, values: (k + 1, body(k, *values)), (zero, start)
    )
    return values


def slice_at(array: Any, start: tuple[Any, ...], sizes: tuple[Any, ...]) -> Any:
    """`keras.ops.slice`, with a start that is data.

    TensorFlow's `tf.slice` inside XLA compiles a new program for each value its start is computed
    from, here the number of chunks; XLA's own operation does not. Keras takes `ops.slice_update`
    from the same module.
    """
    if keras.backend.backend() == "tensorflow":
        from tensorflow.compiler.tf2xla.python import xla

        return xla.dynamic_slice(array, ops.stack(start), ops.stack(sizes))
    return ops.slice(array, start, sizes)


def room(steps: Any, like: Any) -> Any:
    """Zeros for `steps` arrays like the one given."""
    return ops.zeros((steps, *ops.shape(like)), like.dtype)


def filled(steps: Any, state: Any) -> Any:
    """An array of `steps` times the state: what the steps that are not visited hold."""
    return ops.broadcast_to(state, (steps, *ops.shape(state)))


def at(buffer: Any, t: Any) -> Any:
    """Array t of [steps, batch, units]."""
    return slice_at(buffer, (t, 0, 0), (1, *ops.shape(buffer)[1:]))[0]


def put(buffer: Any, t: Any, value: Any) -> Any:
    """The buffer with array t replaced; XLA does it in place."""
    return ops.slice_update(buffer, (t, 0, 0), value[None])


def is_alive(span: Span, t: Any) -> Any:
    """Whether each row reads step t: bool [batch, 1]."""
    return ops.transpose(slice_at(span.alive, (t, 0), (1, ops.shape(span.alive)[1])))


def chunk_of_sequences(sequences: Any, j: Any) -> Any:
    """Chunk j of [batch, capacity, features], time first: [CHUNK, batch, features]."""
    batch, _, features = ops.shape(sequences)
    rows = slice_at(sequences, (0, j * CHUNK, 0), (batch, CHUNK, features))
    return ops.transpose(rows, (1, 0, 2))


def chunk_of_states(states: Any, j: Any) -> Any:
    """The states before the steps of chunk j: [CHUNK, batch, units]."""
    return slice_at(states, (j * CHUNK, 0, 0), (CHUNK, *ops.shape(states)[1:]))


def dropped(rows: Any, masks: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """What each gate reads of the rows."""
    return (rows,) * GATES if masks is None else tuple(rows * mask for mask in masks)


def sum_of_dropped(parts: Sequence[Any], masks: tuple[Any, ...] | None) -> Any:
    """The transpose of `dropped`: what the gates' gradients come to on the rows."""
    first, *rest = (
        parts if masks is None else [part * mask for part, mask in zip(parts, masks, strict=True)]
    )
    for part in rest:
        first = first + part
    return first


def flat(rows: Any) -> Any:
    """[CHUNK, batch, n] to [CHUNK · batch, n]."""
    return ops.reshape(rows, (-1, rows.shape[-1]))


def product(rows: Any, matrix: Any) -> Any:
    """[CHUNK, batch, n] times [n, m], as one matrix product."""
    rows_of_product = ops.matmul(flat(rows), matrix)
    return ops.reshape(rows_of_product, (*ops.shape(rows)[:-1], matrix.shape[-1]))


def product_over_rows(rows: Any, gradients: Any, dtype: Any) -> Any:
    """The gradient of a matrix, transposed: [CHUNK, batch, n], [CHUNK, batch, m] to [m, n]."""
    return ops.cast(ops.matmul(ops.transpose(flat(gradients)), flat(rows)), dtype)
