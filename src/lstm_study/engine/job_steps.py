"""The steps that a job trained alone and the jobs of a population share."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.types import Split
from lstm_study.engine.jobs import Evaluation, Halt, Job, JobResult
from lstm_study.engine.messages import Link, Reply
from lstm_study.errors import RecordError
from lstm_study.records.consistency import of_history
from lstm_study.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint

if TYPE_CHECKING:
    from lstm_study.training.training import Training

TIMED_REVIEWS = 1_000

log = logging.getLogger(__name__)


def evaluation_of(
    halt: Halt,
    *,
    test: Split,
    probabilities: NDArray[np.float32],
    earlier: Sequence[NDArray[np.float32]],
    checkpoint: Checkpoint,
    scratch: Path,
    test_seconds: float,
    predict_1000_seconds: float,
) -> Evaluation:
    """Returns what a run's predictions on test were, and writes its weights.

    Args:
        halt: The run, and its epoch.
        test: The test reviews.
        probabilities: Of their positive label, float32 [reviews].
        earlier: Likewise, of the epochs before the last whose mean is evaluated beside it.
        checkpoint: The history, and the network's own weights.
        scratch: Where the weights are until the dispatcher moves them.
        test_seconds: What predicting all test reviews took.
        predict_1000_seconds: What predicting 1,000 reviews takes.
    """
    weights = scratch / f"{halt.run_id}-weights.npz"
    write_checkpoint(weights, checkpoint)
    return Evaluation(
        run_id=halt.run_id,
        probabilities=probabilities,
        labels=np.asarray(test.labels),
        weights=weights,
        test_seconds=test_seconds,
        predict_1000_seconds=predict_1000_seconds,
        mean_probabilities=mean_probabilities(earlier, probabilities),
    )


def mean_probabilities(
    earlier: Sequence[NDArray[np.float32]], last: NDArray[np.float32]
) -> NDArray[np.float32] | None:
    """Returns the mean probability of several epochs; None where there is only the last."""
    if not earlier:
        return None
    mean: NDArray[np.float64] = np.stack([*earlier, last]).mean(axis=0, dtype=np.float64)
    return mean.astype(np.float32)


def send_and_wait(link: Link, result: JobResult) -> None:
    """Sends a result, and waits until it is recorded and its files are moved."""
    link.send(result)
    reply = link.receive()
    assert isinstance(reply, Reply), f"a result is answered by a reply, not by {reply!r}"


def training_of(job: Job, halt: Halt) -> "Training":
    """Returns what a job trains until one of its halts."""
    from lstm_study.training.training import Training

    return Training(
        configuration=job.configuration,
        protocol=job.protocol,
        seed=job.seed,
        epochs=halt.epochs,
        masked=job.masked,
        keeps=job.keeps,
        schedule_epochs=job.schedule_epochs,
        builder=job.builder,
    )


def starts_of(job: Job, halt: Halt) -> Iterator[tuple[Checkpoint, str]]:
    """Reads the checkpoints that a job can start from.

    One that is damaged or of another training is passed over.
    """
    for path in job.starts:
        try:
            checkpoint = read_checkpoint(path)
            if checkpoint is not None and (reason := of_history(checkpoint.epochs, job.history)):
                raise RecordError(f"{path}: {reason}.")
        except RecordError as error:
            log.warning("%s Training from an earlier epoch.", error)
            continue
        if checkpoint is not None and len(checkpoint.epochs) <= halt.epochs:
            yield checkpoint, str(path)
