"""The supervisor's side of the search: Keras Tuner's gRPC service, with a token and a register."""

import hmac
import platform
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer

from lstm_study.engine.crew import crew_of
from lstm_study.errors import SearchError
from lstm_study.search.crews import Crews
from lstm_study.search.oracle import RecordedHyperband
from lstm_study.search.wire import (
    CREW_HEADER,
    SERVICE,
    TOKEN_HEADER,
    crew_silence_seconds,
    packed,
    unpacked,
)
from lstm_study.store import Store

LOOPBACK = "127.0.0.1:0"
_THREADS = 4
_FAREWELL_SECONDS = 5.0
_EVERY_ADDRESS = {"0.0.0.0", "[::]"}  # noqa: S104 - recognised, not bound to


class Chief:
    """Serves an oracle to workers while the `with` block lasts.

    Keras Tuner's own server listens without asking who calls, never notices that a worker died, and
    looks for its end every 20 seconds; this one is Keras Tuner's service in a server of ours. What
    crosses the wire is not encrypted.

    Each start begins a term of its own, written to the study's folder: workers of an earlier one
    may write no more. See decision 7.

    Args:
        oracle: What to serve.
        store: The study; held by this process.
        bind: Where to listen for workers of other machines, "host:port"; "" to serve the workers of
            this process alone, on loopback.

    Attributes:
        address: "host:port" for workers to call.
        token: What they must send.
        term: This start's name.
        crews: The workers of other machines.
    """

    def __init__(self, oracle: RecordedHyperband, *, store: Store, bind: str = "") -> None:
        self._oracle, self._store, self._is_open = oracle, store, bool(bind)
        self.token = secrets.token_urlsafe(32)
        self.term = secrets.token_hex(8)
        self.crews = Crews(silence_seconds=crew_silence_seconds())
        self._over: str | None = None
        self._server = grpc.server(
            ThreadPoolExecutor(max_workers=_THREADS),
            interceptors=[_Doorkeeper(self.token, self.crews)],
            # Else a second server could share the port, and workers would reach either.
            options=[("grpc.so_reuseport", 0)],
        )
        protos.get_service_grpc().add_OracleServicer_to_server(OracleServicer(oracle), self._server)
        self._server.add_generic_rpc_handlers((self._register(),))
        self.address = self._listen(bind or LOOPBACK)

    def __enter__(self) -> "Chief":
        self._write()
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._store.end_term()
        self._server.stop(grace=None).wait()

    def take_stock(self) -> list[str]:
        """Takes back the trials of crews that are silent or gone, and says who came and went."""
        if self.crews.give_up_silent():
            # First they may write no more, then others go on with their trials.
            self._write()
        # A crew's last call may have been answered after it left: that trial is taken back, too.
        # Who is at work is asked before who is in, for a crew is in before it works.
        at_work = {crew_of(worker) for worker in list(self._oracle.ongoing_trials)} - {""}
        for crew in at_work.difference(self.crews.names):
            self._take_back(crew)
        return self.crews.news()

    def say_goodbye(self, reason: str) -> None:
        """Tells every crew that the search is over, and waits a moment for them to leave.

        Args:
            reason: What ended it before its plan; "" if nothing did.
        """
        self._over = reason
        deadline = time.monotonic() + _FAREWELL_SECONDS
        while self.crews.names and time.monotonic() < deadline:
            time.sleep(0.05)

    def _listen(self, bind: str) -> str:
        host = bind.rpartition(":")[0]
        try:
            port = self._server.add_insecure_port(bind)
        except RuntimeError:
            port = 0
        if port == 0:
            raise SearchError(
                f"{bind}: cannot be listened on. Choose an address of this machine and a free "
                "port; port 0 finds one."
            )
        return f"{platform.node() if host in _EVERY_ADDRESS else host}:{port}"

    def _write(self) -> None:
        values = {"term": self.term, "given_up": self.crews.given_up}
        if self._is_open:
            values |= {"address": self.address, "host": platform.node()}
        self._store.write_chief(values, token=self.token if self._is_open else "")

    def _take_back(self, crew: str) -> None:
        for worker in list(self._oracle.ongoing_trials):
            if crew_of(worker) == crew:
                self._oracle.lose_worker(worker, exit_code=None)
        self._store.forget_live(crew)

    def _register(self) -> grpc.GenericRpcHandler:
        def answering(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
            return grpc.unary_unary_rpc_method_handler(
                lambda request, _context: packed(answer(unpacked(request)))
            )

        handlers = {
            "Hello": answering(lambda _: {"term": self.term}),
            "Join": answering(self._join),
            "Beat": answering(self._beat),
            "Lost": answering(self._lost),
            "Leave": answering(self._leave),
        }
        return grpc.method_handlers_generic_handler(SERVICE, handlers)

    def _join(self, said: dict[str, Any]) -> dict[str, Any]:
        self.crews.join(said["crew"], workers=said["workers"])
        return {"term": self.term}

    def _beat(self, said: dict[str, Any]) -> dict[str, Any]:
        return {"standing": self.crews.hear(said["crew"]), "over": self._over}

    def _lost(self, said: dict[str, Any]) -> dict[str, Any]:
        if self.crews.hear(said["crew"]) == "member":
            self._oracle.lose_worker(said["worker"], exit_code=said["exit_code"])
        return {}

    def _leave(self, said: dict[str, Any]) -> dict[str, Any]:
        if self.crews.hear(said["crew"]) == "member":
            self._take_back(said["crew"])
            self.crews.leave(said["crew"])
        return {}


class _Doorkeeper(grpc.ServerInterceptor):  # type: ignore[misc]
    """Refuses whoever has no token, and workers of a crew that did not join or was given up."""

    def __init__(self, token: str, crews: Crews) -> None:
        self._token, self._crews = token, crews

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        headers = dict(details.invocation_metadata)
        if not hmac.compare_digest(headers.get(TOKEN_HEADER, "").encode(), self._token.encode()):
            return _refusal(grpc.StatusCode.UNAUTHENTICATED, "the token is missing or wrong")
        crew = headers.get(CREW_HEADER, "")
        asks_for_trials = not details.method.startswith(f"/{SERVICE}/")
        if crew and asks_for_trials and self._crews.hear(crew) != "member":
            return _refusal(
                grpc.StatusCode.FAILED_PRECONDITION,
                "the chief gave this crew up for silent, or does not know it",
            )
        return continuation(details)


def _refusal(code: grpc.StatusCode, reason: str) -> Any:
    def refuse(_request: Any, context: Any) -> None:
        context.abort(code, reason)

    return grpc.unary_unary_rpc_method_handler(refuse)
