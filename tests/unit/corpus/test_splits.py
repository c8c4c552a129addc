import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_study.corpus.splits import hold_out, joined, repeats, same_words, subset


def test_reviews_of_equal_tokens_are_one_group():
    numbers = np.array([5, 6, 5, 6, 5, 6, 5], dtype=np.int32)
    offsets = np.array([0, 2, 3, 5, 7])  # 56, 5, 65, 65
    assert same_words(numbers, offsets).tolist() == [0, 1, 2, 2]


def test_repeats_count_what_stands_earlier():
    assert repeats(np.array([0, 1, 0, 0, 2])) == 2


def test_a_fifth_of_each_label_is_held_out_exactly():
    labels = np.array([0] * 70 + [1] * 30, dtype=np.int8)
    held_out = hold_out(np.arange(100), labels, fraction=0.2, seed=3)
    assert held_out[labels == 0].sum() == 14
    assert held_out[labels == 1].sum() == 6


def test_the_seed_decides_who_is_held_out():
    labels = np.arange(100, dtype=np.int8) % 2
    first = hold_out(np.arange(100), labels, fraction=0.2, seed=3)
    assert (first == hold_out(np.arange(100), labels, fraction=0.2, seed=3)).all()
    assert (first != hold_out(np.arange(100), labels, fraction=0.2, seed=4)).any()


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1)), min_size=4, max_size=60),
    st.floats(0.05, 0.95),
    st.integers(1, 99),
)
def test_equal_texts_stay_on_one_side_and_no_label_has_more_than_its_share(rows, fraction, seed):
    groups = np.array([group for group, _ in rows])
    labels = np.array([label for _, label in rows], dtype=np.int8)
    held_out = hold_out(groups, labels, fraction=fraction, seed=seed)
    for group in set(groups.tolist()):
        assert len(set(held_out[groups == group].tolist())) == 1
    for label in (0, 1):
        of_label = int((labels == label).sum())
        most = min(max(1, round(fraction * of_label)), of_label - 1)
        assert held_out[labels == label].sum() <= max(most, 0)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=80), st.integers(1, 100))
def test_a_subset_has_the_number_asked_and_each_stratum_its_share(strata, count):
    strata = np.array(strata)
    drawn = subset(strata, count=count, seed=5)
    assert drawn.sum() == min(count, len(strata))
    for value in set(strata.tolist()):
        share = (strata == value).sum() * min(count / len(strata), 1)
        assert abs(drawn[strata == value].sum() - share) < 1


def test_reviews_that_share_a_text_or_a_group_are_joined():
    words = np.array([0, 0, 1, 2, 3, 4])
    groups = np.array([-1, 5, 5, 6, -1, 6])
    assert joined(words, groups).tolist() == [0, 0, 0, 1, 2, 1]
    assert joined(words, None) is words


def test_a_text_that_would_chain_most_groups_together_joins_only_reviews_in_no_group():
    words = np.array([0, 0, 0, 0, 1, 1, 2, 3])
    groups = np.array([7, 8, 9, -1, -1, -1, 7, 8])
    assert joined(words, groups, most=0.5).tolist() == [0, 1, 2, 3, 4, 4, 0, 1]
    assert len(set(joined(words, groups).tolist())) == 2


@settings(max_examples=50)
@given(st.integers(5, 40), st.floats(0.1, 0.5), st.integers(1, 99))
def test_large_groups_are_held_out_whole_as_near_to_the_share_as_their_sizes_allow(
    count, fraction, seed
):
    sizes = np.random.default_rng(seed).integers(5, 30, count)
    groups = np.repeat(np.arange(count), sizes)
    labels = np.random.default_rng(seed + 1).integers(0, 2, len(groups)).astype(np.int8)
    held_out = hold_out(groups, labels, fraction=fraction, seed=seed, nearest=True)
    for group in range(count):
        assert len(set(held_out[groups == group].tolist())) == 1
    assert held_out.any() and not held_out.all()
    assert abs(held_out.mean() - fraction) <= sizes.max() / len(groups)


def test_a_group_larger_than_the_share_is_held_out_where_that_comes_nearer_to_it():
    groups, labels = np.repeat(np.arange(3), 10), np.tile(np.array([0, 1], dtype=np.int8), 15)
    for fraction, held_out in ((0.1, 0), (0.2, 10), (0.9, 20)):
        for seed in (1, 2, 3):
            found = hold_out(groups, labels, fraction=fraction, seed=seed, nearest=True)
            assert found.sum() == held_out, (fraction, seed)
    assert not hold_out(groups, labels, fraction=0.2, seed=1).any()
