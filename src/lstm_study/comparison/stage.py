"""The comparison as a stage: runs out as jobs, results into records, predictions and weights."""

import math
from collections.abc import Callable, Hashable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.planned_arms import epochs_of
from lstm_study.arm_names import CONTROL, LAST_EPOCHS, TEST_REVIEWS
from lstm_study.comparison.arms import (
    ComparisonPlan,
    evaluations_due,
    last_epochs_run,
    own_epoch_run,
)
from lstm_study.comparison.classical_control import ControlResult, train_control
from lstm_study.comparison.jobs import Due, Jobs
from lstm_study.comparison.review_facts import (
    FoundFacts,
    facts_to_find,
    find_facts,
    review_facts_of,
)
from lstm_study.corpus.types import Corpus
from lstm_study.engine.classes import Classes
from lstm_study.engine.dispatch import Context, dispatch
from lstm_study.engine.jobs import Call, Evaluation, Halt, Job, JobResult, Work
from lstm_study.engine.protocols import Engine
from lstm_study.errors import ComparisonError
from lstm_study.metrics import test_fields
from lstm_study.progress.follow import Follower, Item, item_of
from lstm_study.progress.values import Report
from lstm_study.provenance import now
from lstm_study.records import Control, Epoch, Failure, NearDuplicates, Run
from lstm_study.spec import StudySpec
from lstm_study.store import Store


def run_comparison(
    plan: ComparisonPlan,
    spec: StudySpec,
    store: Store,
    *,
    start_engine: Callable[[int], AbstractContextManager[Engine]],
    corpus: Corpus,
    context: Context,
    report: Report,
) -> None:
    """Does all that a comparison plans, skipping what is done.

    `start_engine` is called with the number of trainings, if any is left; `report` with the
    progress a few times a second.

    Raises:
        SearchError: No worker can train.
        ComparisonError: The arms are not those that the comparison began with.
    """
    jobs = Jobs(plan, spec=spec, store=store)
    if jobs.is_done:
        return
    stage = ComparisonStage(plan, jobs, spec=spec, store=store, corpus=corpus, report=report)
    with start_engine(max(1, len(jobs.planned_runs))) as engine:
        engine.set_up(spec, corpus)
        dispatch(stage, engine, store=store, corpus=corpus, context=context)


class ComparisonStage:
    """A `Stage` that hands out what is due in a comparison until nothing is."""

    name = "compare"

    def __init__(
        self,
        plan: ComparisonPlan,
        jobs: Jobs,
        *,
        spec: StudySpec,
        store: Store,
        corpus: Corpus,
        report: Report,
    ) -> None:
        self._plan, self._jobs, self._spec, self._store = plan, jobs, spec, store
        self._corpus, self._report = corpus, report
        self._classes = Classes(spec)
        self._at_work: dict[str, list[Run]] = {}
        """The runs that each training, by its job's name, is still to be evaluated as."""
        self._follower = Follower(
            store,
            stage="compare",
            title="Comparison",
            items=_items(store.read_runs(), store),
        )

    @property
    def backlog(self) -> int:
        """How many jobs are due now."""
        return sum(due.name not in self._at_work for due in self._jobs.waiting())

    def due(self, worker: str, limit: int, *, like: Hashable = None) -> list[Work]:
        """Hands out the first job that is due, and others of its shape class."""
        waiting = [due for due in self._jobs.waiting() if due.name not in self._at_work]
        if waiting and like is None:
            like = self._class_of(waiting[0])
        alike = [due for due in waiting if self._class_of(due) == like]
        return [self._begin(due, worker) for due in alike[:limit]]

    def take(self, result: JobResult, *, worker: str) -> None:
        """Records a job's result; deletes its checkpoint once it has ended."""
        if result.name == CONTROL:
            self._take_control(result, worker)
        elif result.name == TEST_REVIEWS:
            self._take_facts(result)
        else:
            self._take_run(result)
        if result.is_last:
            del self._at_work[result.name]

    def take_back(self, name: str) -> None:
        """Takes back a job whose worker was lost."""
        del self._at_work[name]

    def tick(self, seconds: float) -> bool:
        """Reports progress."""
        self._report(
            self._follower.progress(
                seconds,
                items=_items(self._store.read_runs(), self._store),
                total=self._plan.trainings,
                best="",
            )
        )
        return True

    def _class_of(self, due: Due) -> Hashable:
        """Returns a job's shape class, as `engine/jobs.py` has it, before it is made."""
        shape = self._classes.of(due.run.configuration) if due.run is not None else None
        return (shape, due.run.trained_on) if due.run is not None and shape else due.name

    def _begin(self, due: Due, worker: str) -> Work:
        self._at_work[due.name] = []
        if due.run is not None:
            return self._begin_run(due.run, worker)
        if due.name == CONTROL:
            self._store.write(Control(worker=worker, started_at=now()))
            return Call(name=CONTROL, function=partial(train_control, spec=self._spec))
        wanted = facts_to_find(
            self._store.read_all(),
            spec=self._spec,
            counts_near_duplicates=self._store.read(NearDuplicates) is None,
        )
        return Call(name=TEST_REVIEWS, function=partial(find_facts, wanted=wanted))

    def _begin_run(self, planned: Run, worker: str) -> Job:
        run = self._jobs.begun(planned)
        due = [replace(each, worker=worker) for each in evaluations_due(run, self._store)]
        self._at_work[run.run_id] = due
        self._store.write(replace(due[0], status="running", failure=None))
        is_tested = run.trained_on != "train"
        checkpoint = self._store.checkpoint_path(run.run_id)
        return Job(
            name=run.run_id,
            configuration=run.configuration,
            protocol=self._spec.protocol,
            seed=run.seed,
            masked=run.masked,
            trains_on=run.trained_on,
            validates=not is_tested,
            halts=tuple(
                Halt(
                    epochs=each.protocol_epochs,
                    run_id=each.run_id if is_tested else "",
                    last=LAST_EPOCHS if is_tested and last_epochs_run(each) is not None else 1,
                )
                for each in due
            ),
            starts=(checkpoint,) if checkpoint.is_file() else (),
            history=due[0].epochs,
            # An arm at its own epoch is the same training, with the same schedule.
            schedule_epochs=epochs_of(run.arm, self._spec) if is_tested else run.protocol_epochs,
            calibrates=not is_tested,
            shape=self._classes.of(run.configuration),
            builder=self._spec.builder,
        )

    def _take_run(self, result: JobResult) -> None:
        due = self._at_work[result.name]
        if result.checkpoint is not None:
            self._store.adopt(result.checkpoint, self._store.checkpoint_path(result.name))
        if result.epochs and due:
            due[0] = with_epochs(replace(due[0], status="running", failure=None), result.epochs)
        if result.parameter_count is not None and due:
            due[0] = replace(due[0], parameter_count=result.parameter_count)
        if result.failure is not None:
            self._fail(due, result.failure)
        elif result.evaluation is not None:
            self._store.write(self._evaluated(due.pop(0), result.evaluation))
        elif result.is_last:
            self._store.write(
                replace(due.pop(0), status="completed", ended_at=now(), temperature=result.value)
            )
        else:
            self._store.write(due[0])
        if result.is_last:
            self._store.checkpoint_path(result.name).unlink(missing_ok=True)

    def _evaluated(self, run: Run, evaluation: Evaluation) -> Run:
        """Writes predictions and weights, and returns the completed record."""
        assert evaluation.run_id == run.run_id
        self._store.adopt(evaluation.weights, self._store.weights_path(run.run_id))
        mean, last = evaluation.mean_probabilities, last_epochs_run(run)
        if mean is not None and last is not None:
            # Before the run's own record: a run without a record is evaluated again, and these with
            # it.
            self._store.write(self._measured(last, mean, evaluation))
        return self._measured(run, evaluation.probabilities, evaluation)

    def _measured(
        self, run: Run, probabilities: NDArray[np.float32], evaluation: Evaluation
    ) -> Run:
        self._store.write_predictions(run.run_id, probabilities, evaluation.labels)
        return replace(
            run,
            status="completed",
            **test_fields(evaluation.labels, probabilities),
            test_seconds=evaluation.test_seconds,
            test_reviews=len(evaluation.labels),
            predict_1000_seconds=evaluation.predict_1000_seconds,
            ended_at=now(),
        )

    def _fail(self, due: Iterable[Run], failure: Failure) -> None:
        """Marks every run that the training was still to be evaluated as failed."""
        for each in due:
            self._store.write(replace(each, status="failed", failure=failure, ended_at=now()))

    def _take_control(self, result: JobResult, worker: str) -> None:
        record = self._store.read(Control) or Control(worker=worker, started_at=now())
        if result.failure is not None:
            record = replace(record, status="failed", failure=result.failure, ended_at=now())
        else:
            trained: ControlResult = result.value
            self._store.write_predictions(CONTROL, trained.probabilities, trained.labels)
            record = replace(
                trained.control, worker=worker, started_at=record.started_at, ended_at=now()
            )
        self._store.write(record)

    def _take_facts(self, result: JobResult) -> None:
        if result.failure is not None:
            raise ComparisonError(
                f"{self._store.folder}: the test reviews could not be described: "
                f"{result.failure.message}. Run the same command again with more free memory; "
                f"more is in {self._store.log_path}."
            )
        found: FoundFacts = result.value
        self._store.write(review_facts_of(found, spec=self._spec, corpus=self._corpus))
        if found.near_duplicates is not None:
            self._store.write(found.near_duplicates)


def with_epochs(run: Run, epochs: tuple[Epoch, ...]) -> Run:
    """Returns a run's record with its history, and the time that took."""
    seconds = math.fsum(epoch.seconds for epoch in epochs)
    return replace(run, epochs=epochs, seconds=seconds)


def _items(runs: Iterable[Run], store: Store) -> list[Item]:
    """Returns the trainings among the runs; evaluations at another epoch belong to theirs."""
    return [_item(run, store) for run in runs if not run.trained_as]


def _item(run: Run, store: Store) -> Item:
    item = item_of(run, score=_shown)
    own = own_epoch_run(run)
    if own is None:
        return item
    found = store.read(Run, own.run_id)
    if found is not None and len(found.epochs) > len(run.epochs):
        item = replace(item, epochs=found.epochs)
    is_on_its_way = run.status == "completed" and bool(evaluations_due(run, store))
    return replace(item, score="") if is_on_its_way else item


def _shown(run: Run) -> str:
    if run.test_accuracy is not None:
        return f"{run.test_accuracy:.2%} on test"
    last = run.epochs[-1].validation_accuracy if run.epochs else None
    return f"{last:.2%} on validation" if last is not None else "completed"
