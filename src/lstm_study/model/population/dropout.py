"""Dropout of a population: each member draws the masks that Keras draws for it alone, bit for bit.

Letters are those of `arrays.py`.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.random import threefry2x32_p

from lstm_study.model.population.arrays import GATES, Array, MemberSettings, Seeds


def seeds_after(seeds: Seeds, settings: MemberSettings, calls: int, *, trains: bool) -> Seeds:
    """Returns the members' seeds after so many calls of the network.

    In evaluation Keras's LSTM draws masks, too, and does not use them; other layers draw none.
    """
    draws = (settings.input_draws + settings.state_draws) * jnp.uint32(calls)
    found = seeds._replace(lstm=seeds.lstm + _low(draws)[:, None, None])
    if not trains:
        return found
    rates = settings.kept_embedding, settings.kept_outputs
    own = (_low((kept < 1.0).astype(jnp.uint32) * jnp.uint32(calls)) for kept in rates)
    embedding, output = (each + more for each, more in zip(seeds[1:], own, strict=True))
    return found._replace(embedding=embedding, output=output)


def own_inputs(
    settings: MemberSettings, layer: int, directions: int, width: int
) -> tuple[Array, Array]:
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


def embedding_dropout(seeds: Array, settings: MemberSettings, hidden: Array) -> Array:
    """Draws one mask for all steps of a review, [P, B, 1, E]."""
    batch, _, features = hidden.shape[1:]
    place, columns = own_inputs(settings, 0, 1, features)
    draws = jnp.zeros((len(seeds), 1), jnp.uint32)
    mask = _masks(seeds, draws, settings.kept_embedding, place, columns, batch)
    return jnp.swapaxes(mask, 1, 2)


def output_dropout(seeds: Array, settings: MemberSettings, features: Array) -> Array:
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


def lstm_dropout(
    seeds: Array, settings: MemberSettings, hidden: Array, place: Array, columns: Array, units: int
) -> tuple[Array, Array]:
    """Draws one layer's masks for inputs, [P, 4, B, E or U], and states, [P, 4, B, U].

    With recurrent dropout Keras draws a mask for each gate, first those of the inputs, else one of
    the inputs for all gates.
    """
    batch = hidden.shape[1]
    gates = jnp.arange(GATES, dtype=jnp.uint32)
    of_inputs = jnp.where((settings.input_draws == GATES)[:, None], gates, jnp.uint32(0))
    of_states = settings.input_draws[:, None] + gates
    states = jnp.broadcast_to(jnp.arange(units, dtype=jnp.uint32), (len(seeds), units))
    return (
        _masks(seeds, of_inputs, settings.kept, place, columns, batch),
        _masks(seeds, of_states, settings.kept_states, states, settings.units, batch),
    )


def _low(draws: Array) -> Array:
    """Returns [P] as what is added to seed states, [P, 2]: to their second half."""
    return jnp.stack((jnp.zeros_like(draws), draws), axis=-1)


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
