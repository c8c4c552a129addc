"""Fixtures shared by all tests."""

import os
import signal
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder with the real data sets, from LSTM_STUDY_DATA; its tests are skipped without."""
    folder = os.environ.get("LSTM_STUDY_DATA")
    if not folder:
        pytest.skip("LSTM_STUDY_DATA is not set: the tests on the real data sets are NOT run")
    path = Path(folder)
    if not (path / "imdb.npz").is_file():
        pytest.skip(f"LSTM_STUDY_DATA={folder} holds no imdb.npz: real-data tests are NOT run")
    return path


def pytest_configure() -> None:
    """Lets tests send Ctrl-C where a script runs them in its background, which ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
