"""The loop over time of a population's LSTM as a plain `lax.scan`: what `gpu.py` is tested against.

It also runs wherever the kernels do not. Letters and arguments are those of `members.lstm`.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Array = Any


def sweep_forward(
    inputs: Array, weights: Array, bias: Array, masks: Array, first: Array
) -> tuple[Array, Array, Array]:
    """Runs all steps and keeps what the gradient needs.

    Returns:
        Outputs [P, B, T, U], gates after their activation [P, B, T, 4, U] and carries
        [P, B, T, U].
    """
    _, kept = lax.scan(
        lambda state, at: _step(state, at, weights, bias, masks, first),
        _zero_state(inputs),
        _over_time(inputs),
    )
    outputs, gates, carries = (jnp.moveaxis(each, 0, 2) for each in kept)
    return outputs, gates, carries


def sweep_outputs(
    inputs: Array, weights: Array, bias: Array, masks: Array, first: Array, every_step: bool
) -> Array:
    """Runs all steps and keeps the outputs, [P, B, T, U], or only the last, [P, B, U]."""

    def step(state: Array, at: Any) -> tuple[Any, Any]:
        state, (output, _, _) = _step(state, at, weights, bias, masks, first)
        return state, output if every_step else None

    (last, _), outputs = lax.scan(step, _zero_state(inputs), _over_time(inputs))
    return jnp.moveaxis(outputs, 0, 2) if every_step else last


def sweep_backward(
    gates: Array, carries: Array, weights: Array, masks: Array, first: Array, d_outputs: Array
) -> Array:
    """Takes a gradient back through all steps.

    Args:
        gates: As `sweep_forward` returns them; likewise the carries.
        carries: See there.
        weights: As `sweep_forward` had them; likewise masks and first steps.
        masks: See there.
        first: See there.
        d_outputs: With respect to the outputs of every step, [P, B, T, U], or the last, [P, B, U].

    Returns:
        The gradient with respect to the inputs, [P, B, T, 4, U].
    """
    of_every_step = d_outputs.ndim == 4
    zero = jnp.zeros_like(carries[:, :, 0])
    before = jnp.pad(carries, ((0, 0), (0, 0), (1, 0), (0, 0)))[:, :, :-1]
    steps = jnp.arange(carries.shape[2])
    upstream = jnp.moveaxis(d_outputs, 2, 0) if of_every_step else None

    def step(state: Any, at: Any) -> tuple[Any, Array]:
        (d_output, d_carry), (gate, carry, carry_before, t, d_step) = state, at
        if d_step is not None:
            d_output = d_output + d_step
        alive = (t >= first)[..., None]
        i, f, g, o = (gate[:, :, k] for k in range(4))
        tanh_carry = jnp.tanh(carry)
        # At a step before the first nothing passes through the gates.
        through_output = jnp.where(alive, d_output, 0.0)
        through_carry = jnp.where(alive, d_carry, 0.0) + through_output * o * (
            1 - tanh_carry * tanh_carry
        )
        d_gates = jnp.stack(
            (
                through_carry * g * i * (1 - i),
                through_carry * carry_before * f * (1 - f),
                through_carry * i * (1 - g * g),
                through_output * tanh_carry * o * (1 - o),
            ),
            axis=2,
        )
        d_states = jnp.einsum("pbgv,pguv->pgbu", d_gates, weights)
        d_before = jnp.sum(d_states if masks is None else d_states * masks, axis=1)
        return (
            (jnp.where(alive, d_before, d_output), jnp.where(alive, through_carry * f, d_carry)),
            d_gates,
        )

    start = (zero, zero) if of_every_step else (d_outputs, zero)
    kept = (*(jnp.moveaxis(each, 2, 0) for each in (gates, carries, before)), steps, upstream)
    _, d_inputs = lax.scan(step, start, kept, reverse=True)
    return jnp.moveaxis(d_inputs, 0, 2)


def _step(
    state: Any, at: Any, weights: Array, bias: Array, masks: Array, first: Array
) -> tuple[Any, Any]:
    (output, carry), (projected, t) = state, at
    states = output[:, None] if masks is None else output[:, None] * masks
    states = jnp.broadcast_to(states, (*weights.shape[:2], *output.shape[1:]))
    z = projected + bias[:, None] + jnp.einsum("pgbu,pguv->pbgv", states, weights)
    i, f, g, o = (z[:, :, gate] for gate in range(4))
    i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
    alive = (t >= first)[..., None]
    new_carry = f * carry + i * g
    output = jnp.where(alive, o * jnp.tanh(new_carry), output)
    carry = jnp.where(alive, new_carry, carry)
    return (output, carry), (output, jnp.stack((i, f, g, o), axis=2), carry)


def _zero_state(inputs: Array) -> tuple[Array, Array]:
    members, batch, _, _, units = inputs.shape
    zero = jnp.zeros((members, batch, units), inputs.dtype)
    return zero, zero


def _over_time(inputs: Array) -> tuple[Array, Array]:
    return jnp.moveaxis(inputs, 2, 0), jnp.arange(inputs.shape[2])
