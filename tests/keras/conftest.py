"""Tests that import Keras: the process is prepared for training as a worker is."""

import pytest

from lstm_study.training.runtime import Runtime, configure


@pytest.fixture(scope="session", autouse=True)
def runtime() -> Runtime:
    """Prepares this process once, before any test imports Keras."""
    return configure(threads=1)
