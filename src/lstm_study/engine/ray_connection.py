"""The connection to a Ray cluster."""

import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lstm_study.engine.ray_errors import in_a_line
from lstm_study.errors import DependencyError, SearchError

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 10.0
# Ray's client server gets half a minute to start, which a busy head node may not manage at once.
_CONNECT_ATTEMPTS = 4


def connect(address: str) -> Any:
    """Imports Ray, connects to a running cluster, and returns the module.

    Raises:
        DependencyError: Ray is not installed.
        SearchError: It is no address, or the cluster can't be reached.
    """
    place = None if address == "auto" else _host_and_port(address)
    try:
        import ray
    except ModuleNotFoundError as error:
        raise DependencyError(
            "--cluster needs Ray, which is not installed. "
            "Install it: pip install 'lstm-study[cluster]'."
        ) from error
    try:
        if place is not None:
            # Ray itself would try for minutes.
            socket.create_connection(place, timeout=_CONNECT_SECONDS).close()
        with _own_sigterm():
            _initialise(ray, address)
    # Ray raises errors of many kinds for an address that is wrong or does not answer.
    except Exception as error:
        raise SearchError(
            f"--cluster {address}: no Ray cluster could be reached ({in_a_line(error)}). "
            "Start one with `ray start --head`, or give the address of one."
        ) from error
    return ray


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise SearchError(
            "--cluster must be auto, HOST:PORT or ray://HOST:PORT; Ray's own ports are 6379 and, "
            f"with ray://, 10001. Received: {address!r}."
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Keeps this process's own handler of SIGTERM, in place of which `ray.init` puts Ray's."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    if before is not signal.SIG_DFL and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)


def _initialise(ray: Any, address: str) -> None:
    """Calls `ray.init`, again where the head node was reached and did not get ready in time."""
    for attempts_left in reversed(range(_CONNECT_ATTEMPTS)):
        try:
            ray.init(address=address, log_to_driver=False, logging_level="error")
        except ConnectionAbortedError as error:
            if attempts_left == 0:
                raise
            log.warning("%s is not ready, trying again: %s", address, in_a_line(error))
        else:
            return
