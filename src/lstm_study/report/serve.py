"""Serves a study's report on this machine while the study runs; reads only, and never writes.

It listens on 127.0.0.1 alone, serves only the report's files, and answers only requests whose Host
is this machine, so that no other site can read the report through the browser. "/" is a page that
asks for `live.json` and puts the newest `report.html` below it. When records change, the report is
rendered again in the background; until then the previous one is served.
"""

import contextlib
import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from lstm_study.errors import ReportError, StudyError

HOST = "127.0.0.1"
TYPES = {
    ".html": "text/html; charset=utf-8", ".csv": "text/csv; charset=utf-8",
    ".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json",
    ".md": "text/markdown; charset=utf-8", ".gz": "application/gzip",
}  # fmt: skip
_LOOK_SECONDS = 2.0
# Rendering uses a small share of one core, but no page is a minute old.
_REST, _LONGEST_REST_SECONDS = 4.0, 30.0
_CONNECTIONS, _LONGEST_REQUEST_SECONDS = 16, 20.0


class Edition(NamedTuple):
    """A rendered report: its version, and its files by path."""

    version: str
    files: Mapping[str, bytes]


class ReportServer:
    """Keeps a study's report up to date and serves it.

    Args:
        page: The page that shows the progress, with the report below it.
        fingerprint: Returns a fingerprint of the records; equal for equal records.
        render: Renders the report of the current records.
        progress: Returns the study's progress, as `live.js` shows it.
        port: To serve on; 0 for any free one.
        tell: Called with the reason why a report can't be made, once for each reason in a row.

    Raises:
        ReportError: The port is taken.
    """

    def __init__(
        self,
        *,
        page: str,
        fingerprint: Callable[[], str],
        render: Callable[[], Mapping[str, bytes]],
        progress: Callable[[], Mapping[str, Any]],
        port: int,
        tell: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self.page = page.encode()
        self._fingerprint = fingerprint
        self._render = render
        self._progress = progress
        self._tell = tell
        self.edition: Edition | None = None
        """The newest report; None before the first."""
        self.trouble = ""
        """Why there is no newer report, though records have changed; "" where there is none."""
        self._ended = threading.Event()
        self.problem: BaseException | None = None
        try:
            self._server = _Server((HOST, port), _Handler)
        except OSError as error:
            raise ReportError(
                f"port {port}: cannot be served on ({error.strerror or error}). "
                "Choose another with --port, or --port 0 for any free one."
            ) from error
        self._server.report = self

    @property
    def address(self) -> str:
        """The page's address."""
        return f"http://{HOST}:{self._server.server_address[1]}/"

    def progress(self) -> bytes:
        """Returns the study's progress and the newest report's version, as JSON."""
        found = {"version": self.edition.version if self.edition else "", "trouble": self.trouble}
        try:
            found |= self._progress()
        except (StudyError, OSError) as error:
            found["trouble"] = reason_of(error)
        return json.dumps(found).encode()

    def serve(self) -> None:
        """Serves until `end` is called, or until a defect of the program, which it raises.

        Records that are gone, damaged or incomplete end nothing: the next look may find them whole,
        since they are being copied from another machine, or the study starts over or is repaired.
        """
        rendering = threading.Thread(target=self._keep_rendering, name="report", daemon=True)
        rendering.start()
        try:
            self._server.serve_forever(poll_interval=0.05)
        finally:
            self._ended.set()
            self._server.server_close()
        if self.problem is not None:
            raise self.problem

    def end(self) -> None:
        """Ends `serve`; called from another thread."""
        self._server.shutdown()

    def _keep_rendering(self) -> None:
        rendered, told = None, ""
        while not self._ended.is_set():
            try:
                began = time.monotonic()
                current = self._fingerprint()
                if current != rendered:
                    version = hashlib.sha256(current.encode()).hexdigest()[:12]
                    self.edition = Edition(version=version, files=self._render())
                    rendered = current
                self.trouble = ""
            except (StudyError, OSError) as error:
                reason = reason_of(error)
                if reason != told:
                    self._tell(reason)
                self.trouble = told = reason
            except BaseException as error:  # noqa: BLE001 - `serve` raises it in its own thread
                self.problem = error
                self._server.shutdown()
                return
            rest = min(_REST * (time.monotonic() - began), _LONGEST_REST_SECONDS)
            self._ended.wait(max(_LOOK_SECONDS, rest))


def reason_of(error: Exception) -> str:
    """Returns what an error says, in one line; of the system's, the file and the reason."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}."
    return str(error)


class _Server(ThreadingHTTPServer):
    """A server that answers few at a time, none of them for long."""

    daemon_threads = True
    report: ReportServer

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._free = threading.BoundedSemaphore(_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answers in a separate thread, unless too many are busy."""
        if not self._free.acquire(blocking=False):
            request.sendall(b"HTTP/1.0 503 Service Unavailable\r\nRetry-After: 2\r\n\r\n")
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answers one request, and closes it when its time is over, however it is sent."""
        ending = threading.Timer(_LONGEST_REQUEST_SECONDS, _end, [request])
        ending.daemon = True
        ending.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            ending.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Prints nothing: a client's bad request is not the command's error."""


def _end(request: socket.socket) -> None:
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "lstm-study"
    sys_version = ""

    def do_GET(self) -> None:
        """Answers with one file of the report."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answers like GET, without the file."""
        self._answer(with_body=False)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Logs nothing: the terminal belongs to the command."""

    def _answer(self, *, with_body: bool) -> None:
        report = self.server.report
        port = self.server.server_address[1]
        if self.headers.get("Host") not in (f"{HOST}:{port}", f"localhost:{port}"):
            self._send(HTTPStatus.FORBIDDEN, b"Not a name of this machine.\n", "text/plain", True)
            return
        path = unquote(urlsplit(self.path).path).removeprefix("/")
        files = report.edition.files if report.edition is not None else {}
        if path == "favicon.ico":  # browsers ask for one, and complain where there is none
            self._send(HTTPStatus.NO_CONTENT, b"", "image/x-icon", with_body)
        elif path == "":
            self._send(HTTPStatus.OK, report.page, TYPES[".html"], with_body)
        elif path == "live.json":
            self._send(HTTPStatus.OK, report.progress(), TYPES[".json"], with_body)
        elif path in files:
            kind = TYPES.get(Path(path).suffix, "application/octet-stream")
            self._send(HTTPStatus.OK, files[path], kind, with_body)
        else:
            self._send(HTTPStatus.NOT_FOUND, b"No such file in the report.\n", "text/plain", True)

    def _send(self, status: HTTPStatus, body: bytes, kind: str, with_body: bool) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Frame-Options", "DENY")
        self.end_headers()
        if with_body:
            self.wfile.write(body)
