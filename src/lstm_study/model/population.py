"""Network, loss and Adam of a population as one JAX program: many networks of one shape class.

What `model/network.py` builds in Keras, written out for all members at once, with their
hyperparameters as data. A member's weights, dropout masks and steps are those of the same
configuration and seed trained alone by Keras on JAX, up to rounding: sums are taken in another
order, nothing is drawn otherwise.

Shapes are written with these letters: P members, B rows of a batch, T tokens, E features, U units,
V words, N reviews, L layers, D directions, K kinds of pooling: the last output alone, or last, mean
and maximum. Arrays are padded with zeros to the shape class; padded weights stay exactly zero,
because what they are multiplied with is: also those of pairs and of kinds of pooling that a member
does not have.

A second direction is one more network to the loop over time: it reads each review from its end to
its beginning.

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
POOLINGS = ("last", "mean", "max")
# The corpus's reserved ids.
_PADDING, _OUT_OF_VOCABULARY = 0, 2
_BELOW_ALL = -1e9
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
        pairs: int32, pair ids in the places of the tokens; None where no member has pairs.
    """

    tokens: Array
    ends: Array
    lengths: Array
    labels: Array
    pairs: Array = None


class Settings(NamedTuple):
    """What tells members apart, beside their weights; each [P].

    Attributes:
        kept: float32, share of the inputs that dropout keeps.
        kept_states: float32, share of the states that recurrent dropout keeps.
        input_draws: uint32, masks that Keras draws for the inputs of a layer: 0, 1 or 4.
        state_draws: uint32, masks that it draws for the states: 0 or 4.
        learning_rate: float32, before its schedule.
        schedule_steps: float32, training steps after which a linear schedule is at zero; 0 for a
            constant rate.
        clip_norm: float32, largest norm of the gradient; 0 for no clipping.
        weight_decay: float32, share of the weights that a step takes off, times the learning rate.
        vocabulary_size: int32, the member's own.
        pair_rows: int32, the member's own; 0 without pairs.
        maxlen: int32, the member's own.
        features: uint32, the member's own columns of the embedding.
        units: uint32, the member's own.
        masked: bool, whether padding is masked.
        kept_embedding: float32, share of the word vectors that embedding dropout keeps.
        kept_outputs: float32, share of what is pooled that output dropout keeps.
        pooled: bool [P, K], which kinds of pooling the member has.
    """

    kept: Array
    kept_states: Array
    input_draws: Array
    state_draws: Array
    learning_rate: Array
    schedule_steps: Array
    clip_norm: Array
    weight_decay: Array
    vocabulary_size: Array
    pair_rows: Array
    maxlen: Array
    features: Array
    units: Array
    masked: Array
    kept_embedding: Array
    kept_outputs: Array
    pooled: Array


class Weights(NamedTuple):
    """What the members learn.

    Attributes:
        embedding: float32 [P, V, E].
        pair_embedding: float32 [P, rows, E]; None where no member has pairs.
        kernels: For each layer float32 [P, D, 4, E or D · U, U].
        recurrent_kernels: For each layer float32 [P, D, 4, U, U].
        biases: For each layer float32 [P, D, 4, U].
        output_kernel: float32 [P, K, D, U].
        output_bias: float32 [P].
    """

    embedding: Array
    pair_embedding: Array
    kernels: tuple[Array, ...]
    recurrent_kernels: tuple[Array, ...]
    biases: tuple[Array, ...]
    output_kernel: Array
    output_bias: Array


class Seeds(NamedTuple):
    """The states of Keras's seed generators.

    Attributes:
        lstm: uint32 [P, L, D, 2].
        embedding: uint32 [P, 2], embedding dropout's; zeros for a member without.
        output: uint32 [P, 2], output dropout's; likewise.
    """

    lstm: Array
    embedding: Array
    output: Array


class State(NamedTuple):
    """All that a training step changes.

    Attributes:
        weights: What is learned.
        momentums: Adam's first moments.
        velocities: Adam's second moments.
        iterations: int32 [P], training steps made.
        seeds: Where the members' random numbers stand.
    """

    weights: Weights
    momentums: Weights
    velocities: Weights
    iterations: Array
    seeds: Seeds


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
    dropped: Array,
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
        dropped: bool [steps, P, B, T], the tokens that word dropout takes; None where no member has
            any.
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
        gone = None if dropped is None else jnp.swapaxes(dropped[k], 1, 2)
        state, loss, correct = _step(state, reviews, settings, positions[k], gone, maxlen, sweeps)
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
        tokens = _view(reviews, settings, rows, None, maxlen)
        return _put(found, k, _probabilities(weights, tokens, settings, None, sweeps))

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


def seeds_after(seeds: Seeds, settings: Settings, calls: int, *, trains: bool) -> Seeds:
    """Returns the members' seeds after so many calls of the network.

    In evaluation Keras's LSTM draws masks, too, and does not use them; other layers draw none.
    """
    draws = (settings.input_draws + settings.state_draws) * np.uint32(calls)
    found = seeds._replace(lstm=seeds.lstm + _low(draws)[:, None, None])
    if not trains:
        return found
    rates = settings.kept_embedding, settings.kept_outputs
    own = (_low((kept < 1.0).astype(jnp.uint32) * np.uint32(calls)) for kept in rates)
    embedding, output = (each + more for each, more in zip(seeds[1:], own, strict=True))
    return found._replace(embedding=embedding, output=output)


def _low(draws: Array) -> Array:
    """Returns [P] as what is added to seed states, [P, 2]: to their second half."""
    return jnp.stack((jnp.zeros_like(draws), draws), axis=-1)


def _put(buffer: Array, k: Array, value: Array) -> Array:
    return lax.dynamic_update_index_in_dim(buffer, value, k, axis=0)


def _step(
    state: State,
    reviews: Reviews,
    settings: Settings,
    positions: Array,
    dropped: Array,
    maxlen: int,
    sweeps: Sweeps,
) -> tuple[State, Array, Array]:
    used = positions >= 0
    tokens = _view(reviews, settings, positions, dropped, maxlen)
    labels = reviews.labels[jnp.maximum(positions, 0)]
    rows = jnp.sum(used, axis=1)

    def total(weights: Weights) -> tuple[Array, tuple[Array, Array]]:
        probabilities = _probabilities(weights, tokens, settings, state.seeds, sweeps)
        clipped = jnp.clip(probabilities, _EPSILON, 1.0 - _EPSILON)
        each = -(labels * jnp.log(clipped) + (1.0 - labels) * jnp.log(1.0 - clipped))
        losses = jnp.sum(jnp.where(used, each, 0.0), axis=1) / jnp.maximum(rows, 1)
        right = jnp.sum(used & ((probabilities > 0.5) == (labels > 0.5)), axis=1)
        return jnp.sum(losses), (losses, right)

    gradients, (losses, right) = jax.grad(total, has_aux=True)(state.weights)
    seeds = seeds_after(state.seeds, settings, 1, trains=True)
    return _adam(state, gradients, settings)._replace(seeds=seeds), losses, right


def _adam(state: State, gradients: Weights, settings: Settings) -> State:
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
    scale = _clipping(gradients, settings.clip_norm)
    kept = 1 - settings.weight_decay * learning_rate

    def updated(weight: Array, momentum: Array, velocity: Array, gradient: Array) -> Any:
        def by_member(each: Array) -> Array:
            return each.reshape(-1, *(1,) * (weight.ndim - 1))

        gradient = gradient * by_member(scale)
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
    return State(weights, momentums, velocities, iterations, state.seeds)


def _clipping(gradients: Weights, clip_norm: Array) -> Array:
    """Returns what each member's gradient is multiplied by, [P]."""
    squares = [
        jnp.sum(jnp.square(each), axis=tuple(range(1, each.ndim)))
        for each in jax.tree.leaves(gradients)
    ]
    norm = jnp.sqrt(functools.reduce(jnp.add, squares))
    scale = clip_norm / jnp.maximum(norm, jnp.maximum(clip_norm, _EPSILON))
    return jnp.where(clip_norm > 0, scale, 1.0)


class _Tokens(NamedTuple):
    """A batch as the members read it.

    Attributes:
        ids: int32 [P, T, B].
        pair_ids: Likewise; None where no member has pairs.
        first: int32 [P, B], the step that each row begins at: its first token where padding is
            masked, else the first of the member's maxlen; T for a row that is not used.
    """

    ids: Array
    pair_ids: Array
    first: Array


def _view(
    reviews: Reviews, settings: Settings, positions: Array, dropped: Array, maxlen: int
) -> _Tokens:
    """Reads batches as `corpus/batches.py` does, each member with its own vocabulary and maxlen.

    Words are dropped as `training/inputs.py` does; `dropped` is bool [P, T, B] or None.
    """
    used = positions >= 0
    at = jnp.maximum(positions, 0)
    lengths = jnp.minimum(reviews.lengths[at], settings.maxlen[:, None])
    steps = jnp.arange(maxlen)[:, None]
    places = reviews.ends[at][:, None] - maxlen + steps
    is_token = steps >= maxlen - lengths[:, None]

    def cut(of: Array, rows: Array, gone: Array) -> Array:
        ids = of[places]
        is_known = ids < rows[:, None, None]
        if gone is not None:
            is_known &= ~gone | (ids <= _OUT_OF_VOCABULARY)
        return jnp.where(is_token, jnp.where(is_known, ids, _OUT_OF_VOCABULARY), _PADDING)

    pair_ids = None
    if reviews.pairs is not None:
        of_either = None
        if dropped is not None:
            of_either = dropped | jnp.pad(dropped, ((0, 0), (1, 0), (0, 0)))[:, :-1]
        pair_ids = cut(reviews.pairs, settings.pair_rows, of_either)
    read = jnp.where(settings.masked[:, None], lengths, settings.maxlen[:, None])
    first = jnp.where(used, maxlen - read, maxlen).astype(jnp.int32)
    return _Tokens(cut(reviews.tokens, settings.vocabulary_size, dropped), pair_ids, first)


def _probabilities(
    weights: Weights, tokens: _Tokens, settings: Settings, seeds: Seeds | None, sweeps: Sweeps
) -> Array:
    """Returns float32 [P, B]; with dropout where there are seeds."""
    hidden = _embedded(weights.embedding, tokens.ids)
    if weights.pair_embedding is not None:
        # Multiplied, so that nothing is learned for a member without pairs.
        has_pairs = (settings.pair_rows > 0).astype(jnp.float32)[:, None, None, None]
        hidden = hidden + _embedded(weights.pair_embedding, tokens.pair_ids) * has_pairs
    if seeds is not None:
        hidden = hidden * _embedding_dropout(seeds.embedding, settings, hidden)
    kinds, directions = weights.output_kernel.shape[1:3]
    layers = len(weights.kernels)
    # To the loop a direction is a member of its own.
    first = jnp.repeat(tokens.first, directions, axis=0)
    by_direction = jax.tree.map(lambda each: jnp.repeat(each, directions, axis=0), settings)
    for layer in range(layers):
        is_top = layer + 1 == layers
        kernel, recurrent, bias = (
            parts[layer].reshape(-1, *parts[layer].shape[2:])
            for parts in (weights.kernels, weights.recurrent_kernels, weights.biases)
        )
        if directions > 1:
            hidden = jnp.stack((hidden, _backwards(hidden, tokens.first)), axis=1)
            hidden = hidden.reshape(-1, *hidden.shape[2:])
        masks = None
        if seeds is None:
            projected = jnp.einsum("ptbe,pgeu->ptgbu", hidden, kernel)
        else:
            own = seeds.lstm[:, layer].reshape(-1, 2)
            inputs = _own_inputs(by_direction, layer, directions, hidden.shape[-1])
            dropped, masks = _dropout(own, by_direction, hidden, *inputs, kernel.shape[-1])
            projected = jnp.stack(
                [
                    jnp.einsum("ptbe,peu->ptbu", hidden * dropped[:, None, gate], kernel[:, gate])
                    for gate in range(GATES)
                ],
                axis=2,
            )
        projected = projected + bias[:, None, :, None, :]
        outputs = lstm(projected, recurrent, masks, first, not is_top or kinds > 1, sweeps)
        outputs = outputs.reshape(-1, directions, *outputs.shape[1:])
        if not is_top:
            hidden = outputs[:, 0]
            if directions > 1:
                other = _backwards(outputs[:, 1], tokens.first)
                hidden = jnp.concatenate((hidden, other), axis=-1)
    features = _pooled(outputs, tokens.first, settings) if kinds > 1 else outputs[:, None]
    if seeds is not None:
        features = features * _output_dropout(seeds.output, settings, features)
    logits = jnp.einsum("pkdbu,pkdu->pb", features, weights.output_kernel)
    return jax.nn.sigmoid(logits + weights.output_bias[:, None])


def _pooled(outputs: Array, first: Array, settings: Settings) -> Array:
    """Pools [P, D, T, B, U] over each review's steps to [P, K, D, B, U].

    Kinds that a member does not have are zero. In which direction a review was read does not matter
    to mean and maximum; the last output is the last that was read.
    """
    is_read = jnp.arange(outputs.shape[2])[:, None] >= first[:, None]
    is_read = is_read[:, None, :, :, None]
    steps = jnp.maximum(outputs.shape[2] - first, 1).astype(jnp.float32)[:, None, :, None]
    mean = jnp.sum(jnp.where(is_read, outputs, 0.0), axis=2) / steps
    largest = jnp.max(jnp.where(is_read, outputs, _BELOW_ALL), axis=2)
    found = jnp.stack((outputs[:, :, -1], mean, largest), axis=1)
    return jnp.where(settings.pooled[:, :, None, None, None], found, 0.0)


def _own_inputs(settings: Settings, layer: int, directions: int, width: int) -> tuple[Array, Array]:
    """Says which of a layer's padded inputs are the member's own, and how many.

    Returns:
        The number that each has among its own, uint32 [P, width], and their count, uint32 [P].
    """
    if layer == 0:
        place = jnp.broadcast_to(jnp.arange(width, dtype=jnp.uint32), (len(settings.units), width))
        return place, settings.features
    units = jnp.arange(width // directions, dtype=jnp.uint32)
    starts = jnp.arange(directions, dtype=jnp.uint32) * settings.units[:, None]
    place = (starts[:, :, None] + units).reshape(-1, width)
    return place, settings.units * np.uint32(directions)


def _embedding_dropout(seeds: Array, settings: Settings, hidden: Array) -> Array:
    """Draws one mask for all steps of a review, [P, 1, B, E]."""
    batch, features = hidden.shape[2:]
    place, columns = _own_inputs(settings, 0, 1, features)
    draws = jnp.zeros((len(seeds), 1), jnp.uint32)
    return _masks(seeds, draws, settings.kept_embedding, place, columns, batch)


def _output_dropout(seeds: Array, settings: Settings, features: Array) -> Array:
    """Draws a mask for what is pooled, [P, K, D, B, U].

    Keras's features are side by side: kind by kind, direction by direction.
    """
    members, kinds, directions, batch, units = features.shape
    of_kind = settings.units * np.uint32(directions)
    rank = jnp.cumsum(settings.pooled.astype(jnp.uint32), axis=1, dtype=jnp.uint32)
    columns = rank[:, -1] * of_kind
    starts = (jnp.maximum(rank, 1) - 1) * of_kind[:, None]
    of_direction = jnp.arange(directions, dtype=jnp.uint32) * settings.units[:, None]
    place = starts[:, :, None, None] + of_direction[:, None, :, None]
    place = (place + jnp.arange(units, dtype=jnp.uint32)).reshape(members, -1)
    draws = jnp.zeros((members, 1), jnp.uint32)
    mask = _masks(seeds, draws, settings.kept_outputs, place, columns, batch)
    mask = mask.reshape(members, batch, kinds, directions, units)
    return jnp.transpose(mask, (0, 2, 3, 1, 4))


def _dropout(
    seeds: Array, settings: Settings, hidden: Array, place: Array, columns: Array, units: int
) -> tuple[Array, Array]:
    """Draws one layer's masks for inputs, [P, 4, B, E or U], and states, [P, 4, B, U].

    With recurrent dropout Keras draws a mask for each gate, first those of the inputs, else one of
    the inputs for all gates.
    """
    batch = hidden.shape[2]
    gates = jnp.arange(GATES, dtype=jnp.uint32)
    of_inputs = jnp.where((settings.input_draws == GATES)[:, None], gates, jnp.uint32(0))
    of_states = settings.input_draws[:, None] + gates
    states = jnp.broadcast_to(jnp.arange(units, dtype=jnp.uint32), (len(seeds), units))
    return (
        _masks(seeds, of_inputs, settings.kept, place, columns, batch),
        _masks(seeds, of_states, settings.kept_states, states, settings.units, batch),
    )


def _masks(
    seeds: Array, draws: Array, kept: Array, place: Array, columns: Array, rows: int
) -> Array:
    """Draws dropout's masks as `keras.random.dropout` does on JAX, for arrays that are padded.

    A bit depends on the seed, the number of the draw and the place in an array of the member's own
    width, so that a padded mask holds the member's own mask, bit for bit.

    Args:
        seeds: uint32 [P, 2].
        draws: uint32 [P, n], each mask's number, counted from the seed's state.
        kept: float32 [P], share that is kept.
        place: uint32 [P, width], the number of each column among the member's own.
        columns: uint32 [P], how many columns it has.
        rows: B.

    Returns:
        0 or 1 / kept, float32 [P, n, rows, width].

    Source: `jax.random.bernoulli` with `jax_threefry_partitionable`.
    """
    starts = jnp.arange(rows, dtype=jnp.uint32)[:, None] * columns[:, None, None]
    at = (starts + place[:, None])[:, None]
    shape = (*draws.shape, rows, place.shape[-1])
    keys = seeds[:, 0, None], seeds[:, 1, None] + draws
    first, second = (jnp.broadcast_to(key[..., None, None], shape) for key in keys)
    at = jnp.broadcast_to(at, shape)
    high, low = threefry2x32_p.bind(first, second, jnp.zeros_like(at), at)
    mantissa = ((high ^ low) >> jnp.uint32(9)) | jnp.uint32(0x3F800000)
    uniform = lax.bitcast_convert_type(mantissa, jnp.float32) - 1.0
    share = kept[:, None, None, None]
    return jnp.where(uniform < share, 1.0 / share, 0.0)


@jax.custom_vjp  # type: ignore[untyped-decorator]
def _backwards(hidden: Array, first: Array) -> Array:
    """Reverses each review's steps, [P, T, B, n]; padding in front stays. Its own inverse."""
    time = hidden.shape[1]
    steps = jnp.arange(time)[:, None]
    begins = first[:, None]
    source = jnp.where(steps >= begins, time - 1 + begins - steps, steps)
    return jnp.take_along_axis(hidden, source[..., None], axis=1)


def _backwards_forward(hidden: Array, first: Array) -> tuple[Array, Array]:
    return _backwards(hidden, first), first


def _backwards_backward(first: Array, gradient: Array) -> tuple[Array, None]:
    return _backwards(gradient, first), None


_backwards.defvjp(_backwards_forward, _backwards_backward)


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
