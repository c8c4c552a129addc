"""Reviews of similar length in one batch, and each batch cut to few lengths.

For networks that mask padding: for them a batch cut shorter is the same batch, and since the fast
LSTM skips padding that all reviews of a batch start with, a step costs what its reviews' lengths
cost. A network without a mask needs `batches.epoch_order` and the full length.

>>> lengths = np.array([3, 9, 4, 8, 3, 9, 4, 8, 5])
>>> [lengths[batch].tolist() for batch in epoch_buckets(lengths, batch_size=2, seed=1, pools=1)]
[[5, 8], [9, 9], [4, 4], [3, 3], [8]]
"""

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.types import Split

POOL_BATCHES = 64
FEWEST_POOLS = 4
SHORTEST = 256


def kept_lengths(split: Split, *, maxlen: int) -> NDArray[np.int64]:
    """Returns how many tokens of each review a view keeps: int64 [reviews], each <= maxlen."""
    return np.minimum(np.diff(split.offsets), maxlen).astype(np.int64)


def epoch_buckets(
    lengths: NDArray[np.int64], *, batch_size: int, seed: int, pools: int | None = None
) -> list[NDArray[np.int64]]:
    """Divides one epoch's reviews into batches of similar length.

    The reviews are shuffled and divided into pools; within a pool they are sorted by length and cut
    into batches; the batches of all pools are shuffled. The remainder, the permutation's
    last reviews whatever their lengths, is a batch of its own that ends the epoch.

    What stays random: which reviews share a pool, which of equal length share a
    batch, and the order of batches are drawn again in every epoch; two reviews of very different
    lengths never share a batch. Reviews cut at maxlen are of equal length, so the lower maxlen is,
    the closer this comes to a plain shuffle.

    Args:
        lengths: As from `kept_lengths`.
        batch_size: Reviews in a batch.
        seed: The epoch's own, as from `seeds.derive(seed, "shuffle", epoch)`.
        pools: How many; None for pools of about `POOL_BATCHES` batches, `FEWEST_POOLS` at least.

    Returns:
        Positions in the split, int64 [batch_size] for each batch, the last one maybe shorter.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(lengths))
    whole = len(lengths) // batch_size
    inside, rest = order[: whole * batch_size], order[whole * batch_size :]
    if pools is None:
        pools = max(FEWEST_POOLS, -(-whole // POOL_BATCHES))
    pools = max(1, min(pools, whole))
    pool = np.repeat(np.arange(whole) * pools // max(1, whole), batch_size)
    # Sorted by pool, then length; equal lengths stay in the permutation's order.
    dealt = inside[np.lexsort((lengths[inside], pool))].reshape(whole, batch_size)
    batches = list(dealt[random.permutation(whole)])
    return [*batches, rest] if len(rest) else batches


def evaluation_buckets(lengths: NDArray[np.int64], *, batch_size: int) -> list[NDArray[np.int64]]:
    """Divides reviews into batches in the order of their lengths, the shortest first.

    `lengths` are as from `kept_lengths`; the last batch may be smaller.
    """
    order = np.argsort(lengths, kind="stable")
    return [order[first : first + batch_size] for first in range(0, len(order), batch_size)]


def bucket_length(longest: int, *, maxlen: int) -> int:
    """Returns the length that a batch is cut to: a power of two, 256 at least, maxlen at most.

    For compiled loops, where each new length costs seconds of compilation; others cut to the
    longest review only. The remaining padding costs nothing in the LSTM; in the embedding it is
    worth another length from 256 tokens on. `longest` is that of its longest review, <= maxlen.
    """
    return min(maxlen, max(SHORTEST, 1 << max(0, longest - 1).bit_length()))
