"""Output into a pipe that is closed early (`lstm-study list | head -1`), or a full disk."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import LSTM_STUDY, environment
from tests.support.reviews import made_up_reviews, write_csv


def unread(*arguments: str, cwd: Path, stderr: int = subprocess.PIPE) -> tuple[int, str]:
    """Runs a command whose output has no reader, and returns its exit code and standard error."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*LSTM_STUDY, *arguments], cwd=cwd, stdout=writer, stderr=stderr, text=True, timeout=300,
        env=environment() | {"LSTM_STUDY_CACHE": str(cwd / "cache")}, check=False,
    )  # fmt: skip
    os.close(writer)
    return done.returncode, done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["list", "--json"]])
def test_a_command_that_only_prints_ends_quietly_as_other_tools_do(
    arguments: list[str], tmp_path: Path
) -> None:
    assert unread(*arguments, cwd=tmp_path) == (141, "")


def test_a_command_that_writes_goes_on_and_says_so_in_one_line(tmp_path: Path) -> None:
    write_csv(tmp_path / "reviews.csv", made_up_reviews(60))
    code, said = unread("init", "reviews.csv", cwd=tmp_path)
    assert (code, (tmp_path / "study.toml").is_file()) == (0, True)
    assert said.startswith("The output is no longer read: the command continues without it.")
    assert said.count("\n") == 1


def test_an_error_keeps_its_line_and_its_code(tmp_path: Path) -> None:
    code, said = unread("run", "missing.toml", cwd=tmp_path)
    assert code == 1
    assert said.startswith("error: missing.toml: no such study file")


def test_it_goes_on_where_standard_error_is_the_same_pipe(tmp_path: Path) -> None:
    write_csv(tmp_path / "reviews.csv", made_up_reviews(60))
    code, _ = unread("init", "reviews.csv", cwd=tmp_path, stderr=subprocess.STDOUT)
    assert (code, (tmp_path / "study.toml").is_file()) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["list"], 1, "error: The output can't be written (No space left on device). Make room"),
        (["init", "reviews.csv"], 0, "The output can't be written (No space left on device): the"),
    ],
)
def test_a_disk_that_is_full_is_one_line(
    arguments: list[str], code: int, says: str, tmp_path: Path
) -> None:
    write_csv(tmp_path / "reviews.csv", made_up_reviews(60))
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*LSTM_STUDY, *arguments], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True,
            env=environment() | {"LSTM_STUDY_CACHE": str(tmp_path / "cache")}, check=False,
            timeout=300,
        )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (code, 1)
    assert done.stderr.startswith(says)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_works_without_standard_streams(closed: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "reviews.csv", made_up_reviews(60))
    code = (
        "import os; from lstm_study.cli.streams import open_missing_streams; "
        "open_missing_streams(); file = open('file', 'w'); os.write(1, b'x'); os.write(2, b'x'); "
        "import sys; sys.stdout.flush(); sys.stderr.flush(); print(sys.stdin.fileno())"
    )
    for command in ([sys.executable, "-c", code], [*LSTM_STUDY, "init", "reviews.csv"]):
        done = subprocess.run(
            f"exec {shlex.join(command)} {closed}", shell=True, cwd=tmp_path, timeout=300,
            env=environment() | {"LSTM_STUDY_CACHE": str(tmp_path / "cache")}, check=False,
        )  # fmt: skip
        assert done.returncode == 0
    assert (tmp_path / "file").read_bytes() == b""
    assert (tmp_path / "study.toml").is_file()
