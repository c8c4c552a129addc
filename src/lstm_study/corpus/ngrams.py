"""Words and pairs of words of reviews, as sparse rows: the features of the classical control."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.text.vocabulary import START
from lstm_study.corpus.types import Split
from lstm_study.records import Weighting

_SMOOTHING = 1.0
_SHIFT = 32
_CHUNK = 5_000
_LEAST_REVIEWS = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """The words and pairs that count, and the weight of each.

    Attributes:
        keys: int64 [features], ascending: a word's id above 32 bits, the next word's below, 0 for a
            word alone.
        weights: float64 [features].
        weighting: "nb" or "tfidf".
    """

    keys: NDArray[np.int64]
    weights: NDArray[np.float64]
    weighting: Weighting


def learn_features(
    reviews: Split, counts: Any, keys: NDArray[np.int64], *, weighting: Weighting
) -> Features:
    """Learns the weight of each feature, a column of what `count_features` counted in reviews.

    "nb" weighs by the log-count ratio between the reviews' labels, smoothed by 1; "tfidf" by the
    inverse document frequency, log((1 + n) / (1 + df)) + 1.

    Source: S. Wang and C. D. Manning (2012), "Baselines and bigrams: simple, good sentiment and
        topic classification", ACL, with presence instead of counts; `TfidfTransformer` of
        scikit-learn.
    """
    present = counts.sign()
    if weighting == "nb":
        positive = reviews.labels.astype(bool)
        sums = [
            _SMOOTHING + np.asarray(present[np.flatnonzero(side)].sum(axis=0)).ravel()
            for side in (positive, ~positive)
        ]
        weights = np.log((sums[0] / sums[0].sum()) / (sums[1] / sums[1].sum()))
    else:
        frequency = np.asarray(present.sum(axis=0)).ravel()
        weights = np.log((1 + len(reviews)) / (1 + frequency)) + 1
    return Features(keys=keys, weights=np.asarray(weights, dtype=np.float64), weighting=weighting)


def weigh(counts: Any, features: Features) -> Any:
    """Turns counts into the regression's input, a sparse matrix [reviews, features].

    "nb" takes presence times weight; "tfidf" takes (1 + log count) times weight, in rows of unit
    length.
    """
    from scipy import sparse

    rows = counts.astype(np.float64)
    rows.data = np.ones_like(rows.data) if features.weighting == "nb" else 1 + np.log(rows.data)
    rows = (rows @ sparse.diags(features.weights)).tocsr()
    if features.weighting == "tfidf":
        lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
        lengths[lengths == 0] = 1.0
        rows = (sparse.diags(1 / lengths) @ rows).tocsr()
    return rows


def frequent_keys(reviews: Split) -> NDArray[np.int64]:
    """Returns the words and pairs that occur in two reviews or more, int64, ascending."""
    found, frequencies = [], []
    for first, last in _chunks(reviews):
        keys, owners = _occurrences(reviews, first, last)
        different, places = np.unique(keys, return_inverse=True)
        # Document frequency: once per review.
        pairs = np.unique(owners * max(1, len(different)) + places)
        found.append(different)
        frequencies.append(np.bincount(pairs % max(1, len(different)), minlength=len(different)))
    all_keys, places = np.unique(np.concatenate(found), return_inverse=True)
    totals = np.bincount(places, np.concatenate(frequencies), minlength=len(all_keys))
    frequent: NDArray[np.int64] = all_keys[totals >= _LEAST_REVIEWS]
    return frequent


def count_features(reviews: Split, keys: NDArray[np.int64]) -> Any:
    """Counts features, given ascending: a scipy CSR matrix, int64 [reviews, features]."""
    from scipy import sparse

    return sparse.vstack(
        [_count(reviews, keys, first, last) for first, last in _chunks(reviews)], format="csr"
    )


def _count(reviews: Split, keys: NDArray[np.int64], first: int, last: int) -> Any:
    from scipy import sparse

    found, owners = _occurrences(reviews, first, last)
    columns = np.searchsorted(keys, found)
    columns[columns == len(keys)] = 0
    known = keys[columns] == found if len(keys) else np.zeros(len(found), dtype=bool)
    matrix = sparse.coo_matrix(
        (np.ones(int(known.sum()), dtype=np.int64), (owners[known], columns[known])),
        shape=(last - first, len(keys)),
    ).tocsr()
    matrix.sum_duplicates()
    return matrix


def _chunks(reviews: Split) -> list[tuple[int, int]]:
    """The reviews in parts, by first and last, for every occurrence takes memory several times."""
    return [
        (first, min(first + _CHUNK, len(reviews))) for first in range(0, len(reviews), _CHUNK)
    ] or [(0, 0)]


def _occurrences(
    reviews: Split, first: int, last: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns words and pairs of neighbours of some reviews, and the review of each, from 0."""
    owners = np.repeat(np.arange(last - first), reviews.lengths[first:last])
    tokens = np.asarray(reviews.token_ids[reviews.offsets[first] : reviews.offsets[last]])
    is_word = tokens != START
    words, owners = tokens[is_word].astype(np.int64), owners[is_word]
    together = owners[1:] == owners[:-1]
    pairs = (words[:-1] << _SHIFT | words[1:])[together]
    return (
        np.concatenate([words << _SHIFT, pairs]),
        np.concatenate([owners, owners[:-1][together]]),
    )
