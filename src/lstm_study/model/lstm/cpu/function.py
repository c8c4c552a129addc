"""The Numba sweeps as a differentiable TensorFlow function."""

import functools
from collections.abc import Callable
from typing import Any

from lstm_study.model.lstm.arrays import Masks, Tensor
from lstm_study.model.lstm.cpu.blocks import Keep, batch_backward, batch_forward


def cpu_lstm(
    masks: Masks, alive: Tensor | None, *, keep_gates: bool, return_outputs: bool
) -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    """The LSTM as a TensorFlow function of (sequences, *weights, *state), differentiable once.

    Args:
        masks: Dropout of this call.
        alive: bool [batch, time], False where the state is held; None for everywhere True.
        keep_gates: Whether the gates are kept for the gradient. Without them, as in inference, the
            gradient runs the forward sweep again.
        return_outputs: Whether the output of every step is returned, or only the last.

    Returns:
        A function to outputs [batch, time, units] (the last output if not `return_outputs`), last
        output and last carry.
    """
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

        def forward(keep: Keep) -> list[Any]:
            results = {"gates": 5, "outputs": 3, "last": 2}[keep]
            return tf.numpy_function(  # type: ignore[no-any-return]
                functools.partial(batch_forward, keep=keep), given, [tf.float32] * results
            )

        output, carry, *kept = forward(
            "gates" if keep_gates else "outputs" if return_outputs else "last"
        )
        found = _in_time(tf, kept[0], tf.shape(sequences)[0]) if return_outputs else output

        def gradient(*upstream: Any) -> Any:
            d_outputs, d_output, d_carry = upstream
            gradients = tf.numpy_function(
                batch_backward,
                [
                    *given,
                    *(kept if keep_gates else forward("gates")[2:]),
                    d_outputs if return_outputs else nothing,
                    d_output if return_outputs else d_output + d_outputs,
                    d_carry,
                ],
                [tf.float32] * len(arguments),
            )
            for each, argument in zip(gradients, arguments, strict=True):
                each.set_shape(argument.shape)
            return gradients

        found.set_shape((batch, sequences.shape[1], units) if return_outputs else (batch, units))
        for state in (output, carry):
            state.set_shape((batch, units))
        return (found, output, carry), gradient

    return run  # type: ignore[no-any-return]


def _stacked(tf: Any, mask: tuple[Any, ...]) -> Any:
    """Returns one mask for each gate, or [1, batch, n] where all gates share one."""
    return mask[0][None] if all(each is mask[0] for each in mask) else tf.stack(mask)


def _in_time(tf: Any, outputs: Any, batch: Any) -> Any:
    """Turns [blocks, time + 1, units, lanes] into [batch, time, units]."""
    rows = tf.transpose(outputs[:, 1:], (0, 3, 1, 2))
    return tf.reshape(rows, (-1, *tf.unstack(tf.shape(rows))[2:]))[:batch]
