"""A chief and its crews, as if on several machines: killed, frozen, left alone, and called upon.

Each command is a process of its own, and the folder is the one they share. `LSTM_STUDY_*_SILENCE`
makes the silences short that take a minute in earnest.
"""

import contextlib
import json
import os
import re
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import grpc
import pandas as pd
import pytest

from lstm_study.search.link import Link
from lstm_study.search.tuner import ChiefClient
from lstm_study.search.wire import CHIEF_SILENCE_VARIABLE, CREW_SILENCE_VARIABLE
from lstm_study.store import Store
from tests.end_to_end.test_kill import begun, trials, wait_for_another_trial, wait_until
from tests.support.commands import lstm_study, start, workers_of

CREW_SILENCE, CHIEF_SILENCE = 8, 4
LONG = ("--set", "search.max_epochs=27")


class Machines:
    """Commands that run in one shared folder, each as if on a machine of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = begun(folder)
        self.store = Store(folder / "study/runs/tiny")
        self._processes: list[subprocess.Popen[str]] = []

    def chief(self, *arguments: str) -> "subprocess.Popen[str]":
        """Starts a chief that trains nothing itself, at any free port."""
        return self._start("chief", "--workers", "0", *arguments)

    def crew(self) -> "subprocess.Popen[str]":
        """Starts a crew of one worker, that finds the chief by the folder."""
        return self._start("worker", "--workers", "1")

    def _start(self, command: str, *arguments: str) -> "subprocess.Popen[str]":
        process = start(command, "tiny.toml", *arguments, cwd=self.folder)
        self._processes.append(process)
        return process

    def at_work(self) -> list[str]:
        """Names of the workers that have said where they stand."""
        return sorted(self.store.read_live())

    def kill(self, process: "subprocess.Popen[str]") -> None:
        """Kills a command with SIGKILL; its workers are left to themselves."""
        process.kill()
        process.communicate()

    def end(self) -> None:
        """Ends whatever still runs."""
        for process in self._processes:
            self.kill(process)
        for worker in workers_of(self.folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)


@pytest.fixture(scope="module", autouse=True)
def _short_silences() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CREW_SILENCE_VARIABLE, str(CREW_SILENCE))
        patch.setenv(CHIEF_SILENCE_VARIABLE, str(CHIEF_SILENCE))
        yield


@pytest.fixture
def machines(tmp_path) -> Iterator[Machines]:
    """A shared folder in which nothing runs yet."""
    found = Machines(tmp_path)
    yield found
    found.end()


@pytest.fixture(scope="module")
def search(tmp_path_factory) -> Iterator[tuple[Machines, list["subprocess.Popen[str]"]]]:
    """A search of some length at work: a chief and two crews."""
    found = Machines(tmp_path_factory.mktemp("machines"))
    processes = [found.chief(*LONG), found.crew(), found.crew()]
    wait_until(lambda: len(found.at_work()) == 2)
    yield found, processes
    found.end()


def test_a_chief_and_two_crews_killed_in_turn_find_what_one_worker_finds(machines, finished):
    chief, first, second = machines.chief(), machines.crew(), machines.crew()
    wait_until(lambda: len(machines.at_work()) == 2)
    machines.kill(first)
    wait_for_another_trial(machines.folder, second)
    machines.kill(chief)
    out, err = second.communicate(timeout=60)
    assert second.returncode == 1, out + err
    assert f"the chief has not answered for {CHIEF_SILENCE} s" in err
    assert "Go on with: lstm-study worker tiny.toml --workers 1" in err
    wait_until(lambda: workers_of(machines.folder) == [], seconds=10)

    chief, third = machines.chief(), machines.crew()
    wait_until(lambda: len(machines.at_work()) == 1)
    machines.kill(third)
    fourth = machines.crew()
    out, err = chief.communicate(timeout=240)
    assert chief.returncode == 0, out + err
    assert "joined, 1 worker" in out
    assert f"was silent for {CREW_SILENCE} s: others go on with its trials" in out
    out, err = fourth.communicate(timeout=30)
    assert (fourth.returncode, err) == (0, "")
    assert "the search has ended: nothing is left to train" in out
    assert workers_of(machines.folder) == []
    reference, _ = finished
    pd.testing.assert_frame_equal(trials(machines.folder), trials(reference))

    late = lstm_study("worker", "tiny.toml", cwd=machines.folder)
    assert late.code == 0
    assert "the search is finished: there is nothing left to train" in late.out


def test_trap_24_a_stranger_on_the_port_is_refused(search):
    machines, _ = search
    address = machines.store.read_chief()["address"]
    token = machines.store.read_token()
    assert stat.S_IMODE((machines.store.folder / "chief.token").stat().st_mode) == 0o600
    before = {trial.trial_id: trial.worker for trial in machines.store.read_trials()}
    for guess in ("", "guess", token[:-1]):
        with Link(address, guess) as link, pytest.raises(grpc.RpcError) as refused:
            link.ask("Hello")
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
        stranger = ChiefClient(None, address=address, token=guess, worker="w1")
        with pytest.raises(grpc.RpcError) as refused:
            stranger.create_trial("w1")
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    uninvited = ChiefClient(None, address=address, token=token, worker="x-w1", crew="x")
    with pytest.raises(grpc.RpcError) as refused:
        uninvited.create_trial("x-w1")
    assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    workers = {trial.worker for trial in machines.store.read_trials()}
    assert workers <= {*before.values(), *machines.at_work(), ""}


def test_status_shows_both_crews_the_rounds_the_rate_and_where_to_join(search):
    machines, (chief, *_) = search
    wait_until(lambda: any(trial.epochs for trial in machines.store.read_trials()))
    # The chief writes its time down now and then, and a pace needs some.
    wait_until(
        lambda: any(
            each.seconds for each in machines.store.read_sessions() if each.stage == "search"
        )
    )
    status = lstm_study("status", "tiny.toml", *LONG, cwd=machines.folder)
    assert status.code == 0, status.err
    assert f"in use by process {chief.pid}" in status.out
    address = machines.store.read_chief()["address"]
    assert f"join with: lstm-study worker tiny.toml --chief {address}" in status.out
    assert "bracket 3: " in status.out
    assert " of 27 to epoch 1, 0 of 9 to epoch 3, 0 of 3 to epoch 9" in status.out
    assert "epochs a minute" in status.out or "epochs an hour" in status.out
    assert "left" in status.out
    for worker in machines.at_work():
        assert f"\n            {worker}: " in status.out


def test_a_crew_that_freezes_loses_its_trial_to_another_and_writes_nothing_when_it_wakes(search):
    machines, (_, frozen, other) = search
    at = {worker: live.training_id for worker, live in machines.store.read_live().items()}
    frozen_workers = _children_of(frozen.pid)
    for process in (frozen.pid, *frozen_workers):
        os.kill(process, signal.SIGSTOP)
    wait_until(lambda: machines.store.read_chief()["given_up"])
    (crew,) = machines.store.read_chief()["given_up"]
    worker = f"{crew}-w1"
    assert worker in at
    assert worker not in machines.at_work()
    # What began comes first: with its next trial the other one goes on with the frozen one's.
    (another,) = set(machines.at_work()) - {worker}
    before = len(_records_of(machines, another))
    wait_until(lambda: len(_records_of(machines, another)) > before or other.poll() is not None)

    ended = _records_of(machines, worker)
    assert all(json.loads(record)["status"] == "completed" for record in ended.values())
    for process in (*frozen_workers, frozen.pid):
        os.kill(process, signal.SIGCONT)
    out, err = frozen.communicate(timeout=60)
    assert frozen.returncode == 1, out + err
    assert re.search("heard nothing of .* for too long, and gave (its|their) trials to others", err)
    assert _records_of(machines, worker) == ended
    assert worker not in machines.at_work()
    assert not set(frozen_workers) & set(workers_of(machines.folder))


def test_ctrl_c_ends_a_chief_and_its_crews_at_once(search):
    machines, (chief, _, crew) = search
    os.kill(chief.pid, signal.SIGINT)
    out, err = chief.communicate(timeout=60)
    assert chief.returncode == 130, out + err
    assert "resume with:\n  lstm-study chief tiny.toml --workers 0" in err
    out, err = crew.communicate(timeout=60)
    assert crew.returncode == 1, out + err
    assert "the chief that handed out these trials has ended" in err
    assert "Go on with: lstm-study worker tiny.toml --workers 1" in err
    assert workers_of(machines.folder) == []
    assert not (machines.store.folder / "chief.token").exists()
    assert {trial.status for trial in machines.store.read_trials()} <= {"completed", "interrupted"}


def _records_of(machines: Machines, worker: str) -> dict[str, str]:
    """What the records say that a worker trained last, by trial."""
    return {
        path.stem: path.read_text()
        for path in (machines.store.folder / "trials").glob("*.json")
        if json.loads(path.read_text())["worker"] == worker
    }


def _children_of(process: int) -> list[int]:
    """Process ids of the processes that another started."""
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(number) for number in listed.split()]
