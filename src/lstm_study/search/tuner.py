"""The worker's side of the search: Keras Tuner's search loop around our training."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import grpc
import keras_tuner
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_client import OracleClient
from keras_tuner.src.engine.trial import Trial as TunerTrial
from keras_tuner.src.engine.trial import TrialStatus

from lstm_study.corpus.types import Corpus
from lstm_study.errors import StoreError
from lstm_study.model.space import LSTMHyperModel
from lstm_study.records.state import Live
from lstm_study.search.trial import run_trial
from lstm_study.search.wire import CHANNEL_OPTIONS, CREW_HEADER, TOKEN_HEADER
from lstm_study.spec import StudySpec
from lstm_study.store import Store

_IDLE_SECONDS = 0.5
_SIGN_SECONDS = 5.0


class StudyTuner(keras_tuner.Tuner):  # type: ignore[misc]
    """Trains the trials that a chief hands out, each with its record.

    Args:
        address: The chief's "host:port".
        token: What the chief asks for.
        spec: The study.
        corpus: The reviews.
        store: Where the records are.
        worker: This worker's name.
        crew: The crew elsewhere that it belongs to; "" for the chief's own workers.
        at_work: Entered while a trial trains.
    """

    def __init__(
        self,
        *,
        address: str,
        token: str,
        spec: StudySpec,
        corpus: Corpus,
        store: Store,
        worker: str,
        crew: str = "",
        at_work: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._at_work = at_work
        self._spec, self._corpus, self._store, self._worker = spec, corpus, store, worker
        self._next_sign = 0.0
        placeholder = keras_tuner.oracles.HyperbandOracle(
            objective=keras_tuner.Objective(spec.study.objective, spec.study.direction),
            seed=spec.study.seed,
        )
        super().__init__(
            oracle=placeholder,
            hypermodel=LSTMHyperModel(spec.space, spec.protocol, seed=spec.study.seed),
            directory=str(store.folder),
            project_name="checkpoints",
            tuner_id=worker,
        )
        self.oracle = ChiefClient(
            placeholder,
            address=address,
            token=token,
            worker=worker,
            crew=crew,
            on_idle=self._give_sign,
        )

    def run_trial(self, trial: TunerTrial, *_: Any, **__: Any) -> dict[str, float]:
        """Trains the trial that the record of this id describes.

        Keras Tuner's own values crossed the wire as 32-bit floats; the record is exact.

        Raises:
            keras_tuner.errors.FailedTrialError: The training failed; the record says how.
            keras_tuner.errors.FatalError: Records can't be read or written.
        """
        try:
            record = self._store.read_trial(trial.trial_id)
            assert record is not None, "the chief writes a trial's record before handing it out"
            with self._at_work():
                ended = run_trial(
                    record,
                    spec=self._spec,
                    corpus=self._corpus,
                    store=self._store,
                    worker=self._worker,
                )
        except StoreError as error:
            raise keras_tuner.errors.FatalError(str(error)) from error
        if ended.failure is not None:
            raise keras_tuner.errors.FailedTrialError(ended.failure.message)
        assert ended.score is not None
        return {self._spec.study.objective: ended.score}

    def save(self) -> None:
        """Writes nothing: the records are the state."""

    def reload(self) -> None:
        """Reads nothing: the records are the state."""

    def _give_sign(self) -> None:
        """Lets the supervisor know that this worker waits, and does not hang."""
        moment = time.monotonic()
        if moment >= self._next_sign:
            self._next_sign = moment + _SIGN_SECONDS
            self._store.write_live(self._worker, Live())

    def _populate_initial_space(self) -> None:
        """Builds nothing: the chief declared the space."""


class ChiefClient(OracleClient):  # type: ignore[misc]
    """Keras Tuner's client with a token, an address that is given, and patience between polls."""

    def __init__(
        self,
        oracle: Any,
        *,
        address: str,
        token: str,
        worker: str,
        crew: str = "",
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        # Not OracleClient's own: it reads the address from the environment and sends no token.
        self._oracle, self._on_idle = oracle, on_idle
        channel = grpc.intercept_channel(
            grpc.insecure_channel(address, options=CHANNEL_OPTIONS), _SendToken(token, crew)
        )
        self.stub = protos.get_service_grpc().OracleStub(channel)
        self.tuner_id = worker
        self.multi_worker = False
        self.should_report = True

    def create_trial(self, tuner_id: str) -> TunerTrial:
        """Asks for a trial; an idle answer comes back after a pause, for the loop asks again."""
        trial = super().create_trial(tuner_id)
        if trial.status == TrialStatus.IDLE:
            self._on_idle()
            time.sleep(_IDLE_SECONDS)
        return trial


class _SendToken(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    def __init__(self, token: str, crew: str) -> None:
        self._metadata = ((TOKEN_HEADER, token), (CREW_HEADER, crew))

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(_Details(details, self._metadata), request)


class _Details(grpc.ClientCallDetails):  # type: ignore[misc]
    def __init__(self, details: Any, metadata: tuple[tuple[str, str], ...]) -> None:
        self.method, self.timeout = details.method, details.timeout
        self.credentials, self.wait_for_ready = details.credentials, details.wait_for_ready
        self.compression = details.compression
        self.metadata = metadata
