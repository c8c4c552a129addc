"""The fast LSTM as a TensorFlow function of our own machine code, for TensorFlow without a GPU.

The sweeps are in `model/lstm/cpu/sweep.py`, which says why that pays.
"""

import functools
from collections.abc import Callable
from typing import Any

from lstm_study.model.lstm.arrays import Masks, Tensor
from lstm_study.model.lstm.cpu.blocks import sweep_backward, sweep_forward


def host_lstm(
    masks: Masks, alive: Tensor | None, *, keeps_gates: bool, returns_outputs: bool
) -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    """The LSTM as a TensorFlow function of (sequences, *weights, *state), differentiable once.

    Args:
        masks: Dropout of this call.
        alive: bool [batch, time], False where the state is held; None for everywhere True.
        keeps_gates: Whether the gates are kept for the gradient; if not, as in inference, which
            rarely takes one, the gradient runs the forward sweep again.
        returns_outputs: Whether the output of every step is wanted, or only the last.

    Returns:
        A function to outputs [batch, time, units] (the last output where not wanted), last output
        and last carry.
    """
    import tensorflow as tf

    # None can't go through a TensorFlow function: nothing stands for it.
    nothing = tf.zeros((0,))
    given = [
        *(nothing if mask is None else _stacked(tf, mask) for mask in masks),
        nothing if alive is None else alive,
    ]

    @tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow is untyped
    def run(*arguments: Any) -> tuple[tuple[Any, Any, Any], Callable[..., Any]]:
        sequences, output = arguments[0], arguments[4]
        batch, units, dtype = sequences.shape[0], output.shape[1], output.dtype

        def forward(keeps: str) -> list[Any]:
            kinds = {"gates": 5, "outputs": 3, "last": 2}
            return tf.numpy_function(  # type: ignore[no-any-return]
                functools.partial(sweep_forward, keeps),
                [*arguments, *given],
                [dtype] * kinds[keeps],
            )

        kept = None
        if keeps_gates:
            *last, outputs, carries, gates = forward("gates")
            kept = outputs, carries, gates
            found = _in_time(tf, outputs, tf.shape(sequences)[0]) if returns_outputs else last[0]
        elif returns_outputs:
            *last, outputs = forward("outputs")
            found = _in_time(tf, outputs, tf.shape(sequences)[0])
        else:
            last = forward("last")
            found = last[0]

        def gradient(*upstream: Any) -> Any:
            d_outputs, d_output, d_carry = upstream
            rest = kept if kept is not None else forward("gates")[2:]
            gradients = tf.numpy_function(
                sweep_backward,
                [
                    *arguments[:3], *given, *rest,
                    d_outputs if returns_outputs else nothing,
                    d_output if returns_outputs else d_output + d_outputs,
                    d_carry,
                ],
                [dtype] * len(arguments),
            )  # fmt: skip
            for each, argument in zip(gradients, arguments, strict=True):
                each.set_shape(argument.shape)
            return gradients

        found.set_shape((batch, sequences.shape[1], units) if returns_outputs else (batch, units))
        for each in last:
            each.set_shape((batch, units))
        return (found, *last), gradient

    return run  # type: ignore[no-any-return]


def _stacked(tf: Any, mask: tuple[Any, ...]) -> Any:
    """One mask for each gate; [1, batch, n] where all gates share one."""
    return mask[0][None] if all(each is mask[0] for each in mask) else tf.stack(mask)


def _in_time(tf: Any, outputs: Any, batch: Any) -> Any:
    """From [blocks, time + 1, units, lanes] to [batch, time, units]."""
    turned = tf.transpose(outputs[:, 1:], (0, 3, 1, 2))
    return tf.reshape(turned, (-1, *tf.unstack(tf.shape(turned))[2:]))[:batch]
