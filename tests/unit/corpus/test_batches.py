import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_study.corpus.batches import batch, epoch_order, view
from tests.support.reviews import split_of

LISTS = st.lists(st.lists(st.integers(1, 30), min_size=1, max_size=20), min_size=1, max_size=12)


def slowly(lists: list[list[int]], *, vocabulary_size: int, maxlen: int) -> list[list[int]]:
    rows = []
    for tokens in lists:
        kept = [token if token < vocabulary_size else 2 for token in tokens][-maxlen:]
        rows.append([0] * (maxlen - len(kept)) + kept)
    return rows


def test_reviews_are_cut_and_padded_at_the_front_and_rare_words_become_2():
    split = split_of([[1, 4, 9], [1, 4, 5, 6, 7, 8]])
    seen = view(split, vocabulary_size=8, maxlen=4)
    assert seen.dtype == np.int32
    assert seen.tolist() == [[0, 1, 4, 2], [5, 6, 7, 2]]


@settings(max_examples=50)
@given(LISTS, st.integers(3, 40), st.integers(1, 30))
def test_the_view_equals_the_obvious_one(lists, vocabulary_size, maxlen):
    seen = view(split_of(lists), vocabulary_size=vocabulary_size, maxlen=maxlen)
    assert seen.tolist() == slowly(lists, vocabulary_size=vocabulary_size, maxlen=maxlen)


@settings(max_examples=50)
@given(LISTS, st.integers(1, 30), st.data())
def test_a_batch_is_rows_of_the_view(lists, maxlen, data):
    split = split_of(lists)
    indices = np.array(data.draw(st.lists(st.integers(0, len(lists) - 1))), dtype=int)
    seen = view(split, vocabulary_size=20, maxlen=maxlen)
    rows = batch(split, indices, vocabulary_size=20, maxlen=maxlen)
    assert rows.tolist() == seen[indices].tolist()
    assert rows.shape == (len(indices), maxlen)


def test_the_view_of_a_read_only_part_equals_the_parts_own():
    lists = [[1, *range(4, 4 + size)] for size in range(1, 900)]
    split = split_of(lists)
    split.token_ids.flags.writeable = False
    part = split.part(600, 899, name="part")
    expected = slowly(lists[600:], vocabulary_size=500, maxlen=700)
    assert view(part, vocabulary_size=500, maxlen=700).tolist() == expected


@pytest.mark.parametrize(("vocabulary_size", "maxlen"), [(2, 5), (5, 0)])
def test_a_view_of_nothing_is_a_bug_of_the_caller(vocabulary_size, maxlen):
    with pytest.raises(ValueError, match="vocabulary_size must be >= 3"):
        view(split_of([[1]]), vocabulary_size=vocabulary_size, maxlen=maxlen)


def test_an_epochs_order_is_a_permutation_that_its_seed_decides():
    order = epoch_order(100, 7)
    assert sorted(order) == list(range(100))
    assert order.tolist() == epoch_order(100, 7).tolist()
    assert order.tolist() != epoch_order(100, 8).tolist()
