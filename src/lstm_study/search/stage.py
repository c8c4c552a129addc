"""The search as a stage: trials out as jobs, results into their records."""

import math
import re
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from lstm_study.analysis.search.summary import best_by_budget, full_curve, objective_of
from lstm_study.engine.classes import Classes
from lstm_study.engine.jobs import Halt, Job, JobResult
from lstm_study.progress.follow import Follower, Item, item_of, score_in_words
from lstm_study.progress.values import Report
from lstm_study.provenance import now
from lstm_study.records import Epoch, Session, Trial
from lstm_study.search.plan import Plan
from lstm_study.search.plan_sizes import trials_at_most
from lstm_study.search.plan_state import plan_summary
from lstm_study.spec import StudySpec
from lstm_study.store import Store

if TYPE_CHECKING:
    from lstm_study.search.oracle import RecordedHyperband

_DISK_LOOK_SECONDS = 5.0


class SearchStage:
    """A `Stage` that hands out an oracle's trials until its plan or a limit is reached.

    The oracle chooses trials and keeps their records; the store has their checkpoints.
    """

    name = "search"

    def __init__(
        self,
        spec: StudySpec,
        plan: Plan,
        oracle: "RecordedHyperband",
        store: Store,
        *,
        report: Report,
        is_limited: bool = True,
    ) -> None:
        self._spec, self._oracle = spec, oracle
        self._store, self._report = store, report
        self._classes = Classes(spec)
        self._plan = plan_summary(plan)
        self._limits = Limits(spec, store) if is_limited else None
        self._follower = Follower(
            store,
            stage="search",
            title="Search",
            items=self._items(),
        )

    @property
    def backlog(self) -> int:
        """How many trials could start now."""
        return self._oracle.backlog

    def due(self, worker: str, limit: int, *, like: Hashable = None) -> list[Job]:
        """Hands out trials of one shape class, each with its record."""
        shape = like[0] if isinstance(like, tuple) else None
        return [
            self._begin(self._oracle.records[trial.trial_id], worker)
            for trial in self._oracle.create_trials(limit, like=shape)
        ]

    def take(self, result: JobResult, *, worker: str) -> None:
        """Records a trial's result; deletes its parent's checkpoint once it has its own."""
        trial = with_result(self._oracle.records[result.name], result, self._spec)
        if result.checkpoint is not None:
            self._store.adopt(result.checkpoint, self._store.checkpoint_path(trial.trial_id))
        self._oracle.keep(trial)
        if result.checkpoint is not None and trial.parent is not None:
            self._store.checkpoint_path(trial.parent).unlink(missing_ok=True)
        if result.is_last:
            self._oracle.end_trial(self._oracle.trials[trial.trial_id])

    def take_back(self, name: str) -> None:
        """Takes back a trial whose worker was lost."""
        self._oracle.take_back(name)

    def tick(self, seconds: float) -> bool:
        """Reports progress; returns whether no limit is reached."""
        self._report(
            self._follower.progress(
                seconds,
                items=self._items(),
                total=trials_at_most(self._plan, self._spec, self._oracle.records.values()),
                best=self._best(),
            )
        )
        reached = self._limits.reached(seconds) if self._limits is not None else ""
        if reached:
            self._oracle.stop(reached)
        return not reached

    def _begin(self, trial: Trial, worker: str) -> Job:
        self._oracle.keep(given_to(trial, worker))
        starts = [trial.trial_id, *([trial.parent] if trial.parent is not None else [])]
        history = full_curve(trial, self._oracle.records)
        return job_of(trial, self._spec, self._store, self._classes, starts=starts, history=history)

    def _items(self) -> list[Item]:
        return items_of(self._oracle.records.values(), self._spec)

    def _best(self) -> str:
        """Names the best trial at the full budget, which alone can win, and the best before it."""
        found = best_by_budget(self._oracle.records.values(), self._spec.study.direction)
        objective = self._spec.study.objective
        shown = [
            f"{score_in_words(trial, objective=objective)} at epoch {budget} ({trial.trial_id})"
            for budget, trial in found.items()
        ]
        if self._spec.search.max_epochs not in found:
            return shown[0] if shown else ""
        return "; ".join([f"{shown[0]}, full budget", *shown[1:2]])


def job_of(
    trial: Trial,
    spec: StudySpec,
    store: Store,
    classes: Classes,
    *,
    starts: Sequence[str],
    history: tuple[Epoch, ...],
) -> Job:
    """Returns the job of a trial, to resume from the first of some trials' checkpoints.

    They are to be of the history, as far as either goes.
    """
    paths = map(store.checkpoint_path, starts)
    return Job(
        name=trial.trial_id,
        configuration=trial.configuration,
        protocol=spec.protocol,
        seed=trial.seed,
        masked=trial.masked,
        trains_on="train",
        validates=True,
        halts=(Halt(epochs=trial.budget_epochs),),
        starts=tuple(path for path in paths if path.is_file()),
        history=history,
        schedule_epochs=spec.search.max_epochs,
        shape=classes.of(trial.configuration),
        builder=spec.builder,
    )


def items_of(trials: Iterable[Trial], spec: StudySpec) -> list[Item]:
    """Returns trials as displays follow them."""
    objective = spec.study.objective
    return [item_of(each, score=partial(score_in_words, objective=objective)) for each in trials]


def given_to(trial: Trial, worker: str) -> Trial:
    """Returns the record of a trial that a worker is given, for the first time or again."""
    started_at = trial.started_at or now()
    return replace(trial, status="running", worker=worker, started_at=started_at, failure=None)


def with_result(trial: Trial, result: JobResult, spec: StudySpec) -> Trial:
    """Returns a trial's record with its result: its own part of the history, and its end."""
    if result.epochs:
        own = result.epochs[trial.initial_epoch :]
        seconds = math.fsum(epoch.seconds for epoch in own)
        trial = replace(trial, epochs=own, seconds=seconds)
    if result.parameter_count is not None:
        trial = replace(trial, parameter_count=result.parameter_count)
    if result.failure is not None:
        return replace(trial, status="failed", failure=result.failure, ended_at=now())
    return _completed(trial, spec) if result.is_last else trial


def _completed(trial: Trial, spec: StudySpec) -> Trial:
    """Returns a fully trained trial's record with its scores."""
    found = (objective_of(epoch, spec.study.objective) for epoch in trial.epochs)
    values = [value for value in found if value is not None]
    assert len(values) == len(trial.epochs), "a trial is validated after every epoch"
    best = max(values) if spec.study.direction == "max" else min(values)
    return replace(
        trial,
        status="completed",
        score=values[-1] if spec.search.score == "last_epoch" else best,
        score_last_epoch=values[-1],
        score_best_epoch=best,
        ended_at=now(),
    )


REACHED = re.compile(r"(?P<key>search\.\w+) of .+ is reached$")
"""Why a search ended, where one of its limits ended it: as `limit_reached` says it."""


def limit_reached(key: str, limit: object) -> str:
    """Says that a limit of the study file is reached."""
    return f"{key} of {limit} is reached"


def seconds_searched(sessions: Sequence[Session], trials: Iterable[Trial]) -> float:
    """Returns the seconds worked on the search, without the sessions that trained its finalists.

    Args:
        sessions: The study's, in order of time.
        trials: The study's; a session with an epoch of a finalist trained finalists alone.
    """
    starts = [session.started_at for session in sessions]
    of_finalists = {
        bisect_right(starts, epoch.ended_at) - 1
        for trial in trials
        if trial.role == "finalist"
        for epoch in trial.epochs
    }
    return math.fsum(
        session.seconds
        for number, session in enumerate(sessions)
        if session.stage == "search" and number not in of_finalists
    )


class Limits:
    """Checks now and then whether the search has used up its time or its disk."""

    def __init__(self, spec: StudySpec, store: Store) -> None:
        self._spec, self._store = spec.search, store
        self._seconds_before = seconds_searched(store.read_sessions(), store.read_trials())
        self._next_look = 0.0

    def reached(self, seconds: float) -> str:
        """Says which limit is reached so many seconds after this command's work began, or ""."""
        time_limit, disk_limit = self._spec.time_limit_seconds, self._spec.disk_limit_bytes
        if time_limit is not None and self._seconds_before + seconds >= time_limit:
            return limit_reached("search.time_limit", self._spec.time_limit)
        if disk_limit is not None and seconds >= self._next_look:
            self._next_look = seconds + _DISK_LOOK_SECONDS
            if self._store.used_bytes() > disk_limit:
                return limit_reached("search.disk_limit", self._spec.disk_limit)
        return ""


def only_trials(spec: StudySpec, store: Store) -> set[str] | None:
    """Returns the ids of the trials that a search may still train; None for all of its plan.

    Where a limit is reached or the comparison has begun, they are those that a repair moved aside.
    """
    is_over = store.is_compared or bool(Limits(spec, store).reached(0.0))
    return store.lost_trials() if is_over else None
