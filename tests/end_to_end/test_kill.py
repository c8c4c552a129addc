"""Real processes killed with SIGKILL, stopped, interrupted: nothing is lost, nothing is left."""

import os
import pty
import random
import re
import select
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest

from lstm_study import Study
from tests.support.commands import LSTM_STUDY, environment, lstm_study, start, workers_of
from tests.support.tiny import SPEC

TIMES = ["started_at", "ended_at", "seconds", "worker"]


def trials(folder: Path) -> pd.DataFrame:
    """The trials table of a folder's study, without times."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        return Study.load("tiny.toml").trials().drop(columns=TIMES)
    finally:
        os.chdir(before)


def wait_until(condition, *, seconds: float = 300) -> None:
    """Waits for something to become true, for longer than a slow machine needs."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def wait_for_another_trial(folder: Path, process: "subprocess.Popen[str]") -> None:
    """Waits until a search has begun one more trial, or has ended."""
    trial_files = folder / "study/runs/tiny/trials"
    before = len(list(trial_files.glob("*.json")))
    wait_until(lambda: len(list(trial_files.glob("*.json"))) > before or process.poll() is not None)


def begun(folder: Path) -> Path:
    """A folder with a study file."""
    (folder / "tiny.toml").write_text(SPEC)
    return folder


@pytest.fixture
def folder(tmp_path):
    """A folder with a study file; whatever runs in it is ended."""
    yield begun(tmp_path)
    for process in workers_of(tmp_path):
        os.kill(process, signal.SIGKILL)


def test_a_search_whose_supervisor_is_killed_again_and_again_is_the_one_that_never_was(
    folder, finished
):
    chance = random.Random(5)
    ends = []
    for _ in range(3):
        process = start("search", "tiny.toml", "--workers", "1", cwd=folder)
        wait_for_another_trial(folder, process)
        time.sleep(chance.uniform(0.0, 1.0))
        # Nothing happens to a search that has ended by now.
        process.kill()
        process.communicate()
        ends.append(process.returncode)
        wait_until(lambda: workers_of(folder) == [])
    assert ends[:2] == [-signal.SIGKILL] * 2, "killed while it was searching"

    result = lstm_study("search", "tiny.toml", "--workers", "1", cwd=folder)
    assert result.code == 0, result.err
    reference, _ = finished
    pd.testing.assert_frame_equal(trials(folder), trials(reference), check_exact=True)


def test_a_killed_worker_is_replaced_and_its_trial_resumes_with_two_workers(folder, finished):
    process = start("search", "tiny.toml", "--workers", "2", cwd=folder)
    wait_until(lambda: len(list(folder.glob("study/runs/tiny/live/w*.json"))) == 2)
    for victim in workers_of(folder):
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda gone=victim: gone not in workers_of(folder))
    out, err = process.communicate(timeout=500)
    assert process.returncode == 0, out + err
    reference, _ = finished
    pd.testing.assert_frame_equal(trials(folder), trials(reference), check_exact=True)
    assert workers_of(folder) == []


def test_a_worker_that_hangs_is_ended_after_a_silence_and_replaced(folder, monkeypatch):
    # Longer than a slow machine takes to start a worker, which says nothing meanwhile.
    monkeypatch.setenv("LSTM_STUDY_SILENCE_SECONDS", "40")
    process = start("search", "tiny.toml", "--workers", "1", cwd=folder)
    wait_until(lambda: list(folder.glob("study/runs/tiny/live/w1.json")))
    (victim,) = workers_of(folder)
    os.kill(victim, signal.SIGSTOP)
    wait_until(lambda: workers_of(folder) not in ([], [victim]))
    assert victim not in workers_of(folder)
    process.kill()
    process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_saves_says_how_to_go_on_and_leaves_nothing_running(folder, number, code):
    process = start("run", "tiny.toml", "--workers", "1", cwd=folder)
    wait_until(lambda: list(folder.glob("study/runs/tiny/live/w1.json")))
    os.kill(process.pid, number)
    _, err = process.communicate(timeout=300)
    assert process.returncode == code
    assert "lstm-study run tiny.toml --workers 1" in err
    assert "Traceback" not in err
    assert workers_of(folder) == []
    status = lstm_study("status", "tiny.toml", cwd=folder).out
    assert "in use by" not in status


def test_a_terminal_that_is_closed_ends_the_command_in_good_order(folder):
    terminal, end = pty.openpty()
    name = os.ttyname(end)
    # What leads a session and opens a terminal is ended with it.
    command = f"exec {shlex.join([*LSTM_STUDY, 'run', 'tiny.toml', '--workers', '1'])}"
    # Tests that run under nohup would hand on that the signal is ignored.
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    process = subprocess.Popen(
        ["sh", "-c", f"{command} <{name} >{name} 2>&1"], cwd=folder, env=environment(),
        start_new_session=True,
    )  # fmt: skip
    signal.signal(signal.SIGHUP, before)

    def is_training() -> bool:
        # A terminal that nobody reads is full one day.
        while select.select([terminal], [], [], 0)[0]:
            os.read(terminal, 65_536)
        return bool(list(folder.glob("study/runs/tiny/live/w1.json")))

    wait_until(is_training)
    os.close(end)
    os.close(terminal)
    assert process.wait(300) == 129
    assert workers_of(folder) == []
    assert "Traceback" not in (folder / "study/runs/tiny/study.log").read_text()


def test_a_second_command_on_the_same_study_is_told_who_holds_it(folder):
    one_long_trial = ["--set", "search.tuner=random", "--set", "search.max_trials=1",
                      "--set", "search.max_epochs=500"]  # fmt: skip
    process = start("search", "tiny.toml", "--workers", "1", *one_long_trial, cwd=folder)
    live_file = folder / "study/runs/tiny/live/w1.json"
    wait_until(lambda: live_file.is_file() and '"epochs": 500' in live_file.read_text())
    second = lstm_study("search", "tiny.toml", *one_long_trial, cwd=folder)
    assert second.code == 1
    assert f"is in use by process {process.pid}" in second.err
    live = lstm_study("status", "tiny.toml", *one_long_trial, cwd=folder).out
    assert f"in use by process {process.pid}" in live
    assert re.search(r"epoch \d+ of 500", live)
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=300)


def test_limits_end_the_search_in_good_order_and_with_more_budget_it_resumes(folder, finished):
    few = lstm_study("search", "tiny.toml", "--set", "search.max_trials=5", cwd=folder)
    assert few.code == 0, few.err
    assert "search.max_trials of 5 is reached" in few.out
    assert "; it ends after 5 (search.max_trials)" in " ".join(few.out.split())
    assert len(trials(folder)) == 5
    late = lstm_study(
        "search", "tiny.toml", "--set", "search.max_trials=5", "--set", "search.time_limit=1s",
        cwd=folder,
    )  # fmt: skip
    assert late.code == 1
    assert "search.time_limit was unset, is" in late.err
    rest = lstm_study("search", "tiny.toml", cwd=folder)
    assert rest.code == 0, rest.err
    reference, _ = finished
    pd.testing.assert_frame_equal(trials(folder), trials(reference), check_exact=True)
