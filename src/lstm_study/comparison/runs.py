"""Trains one run, and evaluates it: on test, or on validation after each epoch."""

import logging
import time
from dataclasses import replace
from typing import Any

import numpy as np

from lstm_study.analysis.statistics.calibration import fit_temperature
from lstm_study.analysis.statistics.metrics import measure
from lstm_study.comparison.arms import evaluations_due
from lstm_study.comparison.opening import open_test
from lstm_study.corpus.types import Corpus
from lstm_study.errors import RecordError, StoreError
from lstm_study.provenance import now
from lstm_study.records import Epoch, Run
from lstm_study.spec import StudySpec
from lstm_study.store import Store
from lstm_study.training.checkpoint import (
    Checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from lstm_study.training.failures import classify
from lstm_study.training.live import LiveReporter
from lstm_study.training.one import Training, predict, train

log = logging.getLogger(__name__)

_TIMED_REVIEWS = 1_000


def execute(
    run_id: str, *, spec: StudySpec, corpus: Corpus, store: Store, worker: str, command: str
) -> None:
    """Trains a run from its last finished epoch, and evaluates it at each epoch it is due at.

    One training serves the run and, where validation chose another epoch for its arm, the run at
    that epoch: the training halts there, is evaluated, and goes on to the bit. A failure of the
    training is in the records, not raised.

    Args:
        run_id: A run whose record is in the store.
        spec: The study.
        corpus: The reviews.
        store: Where records, predictions and weights go.
        worker: This worker's name.
        command: What the log of test openings calls the command at work.

    Raises:
        StoreError: Records or checkpoints can't be written.
    """
    run = store.read_run(run_id)
    assert run is not None, "the supervisor writes a run's record before handing it out"
    due = [replace(each, worker=worker) for each in evaluations_due(run, store)]
    work = _Work(run, spec=spec, corpus=corpus, store=store, command=command)
    while due:
        current = due.pop(0)
        try:
            ended = work.done(current)
        except StoreError:
            raise
        except Exception as error:
            # Whatever a training dies of is kept with it: the others go on.
            log.exception("Run %s failed", current.run_id)
            failure = classify(error)
            for each in (work.current or current, *due):
                store.write_run(replace(each, status="failed", failure=failure, ended_at=now()))
            break
        store.write_run(ended)
    store.checkpoint_path(run_id).unlink(missing_ok=True)


class _Work:
    """One training, halted at each epoch it is evaluated at.

    Attributes:
        current: The record of the evaluation it trains for, as last written.
    """

    def __init__(
        self, run: Run, *, spec: StudySpec, corpus: Corpus, store: Store, command: str
    ) -> None:
        self._run, self._spec, self._corpus = run, spec, corpus
        self._store, self._command = store, command
        self._path = store.checkpoint_path(run.run_id)
        self.current: Run | None = None

    def done(self, run: Run) -> Run:
        """Trains to the run's epochs, evaluates, and returns the completed record."""
        model = self._train(run)
        assert self.current is not None
        if run.trained_on == "train":
            temperature = self._temperature(model, run)
            return replace(
                self.current, status="completed", ended_at=now(), temperature=temperature
            )
        return self._tested(self.current, model)

    def _train(self, run: Run) -> Any:
        start = self._start(run)
        current = with_epochs(
            replace(run, status="running", failure=None), start.epochs if start else ()
        )
        self._note(current)

        def on_epoch(checkpoint: Checkpoint) -> None:
            self._note(with_epochs(current, checkpoint.epochs))

        leaves_out = run.trained_on == "train"
        return train(
            Training(
                configuration=run.configuration,
                protocol=self._spec.protocol,
                seed=run.seed,
                epochs=run.protocol_epochs,
                masked=run.masked,
                # An arm evaluated at its own epoch is the same training, with the same schedule.
                schedule_epochs=self._spec.search.max_epochs
                if leaves_out
                else self._spec.protocol.epochs,
            ),
            reviews=self._corpus.train if leaves_out else self._corpus.training,
            validation=self._corpus.validation if leaves_out else None,
            start=start,
            save=self._path,
            where=str(self._path),
            on_step=LiveReporter(
                self._store,
                worker=run.worker,
                training_id=self._run.run_id,
                epochs=max(self._run.protocol_epochs, self._run.own_epoch or 0),
            ),
            on_epoch=on_epoch,
        )

    def _temperature(self, model: Any, run: Run) -> float:
        reviews = self._corpus.validation
        return fit_temperature(reviews.labels, predict(model, reviews, run.configuration))

    def _note(self, run: Run) -> None:
        self.current = run
        self._store.write_run(run)

    def _start(self, run: Run) -> Checkpoint | None:
        """Reads the training's checkpoint; one that can't be used costs time, not truth."""
        try:
            checkpoint = read_checkpoint(self._path)
        except RecordError as error:
            log.warning("%s Training it again.", error)
            return None
        if checkpoint is not None and len(checkpoint.epochs) > run.protocol_epochs:
            return None
        return checkpoint

    def _tested(self, run: Run, model: Any) -> Run:
        test = open_test(self._corpus, self._store, run_id=run.run_id, command=self._command)
        began = time.perf_counter()
        probabilities = predict(model, test, run.configuration)
        test_seconds = time.perf_counter() - began
        found = measure(test.labels, probabilities)
        predict_seconds = self._predict_seconds(model)
        self._store.write_predictions(run.run_id, probabilities, test.labels)
        write_checkpoint(
            self._store.weights_path(run.run_id),
            Checkpoint(epochs=run.epochs, variables=tuple(model.get_weights())),
        )
        return replace(
            run,
            status="completed",
            test_accuracy=found.accuracy,
            test_loss=found.log_loss,
            test_roc_auc=found.roc_auc,
            test_f1=found.f1,
            test_brier_score=found.brier_score,
            test_calibration_error=found.calibration_error,
            test_seconds=test_seconds,
            test_reviews=len(test),
            predict_1000_seconds=predict_seconds,
            ended_at=now(),
        )

    def _predict_seconds(self, model: Any) -> float:
        """Times the reading of 1,000 training reviews, or of as many as there are, in proportion.

        After the test reviews were read, so that nothing is left to compile.
        """
        reviews = self._corpus.training
        timed = min(_TIMED_REVIEWS, len(reviews))
        some = reviews.select(np.arange(timed))
        began = time.perf_counter()
        predict(model, some, self._run.configuration)
        return (time.perf_counter() - began) * _TIMED_REVIEWS / timed


def with_epochs(run: Run, epochs: tuple[Epoch, ...]) -> Run:
    """Returns a run's record with its history, and the time that took."""
    seconds = sum(epoch.train_seconds + epoch.validation_seconds for epoch in epochs)
    return replace(run, epochs=epochs, seconds=seconds)
