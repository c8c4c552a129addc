"""Tests of the served report: this machine alone, reading alone, the newest edition."""

import contextlib
import errno
import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from lstm_study.errors import ReportError
from lstm_study.report.serve import ReportServer


class Study:
    """Records that change when told to, and a report that says how they stand."""

    def __init__(self) -> None:
        self.standing = "one"
        self.drawn = 0

    def render(self) -> dict[str, bytes]:
        self.drawn += 1
        return {"report.html": self.standing.encode(), "tables/trials.csv": b"trial_id\n"}

    def progress(self) -> dict[str, str]:
        return {"headline": self.standing}


def _serve(study: Study) -> ReportServer:
    return ReportServer(
        page="<h1>the page</h1>", fingerprint=lambda: study.standing, render=study.render,
        progress=study.progress, port=0,
    )  # fmt: skip


def _get(
    server: ReportServer, path: str, *, method: str = "GET", host: str | None = None
) -> tuple[int, bytes, http.client.HTTPMessage]:
    port = int(server.address.rstrip("/").rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    found = answer.status, answer.read(), answer.headers
    connection.close()
    return found


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setattr("lstm_study.report.serve._LOOK_SECONDS", 0.02)
    return Study()


@pytest.fixture
def server(study: Study) -> Iterator[ReportServer]:
    made = _serve(study)
    serving = threading.Thread(target=made.serve)
    serving.start()
    _until(lambda: made.edition is not None)
    yield made
    made.end()
    serving.join(timeout=60)
    assert not serving.is_alive()


def test_the_report_and_its_tables_are_served_with_their_types(server: ReportServer) -> None:
    status, body, headers = _get(server, "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert body == b"<h1>the page</h1>"
    assert _get(server, "/report.html")[1] == b"one"
    status, body, headers = _get(server, "/tables/trials.csv")
    assert (status, body, headers["Content-Type"]) == (
        200, b"trial_id\n", "text/csv; charset=utf-8"
    )  # fmt: skip
    assert headers["Cache-Control"] == "no-store"


def test_a_new_edition_is_drawn_when_records_change_and_only_then(
    study: Study, server: ReportServer
) -> None:
    before = json.loads(_get(server, "/live.json")[1])
    assert before["headline"] == "one"
    time.sleep(0.1)
    assert study.drawn == 1
    study.standing = "two"
    _until(lambda: json.loads(_get(server, "/live.json")[1])["version"] != before["version"])
    assert _get(server, "/report.html")[1] == b"two"
    assert study.drawn == 2


def test_the_page_and_the_progress_are_there_before_the_first_report(study: Study) -> None:
    made = _serve(study)
    serving = threading.Thread(target=made._server.serve_forever)
    serving.start()
    assert made.edition is None
    assert _get(made, "/")[0] == 200
    assert json.loads(_get(made, "/live.json")[1]) == {
        "headline": "one", "trouble": "", "version": ""
    }  # fmt: skip
    assert _get(made, "/report.html")[0] == 404
    made.end()
    serving.join(timeout=60)
    made._server.server_close()


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/%2e%2e/study.json", "/tables/", "//etc/passwd", "/model/"]
)
def test_nothing_but_the_files_of_the_report_is_served(server: ReportServer, path: str) -> None:
    assert _get(server, path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(server: ReportServer, method: str) -> None:
    assert _get(server, "/", method=method)[0] == 501


def test_a_page_from_elsewhere_cannot_reach_it_through_a_name_of_its_own(
    server: ReportServer,
) -> None:
    assert _get(server, "/", host="attacker.invalid")[0] == 403
    assert _get(server, "/", host=server.address[7:-1].replace("127.0.0.1", "localhost"))[0] == 200


def test_only_the_loopback_address_listens(server: ReportServer) -> None:
    assert server._server.socket.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ReportError, match=f"port {port}: .*--port"):
            ReportServer(page="", fingerprint=str, render=dict, progress=dict, port=port)


def test_a_first_report_that_cannot_be_made_yet_is_told_once_and_comes_later(study: Study) -> None:
    render, told = study.render, []

    def fail() -> dict[str, bytes]:
        raise error

    def render_now() -> dict[str, bytes]:
        return dict(study.render())

    error: Exception = ReportError("trials/a.json: is missing.")
    study.render = fail  # type: ignore[method-assign]
    made = ReportServer(
        page="", fingerprint=lambda: study.standing, render=render_now,
        progress=study.progress, port=0, tell=told.append,
    )  # fmt: skip
    serving = threading.Thread(target=made.serve)
    serving.start()
    _until(lambda: made.trouble == "trials/a.json: is missing.")
    error = OSError(errno.ESTALE, "Stale file handle", "trials/b.json")
    _until(lambda: made.trouble == "trials/b.json: Stale file handle.")
    study.render = render  # type: ignore[method-assign]
    _until(lambda: made.edition is not None and made.trouble == "")
    made.end()
    serving.join(timeout=60)
    assert not serving.is_alive()
    assert told == ["trials/a.json: is missing.", "trials/b.json: Stale file handle."]


def test_a_defect_of_the_program_ends_the_serving(study: Study) -> None:
    def fail() -> dict[str, bytes]:
        raise ValueError("a defect")

    study.render = fail  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="a defect"):
        _serve(study).serve()


def test_records_that_are_gone_for_a_while_are_told_and_end_nothing(
    study: Study, server: ReportServer
) -> None:
    def fail() -> dict[str, bytes]:
        raise ReportError("records: are gone.")

    render, progress = study.render, study.progress
    server._render, server._progress = fail, fail
    study.standing = "two"
    _until(lambda: json.loads(_get(server, "/live.json")[1])["trouble"] == "records: are gone.")
    _until(lambda: server.trouble == "records: are gone.")
    assert "headline" not in json.loads(_get(server, "/live.json")[1])
    assert _get(server, "/report.html")[1] == b"one"
    server._render, server._progress = render, progress
    _until(lambda: _get(server, "/report.html")[1] == b"two")
    _until(lambda: json.loads(_get(server, "/live.json")[1])["trouble"] == "")


def _connect(server: ReportServer) -> socket.socket:
    port = int(server.address.rstrip("/").rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def test_no_more_than_sixteen_connections_are_held(server: ReportServer) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(16):
            stack.enter_context(_connect(server)).send(b"GET /")
        _until(lambda: _is_sent_away(server))
    _until(lambda: not _is_sent_away(server))
    assert _get(server, "/live.json")[0] == 200


def test_a_request_that_is_not_sent_whole_is_ended_in_time(
    server: ReportServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lstm_study.report.serve._LONGEST_REQUEST_SECONDS", 0.2)
    with _connect(server) as connection:
        connection.send(b"GET /")
        assert connection.recv(100) == b""


def _is_sent_away(server: ReportServer) -> bool:
    with _connect(server) as connection:
        connection.settimeout(0.2)
        try:
            return connection.recv(100).startswith(b"HTTP/1.0 503")
        except TimeoutError:
            return False


@pytest.mark.parametrize(
    "request_",
    [b"\x00\xff\x16\x03\x01", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.0\r\n\r\n",
     b"GET /" + b"a" * 70_000 + b" HTTP/1.0\r\n\r\n",
     b"GET / HTTP/1.0\r\n" + b"a: b\r\n" * 200 + b"\r\n"],
    ids=["TLS", "no path", "version", "method", "long", "headers"],
)  # fmt: skip
def test_a_malformed_request_is_answered_and_printed_nowhere(
    server: ReportServer, request_: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with _connect(server) as connection:
        connection.sendall(request_ + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    # To a version before HTTP/1.0 an answer has no status line.
    assert re.match(rb"HTTP/1.0 [45]\d\d|\s*<!DOCTYPE", answer)
    assert _get(server, "/live.json")[0] == 200
    assert capfd.readouterr() == ("", "")
