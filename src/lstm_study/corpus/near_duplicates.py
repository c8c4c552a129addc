"""Reviews of one split that are nearly word for word in another: by hashed shingles, exactly.

A shingle is a run of words, hashed to 64 bits. Only pairs of reviews that share shingles are
compared, and all of those: the count is exact except for hash collisions.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lstm_study.clock import seconds_running
from lstm_study.corpus.text.vocabulary import START
from lstm_study.corpus.types import Split
from lstm_study.records import NearDuplicates

SHINGLE_WORDS = 8
THRESHOLD = 0.5
_COMMON = 500
_MATCHES_AT_ONCE = 4_000_000
_TABLE_BITS = 26
_FACTOR = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shingles:
    """The shingles of each review, in their order.

    Attributes:
        hashes: uint64 [shingles].
        owners: int64 [shingles], the review of each, ascending.
        reviews: How many reviews there are.
    """

    hashes: NDArray[np.uint64]
    owners: NDArray[np.int64]
    reviews: int

    def where(self, kept: NDArray[np.bool_]) -> "Shingles":
        """Returns some of the shingles."""
        return Shingles(hashes=self.hashes[kept], owners=self.owners[kept], reviews=self.reviews)

    def different(self) -> "Shingles":
        """Returns each review's shingles once, ascending."""
        order = np.lexsort((self.hashes, self.owners))
        hashes, owners = self.hashes[order], self.owners[order]
        first = np.ones(len(hashes), dtype=bool)
        first[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
        return Shingles(hashes=hashes[first], owners=owners[first], reviews=self.reviews)

    def counts_of(self, reviews: NDArray[np.int64]) -> NDArray[np.int64]:
        """Counts the different shingles of some reviews, int64 [len(reviews)]."""
        asked = np.zeros(self.reviews, dtype=bool)
        asked[reviews] = True
        found = self.where(asked[self.owners]).different()
        return np.bincount(found.owners, minlength=self.reviews)[reviews].astype(np.int64)


def count_near_duplicates(
    test: Split,
    training: Split,
    *,
    shingle_words: int = SHINGLE_WORDS,
    threshold: float = THRESHOLD,
) -> NearDuplicates:
    """Finds the test reviews that have a near-duplicate among the training reviews.

    Two reviews are near-duplicates if they share at least the threshold of the different shingles
    of the one that has fewer: so a review that another quotes in full is one. Reviews shorter than
    a shingle are compared as a whole. A shingle in more than 500 training reviews is a set phrase,
    not a copy: it counts as not shared.

    Args:
        test: The reviews in question.
        training: The reviews that a network has seen.
        shingle_words: Words in a row, >= 1.
        threshold: In (0, 1].

    Source: A. Z. Broder (1997), "On the resemblance and containment of documents", without its
        sampling: 25,000 reviews need none.
    """
    began = seconds_running()
    left = shingles_of(test, words=shingle_words)
    right = shingles_of(training, words=shingle_words)
    first, second, shared = _pairs(left, right)
    near = shared >= threshold * np.minimum(left.counts_of(first), right.counts_of(second))
    first, second = first[near], second[near]
    positions = np.unique(first)
    same_text = [
        one
        for one, other in zip(first.tolist(), second.tolist(), strict=True)
        if np.array_equal(test[one], training[other])
    ]
    same_label = first[test.labels[first] == training.labels[second]]
    return NearDuplicates(
        shingle_words=shingle_words,
        threshold=threshold,
        test_reviews=len(test),
        positions=tuple(positions.tolist()),
        exact=len(set(same_text)),
        other_label=len(positions) - len(np.unique(same_label)),
        seconds=seconds_running() - began,
    )


def shingles_of(split: Split, *, words: int) -> Shingles:
    """Hashes every run of so many words of each review; the start token is not a word.

    A shorter review is one shingle as a whole.
    """
    token_ids = np.asarray(split.token_ids)
    is_word = token_ids != START
    owners = np.repeat(np.arange(len(split)), split.lengths)[is_word]
    # Zeros after the last word, so that every word begins a run.
    values = np.zeros(len(owners) + words - 1, dtype=np.uint64)
    values[: len(owners)] = _scrambled(token_ids[is_word].astype(np.uint64))
    lengths = np.bincount(owners, minlength=len(split))
    ends = np.cumsum(lengths)
    room = np.repeat(ends, lengths) - np.arange(len(owners))
    hashes = np.zeros(len(owners), dtype=np.uint64)
    factors = np.array([pow(_FACTOR, place, 2**64) for place in range(words)], dtype=np.uint64)
    for place, factor in enumerate(factors):
        hashes += values[place : place + len(owners)] * factor
    whole = room >= words
    short = np.flatnonzero((lengths > 0) & (lengths < words))
    for review in short.tolist():
        begin, end = int(ends[review] - lengths[review]), int(ends[review])
        # As if padding followed.
        hashes[begin] = (values[begin:end] * factors[: end - begin]).sum()
        whole[begin] = True
    return Shingles(hashes=_scrambled(hashes[whole]), owners=owners[whole], reviews=len(split))


def _scrambled(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spreads numbers over all 64 bits; different ones stay different.

    Source: SplitMix64's finaliser (G. L. Steele, D. Lea and C. H. Flood, 2014, "Fast splittable
        pseudorandom number generators", OOPSLA).
    """
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _pairs(
    left: Shingles, right: Shingles
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Returns every pair of reviews that share shingles, and how many different ones they share."""
    left = left.where(_may_be_in(left.hashes, right.hashes)).different()
    right = right.where(_may_be_in(right.hashes, left.hashes)).different()
    order = np.argsort(right.hashes, kind="stable")
    hashes, owners = right.hashes[order], right.owners[order]
    starts = np.searchsorted(hashes, left.hashes, side="left")
    matches = np.searchsorted(hashes, left.hashes, side="right") - starts
    matches[matches > _COMMON] = 0
    keys, shared = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for part in _parts(left.owners, matches):
        first = np.repeat(left.owners[part], matches[part])
        before = np.repeat(np.cumsum(matches[part]) - matches[part], matches[part])
        second = owners[np.repeat(starts[part], matches[part]) + np.arange(len(first)) - before]
        found, count = np.unique(first * right.reviews + second, return_counts=True)
        keys.append(found)
        shared.append(count)
    pairs = np.concatenate(keys)
    return (
        pairs // max(1, right.reviews),
        pairs % max(1, right.reviews),
        np.concatenate(shared),
    )


def _parts(owners: NDArray[np.int64], matches: NDArray[np.int64]) -> list[slice]:
    """Cuts shingles into parts of whole reviews and of so many matches, to bound the memory.

    Args:
        owners: int64 [shingles], ascending.
        matches: int64 [shingles].
    """
    before = np.cumsum(matches) - matches
    part = before[np.searchsorted(owners, owners)] // _MATCHES_AT_ONCE
    edges = [0, *(np.flatnonzero(np.diff(part)) + 1).tolist(), len(owners)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def _may_be_in(hashes: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Tells for each hash whether it may be among the others; there are false positives."""
    shift = np.uint64(64 - _TABLE_BITS)
    table = np.zeros(1 << _TABLE_BITS, dtype=bool)
    table[others >> shift] = True
    found: NDArray[np.bool_] = table[hashes >> shift]
    return found
