"""Trials' ids, written and read."""

import pytest

from lstm_study.records.state import BracketState
from lstm_study.records.trial_ids import TrialId, in_order


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("b2-03-r1", TrialId(prefix="b2", slot=3, round=1)),
        ("i1-b0-104-r0", TrialId(prefix="i1-b0", slot=104, digits=3)),
        ("c-00-r0", TrialId(prefix="c", slot=0)),
    ],
)
def test_an_id_is_read_as_it_was_written(text, expected):
    assert TrialId.parse(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize("text", ["", "f-1-s2", "winner-s1", "b2-03", "b2-03-r"])
def test_what_is_not_planned_has_no_place_in_the_plan(text):
    assert TrialId.parse(text) is None


def test_a_trial_is_of_its_own_bracket_alone():
    def bracket(number: int, iteration: int = 0, **values) -> BracketState:
        return BracketState(iteration=iteration, bracket=number, rounds=(), **values)

    brackets = [bracket(0), bracket(1), bracket(1, 1), bracket(0, role="control")]
    of = {
        text: [TrialId.parse(text).is_of(each) for each in brackets]
        for text in ("b0-00-r0", "i1-b1-00-r0", "c-00-r0")
    }
    assert of == {
        "b0-00-r0": [True, False, False, False],
        "i1-b1-00-r0": [False, False, True, False],
        "c-00-r0": [False, False, False, True],
    }


def test_ids_are_in_order_of_their_numbers():
    ids = ["b0-02-r0", "b0-02-r1", "b0-99-r0", "b0-100-r0", "b1-00-r0", "c-00-r0", "f-2-s1",
           "f-10-s1", "i2-b0-00-r0", "i10-b0-00-r0"]  # fmt: skip
    assert sorted(set(ids), key=in_order) == ids
