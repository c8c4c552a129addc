"""The epoch that validation chose."""

from dataclasses import replace

import pytest

from lstm_study.comparison.own_epoch import best_epoch, own_epochs
from lstm_study.records import Epoch, Run
from tests.support.fake_spec import fake_spec

SPEC = fake_spec()


def curve(*accuracies: float, first: int = 1) -> tuple[Epoch, ...]:
    return tuple(
        Epoch(
            epoch=number, train_loss=0.5, train_accuracy=0.5, validation_loss=1 - accuracy,
            validation_accuracy=accuracy, train_seconds=1.0, validation_seconds=1.0, ended_at="",
        )
        for number, accuracy in enumerate(accuracies, start=first)
    )  # fmt: skip


def test_the_best_epoch_is_chosen_and_of_equal_ones_the_earliest():
    assert best_epoch([curve(0.7, 0.9, 0.8, 0.9)], spec=SPEC) == 2


def test_of_several_curves_their_mean_decides():
    assert best_epoch([curve(0.9, 0.8, 0.2), curve(0.2, 0.8, 0.9)], spec=SPEC) == 2


def test_a_loss_is_best_where_it_is_least():
    spec = fake_spec(study__objective='"validation_loss"')
    assert best_epoch([curve(0.7, 0.9, 0.8)], spec=spec) == 2


def test_no_curve_and_an_epoch_that_some_curve_lacks_choose_nothing():
    assert best_epoch([], spec=SPEC) is None
    assert best_epoch([(), curve(0.7)], spec=SPEC) is None
    assert best_epoch([curve(0.7, 0.9), curve(0.7)], spec=SPEC) == 1


@pytest.mark.parametrize("arm", ["baseline", "winner"])
def test_an_arms_own_epoch_is_that_of_its_completed_validation_runs(arm):
    validated = Run(
        run_id=f"{arm}-validation-s1", arm=f"{arm}-validation", seed_index=1, seed=1,
        configuration=SPEC.baseline.configuration, protocol_epochs=3, trained_on="train",
        status="completed", epochs=curve(0.7, 0.8, 0.75),
    )  # fmt: skip
    other = replace(validated, epochs=curve(0.7, 0.71, 0.9))
    assert own_epochs([validated], spec=SPEC) == {arm: 2}
    assert own_epochs([validated, other], spec=SPEC) == {arm: 3}
    assert own_epochs([replace(validated, status="failed")], spec=SPEC) == {}
