"""The LSTM of a population: many networks' layers at once, with a gradient by hand.

Two implementations of equal interface run the loop over time: `gpu.py`, Pallas kernels for NVIDIA
cards, and `scan.py`, a plain `lax.scan` for the CPU and for what does not fit the kernels. This
module joins either with the weights' gradient, and chooses between them.

Shapes are written with these letters: P members, T steps, B reviews of a batch, U units. Gates are
in Keras's order: input, forget, candidate, output. Padding is at the front: a review is read from
its step `first` on, and its state is zero before.

Source: Hochreiter & Schmidhuber 1997; gradient by the chain rule of
`c_t = f·c_{t-1} + i·g`, `h_t = o·tanh(c_t)`, with `i, f, o = σ(z)`, `g = tanh(z)`.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lstm_study.model.lstm import gpu, scan

# An array of JAX's.
Array = Any


class Sweeps(NamedTuple):
    """An implementation of the loop over time.

    Attributes:
        name: What the log calls it.
        forward: (inputs, weights, masks, first) → (outputs, gates, carries), each of every step.
        outputs: (inputs, weights, masks, first, every_step) → outputs alone.
        backward: (gates, carries, weights, masks, first, d_outputs) → gradient of the inputs.
        block: The batch must be a multiple of it.
    """

    name: str
    forward: Callable[..., Any]
    outputs: Callable[..., Any]
    backward: Callable[..., Any]
    block: int


SCAN = Sweeps("XLA loop", scan.sweep_forward, scan.sweep_outputs, scan.sweep_backward, 1)
PALLAS = Sweeps(
    "Pallas kernels", gpu.sweep_forward, gpu.sweep_outputs, gpu.sweep_backward, gpu.BLOCK
)
INTERPRETED = Sweeps(
    "Pallas kernels, interpreted",
    functools.partial(gpu.sweep_forward, interpret=True),
    functools.partial(gpu.sweep_outputs, interpret=True),
    functools.partial(gpu.sweep_backward, interpret=True),
    gpu.BLOCK,
)


def sweeps_for(units: int, device: Any = None) -> tuple[Sweeps, str]:
    """Chooses the implementation for a device.

    Args:
        units: U.
        device: A device of JAX's; None for the first.

    Returns:
        The implementation, and the reason in words.
    """
    device = device or jax.devices()[0]
    if device.platform != "gpu":
        return SCAN, f"{device.device_kind} is not a GPU"
    why = gpu.why_not(units, compute_capability=str(getattr(device, "compute_capability", "")))
    return (SCAN, why) if why else (PALLAS, f"{units} units fit {device.device_kind}")


@functools.partial(jax.custom_vjp, nondiff_argnums=(4, 5))
def lstm(
    inputs: Array, weights: Array, masks: Array, first: Array, every_step: bool, sweeps: Sweeps
) -> Array:
    """Runs the LSTMs of all members over their batches.

    Not covered: second derivatives, and the gradient of the masks, which is taken as zero.

    Args:
        inputs: Projected inputs with their bias, float32 [P, T, 4, B, U].
        weights: Recurrent weights, float32 [P, 4, U, U].
        masks: Recurrent dropout, 0 or 1 / (1 - rate), float32 [P, 4, B, U]; None drops nothing.
        first: The step a review begins at, int32 [P, B]; T for one that is all padding.
        every_step: Whether the outputs of every step are wanted, or only the last.
        sweeps: Which implementation runs.

    Returns:
        float32 [P, T, B, U], or [P, B, U].
    """
    return sweeps.outputs(inputs, weights, masks, first, every_step)


def _forward(
    inputs: Array, weights: Array, masks: Array, first: Array, every_step: bool, sweeps: Sweeps
) -> tuple[Array, tuple[Array, ...]]:
    outputs, gates, carries = sweeps.forward(inputs, weights, masks, first)
    wanted = outputs if every_step else outputs[:, -1]
    return wanted, (outputs, gates, carries, weights, masks, first)


def _backward(
    every_step: bool, sweeps: Sweeps, kept: tuple[Array, ...], d_outputs: Array
) -> tuple[Array, ...]:
    del every_step  # `d_outputs` has one axis less without.
    outputs, gates, carries, weights, masks, first = kept
    d_inputs = sweeps.backward(gates, carries, weights, masks, first, d_outputs)
    before = jnp.pad(outputs, ((0, 0), (1, 0), (0, 0), (0, 0)))[:, :-1]
    if masks is None:
        d_weights = jnp.einsum("ptbu,ptgbv->pguv", before, d_inputs)
    else:
        # Gate by gate: all four states with their masks at once would be as large as the inputs.
        d_weights = jnp.stack(
            [
                jnp.einsum("ptbu,ptbv->puv", before * masks[:, None, gate], d_inputs[:, :, gate])
                for gate in range(4)
            ],
            axis=1,
        )
    return d_inputs, d_weights, None, None


lstm.defvjp(_forward, _backward)
