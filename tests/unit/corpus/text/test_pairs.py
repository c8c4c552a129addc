"""Pairs of neighbouring words."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lstm_study.corpus.text.pairs import TrainingPairs, count_pairs


def test_pairs_are_counted_in_training_reviews_and_looked_up_in_any():
    ids = np.array([1, 5, 6, 5, 6, 1, 6, 5, 6, 2, 6], np.int32)
    table = TrainingPairs(ids, np.array([0, 5, 11])).vocabulary
    assert table.pairs.tolist() == [[5, 6], [6, 5]]
    found = table.ids(np.array([1, 5, 6, 5, 1, 6, 5], np.int32), np.array([0, 4, 7]))
    assert found.tolist() == [2, 2, 3, 4, 2, 2, 4]


@given(st.lists(st.lists(st.integers(1, 6), max_size=8), max_size=6))
def test_a_pair_has_an_id_where_it_occurs_twice_in_the_reviews_and_never_across_them(reviews):
    ids = np.array([token for review in reviews for token in review], dtype=np.int32)
    offsets = np.cumsum([0, *map(len, reviews)])
    counted = {}
    for review in reviews:
        for pair in itertools.pairwise(review):
            if min(pair) > 2:
                counted[pair] = counted.get(pair, 0) + 1
    table = count_pairs(ids, offsets)
    known = {tuple(pair): rank + 3 for rank, pair in enumerate(table.pairs.tolist())}
    assert set(known) == {pair for pair, count in counted.items() if count > 1}
    expected = [
        known.get((before, token), 2)
        for review in reviews
        for before, token in zip([0, *review], review, strict=False)
    ]
    assert table.ids(ids, offsets).tolist() == expected
