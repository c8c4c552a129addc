"""Reviews on which two arms differ, and accuracy by what reviews are, worked by hand."""

import numpy as np
import pytest

from lstm_study.analysis.answer.arms import make_arm
from lstm_study.analysis.answer.reviews import accuracy_by, differing_reviews

LABELS = np.array([1, 0, 1, 0], dtype=np.int8)


def arm(name, *rows):
    return make_arm(name, probabilities=np.array(rows), labels=LABELS)


def test_the_largest_gain_of_true_probability_comes_first_then_the_largest_loss():
    winner = arm("winner", [0.9, 0.1, 0.5, 0.6], [0.7, 0.1, 0.5, 0.6])
    baseline = arm("baseline", [0.4, 0.4, 0.5, 0.2])
    found = differing_reviews(winner, baseline)
    assert [review.position for review in found] == [0, 1, 3]
    assert [round(review.gain, 6) for review in found] == [0.4, 0.3, -0.4]
    assert round(found[0].candidate, 6) == 0.8
    assert [review.label for review in found] == [1, 0, 0]
    assert [review.position for review in differing_reviews(winner, baseline, count=1)] == [0, 3]


def test_arms_that_read_alike_differ_on_nothing():
    same = arm("winner", [0.9, 0.1, 0.5, 0.6])
    assert differing_reviews(same, same) == ()


def test_accuracy_by_value_is_the_mean_over_runs_within_each_group():
    two = arm("winner", [0.9, 0.9, 0.9, 0.1], [0.9, 0.1, 0.1, 0.1])
    short, long = accuracy_by(two, [10, 20, 30, 40], groups=2)
    assert (short.low, short.high, short.reviews, short.mean) == (10, 20, 2, 15)
    assert (short.accuracy, short.lowest, short.highest) == (0.75, 0.5, 1.0)
    assert (long.accuracy, long.lowest, long.highest, long.runs) == (0.75, 0.5, 1.0, 2)


def test_reviews_of_one_value_are_never_in_two_groups():
    groups = accuracy_by(arm("winner", [0.9, 0.1, 0.9, 0.1]), [0, 0, 0, 7], groups=4)
    assert [(group.low, group.high, group.reviews) for group in groups] == [(0, 0, 3), (7, 7, 1)]
    (whole,) = accuracy_by(arm("winner", [0.9, 0.1, 0.9, 0.1]), [5, 5, 5, 5])
    assert whole.reviews == 4


def test_groups_are_of_about_one_size():
    labels = np.zeros(1_000, dtype=np.int8)
    many = make_arm("a", probabilities=np.zeros((1, 1_000)), labels=labels)
    sizes = [group.reviews for group in accuracy_by(many, np.arange(1_000) ** 2)]
    assert len(sizes) == 6
    assert max(sizes) - min(sizes) <= 2


def test_a_value_for_each_review_is_asked_for():
    with pytest.raises(ValueError, match="one for each of 4 reviews"):
        accuracy_by(arm("winner", [0.9, 0.1, 0.9, 0.1]), [1, 2])
