"""A study is held by one process."""

import errno
import fcntl
import multiprocessing
import os

import pytest

from lstm_study.errors import LockedError, StoreError
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
