"""What a job says of its halts, and of the jobs it may be trained with."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_study.engine.job_steps import mean_probabilities
from lstm_study.engine.jobs import Call, Halt, Job
from lstm_study.model.shape_classes import ShapeClass
from tests.support.fake_spec import fake_spec


def _job(*halts: Halt) -> Job:
    spec = fake_spec()
    return Job(
        name="winner-s1", configuration=spec.baseline.configuration, protocol=spec.protocol, seed=1,
        masked=True, trains_on="training", validates=False, halts=halts,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("halts", "kept"),
    [
        ([Halt(epochs=10, last=3)], (8, 9)),
        ([Halt(epochs=9), Halt(epochs=10, last=3)], (8, 9)),
        ([Halt(epochs=2, last=3)], (1,)),
        ([Halt(epochs=1, last=3)], ()),
        ([Halt(epochs=5, last=3), Halt(epochs=7)], (3, 4)),
        ([Halt(epochs=10)], ()),
    ],
)
def test_the_epochs_before_a_halt_whose_weights_it_wants_are_kept(halts, kept):
    assert _job(*halts).keeps == kept


def test_a_job_ends_at_its_last_halt():
    assert _job(Halt(epochs=5), Halt(epochs=7), Halt(epochs=9, last=3)).epochs == 9


def test_jobs_are_trained_together_that_have_a_class_and_read_the_same_reviews():
    alone = _job(Halt(epochs=1))
    shape = ShapeClass.of(alone.configuration, batch_size=64)
    together = replace(alone, shape=shape)
    assert alone.shape_class == "winner-s1"
    assert together.shape_class == replace(together, name="winner-s2", seed=2).shape_class
    assert together.shape_class != replace(together, trains_on="train").shape_class
    assert together.shape_class != replace(together, shape=replace(shape, lstm_units=1)).shape_class
    assert Call(name="control", function=len).shape_class == "control"


def test_the_mean_over_epochs_is_that_of_the_probabilities_and_none_of_one_epoch():
    last = np.array([0.6, 0.3], dtype=np.float32)
    before = [np.array([0.3, 0.6], dtype=np.float32), np.array([0.6, 0.6], dtype=np.float32)]
    assert mean_probabilities(before, last) == pytest.approx([0.5, 0.5])
    assert mean_probabilities(before, last).dtype == np.float32
    assert mean_probabilities([], last) is None
