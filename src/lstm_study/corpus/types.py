"""A split of reviews, and the corpus made of splits."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.test_half import UnopenedTest
from lstm_study.corpus.text.pairs import PairVocabulary, TrainingPairs
from lstm_study.corpus.text.vocabulary import Vocabulary
from lstm_study.records import CorpusSummary

_PART_TOKENS = 1 << 22


@dataclass(frozen=True, eq=False, kw_only=True)
class Split:
    """Some reviews: their tokens in one flat array, and their labels.

    Review i holds `token_ids[offsets[i]:offsets[i + 1]]`, uncut: limiting its length and vocabulary
    is a configuration's view of it (`batches`). The arrays may be read-only views
    of files.

    Attributes:
        name: "train", "validation", "training" (the two together) or "test".
        token_ids: int32 [tokens]; 1 begins each review, word of rank r is r + 3.
        offsets: int64 [reviews + 1], from 0 to the number of tokens.
        labels: int8 [reviews], 0 negative and 1 positive.
        document_ids: int64 or str [reviews], the source's own names or row numbers.
        ratings: int8 [reviews], stars from 1 to 10 where the source has them.
        pairs: The study's pairs of neighbouring words; None where none are known.
    """

    name: str
    token_ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    labels: NDArray[np.int8]
    document_ids: NDArray[Any]
    ratings: NDArray[np.int8] | None = None
    pairs: TrainingPairs | PairVocabulary | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, review: int) -> NDArray[np.int32]:
        """Returns one review's token ids, int32 [its length]."""
        index = range(len(self))[review]
        return self.token_ids[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens per review, int64 [reviews], the start token included."""
        return np.diff(self.offsets)

    def select(self, indices: NDArray[Any], *, name: str | None = None) -> Self:
        """Returns the reviews of the given positions, in the given order, copied.

        Args:
            indices: int [n] positions, or bool [reviews].
            name: What the new split is called; this one's name by default.
        """
        token_ids, offsets = gather_rows(self.token_ids, self.offsets, indices)
        return type(self)(
            name=name or self.name,
            token_ids=token_ids,
            offsets=offsets,
            labels=self.labels[indices],
            document_ids=self.document_ids[indices],
            ratings=None if self.ratings is None else self.ratings[indices],
            pairs=self.pairs,
        )

    def part(self, start: int, stop: int, *, name: str) -> Self:
        """Returns the reviews from start to stop as a view: nothing is copied but offsets."""
        offsets = self.offsets[start : stop + 1]
        return type(self)(
            name=name,
            token_ids=self.token_ids[offsets[0] : offsets[-1]],
            offsets=offsets - offsets[0],
            labels=self.labels[start:stop],
            document_ids=self.document_ids[start:stop],
            ratings=None if self.ratings is None else self.ratings[start:stop],
            pairs=self.pairs,
        )

    @cached_property
    def pair_split(self) -> "Split":
        """The same reviews with pair ids in the place of token ids."""
        if self.pairs is None:
            raise ValueError(f"the split {self.name!r} has no pairs of words")
        known = self.pairs
        table = known.vocabulary if isinstance(known, TrainingPairs) else known
        return replace(self, token_ids=table.ids(self.token_ids, self.offsets), pairs=None)


@dataclass(frozen=True, eq=False, kw_only=True)
class Corpus:
    """All reviews of a study. The test half is closed: see `open_test`.

    Attributes:
        training: All training reviews: `train`, then `validation`. For the retraining.
        train: The training reviews that the search trains on.
        validation: The training reviews that the search scores on.
        vocabulary: The words behind the token ids; None where the source does not say.
        summary: The corpus in numbers, its source, digest and labels.
    """

    training: Split
    train: Split
    validation: Split
    vocabulary: Vocabulary | None
    summary: CorpusSummary
    unopened_test: UnopenedTest[Split] = field(repr=False)

    @property
    def pairs(self) -> PairVocabulary | None:
        """The pairs of neighbouring words of the training reviews, counted when first asked for."""
        found = self.training.pairs
        return found.vocabulary if isinstance(found, TrainingPairs) else found

    def open_test(self, *, on_open: Callable[[], None]) -> Split:
        """Opens the test half, for `compare` only, once `on_open` has logged it."""
        return self.unopened_test.open(on_open=on_open)


def gather_rows(
    values: NDArray[np.int32], offsets: NDArray[np.int64], indices: NDArray[Any]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Picks reviews out of a flat array, without a loop over them.

    Args:
        values: int32 [tokens].
        offsets: int64 [reviews + 1].
        indices: int [n] positions, or bool [reviews].

    Returns:
        Flat values and offsets of the picked reviews, in the order of `indices`.

    Example:
        >>> gather_rows(np.arange(6, dtype=np.int32), np.array([0, 2, 3, 6]), np.array([2, 0]))
        (array([3, 4, 5, 0, 1], dtype=int32), array([0, 3, 5]))
    """
    starts = offsets[:-1][indices]
    lengths = np.diff(offsets)[indices]
    picked = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=picked[1:])
    result = np.empty(picked[-1], dtype=values.dtype)
    # In parts of some millions of tokens: positions take twice the memory of the tokens.
    cuts = np.searchsorted(picked, np.arange(0, picked[-1], _PART_TOKENS))
    for start, stop in pairwise([*np.unique(cuts).tolist(), len(lengths)]):
        first, last = picked[start], picked[stop]
        positions = np.repeat(starts[start:stop] - picked[start:stop], lengths[start:stop])
        positions += np.arange(first, last)
        result[first:last] = values[positions]
    return result, picked
