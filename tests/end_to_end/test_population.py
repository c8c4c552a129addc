"""A search whose worker trains populations, on JAX: killed with SIGKILL, and resumed."""

import importlib.util
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from lstm_study.records import Trial
from lstm_study.store import Store
from tests.end_to_end.test_kill import wait_until
from tests.support.commands import lstm_study, start, workers_of
from tests.support.tiny import SPEC

SEARCH = ("search", "tiny.toml", "--workers", "1", "--population", "4")


@pytest.fixture(autouse=True)
def on_jax(monkeypatch):
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed: populations are NOT tested")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")


def folder_of(folder: Path) -> Path:
    folder.mkdir()
    (folder / "tiny.toml").write_text(SPEC)
    return folder


def trials(folder: Path) -> list[Trial]:
    return Store(folder / "study" / "runs" / "tiny").read_trials()


def epochs_trained(folder: Path) -> int:
    return sum(len(trial.epochs) for trial in trials(folder))


def test_a_population_that_is_killed_goes_on_from_its_members_checkpoints(tmp_path):
    straight, killed = folder_of(tmp_path / "straight"), folder_of(tmp_path / "killed")
    try:
        assert lstm_study(*SEARCH, cwd=straight).code == 0
        process = start(*SEARCH, cwd=killed)
        wait_until((killed / "study/runs/tiny/trials").is_dir)
        wait_until(lambda: epochs_trained(killed) >= 4 or process.poll() is not None)
        process.kill()
        process.communicate()
        before = epochs_trained(killed)
        wait_until(lambda: workers_of(killed) == [])
        assert process.returncode == -signal.SIGKILL
        assert before >= 4

        result = lstm_study(*SEARCH, cwd=killed)
    finally:
        for folder in (straight, killed):
            for worker in workers_of(folder):
                os.kill(worker, signal.SIGKILL)

    assert result.code == 0, result.err
    assert len(trials(killed)) == len(trials(straight))
    for one, other in zip(trials(killed), trials(straight), strict=True):
        assert (one.trial_id, one.status) == (other.trial_id, "completed")
        np.testing.assert_allclose(
            [epoch.train_loss for epoch in one.epochs],
            [epoch.train_loss for epoch in other.epochs],
            atol=1e-4,
        )


def test_a_population_on_tensorflow_is_refused_in_a_line(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")

    result = lstm_study(*SEARCH, cwd=folder_of(tmp_path / "study"))

    assert result.code == 1
    assert "--population 4: only JAX trains several networks at once" in result.err
