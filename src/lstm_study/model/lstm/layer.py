"""A faster `keras.layers.LSTM`: the same weights, dropout, saved form and results.

>>> layer = LSTM(100, dropout=0.2, recurrent_dropout=0.2, seed=1)               # doctest: +SKIP
>>> keras.layers.LSTM.from_config(layer.get_config())      # the plain one       # doctest: +SKIP

Only the loop over time is replaced, by one of two: Numba kernels on TensorFlow without a GPU
(`model/lstm/cpu/sweep.py`), and a loop compiled by XLA elsewhere (`xla_sweeps.py`); each says why
it is faster. Weights, initialisers, configuration and the drawing of dropout masks are inherited,
so that training from equal seeds follows Keras's own LSTM up to rounding.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from lstm_study.model.lstm.arrays import GATES, LstmFunction, Masks, Steps, Weights
from lstm_study.model.lstm.cpu.threads import has_gpu, uses_cpu_kernels


# `keras.layers.Bidirectional` makes its layers from their configuration.
@keras.saving.register_keras_serializable(package="lstm_study")
class LSTM(keras.layers.LSTM):  # type: ignore[misc]  # Keras is untyped
    """Long short-term memory, Keras's layer with a faster loop over time.

    All arguments are those of `keras.layers.LSTM`, and the result is the same up to rounding:
    outputs, final states and first gradients, with the last output or all, forwards or backwards,
    and so in `keras.layers.Bidirectional`. Keras's own loop still runs, with the same result, where
    it is the faster one or the only one:

    - without recurrent dropout and without a mask on a GPU, for its cuDNN kernel;
    - with an activation other than tanh or sigmoid, `use_bias=False` or `unroll`, or with
      `zero_output_for_mask` where only the last output is returned;
    - on a backend other than TensorFlow and JAX.

    On TensorFlow the loop can't be part of an XLA program of the whole model: compile the model
    without `jit_compile`, which is also what `jit_compile="auto"` chooses for this layer. On a GPU
    the loop is an XLA program, and arrays of any length up to a power of two share one.

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
        mask = None if mask is None else ops.cast(mask, "bool")
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
        steps = Steps(
            go_backwards=self.go_backwards,
            keep_gates=bool(training),
            return_outputs=self.return_sequences,
            zero_held_outputs=self.zero_output_for_mask,
        )
        loop = _loop_for(cell.compute_dtype)(masks, mask, steps)
        outputs, last, carry = loop(sequences, *weights, *initial_state)
        return last, outputs if self.return_sequences else last[:, None], [last, carry]

    def _is_fast_loop_for(self, mask: Any) -> bool:
        if keras.backend.backend() not in ("tensorflow", "jax"):
            return False
        cudnn_applies = not self.recurrent_dropout and mask is None and has_gpu()
        return (
            not cudnn_applies
            and self.activation is keras.activations.tanh
            and self.recurrent_activation is keras.activations.sigmoid
            and self.use_bias
            and not self.unroll
            and (self.return_sequences or not self.zero_output_for_mask)
        )


def _loop_for(dtype: str) -> Callable[[Masks, Any, Steps], LstmFunction]:
    if uses_cpu_kernels(dtype):
        from lstm_study.model.lstm.cpu.function import cpu_lstm

        return cpu_lstm
    from lstm_study.model.lstm.xla import xla_lstm

    return xla_lstm


def _one_per_gate(mask: Any, *, rate: float) -> tuple[Any, ...] | None:
    """Keras draws one mask for all gates, or, with recurrent dropout, a list of four."""
    if not 0.0 < rate < 1.0:
        return None
    gates = tuple(mask) if isinstance(mask, list | tuple) else (mask,) * GATES
    return tuple(ops.stop_gradient(gate) for gate in gates)
