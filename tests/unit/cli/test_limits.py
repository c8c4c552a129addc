"""Known errors and limits of the machine are one line each; anything else keeps its traceback."""

import errno
from unittest.mock import Mock

import pytest
import typer

from lstm_study.cli.shared import EXIT_ERROR, handled
from lstm_study.errors import StoreError


def ended(error: BaseException, capsys: pytest.CaptureFixture[str]) -> str:
    @handled
    def command() -> None:
        raise error

    with pytest.raises(typer.Exit) as caught:
        command()
    assert caught.value.exit_code == EXIT_ERROR
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (StoreError("a: cannot be written."), "a: cannot be written."),
        (MemoryError(), "use fewer --workers"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "use fewer --workers"),
        (OSError(errno.ENOSPC, "No space left on device", "a/lock"), "'a/lock'. Free space"),
        (OSError(errno.EROFS, "Read-only file system", "a/lock"), "'a/lock'. Mount it writable"),
        (OSError(errno.EACCES, "Permission denied", "a/lock"), "'a/lock'. Correct its permissions"),
        (OSError(errno.ENAMETOOLONG, "File name too long"), "shorter path"),
        (OSError(errno.EMFILE, "Too many open files"), "ulimit -n 4096"),
        (RuntimeError("can't start new thread"), "ulimit -u"),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "ulimit -u"),
    ],
    ids=[
        "known",
        "memory",
        "no memory",
        "disk",
        "read-only",
        "permission",
        "name",
        "files",
        "threads",
        "processes",
    ],
)
def test_a_limit_of_the_machine_is_one_line_with_the_remedy(error, remedy, capsys):
    assert remedy in ended(error, capsys)


MEMORY = [
    MemoryError(),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    ImportError("libtensorflow_cc.so.2: failed to map segment from shared object"),
    SystemError("error return without exception set"),
]


@pytest.mark.parametrize("error", MEMORY)
def test_what_limited_memory_leads_to_names_the_limit(error, capsys, monkeypatch):
    monkeypatch.setattr("resource.getrlimit", lambda _: (1_000_000_000, -1))
    assert "Memory is limited to 1.0 GB here (`ulimit -v`)" in ended(error, capsys)


@pytest.mark.parametrize("error", [*MEMORY[2:], ImportError("No module named 'tensorflow'")])
def test_without_a_limit_it_is_a_bug(error):
    with pytest.raises(type(error)):
        handled(Mock(side_effect=error, __name__="command"))()


@pytest.mark.parametrize("error", [RuntimeError("a bug"), OSError(errno.EIO, "broken disk")])
def test_a_bug_keeps_its_traceback(error):
    @handled
    def command() -> None:
        raise error

    with pytest.raises(type(error)):
        command()
