from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_study.corpus.batches import batch, epoch_order, view
from lstm_study.corpus.buckets import (
    bucket_length,
    epoch_buckets,
    evaluation_buckets,
    kept_lengths,
)
from tests.support.reviews import split_of

LENGTHS = st.lists(st.integers(1, 500), min_size=1, max_size=200).map(np.array)


@settings(max_examples=100)
@given(LENGTHS, st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_an_epoch_has_each_review_once_and_every_batch_but_the_last_is_whole(lengths, size, seed):
    batches = epoch_buckets(lengths, batch_size=size, seed=seed)
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert {len(each) for each in batches[:-1]} <= {size}
    assert 1 <= len(batches[-1]) <= size


def test_within_a_pool_no_batch_reaches_into_the_lengths_of_another():
    lengths = np.random.default_rng(1).integers(10, 500, 320)
    batches = epoch_buckets(lengths, batch_size=16, seed=3, pools=1)
    ranges = sorted((lengths[each].min(), lengths[each].max()) for each in batches)
    assert all(end <= start for (_, end), (start, _) in pairwise(ranges))


def test_the_seed_decides_members_and_order_of_the_batches():
    lengths = np.random.default_rng(1).integers(10, 500, 640)
    one, again, other = (
        [each.tolist() for each in epoch_buckets(lengths, batch_size=16, seed=seed)]
        for seed in (5, 5, 6)
    )
    assert one == again
    assert {frozenset(each) for each in one}.isdisjoint(frozenset(each) for each in other)


def test_the_batches_are_not_in_the_order_of_their_lengths():
    lengths = np.arange(640)
    batches = epoch_buckets(lengths, batch_size=16, seed=5)
    means = [lengths[each].mean() for each in batches]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.3


def test_what_is_left_over_from_whole_batches_is_the_permutations_end_and_comes_last():
    lengths = np.arange(70)
    batches = epoch_buckets(lengths, batch_size=16, seed=5)
    assert batches[-1].tolist() == epoch_order(70, 5)[64:].tolist()


def test_reviews_of_equal_length_are_shuffled_like_all_others():
    batches = epoch_buckets(np.full(64, 9), batch_size=16, seed=5, pools=1)
    dealt = {tuple(each) for each in batches}
    assert dealt == {tuple(each) for each in epoch_order(64, 5).reshape(4, 16)}


def test_batches_are_little_longer_than_their_reviews():
    # Lengths about as IMDB's: mean 216 once cut at 500.
    random = np.random.default_rng(1)
    lengths = np.clip(random.lognormal(5.2, 0.62, 20_000), 10, 500).astype(np.int64)
    batches = epoch_buckets(lengths, batch_size=64, seed=1)
    visited = sum(len(each) * lengths[each].max() for each in batches)
    assert visited < 1.05 * lengths.sum()
    assert visited < 0.5 * 500 * len(lengths)


def test_evaluation_goes_from_the_shortest_to_the_longest():
    batches = evaluation_buckets(np.array([5, 1, 3, 2, 4]), batch_size=2)
    assert [each.tolist() for each in batches] == [[1, 3], [2, 4], [0]]
    assert evaluation_buckets(np.array([], dtype=np.int64), batch_size=2) == []


@pytest.mark.parametrize(
    ("longest", "maxlen", "length"),
    [(0, 200, 200), (90, 200, 200), (90, 500, 256), (256, 500, 256), (257, 500, 500),
     (257, 1000, 512), (1000, 1000, 1000)],
)  # fmt: skip
def test_lengths_are_powers_of_two_from_256_and_never_above_maxlen(longest, maxlen, length):
    assert bucket_length(longest, maxlen=maxlen) == length


def test_a_cut_batch_holds_all_that_the_whole_one_holds():
    lists = [[1, *range(4, 4 + size)] for size in (2, 290, 7, 400, 3)]
    split = split_of(lists)
    lengths = kept_lengths(split, maxlen=300)
    assert lengths.tolist() == [3, 291, 8, 300, 4]
    whole = view(split, vocabulary_size=50, maxlen=300)
    cut_to = set()
    for chosen in evaluation_buckets(lengths, batch_size=2):
        length = bucket_length(int(lengths[chosen].max()), maxlen=300)
        cut = batch(split, chosen, vocabulary_size=50, maxlen=length)
        assert not whole[chosen, : 300 - length].any()
        assert cut.tolist() == whole[chosen, 300 - length :].tolist()
        cut_to.add(length)
    assert cut_to == {256, 300}
