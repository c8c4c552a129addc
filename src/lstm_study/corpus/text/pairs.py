"""Pairs of neighbouring words: which of them the training reviews hold most often, and their ids.

Pair ids follow the convention of token ids: 0 is padding, 2 is any pair that is not kept, and the
pair of rank r, from 0, is r + 3. A token's pair is that of the word before it and itself, so token
ids and pair ids share their offsets; pairs with a reserved id are not kept.

>>> table = count_pairs(np.array([1, 5, 6, 5, 6, 1, 6, 5, 6]), np.array([0, 5, 9]))
>>> table.pairs.tolist()                                   # 5 6 three times, 6 5 twice
[[5, 6], [6, 5]]
>>> table.ids(np.array([1, 5, 6, 5, 7]), np.array([0, 5])).tolist()
[2, 2, 3, 4, 2]
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.text.vocabulary import OUT_OF_VOCABULARY

FEWEST_TIMES = 2
FIRST = OUT_OF_VOCABULARY + 1


@dataclass(frozen=True, eq=False)
class PairVocabulary:
    """Pairs of token ids, the most frequent first.

    Attributes:
        pairs: int32 [pairs, 2].
    """

    pairs: NDArray[np.int32]

    def ids(self, token_ids: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.int32]:
        """Returns each token's pair id, int32 [tokens].

        Args:
            token_ids: int32 [tokens], uncut.
            offsets: int64 [reviews + 1], where reviews begin.
        """
        found = np.full(len(token_ids), OUT_OF_VOCABULARY, dtype=np.int32)
        keys, ranks = self._ordered
        if not len(keys) or not len(token_ids):
            return found
        wanted = _keys(token_ids, offsets)
        places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        known = keys[places] == wanted
        found[known] = ranks[places[known]] + FIRST
        return found

    @cached_property
    def _ordered(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The pairs' keys in ascending order, and the rank of each."""
        keys = (self.pairs[:, 0].astype(np.int64) << 32) | self.pairs[:, 1]
        order = np.argsort(keys)
        return keys[order], order.astype(np.int32)


@dataclass(frozen=True, eq=False)
class TrainingPairs:
    """The pairs of the training reviews, counted when they are first asked for.

    Attributes:
        token_ids: int32 [tokens] of all training reviews, validation included.
        offsets: int64 [reviews + 1].
    """

    token_ids: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @cached_property
    def vocabulary(self) -> PairVocabulary:
        """All pairs that occur often enough to be learned."""
        return count_pairs(self.token_ids, self.offsets)


def count_pairs(token_ids: NDArray[np.int32], offsets: NDArray[np.int64]) -> PairVocabulary:
    """Ranks pairs by how often they occur, those that occur once left out; ties by token ids."""
    keys, counts = np.unique(_keys(token_ids, offsets), return_counts=True)
    kept = (counts >= FEWEST_TIMES) & (keys >= 0)
    keys, counts = keys[kept], counts[kept]
    keys = keys[np.argsort(-counts, kind="stable")]
    return PairVocabulary(np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=1).astype(np.int32))


def _keys(token_ids: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns one number for each token's pair, int64 [tokens]; -1 where there is none to keep."""
    ids = np.asarray(token_ids, dtype=np.int64)
    before = np.concatenate([np.zeros(min(1, len(ids)), dtype=np.int64), ids[:-1]])
    before[offsets[:-1][np.diff(offsets) > 0]] = 0
    return np.where((before >= FIRST) & (ids >= FIRST), (before << 32) | ids, -1)
