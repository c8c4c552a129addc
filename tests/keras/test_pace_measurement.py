"""What a process that times training steps prints."""

import json
import time
from dataclasses import replace

from lstm_study.duration import pace_measurement
from lstm_study.duration.work import step_work
from tests.support.tiny import spec


def test_steps_of_every_size_are_timed_by_their_work(monkeypatch, capsys):
    small = spec().baseline.configuration
    shapes = (small, replace(small, maxlen=16))
    monkeypatch.setattr(pace_measurement, "_SHAPES", shapes)
    monkeypatch.setattr(pace_measurement, "_STEP_SECONDS", 0.0)
    began = time.time()
    monkeypatch.setattr("sys.argv", ["", "1", str(began - 60)])

    pace_measurement.main()

    took, found = time.time() - began, json.loads(capsys.readouterr().out)
    assert [work for work, _ in found["points"]] == [step_work(s, batch_size=64) for s in shapes]
    assert all(0 < work * each < took for work, each in found["points"])
    assert 60 <= found["load_seconds"] <= 60 + took
    assert 0 < found["setup_seconds"] < took
