"""Fixtures shared by all tests."""

import os
import signal
from pathlib import Path

import pytest

from lstm_study.engine.calibration import VARIABLE
from lstm_study.training.runtime import numba_cache_folder


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
    """Caches Numba compilations as workers do, times no training steps, and lets tests send Ctrl-C.

    A script that runs them in its background has it ignored.
    """
    os.environ.setdefault("NUMBA_CACHE_DIR", str(numba_cache_folder()))
    os.environ.setdefault(VARIABLE, "off")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
