"""The XLA loop of the fast LSTM as a differentiable function, on TensorFlow and JAX."""

import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from lstm_study.model.lstm import xla_sweeps
from lstm_study.model.lstm.arrays import LstmFunction, Masks, Steps, Tensor, Weights
from lstm_study.model.lstm.xla_sweeps import CHUNK, Keep, KeptSteps, Span

SMALLEST_CAPACITY = 64
LARGEST_CAPACITY = 2**20


def xla_lstm(masks: Masks, alive: Tensor | None, steps: Steps) -> LstmFunction:
    """Returns the LSTM as a function of the running backend; see `arrays.LstmFunction`."""

    def run(sequences: Any, *weights_and_state: Any) -> tuple[Any, Any, Any]:
        time, held = sequences.shape[1] or ops.shape(sequences)[1], alive
        if steps.go_backwards:
            sequences = ops.flip(sequences, axis=1)
            held = None if alive is None else ops.flip(alive, axis=1)
        sequences, span = _padded(sequences, held)
        function = _differentiable(masks, span, steps)
        outputs, last, carry = function(sequences, *weights_and_state)
        if steps.return_outputs:
            outputs = outputs[:, :time]
            if steps.zero_held_outputs and held is not None:
                outputs = ops.where(held[:, :, None], outputs, ops.zeros_like(outputs))
        return outputs, last, carry

    return run


def capacity(time: int) -> int:
    """Returns the time of the arrays that hold `time` steps on TensorFlow: a power of two >= 64.

    Batches of equal capacity and size run the same compiled program.
    """
    return max(SMALLEST_CAPACITY, 1 << (time - 1).bit_length())


def _padded(sequences: Any, mask: Any) -> tuple[Any, Span]:
    """Pads time at its end to a whole number of chunks, with steps that hold the state.

    On TensorFlow to a power of two, for few programs; JAX compiles the whole training step for each
    length in any case.
    """
    batch, time, _ = ops.shape(sequences)
    if keras.backend.backend() == "jax":
        room = -(-time // CHUNK) * CHUNK
    elif isinstance(time, int):
        room = capacity(time)
    else:
        sizes = [2**n for n in range(SMALLEST_CAPACITY.bit_length() - 1, 21)]
        room = ops.min(ops.where(ops.convert_to_tensor(sizes) >= time, sizes, LARGEST_CAPACITY))
    padding = room - time
    first = ops.zeros((), "int32")
    end = (ops.cast(time, "int32") + (CHUNK - 1)) // CHUNK
    if mask is None:
        mask = ops.ones((batch, time), "bool")
    else:
        # Without a step that counts, argmax is 0 and one chunk too many is computed, harmlessly.
        anywhere = ops.any(mask, axis=0)
        last = ops.cast(time, "int32") - 1 - ops.cast(ops.argmax(ops.flip(anywhere)), "int32")
        first = ops.cast(ops.argmax(anywhere), "int32") // CHUNK
        end = last // CHUNK + 1
    alive = ops.pad(ops.transpose(mask), ((0, padding), (0, 0)))
    sequences = ops.pad(sequences, ((0, 0), (0, padding), (0, 0)))
    return sequences, Span(alive, first, end)


def _differentiable(masks: Masks, span: Span, steps: Steps) -> LstmFunction:
    """`xla_lstm` for padded sequences in the order of computation."""

    @ops.custom_gradient  # type: ignore[untyped-decorator]  # Keras is untyped
    def run(*arguments: Any) -> tuple[tuple[Any, Any, Any], Callable[..., Any]]:
        # Unless told not to, TensorFlow would differentiate what is called here.
        sequences, *weights, output, carry = (ops.stop_gradient(x) for x in arguments)
        given = (sequences, Weights(*weights), (output, carry), masks, span)
        keep: Keep = "outputs" if steps.return_outputs else "nothing"
        if steps.keep_gates:
            keep = "gates"
        last, kept = _forward(keep)(*given)

        def gradient(*upstream: Any) -> tuple[Any, ...]:
            # TensorFlow passes the three gradients one by one, JAX as one tuple.
            d_outputs, d_output, d_carry = upstream if len(upstream) == 3 else upstream[0]
            if not steps.return_outputs:
                # The last output was returned for the outputs, too.
                d_outputs, d_output = None, d_output + d_outputs
            all_kept = KeptSteps(*(kept if steps.keep_gates else _forward("gates")(*given)[1]))
            d_sequences, d_weights, d_state = _backward()(
                sequences, Weights(*weights), masks, span, all_kept, d_outputs, (d_output, d_carry)
            )
            return d_sequences, *d_weights, *d_state

        outputs = ops.transpose(kept[0][1:], (1, 0, 2)) if steps.return_outputs else last[0]
        return (outputs, *last), gradient

    return run  # type: ignore[no-any-return]


@functools.cache
def _forward(keep: Keep) -> Callable[..., Any]:
    def forward_sweep(*arguments: Any) -> Any:
        return xla_sweeps.lstm_forward(*arguments, keep=keep)

    return _compiled_by_xla(forward_sweep)


@functools.cache
def _backward() -> Callable[..., Any]:
    return _compiled_by_xla(xla_sweeps.lstm_backward)


def _compiled_by_xla(sweep: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles a sweep; all layers and models of equal shapes share its programs."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(sweep)  # type: ignore[no-any-return]
    import tensorflow as tf

    return tf.function(sweep, jit_compile=True, autograph=False)  # type: ignore[no-any-return]
