"""What workers have in common, whichever way they train."""

from dataclasses import replace

import numpy as np

from lstm_study.engine.job_steps import starts_of
from lstm_study.engine.jobs import Halt, Job
from lstm_study.training.checkpoint import Checkpoint, write_checkpoint
from tests.support.stored_study import EPOCH
from tests.support.tiny import spec

FIRST, SECOND = EPOCH, replace(EPOCH, epoch=2, train_loss=0.4)
OTHERS = replace(SECOND, train_loss=0.41)


def test_a_checkpoint_of_another_training_or_past_the_halt_is_passed_over(tmp_path):
    own, parents = tmp_path / "own.npz", tmp_path / "parents.npz"
    write_checkpoint(own, Checkpoint(epochs=(FIRST, OTHERS), variables=(np.zeros(3),)))
    write_checkpoint(parents, Checkpoint(epochs=(FIRST,), variables=(np.ones(3),)))
    job = Job(
        name="b0-00-r1", configuration=spec().baseline.configuration,
        protocol=spec().protocol, seed=1, masked=False, trains_on="train", validates=True,
        halts=(Halt(epochs=3),), starts=(tmp_path / "missing.npz", own, parents),
    )  # fmt: skip

    def found(*history, until=3):
        given = replace(job, history=history)
        return [path for _, path in starts_of(given, Halt(epochs=until))]

    assert found(FIRST, SECOND) == [str(parents)]
    repeated = replace(OTHERS, train_seconds=9.0, ended_at="2026-01-02T00:00:00.000Z")
    assert found(FIRST, repeated) == [str(own), str(parents)]
    # A kill between checkpoint and record leaves the record an epoch behind.
    assert found(FIRST) == [str(own), str(parents)]
    # One that was trained further cannot be halted earlier.
    assert found(FIRST, until=2) == [str(own), str(parents)]
    assert found(FIRST, until=1) == [str(parents)]
