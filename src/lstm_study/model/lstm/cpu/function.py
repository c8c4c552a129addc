"""The Numba sweeps as a differentiable TensorFlow function."""

import functools
from collections.abc import Callable
from typing import Any

from lstm_study.model.lstm.arrays import LstmFunction, Masks, Steps, Tensor
from lstm_study.model.lstm.cpu.blocks import batch_backward, batch_forward


def cpu_lstm(masks: Masks, alive: Tensor | None, steps: Steps) -> LstmFunction:
    """Returns the LSTM as a TensorFlow function; see `arrays.LstmFunction`."""
    import tensorflow as tf

    # `tf.numpy_function` takes no None: size 0 stands for it.
    nothing = tf.zeros((0,))
    dropout_and_mask = [
        *(nothing if mask is None else _stacked(tf, mask) for mask in masks),
        tf.zeros((0,), "bool") if alive is None else alive,
    ]

    @tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow is untyped
    def run(*arguments: Any) -> tuple[tuple[Any, Any, Any], Callable[..., Any]]:
        sequences, initial_output = arguments[0], arguments[4]
        batch, units = sequences.shape[0], initial_output.shape[1]
        given = [*arguments, *dropout_and_mask]

        def forward(*, keep_gates: bool) -> list[Any]:
            wanted = steps._replace(keep_gates=keep_gates)
            results = 2 + wanted.return_outputs + 3 * keep_gates
            return tf.numpy_function(  # type: ignore[no-any-return]
                functools.partial(batch_forward, steps=wanted), given, [tf.float32] * results
            )

        output, carry, *others = forward(keep_gates=steps.keep_gates)
        outputs = others[0] if steps.return_outputs else output

        def gradient(*upstream: Any) -> Any:
            d_outputs, d_output, d_carry = upstream
            if not steps.return_outputs:
                # The last output was returned for the outputs, too.
                d_outputs, d_output = nothing, d_output + d_outputs
            kept = (others if steps.keep_gates else forward(keep_gates=True))[-3:]
            gradients = tf.numpy_function(
                functools.partial(batch_backward, steps=steps),
                [*given, *kept, d_outputs, d_output, d_carry],
                [tf.float32] * len(arguments),
            )
            for each, argument in zip(gradients, arguments, strict=True):
                each.set_shape(argument.shape)
            return gradients

        if steps.return_outputs:
            outputs.set_shape((batch, sequences.shape[1], units))
        for state in (output, carry):
            state.set_shape((batch, units))
        return (outputs, output, carry), gradient

    return run  # type: ignore[no-any-return]


def _stacked(tf: Any, mask: tuple[Any, ...]) -> Any:
    """Returns one mask for each gate, or [1, batch, n] where all gates share one."""
    return mask[0][None] if all(each is mask[0] for each in mask) else tf.stack(mask)
