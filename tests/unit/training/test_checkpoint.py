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
