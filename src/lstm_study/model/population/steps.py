"""Network, loss and Adam of a population as one JAX program: many networks of one shape class.

What `model/network.py` builds in Keras, written out for all members at once, with their
hyperparameters as data. A member's weights, dropout masks and steps are those of the same
configuration and seed trained alone by Keras on JAX, up to rounding: sums are taken in another
order, random numbers are the same.

Letters are those of `arrays.py`. The same population gives the same bits on the same machine.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from lstm_study.model.lstm.members import Sweeps
from lstm_study.model.population.arrays import (
    Array,
    DeviceReviews,
    MemberSettings,
    PopulationState,
    PopulationWeights,
)
from lstm_study.model.population.dropout import seeds_after
from lstm_study.model.population.network import probabilities_of, tokens_of

# On a GPU the algorithm of a matrix product is not chosen by timing, which may choose another one
# each time.
_SAME_BITS = {"xla_gpu_deterministic_ops": True}
# Keras's own: `keras.optimizers.Adam`, `keras.config.epsilon`.
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7


@functools.partial(
    jax.jit,
    static_argnames=("maxlen", "sweeps"),
    donate_argnums=(0,),
    compiler_options=_SAME_BITS,
)
def train_steps(
    state: PopulationState,
    reviews: DeviceReviews,
    settings: MemberSettings,
    positions: Array,
    dropped: Array,
    count: Array,
    *,
    maxlen: int,
    sweeps: Sweeps,
) -> tuple[PopulationState, Array, Array]:
    """Makes some training steps of all members.

    Args:
        state: Where they stand; its memory is used again.
        reviews: What to train on.
        settings: The members' hyperparameters.
        positions: int32 [steps, P, B], each member's batches as positions in the split; -1 for a
            row that is not used.
        dropped: bool [steps, P, B, T], the tokens that word dropout takes; None where no member has
            any.
        count: How many of the steps to make: the last ones of an epoch then need no program of
            their own.
        maxlen: T, the shape class's.
        sweeps: Runs the LSTM's loop.

    Returns:
        The new state; for each step and member the mean loss, float32 [steps, P], and the number of
        reviews classified correctly, int32 [steps, P].
    """
    losses = jnp.zeros(positions.shape[:2], jnp.float32)
    right = jnp.zeros(positions.shape[:2], jnp.int32)

    def step(k: Array, at: Any) -> Any:
        state, losses, right = at
        gone = None if dropped is None else dropped[k]
        state, loss, correct = _step(state, reviews, settings, positions[k], gone, maxlen, sweeps)
        return state, _put(losses, k, loss), _put(right, k, correct)

    return lax.fori_loop(0, count, step, (state, losses, right))  # type: ignore[no-any-return]


@functools.partial(jax.jit, static_argnames=("maxlen", "sweeps"), compiler_options=_SAME_BITS)
def read_batches(
    weights: PopulationWeights,
    reviews: DeviceReviews,
    settings: MemberSettings,
    positions: Array,
    count: Array,
    *,
    maxlen: int,
    sweeps: Sweeps,
) -> Array:
    """Classifies some batches with all members, without dropout.

    Args:
        weights: The members'.
        reviews: What to read.
        settings: The members' hyperparameters.
        positions: int32 [batches, B], the same reviews for all members; -1 for a row that is not
            used.
        count: How many of the batches to read.
        maxlen: T.
        sweeps: Runs the LSTM's loop.

    Returns:
        Probabilities of the positive label, float32 [batches, P, B].
    """
    members = weights.output_bias.shape[0]
    found = jnp.zeros((positions.shape[0], members, positions.shape[1]), jnp.float32)

    def read(k: Array, found: Array) -> Array:
        rows = jnp.broadcast_to(positions[k], (members, positions.shape[1]))
        tokens = tokens_of(reviews, settings, rows, None, maxlen)
        return _put(found, k, probabilities_of(weights, tokens, settings, None, sweeps))

    return lax.fori_loop(0, count, read, found)


@functools.partial(jax.jit, donate_argnums=(0,))
def with_member(state: PopulationState, place: Array, member: PopulationState) -> PopulationState:
    """Returns the state with one member's part replaced; its memory is used again."""
    return jax.tree.map(lambda all_, one: all_.at[place].set(one), state, member)  # type: ignore[no-any-return]


@jax.jit  # type: ignore[untyped-decorator]  # JAX is not checked
def with_weights(
    weights: PopulationWeights, place: Array, member: PopulationWeights
) -> PopulationWeights:
    """Returns a copy of the weights with one member's replaced."""
    return jax.tree.map(lambda all_, one: all_.at[place].set(one), weights, member)  # type: ignore[no-any-return]


@jax.jit  # type: ignore[untyped-decorator]  # JAX is not checked
def member_of(state: PopulationState, place: Array) -> PopulationState:
    """Returns one member's part of the state."""
    return jax.tree.map(lambda all_: all_[place], state)  # type: ignore[no-any-return]


def _put(buffer: Array, k: Array, value: Array) -> Array:
    return lax.dynamic_update_index_in_dim(buffer, value, k, axis=0)


def _step(
    state: PopulationState,
    reviews: DeviceReviews,
    settings: MemberSettings,
    positions: Array,
    dropped: Array,
    maxlen: int,
    sweeps: Sweeps,
) -> tuple[PopulationState, Array, Array]:
    used = positions >= 0
    tokens = tokens_of(reviews, settings, positions, dropped, maxlen)
    labels = reviews.labels[jnp.maximum(positions, 0)]
    rows = jnp.sum(used, axis=1)

    def total(weights: PopulationWeights) -> tuple[Array, tuple[Array, Array]]:
        probabilities = probabilities_of(weights, tokens, settings, state.seeds, sweeps)
        clipped = jnp.clip(probabilities, _EPSILON, 1.0 - _EPSILON)
        each = -(labels * jnp.log(clipped) + (1.0 - labels) * jnp.log(1.0 - clipped))
        losses = jnp.sum(jnp.where(used, each, 0.0), axis=1) / jnp.maximum(rows, 1)
        right = jnp.sum(used & ((probabilities > 0.5) == (labels > 0.5)), axis=1)
        return jnp.sum(losses), (losses, right)

    gradients, (losses, right) = jax.grad(total, has_aux=True)(state.weights)
    seeds = seeds_after(state.seeds, settings, 1, trains=True)
    return _adam(state, gradients, settings)._replace(seeds=seeds), losses, right


def _adam(
    state: PopulationState, gradients: PopulationWeights, settings: MemberSettings
) -> PopulationState:
    """Makes one step of Adam, each member with its own recipe.

    Source: Kingma & Ba 2015, algorithm 1 in the order of its section 2's end; Keras 3.15's
        `Adam.update_step`, `PolynomialDecay`, `Optimizer._apply_weight_decay`; clipping and its
        order as in `model/optimizer.py`.
    """
    iterations = state.iterations + 1
    step = iterations.astype(jnp.float32)
    last = settings.schedule_steps
    done = jnp.minimum(step - 1, last) / jnp.maximum(last, 1)
    learning_rate = settings.learning_rate * jnp.where(last > 0, 1 - done, 1.0)
    rate = learning_rate * jnp.sqrt(1 - _BETA_2**step) / (1 - _BETA_1**step)
    # Without clipping the embedding's gradient is read once, while its rows are updated.
    scale = None if settings.clip_norm is None else _clipping(gradients, settings.clip_norm)
    kept = 1 - settings.weight_decay * learning_rate

    def updated(weight: Array, momentum: Array, velocity: Array, gradient: Array) -> Any:
        def by_member(each: Array) -> Array:
            return each.reshape(-1, *(1,) * (weight.ndim - 1))

        gradient = gradient if scale is None else gradient * by_member(scale)
        momentum = momentum + (gradient - momentum) * (1 - _BETA_1)
        velocity = velocity + (jnp.square(gradient) - velocity) * (1 - _BETA_2)
        change = momentum * by_member(rate) / (jnp.sqrt(velocity) + _EPSILON)
        return weight * by_member(kept) - change, momentum, velocity

    leaves, structure = jax.tree.flatten(state.weights)
    others = (jax.tree.leaves(tree) for tree in (state.momentums, state.velocities, gradients))
    parts = [updated(*each) for each in zip(leaves, *others, strict=True)]
    weights, momentums, velocities = (
        jax.tree.unflatten(structure, part) for part in zip(*parts, strict=True)
    )
    return PopulationState(weights, momentums, velocities, iterations, state.seeds)


def _clipping(gradients: PopulationWeights, clip_norm: Array) -> Array:
    """Returns what each member's gradient is multiplied by, [P]."""
    squares = [
        jnp.sum(jnp.square(each), axis=tuple(range(1, each.ndim)))
        for each in jax.tree.leaves(gradients)
    ]
    norm = jnp.sqrt(functools.reduce(jnp.add, squares))
    scale = clip_norm / jnp.maximum(norm, jnp.maximum(clip_norm, _EPSILON))
    return jnp.where(clip_norm > 0, scale, 1.0)
