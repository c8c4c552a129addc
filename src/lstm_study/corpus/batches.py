"""A configuration's view of a split: limited to a vocabulary, cut and padded at the start.

Equal to `keras.utils.pad_sequences(reviews, maxlen)` after every token id that is not below
`vocabulary_size` has become 2. No loop runs over reviews.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from lstm_study.corpus.text.vocabulary import OUT_OF_VOCABULARY, PADDING
from lstm_study.corpus.types import Split

_ROWS_AT_ONCE = 512


def view(split: Split, *, vocabulary_size: int, maxlen: int) -> NDArray[np.int32]:
    """Returns all reviews of a split as a network's input.

    Args:
        split: The reviews.
        vocabulary_size: Token ids kept, the reserved ones included; others become 2.
        maxlen: Tokens per review; longer reviews are cut at the start, shorter ones get 0 there.

    Returns:
        int32 [reviews, maxlen].
    """
    return batch(split, np.arange(len(split)), vocabulary_size=vocabulary_size, maxlen=maxlen)


def batch(
    split: Split, indices: NDArray[Any], *, vocabulary_size: int, maxlen: int
) -> NDArray[np.int32]:
    """Returns some reviews of a split as a network's input; see `view`.

    Args:
        split: The reviews.
        indices: int [n], their positions in the split, in the order wanted.
        vocabulary_size: As in `view`.
        maxlen: As in `view`.

    Returns:
        int32 [n, maxlen].
    """
    if vocabulary_size <= OUT_OF_VOCABULARY or maxlen < 1:
        raise ValueError(
            "vocabulary_size must be >= 3 and maxlen >= 1. "
            f"Received: vocabulary_size={vocabulary_size}, maxlen={maxlen}"
        )
    result = np.zeros((len(indices), maxlen), dtype=np.int32)
    ends = split.offsets[1:][indices]
    starts = np.maximum(split.offsets[:-1][indices], ends - maxlen)
    for first in range(0, len(indices), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        block = result[rows]
        _fill(block, split.token_ids, starts[rows], ends[rows])
        np.putmask(block, block >= vocabulary_size, OUT_OF_VOCABULARY)
    return result


def epoch_order(reviews: int, seed: int) -> NDArray[np.int64]:
    """Returns the order of one epoch's reviews: a permutation, int64 [reviews].

    The seed is the epoch's own, as from `seeds.derive(seed, "shuffle", epoch)`.
    """
    return np.random.default_rng(seed).permutation(reviews)


def _fill(
    block: NDArray[np.int32],
    token_ids: NDArray[np.int32],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> None:
    maxlen = block.shape[1]
    whole = ends >= maxlen
    if len(token_ids) >= maxlen:
        # Row k of the windows is token_ids[k : k + maxlen]: each review is copied in one piece,
        # with its neighbour's tokens before it, which become padding below.
        windows = sliding_window_view(token_ids, maxlen)
        block[whole] = windows[ends[whole] - maxlen]
    padding = maxlen - (ends - starts)
    columns = np.arange(maxlen)
    np.putmask(block, columns[np.newaxis, :] < padding[:, np.newaxis], PADDING)
    if not whole.all():
        # The first reviews of the corpus, nearer to its start than maxlen.
        near = np.flatnonzero(~whole)
        positions = ends[near, np.newaxis] - maxlen + columns
        inside = columns >= padding[near, np.newaxis]
        block[near] = np.where(inside, token_ids[np.where(inside, positions, 0)], PADDING)
