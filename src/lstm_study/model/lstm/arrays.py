"""The arrays that both loops of the fast LSTM take, by name.

Gates are in Keras's order: input, forget, candidate, output. `batch`, `time`, `features` and
`units` are the sizes.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

# A tensor of the running backend.
Tensor = Any
GATES = 4

LstmFunction = Callable[..., tuple[Tensor, Tensor, Tensor]]
"""The LSTM as a function that is differentiable once: of sequences, kernel, recurrent kernel, bias,
output and carry, to outputs [batch, time, units] (the last output if not `return_outputs`), last
output and last carry. It has the dropout `Masks` of one call; `alive`, bool [batch, time], is False
where the state is held, None for everywhere True; and `Steps`."""


class Weights(NamedTuple):
    """The layer's weights, in the shapes of `keras.layers.LSTM`.

    Attributes:
        kernel: float [features, 4 · units].
        recurrent_kernel: float [units, 4 · units].
        bias: float [4 · units].
    """

    kernel: Tensor
    recurrent_kernel: Tensor
    bias: Tensor


class Masks(NamedTuple):
    """Dropout of one call: one mask per gate, the same at every step; None for no dropout.

    Attributes:
        inputs: Four of float [batch, features], 0 or 1 / (1 - rate).
        states: Four of float [batch, units].
    """

    inputs: tuple[Tensor, ...] | None
    states: tuple[Tensor, ...] | None


class Steps(NamedTuple):
    """How a call goes over time and what it returns of it.

    Attributes:
        go_backwards: Whether it starts at the last step. Outputs are in the order of computation,
            as `keras.layers.LSTM` returns them.
        keep_gates: Whether the gates are kept for the gradient. Without them, as in inference, a
            gradient runs the forward sweep again.
        return_outputs: Whether the output of every step is returned, or only the last.
        zero_held_outputs: Whether a returned output is zero, not the held state, at a step where
            the state is held.
    """

    go_backwards: bool
    keep_gates: bool
    return_outputs: bool
    zero_held_outputs: bool
