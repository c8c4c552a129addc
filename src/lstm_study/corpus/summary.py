"""The corpus in numbers: its digest, and the record that the report reads."""

import hashlib
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.documents import Assembled
from lstm_study.corpus.splits import repeats
from lstm_study.corpus.text.vocabulary import RESERVED
from lstm_study.corpus.types import Split
from lstm_study.records import CorpusSummary, SplitSummary

LENGTH_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_LENGTH_BINS = 60
_STEPS = (1, 2, 5)


def summarise(assembled: Assembled, *, source: str, path: str, source_sha256: str) -> CorpusSummary:
    """Counts everything that the report and `lstm-study data` show.

    Texts are compared whole, as they were read; where a source has none, by their words. Reviews
    of equal words in different texts are counted apart, as nearly equal.
    """
    training, test = assembled.training, assembled.test
    train = training.part(0, assembled.train_reviews, name="train")
    validation = training.part(assembled.train_reviews, len(training), name="validation")
    groups = assembled.same_text
    in_training, in_test = groups[: len(training)], groups[len(training) :]
    bounds = (0, len(train), len(training), len(groups))
    splits = tuple(
        _split_summary(split, groups[start:stop])
        for split, (start, stop) in zip((train, validation, test), pairwise(bounds), strict=True)
    )
    size = vocabulary_size(assembled)
    return CorpusSummary(
        source=source,
        path=path,
        digest=digest(assembled),
        source_sha256=source_sha256,
        labels=assembled.label_names,
        vocabulary_size=size,
        coverage=coverage(validation.token_ids, vocabulary_size=size),
        length_counts=length_counts(training.lengths),
        splits=splits,
        duplicates_across=int(np.isin(in_test, in_training).sum()),
        near_equal=repeats(assembled.same_words) - repeats(groups),
        left_out=assembled.left_out,
        groups=assembled.groups,
        tokens=assembled.rule,
    )


def digest(assembled: Assembled) -> str:
    """Returns the SHA-256 of all that training and evaluation see, in hexadecimal."""
    result = hashlib.sha256(f"{assembled.train_reviews}\0".encode())
    for split in (assembled.training, assembled.test):
        result.update(f"{split.name}\0{len(split)}\0".encode())
        result.update(np.ascontiguousarray(split.offsets, dtype="<i8").data)
        result.update(np.ascontiguousarray(split.token_ids, dtype="<i4").data)
        result.update(np.ascontiguousarray(split.labels, dtype="i1").data)
    return result.hexdigest()


def vocabulary_size(assembled: Assembled) -> int:
    """Returns the number of token ids: words of the training reviews and the reserved ids."""
    if assembled.words is not None:
        return len(assembled.words) + RESERVED
    return int(assembled.training.token_ids.max(initial=RESERVED - 1)) + 1


def coverage(
    token_ids: NDArray[np.int32], *, vocabulary_size: int
) -> tuple[tuple[int, float], ...]:
    """Returns the share of words that vocabularies of 1,000, 2,000, 5,000, ... ids hold.

    Args:
        token_ids: int32 [tokens]; the reserved ids do not count as words.
        vocabulary_size: The last size returned.
    """
    words = np.sort(token_ids[token_ids >= RESERVED])
    sizes = [step * 10**power for power in range(3, 8) for step in _STEPS]
    sizes = [size for size in sizes if size < vocabulary_size] + [vocabulary_size]
    below = np.searchsorted(words, sizes)
    return tuple(
        (size, int(count) / max(len(words), 1)) for size, count in zip(sizes, below, strict=True)
    )


def length_counts(lengths: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    """Returns (upper end, reviews) of bins of one width: 1, 2, 5, 10, ..., at most 60 of them.

    A review of n tokens is in the first bin with an end of n or more.

    Example:
        >>> length_counts(np.array([1, 2, 2, 4]))
        ((1, 1), (2, 2), (3, 0), (4, 1))
    """
    longest = int(lengths.max())
    width = next(
        step * 10**power
        for power in range(10)
        for step in _STEPS
        if longest <= step * 10**power * _LENGTH_BINS
    )
    counts = np.bincount((lengths - 1) // width, minlength=-(-longest // width))
    return tuple(((bin_ + 1) * width, int(count)) for bin_, count in enumerate(counts))


def _split_summary(split: Split, groups: NDArray[np.int64]) -> SplitSummary:
    quantiles = np.quantile(split.lengths, LENGTH_QUANTILES, method="nearest")
    return SplitSummary(
        name=split.name,
        reviews=len(split),
        positive=int(split.labels.sum(dtype=np.int64)),
        tokens=len(split.token_ids),
        length_quantiles=tuple(int(quantile) for quantile in quantiles),
        duplicates=repeats(groups),
    )
