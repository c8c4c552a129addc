"""A faster `keras.layers.LSTM`: the same weights, dropout, saved form and results.

>>> layer = LSTM(100, dropout=0.2, recurrent_dropout=0.2, seed=1)               # doctest: +SKIP
>>> model = keras.Sequential([keras.Input((500, 128)), layer])                  # doctest: +SKIP
>>> plain_copy(model).save("model.keras")     # loads wherever Keras is          # doctest: +SKIP

Only the loop over time is replaced, by one of two: our own machine code on TensorFlow without a GPU
(`model/lstm/cpu/sweep.py`), and one compiled by XLA elsewhere (`xla.py`); each says why it pays.
Weights, initialisers, configuration and the drawing of dropout masks are inherited, so that
training from equal seeds follows Keras's own LSTM up to rounding.
"""

import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from lstm_study.model.lstm import xla
from lstm_study.model.lstm.arrays import CHUNK, GATES, Masks, Span, Weights
from lstm_study.model.lstm.cpu.threads import has_gpu, uses_cpu_kernels

SMALLEST_CAPACITY = 64
LARGEST_CAPACITY = 2**20


class LSTM(keras.layers.LSTM):  # type: ignore[misc]  # Keras is untyped
    """Long short-term memory, Keras's layer with a faster loop over time.

    All arguments are those of `keras.layers.LSTM`, and the result is the same up to rounding:
    outputs, final states and first gradients. Keras's own loop still runs, silently because its
    result is the same, where it is the faster one or the only one:

    - without recurrent dropout and without a mask on a GPU, for its cuDNN kernel;
    - with an activation other than tanh or sigmoid, `use_bias=False`, `unroll`, `go_backwards` or
      `zero_output_for_mask`;
    - on a backend other than TensorFlow and JAX.

    On TensorFlow the loop stands on its own inside the model's graph: compile the model without
    `jit_compile`, which is also what `jit_compile="auto"` chooses for this layer. On a GPU it is an
    XLA program, and arrays of any length up to a power of two share one.

    Not covered: second derivatives.

    Source: Hochreiter & Schmidhuber 1997; `keras.layers.LSTM` of Keras 3.15.
    """

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(units, **options)
        if keras.backend.backend() == "tensorflow":
            # Read by `Model.compile(jit_compile="auto")`: see the class's docstring.
            self.supports_jit = False

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool | None = False
    ) -> Any:
        """Runs the cell over time; Keras calls this with its dropout masks drawn.

        Args:
            sequences: float [batch, time, features].
            initial_state: Output and carry, float [batch, units] each.
            mask: bool [batch, time], False where the state is held; or None.
            training: Whether dropout applies.

        Returns:
            The last output [batch, units], the outputs [batch, time, units] (or [batch, 1, units]
            where only the last is asked for) and the final states.
        """
        mask = mask[0] if isinstance(mask, list | tuple) else mask
        if not self._is_fast_loop_for(mask):
            return super().inner_loop(sequences, initial_state, mask, training=training)
        cell = self.cell
        masks = Masks(None, None)
        if training:
            masks = Masks(
                _one_per_gate(cell.get_dropout_mask(sequences[:, 0, :]), rate=cell.dropout),
                _one_per_gate(
                    cell.get_recurrent_dropout_mask(initial_state[0]), rate=cell.recurrent_dropout
                ),
            )
        weights = Weights(
            *(
                ops.cast(weight, cell.compute_dtype)
                for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)
            )
        )
        time = sequences.shape[1] or ops.shape(sequences)[1]
        wanted = {"keep_gates": bool(training), "return_outputs": self.return_sequences}
        if uses_cpu_kernels(cell.compute_dtype):
            from lstm_study.model.lstm.cpu.function import cpu_lstm

            run = cpu_lstm(masks, mask, **wanted)
        else:
            sequences, span = _with_room(sequences, mask)
            run = _differentiable(masks, span, **wanted)
        outputs, last, carry = run(sequences, *weights, *initial_state)
        # The compiled loop's arrays are longer than the time they hold.
        outputs = outputs[:, :time] if self.return_sequences else last[:, None]
        return last, outputs, [last, carry]

    def _is_fast_loop_for(self, mask: Any) -> bool:
        if keras.backend.backend() not in ("tensorflow", "jax"):
            return False
        cudnn_applies = not self.recurrent_dropout and mask is None and has_gpu()
        return (
            not cudnn_applies
            and self.activation is keras.activations.tanh
            and self.recurrent_activation is keras.activations.sigmoid
            and self.use_bias
            and not (self.unroll or self.go_backwards or self.zero_output_for_mask)
        )


def plain_copy(model: keras.Model) -> keras.Model:
    """Returns the model with every `LSTM` of ours as a `keras.layers.LSTM`, weights copied.

    What it computes is the same; what is saved from it needs nothing but Keras to be loaded.

    Args:
        model: A built functional or sequential model; it is left as it is.
    """

    def as_plain(layer: keras.layers.Layer) -> keras.layers.Layer:
        kind = keras.layers.LSTM if isinstance(layer, LSTM) else type(layer)
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=as_plain)
    copy.set_weights(model.get_weights())
    return copy


def capacity(time: int) -> int:
    """Steps of the arrays that hold `time` steps on TensorFlow: the next power of two, from 64.

    Batches of equal capacity and size run the same compiled program.
    """
    return max(SMALLEST_CAPACITY, 1 << (time - 1).bit_length())


def _one_per_gate(mask: Any, *, rate: float) -> tuple[Any, ...] | None:
    """Keras draws one mask for all gates, or, with recurrent dropout, a list of four."""
    if not 0.0 < rate < 1.0:
        return None
    gates = tuple(mask) if isinstance(mask, list | tuple) else (mask,) * GATES
    return tuple(ops.stop_gradient(gate) for gate in gates)


def _with_room(sequences: Any, mask: Any) -> tuple[Any, Span]:
    """Pads time at its end to a whole number of chunks, with steps that hold the state.

    On TensorFlow to a power of two, for few programs; JAX compiles the whole training step anew
    for each length anyway.
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
    chunks = (ops.cast(time, "int32") + (CHUNK - 1)) // CHUNK
    if mask is None:
        mask = ops.ones((batch, time), "bool")
    else:
        mask = ops.cast(mask, "bool")
        anywhere = ops.any(mask, axis=0)
        first = ops.where(
            ops.any(anywhere), ops.cast(ops.argmax(anywhere), "int32") // CHUNK, chunks
        )
    alive = ops.pad(ops.transpose(mask), ((0, padding), (0, 0)))
    sequences = ops.pad(sequences, ((0, 0), (0, padding), (0, 0)))
    return sequences, Span(alive, first, chunks)


def _differentiable(
    masks: Masks, span: Span, *, keep_gates: bool, return_outputs: bool
) -> Callable[..., tuple[Any, Any, Any]]:
    """The LSTM as a function of (sequences, *weights, *state) with its gradient by hand.

    Args:
        masks: Dropout of this call.
        span: Which steps count.
        keep_gates: Whether the gates are kept for the gradient; if not, as in inference, which
            rarely takes one, the gradient runs the forward sweep again.
        return_outputs: Whether the output of every step is wanted, or only the last.

    Returns:
        A function to outputs [batch, capacity, units] (the last output where not wanted), last
        output and last carry.
    """

    @ops.custom_gradient  # type: ignore[untyped-decorator]  # Keras is untyped
    def run(*arguments: Any) -> tuple[tuple[Any, Any, Any], Callable[..., Any]]:
        # TensorFlow looks for the gradient of what is called here unless told not to.
        sequences, *weights, output, carry = (ops.stop_gradient(x) for x in arguments)
        forward = (sequences, Weights(*weights), (output, carry), masks, span)
        kept = None
        if keep_gates:
            last, kept = _compiled("sweep_forward")(*forward)
            outputs = kept.outputs[1:] if return_outputs else None
        elif return_outputs:
            last, outputs = _compiled("sweep_outputs")(*forward)
        else:
            last, outputs = _compiled("sweep_last")(*forward), None

        def gradient(*upstream: Any) -> tuple[Any, ...]:
            # TensorFlow passes the three gradients one by one, JAX as one tuple.
            d_outputs, *d_last = upstream if len(upstream) == 3 else upstream[0]
            rest = kept if kept is not None else _compiled("sweep_forward")(*forward)[1]
            d_sequences, d_weights, d_state = _compiled("sweep_backward")(
                sequences,
                Weights(*weights),
                masks,
                span,
                rest,
                d_outputs if return_outputs else None,
                _sum_of_last(d_outputs, d_last, return_outputs=return_outputs),
            )
            return d_sequences, *d_weights, *d_state

        outputs = last[0] if outputs is None else ops.transpose(outputs, (1, 0, 2))
        return (outputs, *last), gradient

    return run  # type: ignore[no-any-return]


def _sum_of_last(d_outputs: Any, d_last: Any, *, return_outputs: bool) -> tuple[Any, Any]:
    """Adds the gradient of the last output where it stands in for the outputs."""
    d_output, d_carry = d_last
    return (d_output if return_outputs else d_output + d_outputs), d_carry


@functools.cache
def _compiled(name: str) -> Callable[..., Any]:
    """One sweep, compiled by XLA; programs are shared by all layers and models of equal shapes."""
    sweep: Callable[..., Any] = getattr(xla, name)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(sweep)  # type: ignore[no-any-return]
    import tensorflow as tf

    return tf.function(sweep, jit_compile=True, autograph=False)  # type: ignore[no-any-return]
