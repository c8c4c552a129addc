"""An epoch's record, from its steps and the predictions after it."""

import numpy as np
import pytest

from lstm_study import metrics
from lstm_study.errors import ComparisonError, DivergedError
from lstm_study.training.epochs import RunningEpoch
from tests.support.tiny import split

REVIEWS = split(6, name="validation")


def ended(probabilities: list[float]):
    running = RunningEpoch(number=2, steps=1)
    running.add(loss=0.5, correct=3, reviews=4)
    return running.ended(
        REVIEWS, np.array(probabilities, dtype=np.float32), train_seconds=1, validation_seconds=1
    )


def test_validation_has_the_metrics_that_test_has():
    probabilities = [0.9, 0.2, 0.5, 0.7, 0.1, 0.9]
    epoch = ended(probabilities)
    row = np.array(probabilities, dtype=np.float32)
    assert (epoch.train_loss, epoch.train_accuracy) == (0.5, 0.75)
    assert epoch.validation_loss == metrics.log_loss(REVIEWS.labels, row)
    assert epoch.validation_accuracy == metrics.accuracy(REVIEWS.labels, row)
    assert epoch.validation_auc == metrics.roc_auc(REVIEWS.labels, row)


def test_an_epochs_loss_is_the_mean_over_reviews_and_not_over_batches():
    running = RunningEpoch(number=2, steps=3)
    running.add(loss=0.5, correct=3, reviews=4)
    running.add(loss=2.0, correct=0, reviews=1)
    found = running.progress
    assert (found.epoch, found.step, found.steps) == (2, 2, 3)
    assert (found.train_loss, found.train_accuracy) == (pytest.approx(4 / 5), 3 / 5)
    unread = running.ended(None, None, train_seconds=1, validation_seconds=0)
    assert (unread.train_loss, unread.validation_loss) == (found.train_loss, None)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_not_a_number_ends_the_training_at_its_step(loss):
    running = RunningEpoch(number=2, steps=3)
    running.add(loss=0.5, correct=3, reviews=4)
    with pytest.raises(DivergedError, match=f"the loss became {loss} at step 2 of epoch 2"):
        running.add(loss=loss, correct=0, reviews=4)


def test_a_prediction_that_is_not_a_number_ends_the_training():
    with pytest.raises(DivergedError, match="the validation loss became nan in epoch 2"):
        ended([0.9, float("nan"), 0.5, 0.7, 0.1, 0.9])


def test_a_custom_network_whose_output_leaves_0_to_1_fails_at_once_and_is_not_clipped():
    with pytest.raises(ComparisonError, match=r"every probability must be a number in \[0, 1\]"):
        ended([0.9, 1.2, 0.5, 0.7, 0.1, 0.9])
