"""A worker's jobs of one shape class, trained together as a population."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from lstm_study.analysis.statistics.calibration import fit_temperature
from lstm_study.corpus.types import Split
from lstm_study.engine.job_steps import (
    TIMED_REVIEWS,
    evaluation_of,
    send_and_wait,
    starts_of,
    training_of,
)
from lstm_study.engine.jobs import Evaluation, Halt, Job, JobResult, Reviews
from lstm_study.engine.messages import Link, MoreJobs
from lstm_study.records.state import Live
from lstm_study.training.checkpoint import Checkpoint
from lstm_study.training.epochs import Step
from lstm_study.training.failures import NOT_THE_JOBS_FAULT, classify, is_device_lost
from lstm_study.training.live import LiveReporter
from lstm_study.training.member_state import checkpoint_shapes, own_weights
from lstm_study.training.members import Ended, Member
from lstm_study.training.population import train_population

log = logging.getLogger(__name__)


def train_together(
    jobs: Sequence[Job], *, link: Link, reviews: Reviews, scratch: Path, capacity: int
) -> None:
    """Trains jobs to their last halts, and sends each one's last result.

    While some are trained and places are free, more jobs of their class are asked for: promotions
    begin as soon as they are due.

    Checkpoints and weights are in `scratch` until the dispatcher moves them.

    Raises:
        StoreError, DataError: The scratch folder can't be written to, or the test reviews can't be
            read: no fault of a job.
    """
    first = jobs[0]
    assert first.shape is not None
    together = _PopulationJobs(link, reviews, scratch, like=first)
    try:
        train_population(
            [together.begin(job) for job in jobs],
            shape=first.shape,
            reviews=getattr(reviews, first.trains_on),
            validation=reviews.validation if first.validates else None,
            capacity=capacity,
            more=together.more,
        )
    except NOT_THE_JOBS_FAULT:
        raise
    # An error that ends all of them is kept in each one's record.
    except Exception as error:
        if is_device_lost(error):
            raise
        log.exception("A population failed")
        together.fail(error)


class _PopulationJobs:
    """The jobs in progress, and what is sent of them."""

    def __init__(self, link: Link, reviews: Reviews, scratch: Path, *, like: Job) -> None:
        self._link, self._reviews, self._scratch, self._like = link, reviews, scratch, like
        self._at_work: dict[str, Job] = {}
        self._to_go_on: list[Member] = []
        self._test: Split | None = None
        self._opened_by: set[str] = set()

    def begin(self, job: Job) -> Member:
        """Returns the member that a job is until its first halt."""
        self._at_work[job.name] = job
        start, where = _best_start(job)
        return self._member(job, 0, start, where)

    def more(self, free: int) -> list[Member]:
        """Returns jobs that resume after a halt, and new ones while others are in progress."""
        members, self._to_go_on = self._to_go_on, []
        free -= len(members)
        if free > 0 and self._at_work:
            # A worker without jobs in progress is given new ones without asking.
            self._link.send(MoreJobs(like=self._like.shape_class, limit=free))
            members += [self.begin(job) for job in self._link.receive()]
        return members

    def fail(self, error: Exception) -> None:
        """Ends all jobs in progress with an error."""
        for name in list(self._at_work):
            self._send_last(JobResult(name=name, failure=classify(error), is_last=True))

    def _member(self, job: Job, halt: int, start: Checkpoint | None, where: str) -> Member:
        path = self._scratch / f"{job.name}.npz"

        def on_epoch(checkpoint: Checkpoint) -> None:
            result = JobResult(name=job.name, epochs=checkpoint.epochs, checkpoint=path)
            send_and_wait(self._link, result)

        return Member(
            training=training_of(job, job.halts[halt]),
            start=start,
            save=path,
            where=where,
            on_step=_Reporter(self._link, self._at_work, job),
            on_epoch=on_epoch,
            on_end=lambda ended: self._end(job, halt, ended),
            reads=self._reads(job, job.halts[halt]),
        )

    def _reads(self, job: Job, halt: Halt) -> Callable[[], Split] | None:
        if halt.run_id:
            return lambda: self._open_test(halt.run_id)
        return (lambda: self._reviews.validation) if job.calibrates else None

    def _open_test(self, run_id: str) -> Split:
        # Each opening is logged, once where a lack of memory has the reviews read again; what is
        # opened is read once for all members that end together.
        if run_id not in self._opened_by:
            test = self._reviews.request_test(run_id)
            self._test = self._test or test
            self._opened_by.add(run_id)
        assert self._test is not None
        return self._test

    def _end(self, job: Job, halt: int, ended: Ended) -> None:
        if ended.error is not None:
            log.error("%s failed", job.name, exc_info=ended.error)
            failed = JobResult(name=job.name, failure=classify(ended.error), is_last=True)
            self._send_last(failed)
            return
        epochs = ended.checkpoint.epochs if ended.checkpoint else ()
        is_tested = ended.split is not None and job.halts[halt].run_id
        evaluation = self._evaluation(job, job.halts[halt], ended) if is_tested else None
        value = None
        # Never fitted on the test reviews, only on validation.
        is_validation = ended.split is not None and not is_tested
        if job.calibrates and is_validation and ended.probabilities is not None:
            assert ended.split is not None
            value = fit_temperature(ended.split.labels, ended.probabilities)
        result = JobResult(name=job.name, epochs=epochs, evaluation=evaluation, value=value)
        if halt + 1 == len(job.halts):
            self._send_last(replace(result, is_last=True))
            return
        if evaluation is not None:
            send_and_wait(self._link, result)
        self._to_go_on.append(self._member(job, halt + 1, ended.checkpoint, ""))

    def _send_last(self, result: JobResult) -> None:
        del self._at_work[result.name]
        self._link.send(result)

    def _evaluation(self, job: Job, halt: Halt, ended: Ended) -> Evaluation:
        assert ended.checkpoint is not None and ended.split is not None
        assert ended.probabilities is not None
        variables = own_weights(ended.checkpoint.variables, job.configuration)
        return evaluation_of(
            halt,
            test=ended.split,
            probabilities=ended.probabilities,
            earlier=ended.earlier if halt.last > 1 else (),
            checkpoint=Checkpoint(epochs=ended.checkpoint.epochs, variables=variables),
            scratch=self._scratch,
            test_seconds=ended.read_seconds,
            # A share of the time in which all members read the test reviews.
            predict_1000_seconds=ended.read_seconds * TIMED_REVIEWS / len(ended.split),
        )


class _Reporter:
    """Reports the progress of the first of the jobs, at the pace of one of them."""

    def __init__(self, link: Link, at_work: dict[str, Job], job: Job) -> None:
        self._link, self._at_work, self._job = link, at_work, job
        self._report = LiveReporter(self._send, training_id=job.name, epochs=job.epochs)

    def __call__(self, step: Step) -> None:
        if next(iter(self._at_work)) == self._job.name:
            self._report(step)

    def _send(self, live: Live) -> None:
        # All train at once: one that trained alone at their common pace would take a share.
        self._link.send(replace(live, timed_seconds=live.timed_seconds / len(self._at_work)))


def _best_start(job: Job) -> tuple[Checkpoint | None, str]:
    """Returns the first checkpoint that is this job's network's, and where it is."""
    expected = checkpoint_shapes(job.configuration)
    for start, where in starts_of(job, job.halts[0]):
        if [array.shape for array in start.variables] == expected:
            return start, where
        log.warning("%s: holds another network's weights. Training from an earlier epoch.", where)
    return None, ""
