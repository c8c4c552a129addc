"""Trains one trial and keeps its record true while it does."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from lstm_study.corpus.types import Corpus
from lstm_study.errors import RecordError, StoreError
from lstm_study.provenance import now
from lstm_study.records import Epoch, Trial
from lstm_study.spec import StudySpec
from lstm_study.store import Store
from lstm_study.training.checkpoint import Checkpoint, read_checkpoint
from lstm_study.training.failures import classify
from lstm_study.training.live import LiveReporter
from lstm_study.training.one import Training, train

log = logging.getLogger(__name__)


def run_trial(trial: Trial, *, spec: StudySpec, corpus: Corpus, store: Store, worker: str) -> Trial:
    """Trains a trial to its budget, from wherever it stands, and returns its final record.

    It goes on from its own last finished epoch, else from its parent's last, to the bit; as soon as
    it has a checkpoint of its own, its parent's is deleted. A failure of the training is in the
    record, not raised.

    Raises:
        StoreError: Records or checkpoints can't be written: no fault of the configuration.
    """
    start, where = _start(trial, store)
    began = replace(
        trial, status="running", worker=worker, started_at=trial.started_at or now(), failure=None
    )
    current = _with_epochs(began, start.epochs if start else ())
    store.write_trial(current)

    def delete_parents() -> None:
        if trial.parent is not None:
            store.checkpoint_path(trial.parent).unlink(missing_ok=True)

    def on_epoch(checkpoint: Checkpoint) -> None:
        nonlocal current
        current = _with_epochs(began, checkpoint.epochs)
        store.write_trial(current)
        delete_parents()

    if where == str(store.checkpoint_path(trial.trial_id)):
        delete_parents()

    try:
        train(
            Training(
                configuration=trial.configuration,
                protocol=spec.protocol,
                seed=trial.seed,
                epochs=trial.budget_epochs,
                masked=trial.masked,
                schedule_epochs=spec.search.max_epochs,
            ),
            reviews=corpus.train,
            validation=corpus.validation,
            start=start,
            save=store.checkpoint_path(trial.trial_id),
            where=where,
            on_step=LiveReporter(
                store, worker=worker, training_id=trial.trial_id, epochs=trial.budget_epochs
            ),
            on_epoch=on_epoch,
            before_save=store.check_term,
        )
    except StoreError:
        raise
    # Whatever ends a training is classified, logged with its traceback, and kept in its record.
    except Exception as error:
        log.exception("Trial %s failed", trial.trial_id)
        ended = replace(current, status="failed", failure=classify(error), ended_at=now())
    else:
        ended = completed(current, spec)
    store.write_trial(ended)
    return ended


def completed(trial: Trial, spec: StudySpec) -> Trial:
    """Returns a fully trained trial's record with its scores."""
    values = [score_of(epoch, spec.study.objective) for epoch in trial.epochs]
    best = max(values) if spec.study.direction == "max" else min(values)
    return replace(
        trial,
        status="completed",
        score=values[-1] if spec.search.score == "last_epoch" else best,
        score_last_epoch=values[-1],
        score_best_epoch=best,
        ended_at=now(),
    )


def score_of(epoch: Epoch, objective: str) -> float:
    """Returns the objective's value in an epoch."""
    values: Mapping[str, float | None] = {
        "validation_accuracy": epoch.validation_accuracy,
        "validation_loss": epoch.validation_loss,
    }
    value = values[objective]
    assert value is not None, "a trial is validated after every epoch"
    return value


def _start(trial: Trial, store: Store) -> tuple[Checkpoint | None, str]:
    """Finds where to go on from: the trial's own checkpoint, its parent's, or the beginning.

    A torn checkpoint costs time, not truth: the training it held is done again, to the bit.
    """
    for training_id in (trial.trial_id, trial.parent):
        if training_id is None:
            continue
        path = store.checkpoint_path(training_id)
        try:
            checkpoint = read_checkpoint(path)
        except RecordError as error:
            log.warning("%s Training it again.", error)
            continue
        if checkpoint is not None and len(checkpoint.epochs) <= trial.budget_epochs:
            return checkpoint, str(path)
    return None, ""


def _with_epochs(trial: Trial, epochs: tuple[Epoch, ...]) -> Trial:
    own = epochs[trial.initial_epoch :]
    seconds = sum(epoch.train_seconds + epoch.validation_seconds for epoch in own)
    return replace(trial, epochs=own, seconds=seconds)
