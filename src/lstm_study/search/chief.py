"""The supervisor's side of the search: Keras Tuner's gRPC service on loopback, with a token."""

import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer

from lstm_study.errors import SearchError
from lstm_study.search.oracle import RecordedHyperband

TOKEN_HEADER = "authorization"  # noqa: S105 - the name of the header, not a secret
_THREADS = 4


class Chief:
    """Serves an oracle to workers while the `with` block lasts.

    Keras Tuner's own server listens without asking who calls, and looks for its end every 20
    seconds; this one is Keras Tuner's service in a server of ours.

    Args:
        oracle: What to serve.
        host: The address to listen on; loopback unless there is a reason.
    """

    def __init__(self, oracle: RecordedHyperband, *, host: str = "127.0.0.1") -> None:
        self.token = secrets.token_urlsafe(32)
        self._server = grpc.server(
            ThreadPoolExecutor(max_workers=_THREADS), interceptors=[_AskForToken(self.token)]
        )
        protos.get_service_grpc().add_OracleServicer_to_server(OracleServicer(oracle), self._server)
        port = self._server.add_insecure_port(f"{host}:0")
        if port == 0:
            raise SearchError(f"No port of {host} can be listened on. Free one, then run it again.")
        self.address = f"{host}:{port}"

    def __enter__(self) -> "Chief":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(grace=None)


class _AskForToken(grpc.ServerInterceptor):  # type: ignore[misc]
    def __init__(self, token: str) -> None:
        self._token = token

        def refuse(_request: Any, context: Any) -> None:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is missing or wrong")

        self._refusal = grpc.unary_unary_rpc_method_handler(refuse)

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        sent = dict(details.invocation_metadata).get(TOKEN_HEADER, "")
        if hmac.compare_digest(sent, self._token):
            return continuation(details)
        return self._refusal
