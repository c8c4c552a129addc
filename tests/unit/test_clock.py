"""The clock stands while its process is suspended, and where it is told to."""

import os
import signal
import subprocess
import sys
import time
import warnings

from lstm_study import clock

# It times itself while it is stopped by a signal, and while it waits outside the clock.
TIMED = """
import sys, time
from lstm_study import clock
clock._LOOK_SECONDS, clock._SUSPENDED_SECONDS = 0.05, 0.4
began, wall = clock.seconds_running(), time.perf_counter()
print("begun", flush=True)
sys.stdin.readline()
print(clock.seconds_running() - began, time.perf_counter() - wall, flush=True)
"""


def test_time_in_which_the_process_was_stopped_does_not_count():
    process = subprocess.Popen(
        [sys.executable, "-c", TIMED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(1.2)
    os.kill(process.pid, signal.SIGCONT)
    said, _ = process.communicate("now\n", timeout=20)
    counted, wall = map(float, said.split())
    assert wall > 1.4
    assert 0.15 < counted < wall - 1.0


def test_time_that_is_not_counted_is_of_no_interval():
    began, wall = clock.seconds_running(), time.perf_counter()
    with clock.not_counted():
        inside = clock.seconds_running()
        time.sleep(0.2)
        assert clock.seconds_running() == inside
    counted, wall = clock.seconds_running() - began, time.perf_counter() - wall
    assert 0 <= counted < wall - 0.19


def test_after_a_fork_the_clock_goes_on():
    before = clock.seconds_running()
    clock._clock._lock.acquire()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, from Python 3.12 on
        child = os.fork()
    if child == 0:
        signal.alarm(10)
        is_later = clock.seconds_running() >= before
        os._exit(0 if is_later and clock._clock._thread.is_alive() else 1)
    clock._clock._lock.release()
    assert os.waitpid(child, 0)[1] == 0
