import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_study.corpus import types
from lstm_study.corpus.types import Split, gather_rows
from tests.support.reviews import split_of

LISTS = st.lists(st.lists(st.integers(1, 99), min_size=1, max_size=9), min_size=1, max_size=9)


def lists_of(split: Split) -> list[list[int]]:
    return [split[review].tolist() for review in range(len(split))]


def test_a_split_knows_its_reviews_and_their_lengths():
    split = split_of([[1, 5, 6], [1], [1, 7]])
    assert len(split) == 3
    assert split.lengths.tolist() == [3, 1, 2]
    assert split[-1].tolist() == [1, 7]
    with pytest.raises(IndexError):
        split[3]


@settings(max_examples=50)
@given(LISTS, st.data())
def test_selected_reviews_are_the_reviews_selected(lists, data):
    split = split_of(lists, rated=True)
    indices = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=12))
    selected = split.select(np.array(indices, dtype=int), name="chosen")
    assert lists_of(selected) == [lists[index] for index in indices]
    assert selected.document_ids.tolist() == [index * 10 for index in indices]
    assert selected.ratings.tolist() == indices
    assert selected.token_ids.dtype == np.int32
    assert selected.name == "chosen"


def test_a_mask_selects_too():
    split = split_of([[1, 5], [1, 6], [1, 7]])
    assert lists_of(split.select(np.array([True, False, True]))) == [[1, 5], [1, 7]]


@settings(max_examples=50)
@given(LISTS, st.data())
def test_parts_hold_the_whole(lists, data):
    split = split_of(lists)
    cut = data.draw(st.integers(0, len(lists)))
    first = split.part(0, cut, name="first")
    second = split.part(cut, len(lists), name="second")
    assert lists_of(first) == lists[:cut]
    assert lists_of(second) == lists[cut:]
    assert [*first.labels, *second.labels] == split.labels.tolist()


def test_a_part_is_a_view_of_the_same_tokens():
    split = split_of([[1, 5], [1, 6], [1, 7]])
    assert np.shares_memory(split.part(1, 3, name="rest").token_ids, split.token_ids)


@pytest.mark.parametrize("part", [1, 3, 7, 100])
def test_reviews_are_gathered_in_parts_as_at_once(monkeypatch, part):
    monkeypatch.setattr(types, "_PART_TOKENS", part)
    draw = np.random.default_rng(part)
    offsets = np.concatenate([[0], np.cumsum(draw.integers(0, 6, 30))])
    values = np.arange(offsets[-1], dtype=np.int32)
    for indices in (draw.permutation(30)[:20], draw.random(30) < 0.5, np.array([], dtype=int)):
        chosen = np.arange(30)[indices]
        found, cuts = gather_rows(values, offsets, indices)
        expected = [values[offsets[i] : offsets[i + 1]] for i in chosen]
        assert found.tolist() == [token for each in expected for token in each]
        assert np.diff(cuts).tolist() == [len(each) for each in expected]
