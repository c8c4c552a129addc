"""Checkpoint files: damage is detected."""

import numpy as np
import pytest

from lstm_study.errors import RecordError
from lstm_study.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from tests.support.stored_study import EPOCH


def test_a_damaged_checkpoint_is_detected_wherever_the_damage_is(tmp_path):
    path = tmp_path / "c.npz"
    arrays = (np.arange(500, dtype=np.float32), np.ones((3, 3)))
    write_checkpoint(path, Checkpoint(epochs=(), variables=arrays))
    whole = path.read_bytes()
    for kept in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:kept])
        with pytest.raises(RecordError, match="is damaged"):
            read_checkpoint(path)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    path.write_bytes(flipped)
    with pytest.raises(RecordError, match="is damaged"):
        read_checkpoint(path)
    path.write_bytes(whole)
    np.testing.assert_array_equal(read_checkpoint(path).variables[0], arrays[0])


def test_whole_arrays_that_are_not_those_written_with_the_history_are_detected(tmp_path):
    path = tmp_path / "c.npz"
    write_checkpoint(path, Checkpoint(epochs=(EPOCH,), variables=(np.zeros(5), np.ones(3))))
    with np.load(path) as archive:
        arrays = dict(archive)
    np.savez(path, **arrays)
    assert read_checkpoint(path).epochs == (EPOCH,), "the same arrays, written by another program"
    np.savez(path, **arrays | {"v0001": np.full(3, 2.0)})
    with pytest.raises(RecordError, match="its digest does not match"):
        read_checkpoint(path)
    np.savez_compressed(path, **arrays)
    with pytest.raises(RecordError, match="its parts are compressed"):
        read_checkpoint(path)


def test_a_checkpoint_that_is_not_there_is_none(tmp_path):
    assert read_checkpoint(tmp_path / "c.npz") is None


def test_the_weights_of_earlier_epochs_are_read_back_beside_the_last(tmp_path):
    path = tmp_path / "c.npz"
    earlier = tuple((np.full(4, number), np.full((2, 2), -number)) for number in (1.0, 2.0, 3.0))
    last = (np.arange(3), np.arange(5.0))
    write_checkpoint(path, Checkpoint(epochs=(EPOCH,), variables=last, earlier=earlier))
    found = read_checkpoint(path)
    assert found.epochs == (EPOCH,)
    assert [each.shape for each in found.variables] == [(3,), (5,)]
    for theirs, ours in zip(found.earlier, earlier, strict=True):
        for one, other in zip(theirs, ours, strict=True):
            np.testing.assert_array_equal(one, other)
