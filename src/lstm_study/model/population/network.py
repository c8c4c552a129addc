"""The network of a population: from positions of reviews to probabilities, all members at once.

No result depends on the order in which threads write: sums over equal words come from a sort and a
scan, not from atomic additions. The same population gives the same bits on the same machine.

Letters are those of `arrays.py`.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from lstm_study.model.lstm.members import Sweeps, lstm
from lstm_study.model.population.arrays import (
    Array,
    DeviceReviews,
    MemberSettings,
    PopulationWeights,
    Seeds,
)
from lstm_study.model.population.dropout import (
    embedding_dropout,
    lstm_dropout,
    output_dropout,
    own_inputs,
)

# The corpus's reserved ids.
_PADDING, _OUT_OF_VOCABULARY = 0, 2
_BELOW_ALL = -1e9


class Tokens(NamedTuple):
    """A batch as the members read it.

    Attributes:
        ids: int32 [P, B, T].
        pair_ids: Likewise; None where no member has pairs.
        first: int32 [P, B], the step that each row begins at: its first token where padding is
            masked, else the first of the member's maxlen; T for a row that is not used.
    """

    ids: Array
    pair_ids: Array
    first: Array


def tokens_of(
    reviews: DeviceReviews, settings: MemberSettings, positions: Array, dropped: Array, maxlen: int
) -> Tokens:
    """Reads batches as `corpus/batches.py` does, each member with its own vocabulary and maxlen.

    Words are dropped as `training/inputs.py` does; `dropped` is bool [P, B, T] or None.
    """
    used = positions >= 0
    at = jnp.maximum(positions, 0)
    lengths = jnp.minimum(reviews.lengths[at], settings.maxlen[:, None])
    steps = jnp.arange(maxlen)
    places = reviews.ends[at][..., None] - maxlen + steps
    is_token = steps >= maxlen - lengths[..., None]

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
            of_either = dropped | jnp.pad(dropped, ((0, 0), (0, 0), (1, 0)))[:, :, :-1]
        pair_ids = cut(reviews.pairs, settings.pair_rows, of_either)
    read = jnp.where(settings.masked[:, None], lengths, settings.maxlen[:, None])
    first = jnp.where(used, maxlen - read, maxlen).astype(jnp.int32)
    return Tokens(cut(reviews.tokens, settings.vocabulary_size, dropped), pair_ids, first)


def probabilities_of(
    weights: PopulationWeights,
    tokens: Tokens,
    settings: MemberSettings,
    seeds: Seeds | None,
    sweeps: Sweeps,
) -> Array:
    """Returns float32 [P, B]; with dropout where there are seeds."""
    hidden = _embedded(weights.embedding, tokens.ids)
    if weights.pair_embedding is not None:
        # Multiplied, so that nothing is learned for a member without pairs.
        has_pairs = (settings.pair_rows > 0).astype(jnp.float32)[:, None, None, None]
        hidden = hidden + _embedded(weights.pair_embedding, tokens.pair_ids) * has_pairs
    if seeds is not None:
        hidden = hidden * embedding_dropout(seeds.embedding, settings, hidden)
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
            projected = jnp.einsum("pbte,pgeu->pbtgu", hidden, kernel)
        else:
            own = seeds.lstm[:, layer].reshape(-1, 2)
            inputs = own_inputs(by_direction, layer, directions, hidden.shape[-1])
            dropped, masks = lstm_dropout(own, by_direction, hidden, *inputs, kernel.shape[-1])
            # A mask is the same at all steps of a review, so the weights are multiplied, not all
            # its steps four times: less to write and to read again.
            of_reviews = jnp.einsum("pgbe,pgeu->pbegu", dropped, kernel)
            projected = jnp.einsum("pbte,pbegu->pbtgu", hidden, of_reviews)
        outputs = lstm(projected, recurrent, bias, masks, first, not is_top or kinds > 1, sweeps)
        outputs = outputs.reshape(-1, directions, *outputs.shape[1:])
        if not is_top:
            hidden = outputs[:, 0]
            if directions > 1:
                other = _backwards(outputs[:, 1], tokens.first)
                hidden = jnp.concatenate((hidden, other), axis=-1)
    features = _pooled(outputs, tokens.first, settings) if kinds > 1 else outputs[:, None]
    if seeds is not None:
        features = features * output_dropout(seeds.output, settings, features)
    logits = jnp.einsum("pkdbu,pkdu->pb", features, weights.output_kernel)
    return jax.nn.sigmoid(logits + weights.output_bias[:, None])


def _pooled(outputs: Array, first: Array, settings: MemberSettings) -> Array:
    """Pools [P, D, B, T, U] over each review's steps to [P, K, D, B, U].

    Kinds that a member does not have are zero. In which direction a review was read does not matter
    to mean and maximum; the last output is the last that was read.
    """
    is_read = jnp.arange(outputs.shape[3]) >= first[..., None]
    is_read = is_read[:, None, :, :, None]
    steps = jnp.maximum(outputs.shape[3] - first, 1).astype(jnp.float32)[:, None, :, None]
    mean = jnp.sum(jnp.where(is_read, outputs, 0.0), axis=3) / steps
    largest = jnp.max(jnp.where(is_read, outputs, _BELOW_ALL), axis=3)
    found = jnp.stack((outputs[:, :, :, -1], mean, largest), axis=1)
    return jnp.where(settings.pooled[:, :, None, None, None], found, 0.0)


@jax.custom_vjp  # type: ignore[untyped-decorator]
def _backwards(hidden: Array, first: Array) -> Array:
    """Reverses each review's steps, [P, B, T, n]; padding in front stays. Its own inverse."""
    time = hidden.shape[2]
    steps = jnp.arange(time)
    begins = first[..., None]
    source = jnp.where(steps >= begins, time - 1 + begins - steps, steps)
    return jnp.take_along_axis(hidden, source[..., None], axis=2)


def _backwards_forward(hidden: Array, first: Array) -> tuple[Array, Array]:
    return _backwards(hidden, first), first


def _backwards_backward(first: Array, gradient: Array) -> tuple[Array, None]:
    return _backwards(gradient, first), None


_backwards.defvjp(_backwards_forward, _backwards_backward)


@jax.custom_vjp  # type: ignore[untyped-decorator]
def _embedded(table: Array, ids: Array) -> Array:
    """Looks up [P, B, T] in [P, V, E]; the gradient is without atomic additions."""
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
    last = jnp.maximum(jnp.searchsorted(ids, wanted, side="right", method="scan_unrolled") - 1, 0)
    return jnp.where((ids[last] == wanted)[:, None], sums[last], 0.0)
