"""What `report` prints."""

import os
from pathlib import Path

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


def test_a_study_that_the_user_may_not_write_is_reported_and_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    leave(completed_study(), tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Verbosity, "level", 0)
    runs = Path("study/runs")

    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()}

    before, may = files(), os.access
    # Root, as which tests may run, may write all.
    monkeypatch.setattr(os, "access", lambda path, mode: (
        may(path, mode) and not (mode == os.W_OK and Path(path).is_relative_to(runs))
    ))  # fmt: skip
    result = RUNNER.invoke(app, ["report", "fake.toml", "--out", "mine"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "mine" / "fake" / "report.html").is_file()
    assert files() == before
    assert "study/runs/fake is read-only: this report is not noted there" in result.output
    assert "this look at the verdict is not noted" in caplog.text
