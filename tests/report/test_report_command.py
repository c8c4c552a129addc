"""What `report` prints."""

import pytest
from typer.testing import CliRunner

from lstm_study.cli import app
from lstm_study.cli.options import Verbosity
from tests.support.fake_study import completed_study
from tests.support.stored_study import leave

RUNNER = CliRunner()


def test_quiet_prints_results_alone(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(completed_study(), tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Verbosity, "level", 0)
    usual = RUNNER.invoke(app, ["report", "fake.toml"])
    quiet = RUNNER.invoke(app, ["-q", "report", "fake.toml"])
    assert "rendering" in usual.output or "drawing" in usual.output
    assert [line.split()[0] for line in quiet.output.splitlines()] == ["Report"]
