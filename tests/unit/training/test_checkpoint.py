"""Checkpoint files: damage is detected."""

import numpy as np
import pytest

from lstm_study.errors import RecordError
from lstm_study.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint


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


def test_the_weights_of_earlier_epochs_are_read_back_beside_the_last(tmp_path):
    path = tmp_path / "c.npz"
    earlier = ((np.zeros(4), np.ones((2, 2))), (np.full(4, 2.0), np.full((2, 2), 3.0)))
    write_checkpoint(
        path, Checkpoint(epochs=(), variables=(np.arange(3), np.arange(5.0)), earlier=earlier)
    )
    found = read_checkpoint(path)
    assert [each.shape for each in found.variables] == [(3,), (5,)]
    for theirs, ours in zip(found.earlier, earlier, strict=True):
        for one, other in zip(theirs, ours, strict=True):
            np.testing.assert_array_equal(one, other)
