"""A study is held by one process."""

import errno
import fcntl
import multiprocessing
import os
import threading

import pytest

from lstm_study.errors import LockedError, StoreError
from lstm_study.records.state import ReportState
from lstm_study.store import Store


def _hold(folder, held, release):
    with Store(folder).hold("lstm-study search"):
        held.set()
        release.wait(20)


def test_a_study_is_held_by_one_process_and_others_are_told_which(tmp_path):
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, held, release))
    other.start()
    try:
        assert held.wait(20)
        store = Store(tmp_path)
        with pytest.raises(LockedError, match=f"process {other.pid}.*lstm-study search"):
            store.hold("x").__enter__()
        assert store.holder().startswith(f"process {other.pid}")
    finally:
        release.set()
        other.join(20)
    assert store.holder() == ""
    with store.hold("again"):
        pass


def test_a_pipe_in_the_locks_place_is_refused(tmp_path):
    os.mkfifo(tmp_path / "lock")
    with pytest.raises(StoreError, match=r"lock: must be a file\. Received: a pipe"):
        Store(tmp_path).hold("x").__enter__()
    assert Store(tmp_path).holder() == ""


@pytest.mark.parametrize("put_there", [None, "study"])
def test_nothing_is_written_where_a_held_study_was_moved_away(tmp_path, put_there):
    """Else it would go on in a new folder, with a part of its records."""
    store = Store(tmp_path / "study")
    with pytest.raises(StoreError, match=r"was moved, deleted or.*move it back"), store.hold("x"):
        store.write_time_left("Search", 1.0)
        store.folder.rename(tmp_path / "moved")
        if put_there:
            with Store(tmp_path / put_there).hold("another study"):
                pass
        store.log("not written")
        assert not (store.folder / "study.log").exists()
        store.write_state(ReportState(made_at="", versions={}, git_commit="", model=""))
    assert store.folder.exists() == bool(put_there)
    (tmp_path / "moved").rename(tmp_path / "again")
    with Store(tmp_path / "again").hold("x"):
        pass


def _as_on(monkeypatch, machine):
    monkeypatch.setattr("platform.node", lambda: machine)


def test_where_locks_end_at_a_machine_the_second_command_goes_on_alone(tmp_path, monkeypatch):
    """As on a network's file system without locks between machines: there both get the lock."""
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    _as_on(monkeypatch, "first")
    store, other = Store(tmp_path), Store(tmp_path)
    state = ReportState(made_at="", versions={}, git_commit="", model="")
    told = pytest.raises(LockedError, match=r"in use by process \d+ on second \(`b`\)")
    with told, store.hold("a"):
        _as_on(monkeypatch, "second")
        held = other.hold("b")
        held.__enter__()
        _as_on(monkeypatch, "first")
        store.write_state(state)
    _as_on(monkeypatch, "second")
    other.write_state(state)
    held.__exit__(None, None, None)
    assert (tmp_path / "lock").read_text() == ""


def test_a_process_of_another_machine_is_named_and_keeps_nobody_out(tmp_path, monkeypatch):
    """Of a copied study, or one that was killed there and goes on here."""
    store = Store(tmp_path)
    _as_on(monkeypatch, "box")
    with store.hold("lstm-study run"):
        copied = (tmp_path / "lock").read_text()
        assert store.on_another_machine() == ""
    (tmp_path / "lock").write_text(copied)
    assert store.on_another_machine() == ""
    _as_on(monkeypatch, "laptop")
    assert store.on_another_machine().endswith("on box (`lstm-study run`)")
    assert store.holder() == ""
    with store.hold("lstm-study run"):
        assert store.on_another_machine() == ""
    assert store.on_another_machine() == ""


def test_a_study_that_another_process_only_looks_at_can_be_held(tmp_path):
    with Store(tmp_path).hold("x"):
        pass
    # As `holder` does, on behalf of `status` or `watch`.
    with (tmp_path / "lock").open() as looked_at:
        fcntl.flock(looked_at, fcntl.LOCK_SH)
        threading.Timer(0.05, fcntl.flock, (looked_at, fcntl.LOCK_UN)).start()
        with Store(tmp_path).hold("y"):
            assert "(`y`)" in (tmp_path / "lock").read_text()


def test_a_file_system_without_locks_is_not_taken_for_another_process(tmp_path, monkeypatch):
    with Store(tmp_path).hold("x"):
        pass

    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StoreError, match="cannot be locked") as caught:
        Store(tmp_path).hold("x").__enter__()
    assert not isinstance(caught.value, LockedError)
    assert Store(tmp_path).holder() == ""
