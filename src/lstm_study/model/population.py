"""Network, loss and Adam of a population as one JAX program: many networks of one shape class.

What `model/network.py` builds in Keras, written out for all members at once, with their
hyperparameters as data. A member's weights, dropout masks and steps are those of the same
configuration and seed trained alone by Keras on JAX, up to rounding: sums are taken in another
order, nothing is drawn otherwise.

Shapes are written with these letters: P members, B rows of a batch, T tokens, E features, U units,
V words, N reviews. Arrays are padded with zeros to the shape class; padded weights stay exactly
zero, because what they are multiplied with is.

No result depends on the order in which threads write: sums over equal words come from a sort and a
scan, not from atomic additions. The same population gives the same bits on the same machine.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.random import threefry2x32_p

from lstm_study.model.lstm.members import Sweeps, lstm

Array = Any
GATES = 4
# The corpus's reserved ids.
_PADDING, _OUT_OF_VOCABULARY = 0, 2
# On a GPU matrix products are not chosen by timing them, which may choose otherwise each time.
_SAME_BITS = {"xla_gpu_deterministic_ops": True}
# Keras's own: `keras.optimizers.Adam`, `keras.config.epsilon`.
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7


class Reviews(NamedTuple):
    """A split on the device.

    Attributes:
        tokens: int32, `maxlen` of padding and then all reviews one after another.
        ends: int32 [N], where each ends in `tokens`.
        lengths: int32 [N], tokens of each.
        labels: float32 [N], 0 or 1.
    """

    tokens: Array
    ends: Array
    lengths: Array
    labels: Array


class Settings(NamedTuple):
    """What tells members apart, beside their weights; each [P].

    Attributes:
        kept: float32, share of the inputs that dropout keeps.
        kept_states: float32, share of the states that recurrent dropout keeps.
        input_draws: uint32, masks that Keras draws for the inputs of a layer: 0, 1 or 4.
        state_draws: uint32, masks that it draws for the states: 0 or 4.
        learning_rate: float32.
        vocabulary_size: int32, the member's own.
        maxlen: int32, the member's own.
        features: uint32, the member's own columns of the embedding.
        units: uint32, the member's own.
        masked: bool, whether padding is masked.
    """

    kept: Array
    kept_states: Array
    input_draws: Array
    state_draws: Array
    learning_rate: Array
    vocabulary_size: Array
    maxlen: Array
    features: Array
    units: Array
    masked: Array


class Weights(NamedTuple):
    """What the members learn.

    Attributes:
        embedding: float32 [P, V, E].
        kernels: For each layer float32 [P, 4, E or U, U].
        recurrent_kernels: For each layer float32 [P, 4, U, U].
        biases: For each layer float32 [P, 4, U].
        output_kernel: float32 [P, U].
        output_bias: float32 [P].
    """

    embedding: Array
    kernels: tuple[Array, ...]
    recurrent_kernels: tuple[Array, ...]
    biases: tuple[Array, ...]
    output_kernel: Array
    output_bias: Array


class State(NamedTuple):
    """All that a training step changes.

    Attributes:
        weights: What is learned.
        momentums: Adam's first moments.
        velocities: Adam's second moments.
        iterations: int32 [P], training steps made.
        seeds: uint32 [P, layers, 2], the states of Keras's seed generators.
    """

    weights: Weights
    momentums: Weights
    velocities: Weights
    iterations: Array
    seeds: Array


@functools.partial(
    jax.jit,
    static_argnames=("maxlen", "sweeps"),
    donate_argnums=(0,),
    compiler_options=_SAME_BITS,
)
def train_steps(
    state: State,
    reviews: Reviews,
    settings: Settings,
    positions: Array,
    count: Array,
    *,
    maxlen: int,
    sweeps: Sweeps,
) -> tuple[State, Array, Array]:
    """Makes some training steps of all members.

    Args:
        state: Where they stand; its memory is used again.
        reviews: What to train on.
        settings: The members' hyperparameters.
        positions: int32 [steps, P, B], each member's batches as positions in the split; -1 for a
            row that is not used.
        count: How many of the steps to make, so that an epoch's last ones are no program of their
            own.
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
        state, loss, correct = _step(state, reviews, settings, positions[k], maxlen, sweeps)
        return state, _put(losses, k, loss), _put(right, k, correct)

    return lax.fori_loop(0, count, step, (state, losses, right))  # type: ignore[no-any-return]


@functools.partial(jax.jit, static_argnames=("maxlen", "sweeps"), compiler_options=_SAME_BITS)
def read_batches(
    weights: Weights,
    reviews: Reviews,
    settings: Settings,
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
        ids, first = _view(reviews, settings, rows, maxlen)
        return _put(found, k, _probabilities(weights, ids, first, settings, None, sweeps))

    return lax.fori_loop(0, count, read, found)


@functools.partial(jax.jit, donate_argnums=(0,))
def with_member(state: State, place: Array, member: State) -> State:
    """Returns the state with one member's part replaced; its memory is used again."""
    return jax.tree.map(lambda all_, one: all_.at[place].set(one), state, member)  # type: ignore[no-any-return]


@jax.jit  # type: ignore[untyped-decorator]  # JAX is not checked
def with_weights(weights: Weights, place: Array, member: Weights) -> Weights:
    """Returns a copy of the weights with one member's replaced."""
    return jax.tree.map(lambda all_, one: all_.at[place].set(one), weights, member)  # type: ignore[no-any-return]


@jax.jit  # type: ignore[untyped-decorator]  # JAX is not checked
def member_of(state: State, place: Array) -> State:
    """Returns one member's part of the state."""
    return jax.tree.map(lambda all_: all_[place], state)  # type: ignore[no-any-return]


def draws_of_calls(settings: Settings, calls: int) -> Array:
    """Returns by how much calls of the network move each member's seeds on, uint32 [P, 1, 2].

    Keras draws its masks in evaluation, too, and does not use them there.
    """
    draws = (settings.input_draws + settings.state_draws) * np.uint32(calls)
    return jnp.stack((jnp.zeros_like(draws), draws), axis=-1)[:, None]


def _put(buffer: Array, k: Array, value: Array) -> Array:
    return lax.dynamic_update_index_in_dim(buffer, value, k, axis=0)


def _step(
    state: State,
    reviews: Reviews,
    settings: Settings,
    positions: Array,
    maxlen: int,
    sweeps: Sweeps,
) -> tuple[State, Array, Array]:
    used = positions >= 0
    ids, first = _view(reviews, settings, positions, maxlen)
    labels = reviews.labels[jnp.maximum(positions, 0)]
    rows = jnp.sum(used, axis=1)

    def total(weights: Weights) -> tuple[Array, tuple[Array, Array]]:
        probabilities = _probabilities(weights, ids, first, settings, state.seeds, sweeps)
        clipped = jnp.clip(probabilities, _EPSILON, 1.0 - _EPSILON)
        each = -(labels * jnp.log(clipped) + (1.0 - labels) * jnp.log(1.0 - clipped))
        losses = jnp.sum(jnp.where(used, each, 0.0), axis=1) / jnp.maximum(rows, 1)
        right = jnp.sum(used & ((probabilities > 0.5) == (labels > 0.5)), axis=1)
        return jnp.sum(losses), (losses, right)

    gradients, (losses, right) = jax.grad(total, has_aux=True)(state.weights)
    seeds = state.seeds + draws_of_calls(settings, 1)
    return _adam(state, gradients, settings.learning_rate)._replace(seeds=seeds), losses, right


def _adam(state: State, gradients: Weights, learning_rate: Array) -> State:
    """Makes one step of Adam.

    Source: Kingma & Ba 2015, algorithm 1 in the order of its section 2's end; Keras 3.15's
        `Adam.update_step`.
    """
    iterations = state.iterations + 1
    step = iterations.astype(jnp.float32)
    rate = learning_rate * jnp.sqrt(1 - _BETA_2**step) / (1 - _BETA_1**step)

    def updated(weight: Array, momentum: Array, velocity: Array, gradient: Array) -> Any:
        momentum = momentum + (gradient - momentum) * (1 - _BETA_1)
        velocity = velocity + (jnp.square(gradient) - velocity) * (1 - _BETA_2)
        by_member = rate.reshape(-1, *(1,) * (weight.ndim - 1))
        return weight - momentum * by_member / (jnp.sqrt(velocity) + _EPSILON), momentum, velocity

    leaves, structure = jax.tree.flatten(state.weights)
    others = (jax.tree.leaves(tree) for tree in (state.momentums, state.velocities, gradients))
    parts = [updated(*each) for each in zip(leaves, *others, strict=True)]
    weights, momentums, velocities = (
        jax.tree.unflatten(structure, part) for part in zip(*parts, strict=True)
    )
    return State(weights, momentums, velocities, iterations, state.seeds)


def _view(
    reviews: Reviews, settings: Settings, positions: Array, maxlen: int
) -> tuple[Array, Array]:
    """Reads batches as `corpus/batches.py` does, each member with its own vocabulary and maxlen.

    Returns:
        Token ids, int32 [P, T, B], and the step that each row begins at, int32 [P, B]: its first
        token where padding is masked, else the first of the member's maxlen.
    """
    used = positions >= 0
    at = jnp.maximum(positions, 0)
    lengths = jnp.minimum(reviews.lengths[at], settings.maxlen[:, None])
    steps = jnp.arange(maxlen)[:, None]
    ids = reviews.tokens[reviews.ends[at][:, None] - maxlen + steps]
    ids = jnp.where(ids < settings.vocabulary_size[:, None, None], ids, _OUT_OF_VOCABULARY)
    ids = jnp.where(steps >= maxlen - lengths[:, None], ids, _PADDING)
    read = jnp.where(settings.masked[:, None], lengths, settings.maxlen[:, None])
    return ids, jnp.where(used, maxlen - read, maxlen).astype(jnp.int32)


def _probabilities(
    weights: Weights,
    ids: Array,
    first: Array,
    settings: Settings,
    seeds: Array | None,
    sweeps: Sweeps,
) -> Array:
    """Returns float32 [P, B]; with dropout where there are seeds."""
    hidden = _embedded(weights.embedding, ids)
    layers = len(weights.kernels)
    for layer in range(layers):
        kernel, recurrent, bias = (
            parts[layer] for parts in (weights.kernels, weights.recurrent_kernels, weights.biases)
        )
        masks = None
        if seeds is None:
            projected = jnp.einsum("ptbe,pgeu->ptgbu", hidden, kernel)
        else:
            columns = settings.features if layer == 0 else settings.units
            dropped, masks = _dropout(seeds[:, layer], settings, hidden, columns, kernel.shape[-1])
            projected = jnp.stack(
                [
                    jnp.einsum("ptbe,peu->ptbu", hidden * dropped[:, None, gate], kernel[:, gate])
                    for gate in range(GATES)
                ],
                axis=2,
            )
        projected = projected + bias[:, None, :, None, :]
        hidden = lstm(projected, recurrent, masks, first, layer + 1 < layers, sweeps)
    logits = jnp.einsum("pbu,pu->pb", hidden, weights.output_kernel)
    return jax.nn.sigmoid(logits + weights.output_bias[:, None])


def _dropout(
    seeds: Array, settings: Settings, hidden: Array, columns: Array, units: int
) -> tuple[Array, Array]:
    """Draws one layer's masks for inputs, [P, 4, B, E or U], and states, [P, 4, B, U].

    With recurrent dropout Keras draws a mask for each gate, first those of the inputs, else one of
    the inputs for all gates.
    """
    batch, features = hidden.shape[2:]
    gates = jnp.arange(GATES, dtype=jnp.uint32)
    of_inputs = jnp.where((settings.input_draws == GATES)[:, None], gates, jnp.uint32(0))
    of_states = settings.input_draws[:, None] + gates
    return (
        _masks(seeds, of_inputs, settings.kept, columns, batch, features),
        _masks(seeds, of_states, settings.kept_states, settings.units, batch, units),
    )


def _masks(seeds: Array, draws: Array, kept: Array, columns: Array, rows: int, width: int) -> Array:
    """Draws dropout's masks as `keras.random.dropout` does on JAX, for arrays that are padded.

    A bit depends on the seed, the number of the draw and the place in an array of the member's own
    width, so that a padded mask holds the member's own mask, bit for bit.

    Args:
        seeds: uint32 [P, 2].
        draws: uint32 [P, 4], each mask's number, counted from the seed's state.
        kept: float32 [P], share that is kept.
        columns: uint32 [P], the member's own width.
        rows: B.
        width: The padded width.

    Returns:
        0 or 1 / kept, float32 [P, 4, rows, width].

    Source: `jax.random.bernoulli` with `jax_threefry_partitionable`.
    """
    place = jnp.arange(rows, dtype=jnp.uint32)[:, None] * columns[:, None, None, None] + jnp.arange(
        width, dtype=jnp.uint32
    )
    shape = (*draws.shape, rows, width)
    keys = seeds[:, 0, None], seeds[:, 1, None] + draws
    first, second = (jnp.broadcast_to(key[..., None, None], shape) for key in keys)
    place = jnp.broadcast_to(place, shape)
    high, low = threefry2x32_p.bind(first, second, jnp.zeros_like(place), place)
    mantissa = ((high ^ low) >> jnp.uint32(9)) | jnp.uint32(0x3F800000)
    uniform = lax.bitcast_convert_type(mantissa, jnp.float32) - 1.0
    share = kept[:, None, None, None]
    return jnp.where(uniform < share, 1.0 / share, 0.0)


@jax.custom_vjp  # type: ignore[untyped-decorator]
def _embedded(table: Array, ids: Array) -> Array:
    """Looks up [P, T, B] in [P, V, E]; the gradient is without atomic additions."""
    return jax.vmap(lambda rows, of: rows[of])(table, ids)


def _embedded_forward(table: Array, ids: Array) -> tuple[Array, tuple[Array, Array]]:
    return _embedded(table, ids), (table, ids)


def _embedded_backward(kept: tuple[Array, Array], gradient: Array) -> tuple[Array, None]:
    table, ids = kept
    members, words, features = table.shape
    sums = functools.partial(sum_by_id, words=words)
    return jax.vmap(sums)(ids.reshape(members, -1), gradient.reshape(members, -1, features)), None


_embedded.defvjp(_embedded_forward, _embedded_backward)


def sum_by_id(ids: Array, rows: Array, *, words: int) -> Array:
    """Sums the rows of equal ids: sorts them, then scans each segment by itself.

    Args:
        ids: int32 [n], each in [0, words).
        rows: float32 [n, E].
        words: How many ids there are.

    Returns:
        float32 [words, E].
    """
    order = jnp.argsort(ids, stable=True)
    ids, rows = ids[order], rows[order]
    begins = jnp.concatenate([jnp.ones(1, bool), ids[1:] != ids[:-1]])

    def join(a: tuple[Array, Array], b: tuple[Array, Array]) -> tuple[Array, Array]:
        return a[0] | b[0], jnp.where(b[0][:, None], b[1], a[1] + b[1])

    _, sums = lax.associative_scan(join, (begins, rows))
    wanted = jnp.arange(words, dtype=ids.dtype)
    last = jnp.maximum(jnp.searchsorted(ids, wanted, side="right") - 1, 0)
    return jnp.where((ids[last] == wanted)[:, None], sums[last], 0.0)
