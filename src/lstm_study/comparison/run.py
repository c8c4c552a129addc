"""Trains one run on all training reviews, and evaluates it once on the test half."""

import logging
import time
from dataclasses import replace

from lstm_study.corpus.types import Corpus
from lstm_study.errors import RecordError, StoreError
from lstm_study.provenance import now
from lstm_study.records import Epoch, Opening, Run
from lstm_study.spec import StudySpec
from lstm_study.store import Store
from lstm_study.training.checkpoint import (
    Checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from lstm_study.training.failures import classify
from lstm_study.training.fit import Training, evaluate, predict, train
from lstm_study.training.live import LiveReporter

log = logging.getLogger(__name__)


def execute(
    run_id: str, *, spec: StudySpec, corpus: Corpus, store: Store, worker: str, command: str
) -> Run:
    """Trains a run to its protocol's epochs, from its last finished one, and evaluates it.

    A failure of the training is in the record, not raised.

    Args:
        run_id: A run whose record is in the store.
        spec: The study.
        corpus: The reviews; all training reviews are trained on, validation included.
        store: Where records, predictions and weights go.
        worker: This worker's name.
        command: What the log of test openings calls the command at work.

    Raises:
        StoreError: Records or checkpoints can't be written.
    """
    run = store.read_run(run_id)
    assert run is not None, "the supervisor writes a run's record before handing it out"
    path = store.checkpoint_path(run_id)
    start = _start(run, store)
    current = _with_epochs(
        replace(run, status="running", worker=worker, failure=None), start.epochs if start else ()
    )
    store.write_run(current)

    def on_epoch(checkpoint: Checkpoint) -> None:
        nonlocal current
        current = _with_epochs(current, checkpoint.epochs)
        store.write_run(current)

    try:
        model = train(
            Training(
                configuration=run.configuration,
                protocol=spec.protocol,
                seed=run.seed,
                epochs=run.protocol_epochs,
            ),
            reviews=corpus.training,
            validation=None,
            start=start,
            save=path,
            where=str(path),
            on_step=LiveReporter(
                store, worker=worker, training_id=run_id, epochs=run.protocol_epochs
            ),
            on_epoch=on_epoch,
        )
        test = corpus.open_test(
            on_open=lambda: store.add_opening(
                Opening(opened_at=now(), command=command, run_id=run_id)
            )
        )
        began = time.perf_counter()
        probabilities = predict(model, test, run.configuration)
        test_seconds = time.perf_counter() - began
        test_loss, test_accuracy = evaluate(probabilities, test.labels)
        store.write_predictions(run_id, probabilities, test.labels)
        write_checkpoint(
            store.weights_path(run_id),
            Checkpoint(epochs=current.epochs, variables=tuple(model.get_weights())),
        )
    except StoreError:
        raise
    except Exception as error:
        log.exception("Run %s failed", run_id)
        ended = replace(current, status="failed", failure=classify(error), ended_at=now())
    else:
        ended = replace(
            current,
            status="completed",
            test_accuracy=test_accuracy,
            test_loss=test_loss,
            test_seconds=test_seconds,
            test_reviews=len(test),
            ended_at=now(),
        )
    store.write_run(ended)
    path.unlink(missing_ok=True)
    return ended


def _start(run: Run, store: Store) -> Checkpoint | None:
    """Reads the run's checkpoint; a torn one costs time, not truth."""
    try:
        checkpoint = read_checkpoint(store.checkpoint_path(run.run_id))
    except RecordError as error:
        log.warning("%s Training it again.", error)
        return None
    return checkpoint


def _with_epochs(run: Run, epochs: tuple[Epoch, ...]) -> Run:
    seconds = sum(epoch.train_seconds + epoch.validation_seconds for epoch in epochs)
    return replace(run, epochs=epochs, seconds=seconds)
