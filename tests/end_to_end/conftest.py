"""One whole study on real reviews, run once and looked at by many tests."""

from pathlib import Path

import pytest

from tests.support.commands import Result, lstm_study
from tests.support.tiny import SPEC


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> tuple[Path, Result]:
    """A folder with a finished study, and what the command that finished it said."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "tiny.toml").write_text(SPEC)
    return folder, lstm_study("run", "tiny.toml", "--workers", "1", cwd=folder)
