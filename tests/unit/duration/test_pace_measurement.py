"""How fast a machine trains, from what the processes that time steps print."""

import json
from pathlib import Path

import pytest

from lstm_study.duration import pace_measurement
from lstm_study.duration.pace_measurement import kept_pace, machine_pace
from lstm_study.engine.devices import Workers

SIZE = Workers(count=2, threads=3)
# Processes that time steps, each with other results. $1 to $3 are Python's, $4 is how many threads.
TIMES = """#!/bin/sh
if mkdir "$0-first" 2>/dev/null; then each=2; else each=4; fi
echo "a library says something"
echo "{\\"points\\": [[100, $each], [200, 1]], \\"load_seconds\\": $4, \\"setup_seconds\\": $each}"
"""
FAILS = "#!/bin/sh\necho 'ImportError: no module' >&2\nexit 1\n"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Has a script run in the place of Python."""
    monkeypatch.setenv("LSTM_STUDY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(pace_measurement.TIMING_VARIABLE, "on")
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")

    def script(text: str) -> None:
        path = tmp_path / "python"
        path.write_text(text)
        path.chmod(0o700)
        monkeypatch.setattr(pace_measurement.sys, "executable", str(path))

    return script


def test_the_pace_is_the_mean_over_as_many_processes_as_there_are_workers(runs):
    runs(TIMES)
    pace = machine_pace(SIZE)
    assert pace.points == ((100, 3.0), (200, 1.0))
    assert (pace.load_seconds, pace.setup_seconds) == (3.0, 3.0)
    assert kept_pace(SIZE) == pace


def test_steps_that_cannot_be_timed_are_logged_and_no_pace_is_kept(runs, caplog):
    runs(FAILS)
    assert machine_pace(SIZE) is None
    assert "Training steps could not be timed: ImportError: no module" in caplog.text
    assert kept_pace(SIZE) is None


@pytest.mark.parametrize(("load", "is_busy"), [(2.0, False), (2.1, True)])
def test_a_machine_is_busy_with_more_than_half_of_its_cores(
    runs, tmp_path, monkeypatch, load, is_busy
):
    runs(TIMES)
    monkeypatch.setattr(pace_measurement.os, "getloadavg", lambda: (load, 0.0, 9.0))
    monkeypatch.setattr(pace_measurement.os, "cpu_count", lambda: 4)
    machine_pace(SIZE)
    assert json.loads((tmp_path / "cache" / "pace.json").read_text())["is_busy"] is is_busy
