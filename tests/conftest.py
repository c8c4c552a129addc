"""Fixtures shared by all tests."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from lstm_study.duration.pace_measurement import TIMING_VARIABLE
from lstm_study.training.runtime import numba_cache_folder

# They begin first, in this order: two processes that share the files then end at about the same
# time. Each takes half a minute or more.
LONGEST = (
    "browser/test_accessibility.py",
    "browser/test_open_space_in_browser.py",
    "browser/test_watch_in_browser.py",
    "golden/test_reference_report.py",
    "golden/test_golden_report.py",
    "keras/training/test_population.py",
    "keras/model/lstm/test_layer.py",
    "keras/test_export.py",
    "keras/test_open_export.py",
    "keras/training/test_training.py",
    "keras/model/lstm/test_compiled_for_cuda.py",
    "keras/test_population_jobs.py",
    "keras/test_comparison.py",
    "keras/model/lstm/test_members.py",
    "keras/training/test_recipe.py",
    "end_to_end/test_kill.py",
    "end_to_end/test_readme.py",
    "end_to_end/test_notebook.py",
    "end_to_end/test_study.py",
    "end_to_end/test_compare.py",
    "end_to_end/test_open_study.py",
    "end_to_end/test_wheel.py",
    "end_to_end/test_own_builder.py",
    "end_to_end/test_report_commands.py",
    "end_to_end/test_kept_records.py",
    "end_to_end/test_tuners.py",
    "data/test_real_data.py",
)
TESTS = Path(__file__).parent

# An example's time says nothing here: it is measured beside other processes.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


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
    os.environ.setdefault(TIMING_VARIABLE, "off")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first, the order in which pytest-xdist is told to hand files out."""
    order = {TESTS / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))
