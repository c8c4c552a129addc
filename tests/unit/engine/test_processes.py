"""What comes from a worker's socket, and where a worker finds its modules."""

import pickle
import queue
from multiprocessing import Pipe

from lstm_study.engine.devices import Workers
from lstm_study.engine.messages import Ready, Stopped
from lstm_study.engine.processes import Processes

_READY = Ready(backend="tensorflow", devices=("CPU",), capacity=1)


def test_a_message_that_can_not_be_read_ends_the_command_and_its_worker_is_not_waited_for():
    engine = Processes.__new__(Processes)
    engine._messages = queue.SimpleQueue()
    own, workers = Pipe()
    workers.send(_READY)
    # As where a worker names what this process does not have.
    workers.send_bytes(pickle.dumps(_READY).replace(b"Ready", b"Raedy"))
    workers.close()
    engine._read("w1", own)
    assert engine._messages.get() == ("w1", _READY)
    name, stopped = engine._messages.get()
    assert name == "w1"
    assert isinstance(stopped, Stopped)
    assert isinstance(stopped.error, AttributeError)


def test_files_in_the_users_folder_are_not_taken_for_modules_of_python(tmp_path, monkeypatch):
    (tmp_path / "queue.py").write_text("raise RuntimeError('a file of the user')\n")
    monkeypatch.chdir(tmp_path)
    log_path = tmp_path / "study.log"
    engine = Processes(Workers(count=1, threads=1), log_path=log_path, scratch=tmp_path / "scratch")
    engine.close()
    assert "a file of the user" not in log_path.read_text()
