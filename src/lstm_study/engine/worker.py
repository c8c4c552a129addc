"""A worker: trains the jobs it is sent, and sends back their results.

On this machine it is a process (`process_worker.py`), on a Ray cluster an actor (`ray_worker.py`).
It writes none of the study's files: checkpoints and weights go to a scratch folder.
"""

import itertools
import logging
import os
import platform
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lstm_study.analysis.statistics.calibration import fit_temperature
from lstm_study.clock import seconds_running
from lstm_study.corpus.types import Split
from lstm_study.engine.core_sharing import CoreShare
from lstm_study.engine.job_steps import (
    TIMED_REVIEWS,
    evaluation_of,
    send_and_wait,
    starts_of,
    training_of,
)
from lstm_study.engine.jobs import Call, Evaluation, Halt, Job, JobResult, Reviews, Work
from lstm_study.engine.messages import Device, Link, Ready, SetUp, Stopped
from lstm_study.errors import DependencyError, RecordError, StudyError
from lstm_study.training.checkpoint import Checkpoint
from lstm_study.training.failures import NOT_THE_JOBS_FAULT, classify, is_device_lost
from lstm_study.training.memory import freeze_loaded_objects
from lstm_study.training.runtime import (
    Runtime,
    configure,
    population_limit,
    skip_optional_imports,
)

log = logging.getLogger(__name__)


def work(link: Link, device: Device, *, study: Callable[[], Reviews]) -> None:
    """Prepares this process for training, then does jobs until the link ends.

    `study` is called once all is loaded: it waits for what to work on, and returns its reviews.
    """
    share: Callable[[], int] | None = None
    busy: Callable[[], AbstractContextManager[None]] = nullcontext
    if device.cores is not None:
        shared = device.cores
        core_share = CoreShare(shared.descriptor, index=shared.number, cores=shared.cores)
        share, busy = core_share.threads, core_share.busy
    try:
        runtime = configure(
            threads=device.threads,
            gpu=device.gpu,
            workers_on_gpu=device.workers_on_gpu,
            share=share,
            tells_why_no_gpu=bool(device.workers_on_gpu),
        )
        check_gpu(device, runtime)
        load_libraries()
        reviews = study()
        capacity = _capacity(runtime.backend, device, reviews)
        worker = Worker(link, reviews=reviews, scratch=device.scratch, capacity=capacity)
        ready = Ready(backend=runtime.backend, devices=runtime.devices, capacity=capacity)
        link.send(ready)
        while True:
            given: SetUp | Sequence[Work] = link.receive()
            if isinstance(given, SetUp):  # for a later stage of the same study
                link.send(ready)
                continue
            with busy():
                worker.do(given)
    except StudyError as error:
        link.send(Stopped(error=error))


def check_gpu(device: Device, runtime: Runtime) -> None:
    """Makes sure that a worker that was given a GPU uses it.

    Backends fall back to the CPU where CUDA does not start, with a warning that is easily missed,
    and one worker for each GPU would take many times as long there as one for each core.

    Raises:
        DependencyError: It does not.
    """
    if not device.workers_on_gpu or runtime.devices[0].lower() != "cpu":
        return
    hide, log_of = "hide the GPU: set CUDA_VISIBLE_DEVICES to -1", "the study's log"
    if device.gpu is None:  # Ray has given its actor one; the command's machine may have none.
        log_of = "the logs that Ray keeps there"
        hide = (
            "start the node's Ray with --num-gpus 0; KERAS_BACKEND=jax, where the command runs, "
            "trains with JAX"
        )
    raise DependencyError(
        f"{runtime.backend} does not use {device.gpu or 'its GPU'} on {platform.node()}: CUDA did "
        f"not start. Its messages are in {log_of}; lstm-study doctor tries it again. To train on "
        f"the CPU, {hide}."
    )


def _capacity(backend: str, device: Device, reviews: Reviews) -> int:
    """Says how many jobs of one shape class this worker trains at once."""
    if backend != "jax":
        return 1
    largest = max((shape.member_bytes for shape in reviews.classes), default=0)
    if not largest:
        return 1  # networks of a custom builder train alone
    return population_limit(device.population, member_bytes=largest)


def _parameters(model: Any) -> int:
    """Counts a network's trainable numbers."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def load_libraries() -> None:
    """Imports all that training needs, which takes seconds; the dispatcher loads data meanwhile."""
    with skip_optional_imports():
        import lstm_study.training.training  # noqa: F401 - imported to be there
    freeze_loaded_objects()


class Worker:
    """Does jobs, up to `capacity` of one shape class at once.

    Checkpoints and weights are in `scratch` until the dispatcher moves them.
    """

    def __init__(self, link: Link, *, reviews: Reviews, scratch: Path, capacity: int = 1) -> None:
        self._link, self._reviews, self._scratch = link, reviews, scratch
        self._capacity = capacity

    def do(self, jobs: Sequence[Work]) -> None:
        """Does jobs, all of one shape class, and sends each one's last result.

        Where an error takes the GPU from this process for good, it ends: the dispatcher replaces
        it, and the jobs resume in the new one.

        Raises:
            StoreError, DataError: The scratch folder can't be written to, or the test reviews can't
                be read: no fault of the job.
        """
        try:
            self._do(jobs)
        except Exception as error:
            if not is_device_lost(error):
                raise
            log.exception("The GPU can't be used any more: this process ends")
            # Whatever else would still be done at the end would wait for that GPU.
            os._exit(1)

    def _do(self, jobs: Sequence[Work]) -> None:
        first = jobs[0]
        if self._capacity > 1 and isinstance(first, Job) and first.shape is not None:
            from lstm_study.engine.population_jobs import train_together

            train_together(
                [job for job in jobs if isinstance(job, Job)],
                link=self._link,
                reviews=self._reviews,
                scratch=self._scratch,
                capacity=self._capacity,
            )
            return
        for job in jobs:
            try:
                result = self._call(job) if isinstance(job, Call) else self._train(job)
            except NOT_THE_JOBS_FAULT:
                raise
            # Whatever ends a job is classified, logged with its traceback, and kept in its record.
            except Exception as error:
                if is_device_lost(error):
                    raise
                log.exception("%s failed", job.name)
                result = JobResult(name=job.name, failure=classify(error), is_last=True)
            self._link.send(result)

    def _call(self, job: Call) -> JobResult:
        from lstm_study.training.live import CallReporter

        with CallReporter(self._link.send, name=job.name) as tell:
            value = job.function(self._reviews, tell)
        return JobResult(name=job.name, value=value, is_last=True)

    def _train(self, job: Job) -> JobResult:
        """Trains a job from where it stands, halting at each epoch it is evaluated at."""
        latest: list[Checkpoint] = []
        result = JobResult(name=job.name)
        for halt in job.halts:
            if result.evaluation is not None:
                send_and_wait(self._link, result)
            model = self._train_until(halt, job, latest)
            epochs = latest[-1].epochs if latest else ()
            evaluation = self._evaluate(model, halt, job, latest) if halt.run_id else None
            value = self._temperature(model, job) if job.calibrates else None
            result = JobResult(
                name=job.name,
                epochs=epochs,
                evaluation=evaluation,
                value=value,
                parameter_count=_parameters(model) if job.builder is not None else None,
            )
        return replace(result, is_last=True)

    def _temperature(self, model: Any, job: Job) -> float:
        from lstm_study.training.training import predict

        reviews = self._reviews.validation
        return fit_temperature(reviews.labels, predict(model, reviews, job.configuration))

    def _train_until(self, halt: Halt, job: Job, latest: list[Checkpoint]) -> Any:
        """Trains until a halt from the latest checkpoint, else the best one, else from scratch."""
        from lstm_study.training.live import LiveReporter
        from lstm_study.training.training import train

        path = self._scratch / f"{job.name}.npz"

        def on_epoch(checkpoint: Checkpoint) -> None:
            latest[:] = [checkpoint]
            result = JobResult(name=job.name, epochs=checkpoint.epochs, checkpoint=path)
            send_and_wait(self._link, result)

        starts = [(latest[-1], "")] if latest else starts_of(job, halt)
        for start, where in itertools.chain(starts, [(None, "")]):
            latest[:] = [start] if start is not None else []
            try:
                return train(
                    training_of(job, halt),
                    reviews=getattr(self._reviews, job.trains_on),
                    validation=self._reviews.validation if job.validates else None,
                    start=start,
                    save=path,
                    where=where,
                    on_step=LiveReporter(self._link.send, training_id=job.name, epochs=job.epochs),
                    on_epoch=on_epoch,
                )
            except RecordError as error:
                if start is None:
                    raise
                log.warning("%s Training from an earlier epoch.", error)
        raise AssertionError("a training without a start does not fail with a RecordError")

    def _evaluate(self, model: Any, halt: Halt, job: Job, latest: list[Checkpoint]) -> Evaluation:
        from lstm_study.training.training import predict, predict_earlier

        test = self._reviews.request_test(halt.run_id)
        began = seconds_running()
        probabilities = predict(model, test, job.configuration)
        test_seconds = seconds_running() - began
        epochs = latest[-1].epochs if latest else ()
        weights = Checkpoint(epochs=epochs, variables=tuple(model.get_weights()))
        earlier = latest[-1].earlier if latest and halt.last > 1 else ()
        return evaluation_of(
            halt,
            test=test,
            probabilities=probabilities,
            earlier=predict_earlier(model, earlier, test, job.configuration),
            checkpoint=weights,
            scratch=self._scratch,
            test_seconds=test_seconds,
            predict_1000_seconds=self._predict_seconds(model, job),
        )

    def _predict_seconds(self, model: Any, job: Job) -> float:
        """Times predictions for 1,000 training reviews, or for all there are, in proportion.

        After the test reviews were read, so that nothing is left to compile.
        """
        from lstm_study.training.training import predict

        reviews: Split = self._reviews.training
        timed = min(TIMED_REVIEWS, len(reviews))
        some = reviews.select(np.arange(timed))
        began = seconds_running()
        predict(model, some, job.configuration)
        return (seconds_running() - began) * TIMED_REVIEWS / timed
