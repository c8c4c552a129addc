"""What contradicts itself is told even where a digest fits, or where there is none."""

import re
from dataclasses import replace

import numpy as np
import pytest

from lstm_study.records import NearDuplicates
from lstm_study.records.consistency import contradictions, of_predictions
from tests.support.fake_study import completed_study

RUN = replace(completed_study().runs[0], test_reviews=4, test_accuracy=0.75)
PROBABILITIES = np.array([0.9, 0.1, 0.5, 1.0], dtype=np.float32)
LABELS = np.array([1, 0, 1, 1], dtype=np.int8)


def with_first(value: float) -> np.ndarray:
    return np.array([value, *PROBABILITIES[1:]], dtype=np.float32)


def test_the_probabilities_of_a_run_agree_with_its_record():
    assert of_predictions(RUN, PROBABILITIES, LABELS) == ""


@pytest.mark.parametrize(
    ("probabilities", "labels", "said"),
    [
        (with_first(0.1), LABELS, "has accuracy 0.5, and its record 0.75"),
        (PROBABILITIES, 1 - LABELS, "has accuracy 0.25, and its record 0.75"),
        (PROBABILITIES[:3], LABELS[:3], r"must hold 4 numbers. Received: \(3,\)"),
        (PROBABILITIES[:3], LABELS, r"must hold 4 numbers. Received: \(3,\)"),
        (with_first(np.nan), LABELS, "must hold probabilities from 0 to 1"),
        (with_first(1.01), LABELS, "must hold probabilities from 0 to 1"),
        (with_first(-0.01), LABELS, "must hold probabilities from 0 to 1"),
        (PROBABILITIES, 2 * LABELS, "the labels must be one row of 0 and 1"),
        (PROBABILITIES[:, np.newaxis], LABELS[:, np.newaxis], "the labels must be one row"),
        (LABELS, LABELS, "must hold probabilities and labels. Received: int8, int8"),
        (PROBABILITIES, PROBABILITIES, "must hold probabilities and labels. Received: float32"),
    ],
)
def test_predictions_that_are_not_those_of_the_record_are_told(probabilities, labels, said):
    assert re.match(said, of_predictions(RUN, probabilities, labels))


def test_predictions_of_a_record_without_an_accuracy_are_told():
    without = replace(RUN, test_accuracy=None)
    assert "its record None" in of_predictions(without, PROBABILITIES, LABELS)


@pytest.mark.parametrize(
    ("positions", "is_sound"),
    [
        ((), True), ((0,), True), ((0, 1, 9), True),
        ((1, 1), False), ((2, 1), False), ((-1, 3), False), ((10,), False),
    ],
)  # fmt: skip
def test_near_duplicates_are_test_reviews_each_once_in_their_order(positions, is_sound):
    found = NearDuplicates(
        shingle_words=8, threshold=0.5, test_reviews=10, positions=positions, exact=0,
        other_label=0, seconds=1.0,
    )  # fmt: skip
    said = ["positions must ascend within 10 test reviews"]
    assert contradictions(found) == ([] if is_sound else said)


def test_a_loss_may_be_above_one_and_a_share_of_reviews_may_not():
    def with_last(**changes: float):
        return replace(RUN, epochs=(*RUN.epochs[:-1], replace(RUN.epochs[-1], **changes)))

    assert contradictions(with_last(train_loss=1.5, validation_loss=20.0)) == []
    said = ["train_accuracy must be 0 to 1. Received: 1.5"]
    assert contradictions(with_last(train_accuracy=1.5)) == said
