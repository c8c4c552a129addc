"""How a cluster is reached, without one."""

import re
import signal
import sys
from pathlib import Path

import pytest

from lstm_study.engine import ray_connection
from lstm_study.engine.ray_cluster import RayCluster
from lstm_study.engine.ray_errors import in_a_line
from lstm_study.errors import DependencyError, SearchError

SOURCE = Path(ray_connection.__file__).parents[1]


def test_without_ray_the_option_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(DependencyError, match=r"--cluster needs Ray.*pip install"):
        RayCluster("auto", workers=None, workers_per_gpu=None, jobs=3)


@pytest.mark.parametrize(
    "address", ["", "head", "head:", ":6379", "ray://head", "head:port", "head:99999", "head:²"]
)
def test_what_is_no_address_is_told_before_anything_is_tried(address):
    said = rf"--cluster must be auto, HOST:PORT or .*Received: {re.escape(repr(address))}\."
    with pytest.raises(SearchError, match=said):
        ray_connection.connect(address)


def test_an_address_is_a_host_and_a_port():
    for address, place in (
        ("head:6379", ("head", 6379)),
        ("ray://10.0.0.1:10001", ("10.0.0.1", 10001)),
        ("[::1]:6379", ("::1", 6379)),
    ):
        assert ray_connection._host_and_port(address) == place


def test_no_other_module_imports_ray():
    importing = re.compile(r"^\s*(?:import|from) ray\b", re.MULTILINE)
    found = [p for p in SOURCE.rglob("*.py") if importing.search(p.read_text(encoding="utf-8"))]
    assert found == [SOURCE / "engine" / "ray_connection.py"]


class FakeRay:
    """Ray's `init`, as it fails where the head node's client server is not ready in time."""

    def __init__(self, failures: int) -> None:
        self.failures, self.calls = failures, 0

    def init(self, **_: object) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionAbortedError(
                "Initialization failure from server:\nTraceback (most recent call last):\n"
                '  File "proxier.py", line 780\nRuntimeError: Proxy failed to Connect to backend!'
            )


def test_a_busy_head_node_is_asked_again(caplog):
    ray = FakeRay(failures=2)
    ray_connection._initialise(ray, "ray://head:10001")
    assert ray.calls == 3
    assert "ray://head:10001 is not ready, trying again: RuntimeError: Proxy failed" in caplog.text


def test_a_head_node_that_never_gets_ready_is_given_up_with_its_reason():
    ray = FakeRay(failures=9)
    with pytest.raises(ConnectionAbortedError) as error:
        ray_connection._initialise(ray, "ray://head:10001")
    assert ray.calls == 4
    assert in_a_line(error.value).startswith("RuntimeError: Proxy failed")


def test_a_commands_handler_of_sigterm_stays_where_ray_puts_its_own():
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    commands = signal.getsignal(signal.SIGTERM)
    try:
        with ray_connection._own_sigterm():
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(15))
        assert signal.getsignal(signal.SIGTERM) is commands
    finally:
        signal.signal(signal.SIGTERM, before)
