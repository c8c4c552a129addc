"""Runs the command line as a user does: a process of its own, in a folder of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LSTM_STUDY = [sys.executable, "-m", "lstm_study.cli"]


@dataclass(frozen=True)
class Result:
    """What a command left: exit code and output."""

    code: int
    out: str
    err: str


def environment() -> dict[str, str]:
    """The environment of a user's shell, without colours.

    What tests that train in this very process left in theirs is no user's.
    """
    shell = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    return shell | {"NO_COLOR": "1", "COLUMNS": "200", "TERM": "dumb", "PYTHONWARNINGS": ""}


def lstm_study(*arguments: str, cwd: Path, stdin: str = "", timeout: float = 580) -> Result:
    """Runs `lstm-study` with arguments in a folder, and waits for it."""
    done = subprocess.run(
        [*LSTM_STUDY, *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment(),
        check=False,
    )
    return Result(code=done.returncode, out=done.stdout, err=done.stderr)


def start(*arguments: str, cwd: Path) -> "subprocess.Popen[str]":
    """Starts `lstm-study` in a process group of its own, to be killed."""
    return subprocess.Popen(
        [*LSTM_STUDY, *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    )


def workers_of(folder: Path) -> list[int]:
    """Process ids of the worker processes that run in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            inside = (entry / "cwd").resolve() == folder.resolve()
        except OSError:
            continue
        if b"lstm_study.engine.process_worker" in command and inside:
            found.append(int(entry.name))
    return found
