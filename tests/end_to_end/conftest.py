"""One whole study on real reviews, run once and looked at by many tests."""

import fcntl
import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.support.commands import Result, lstm_study
from tests.support.tiny import SPEC

# Names the folder where `make test` keeps it for the cluster's tests, which begin later.
FOLDER = "LSTM_STUDY_TESTS_FINISHED"


@pytest.fixture(scope="session")
def original(tmp_path_factory) -> tuple[Path, Result]:
    """The folder in which the study was run, and what the command that finished it said.

    The processes of pytest-xdist share it: whichever wants it first runs it, and others wait.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    folder = Path(os.environ.get(FOLDER) or folder) / "original"
    folder.mkdir(exist_ok=True)
    said = folder.with_suffix(".json")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.is_file():
            (folder / "tiny.toml").write_text(SPEC)
            result = lstm_study("run", "tiny.toml", "--workers", "1", cwd=folder)
            said.write_text(json.dumps(asdict(result)))
    return folder, Result(**json.loads(said.read_text()))


@pytest.fixture(scope="session")
def finished(original, tmp_path_factory) -> tuple[Path, Result]:
    """A copy of the finished study, this process's own, and what its command said."""
    folder = tmp_path_factory.mktemp("finished")
    shutil.copytree(original[0], folder, dirs_exist_ok=True)
    return folder, original[1]
