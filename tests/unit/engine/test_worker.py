"""A worker process and its link to the process that started it."""

import subprocess
import sys
from multiprocessing import Pipe

CODE = """
import sys, time
from lstm_study.engine.worker import SocketLink
SocketLink(int(sys.argv[1]))
time.sleep(600)
"""


def _started():
    ours, theirs = Pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(theirs.fileno())],
        pass_fds=[theirs.fileno()], stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    theirs.close()
    return ours, process


def test_a_message_that_cannot_be_read_ends_the_worker_with_an_error():
    ours, process = _started()
    ours.send_bytes(b"cno_such_module\nnothing\n.")
    _, printed = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "A message could not be read" in printed
    assert "no_such_module" in printed
    ours.close()


def test_a_worker_ends_quietly_with_the_process_that_started_it():
    ours, process = _started()
    ours.close()
    _, printed = process.communicate(timeout=300)
    assert (process.returncode, printed) == (0, "")
