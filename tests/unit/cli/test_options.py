"""Options of the whole command line: version, quiet, verbose, JSON."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lstm_study.cli import app
from lstm_study.cli.options import Verbosity
from tests.support.fake_study import completed_study
from tests.support.stored_study import leave

RUNNER = CliRunner()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    leave(completed_study(), tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Verbosity, "level", 0)
    return tmp_path


def test_the_version_is_that_of_the_package() -> None:
    assert RUNNER.invoke(app, ["--version"]).output == f"lstm-study {version('lstm-study')}\n"


def test_status_as_json_holds_what_it_shows(folder: Path) -> None:
    found = json.loads(RUNNER.invoke(app, ["status", "fake.toml", "--json"]).output)
    assert found["name"] == "fake"
    assert found["stages"][0]["done"] == len(completed_study().trials)


def test_list_shows_every_study_and_as_json_the_same(folder: Path) -> None:
    (found,) = json.loads(RUNNER.invoke(app, ["list", "--json"]).output)
    shown = RUNNER.invoke(app, ["list"]).output
    assert found["name"] == "fake"
    assert "fake" in shown
    assert found["winner"] in shown


def test_check_as_json_names_the_folder_and_its_findings(folder: Path) -> None:
    found = json.loads(RUNNER.invoke(app, ["check", "fake.toml", "--json"]).output)
    assert found["folder"].endswith("fake")
    assert isinstance(found["findings"], list)


def test_quiet_and_verbose_set_how_much_is_printed(folder: Path) -> None:
    RUNNER.invoke(app, ["-q", "list"])
    assert Verbosity.level == -1
    RUNNER.invoke(app, ["--verbose", "list"])
    assert Verbosity.level == 1


def test_an_error_of_verbose_says_where_it_comes_from(folder: Path) -> None:
    usual = RUNNER.invoke(app, ["status", "nothing.toml"])
    verbose = RUNNER.invoke(app, ["-v", "status", "nothing.toml"])
    assert usual.exit_code == verbose.exit_code == 1
    assert "Traceback" not in usual.output
    assert "Traceback" in verbose.output


@pytest.mark.parametrize(
    "arguments", [["report", "fake.toml", "--format", "pdf"], ["init", "a.csv", "--tokens", "pdf"]]
)
def test_a_value_that_is_not_one_of_the_choices_is_refused_without_the_parsers_own_words(
    arguments: list[str],
) -> None:
    ended = RUNNER.invoke(app, arguments)
    assert ended.exit_code == 2
    assert "'pdf' is not one of" in ended.output
    assert "Value error" not in ended.output
