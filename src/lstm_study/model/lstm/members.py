"""The LSTM of a population: many networks' layers at once, with a gradient by hand.

Two implementations of equal interface run the loop over time: `gpu.py`, Pallas kernels for NVIDIA
cards, and `scan.py`, a plain `lax.scan` for the CPU and for what does not fit the kernels. This
module joins either with the weights' gradient, and chooses between them.

Shapes are written with these letters: P members, B reviews of a batch, T steps, U units. Gates are
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

from lstm_study.model.lstm import gpu, gpu_limits, scan

# An array of JAX's.
Array = Any


class Sweeps(NamedTuple):
    """An implementation of the loop over time.

    Attributes:
        name: What the log calls it.
        forward: (inputs, weights, bias, masks, first) → (outputs, gates, carries) of every step.
        outputs: (inputs, weights, bias, masks, first, every_step) → outputs alone.
        backward: (gates, carries, weights, masks, first, d_outputs) → gradient of the inputs.
        block: The batch must be a multiple of it.
    """

    name: str
    forward: Callable[..., Any]
    outputs: Callable[..., Any]
    backward: Callable[..., Any]
    block: int


SCAN = Sweeps("XLA loop", scan.sweep_forward, scan.sweep_outputs, scan.sweep_backward, 1)


def kernels(name: str, **options: bool) -> Sweeps:
    """Returns the Pallas kernels with some of the options of `gpu.sweep_forward`."""
    return Sweeps(
        name,
        functools.partial(gpu.sweep_forward, **options),
        functools.partial(gpu.sweep_outputs, **options),
        functools.partial(gpu.sweep_backward, **options),
        gpu.BLOCK,
    )


PALLAS = kernels("Pallas kernels")
PALLAS_RELOADING = kernels("Pallas kernels, weights read at each step", resident=False)
INTERPRETED = kernels("Pallas kernels, interpreted", halves=False, interpret=True)


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
    why = gpu_limits.why_not(
        units, compute_capability=str(getattr(device, "compute_capability", ""))
    )
    if why:
        return SCAN, why
    resident = gpu_limits.are_resident(units, compute_capability=str(device.compute_capability))
    return PALLAS if resident else PALLAS_RELOADING, f"{units} units fit {device.device_kind}"


@functools.partial(jax.custom_vjp, nondiff_argnums=(5, 6))
def lstm(
    inputs: Array,
    weights: Array,
    bias: Array,
    masks: Array,
    first: Array,
    every_step: bool,
    sweeps: Sweeps,
) -> Array:
    """Runs the LSTMs of all members over their batches.

    Not covered: second derivatives, and the gradient of the masks, which is taken as zero.

    Args:
        inputs: Projected inputs, float32 [P, B, T, 4, U].
        weights: Recurrent weights, float32 [P, 4, U, U].
        bias: float32 [P, 4, U]. Added here, at each step: before, it would be a pass over all
            inputs.
        masks: Recurrent dropout, 0 or 1 / (1 - rate), float32 [P, 4, B, U]; None drops nothing.
        first: The step a review begins at, int32 [P, B]; T for one that is all padding.
        every_step: Whether the outputs of every step are wanted, or only the last.
        sweeps: Which implementation runs.

    Returns:
        float32 [P, B, T, U], or [P, B, U].
    """
    return sweeps.outputs(inputs, weights, bias, masks, first, every_step)


def _forward(
    inputs: Array,
    weights: Array,
    bias: Array,
    masks: Array,
    first: Array,
    every_step: bool,
    sweeps: Sweeps,
) -> tuple[Array, tuple[Array, ...]]:
    outputs, gates, carries = sweeps.forward(inputs, weights, bias, masks, first)
    wanted = outputs if every_step else outputs[:, :, -1]
    return wanted, (outputs, gates, carries, weights, masks, first)


def _backward(
    every_step: bool, sweeps: Sweeps, kept: tuple[Array, ...], d_outputs: Array
) -> tuple[Array, ...]:
    del every_step  # `d_outputs` has one axis less without.
    outputs, gates, carries, weights, masks, first = kept
    d_inputs = sweeps.backward(gates, carries, weights, masks, first, d_outputs)
    before = jnp.pad(outputs, ((0, 0), (0, 0), (1, 0), (0, 0)))[:, :, :-1]
    if masks is None:
        d_weights = jnp.einsum("pbtu,pbtgv->pguv", before, d_inputs)
    else:
        # A mask is the same at all steps of a review, so each review's sum is multiplied, not all
        # its states four times: less to write and to read again.
        of_reviews = jnp.einsum("pbtu,pbtgv->pbugv", before, d_inputs)
        d_weights = jnp.einsum("pgbu,pbugv->pguv", masks, of_reviews)
    return d_inputs, d_weights, jnp.sum(d_inputs, axis=(1, 2)), None, None


lstm.defvjp(_forward, _backward)
