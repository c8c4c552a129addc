"""Re-ranking: the best full-budget trials trained again with fresh seeds, to name the winner.

A trial's score was selected for being high, so it is partly luck. The finalists' fresh scores are
not selected: their mean is an unbiased score of the configuration.
"""

from collections.abc import Hashable, Sequence

from lstm_study.analysis.search.summary import ranking, searched
from lstm_study.engine.classes import Classes
from lstm_study.engine.jobs import Job, JobResult
from lstm_study.progress.follow import Follower, Item
from lstm_study.progress.values import Report
from lstm_study.records import Trial
from lstm_study.search.stage import given_to, items_of, job_of, with_result
from lstm_study.seeds import derive
from lstm_study.spec import StudySpec
from lstm_study.store import Store

FRESH_SEEDS = 3


def plan_finalists(spec: StudySpec, store: Store) -> list[Trial]:
    """Returns the finalists' trials, in the order to run; those that exist as they are recorded.

    None with fewer than two finalists, and none of their own in a study whose comparison began
    without them: its winner is named already. Where a larger limit let a search resume, its
    best trials now follow those that were the best before.
    """
    trials = store.read_trials()
    found = {trial.trial_id: trial for trial in trials if trial.role == "finalist"}
    is_compared = store.is_compared
    if is_compared and not found:
        return []
    places = _places(trials, spec, may_grow=not is_compared)
    if len(places) < 2:
        return []
    return [
        found.get(name)
        or Trial(
            trial_id=name,
            configuration=finalist.configuration,
            seed=derive(spec.study.seed, "finalist", index),
            iteration=0,
            bracket=0,
            round=0,
            initial_epoch=0,
            budget_epochs=spec.search.max_epochs,
            role="finalist",
            parent=finalist.trial_id,
            masked=finalist.masked,
            status="interrupted",
            parameter_count=finalist.parameter_count,
        )
        for index in range(1, FRESH_SEEDS + 1)
        for place, finalist in places.items()
        for name in [f"f-{place}-s{index}"]
    ]


def _places(trials: Sequence[Trial], spec: StudySpec, *, may_grow: bool) -> dict[int, Trial]:
    """Returns the finalists by their places: those that have one first, then the best others.

    With `may_grow` there may be more of them than the study file says, after a search that resumed.
    """
    by_id = {trial.trial_id: trial for trial in trials}
    places = {
        int(trial.trial_id.split("-")[1]): by_id[trial.parent]
        for trial in trials
        if trial.role == "finalist" and trial.parent in by_id
    }
    places = dict(sorted(places.items()))
    ranked = ranking(searched(trials), spec.study.direction, max_epochs=spec.search.max_epochs)
    # The search may have drawn one configuration twice.
    best = {trial.configuration: trial for trial in reversed(ranked)}
    finalists = [trial for trial in ranked if best[trial.configuration] is trial]
    known = {trial.configuration for trial in places.values()}
    new = [each for each in finalists[: spec.search.rerank] if each.configuration not in known]
    room = len(new) if may_grow else max(0, spec.search.rerank - len(places))
    return places | dict(enumerate(new[:room], start=max(places, default=0) + 1))


class RerankStage:
    """A `Stage` that hands out the finalists' trials.

    All of them are recorded before the first begins, so that no mean of fewer seeds is taken.
    """

    name = "search"

    def __init__(
        self, spec: StudySpec, finalists: list[Trial], store: Store, *, report: Report
    ) -> None:
        self._spec, self._store, self._report = spec, store, report
        self._trials = {trial.trial_id: trial for trial in finalists}
        self._at_work: set[str] = set()
        self._classes = Classes(spec)
        for trial in finalists:
            self._keep(trial)
        self._follower = Follower(
            store,
            stage="search",
            title="Finalists",
            items=self._items(),
        )

    @property
    def backlog(self) -> int:
        """How many trials wait for a worker."""
        return len(self._waiting())

    def due(self, worker: str, limit: int, *, like: Hashable = None) -> list[Job]:
        """Hands out the first trial that is due, and others of its shape class."""
        jobs = [
            job_of(
                trial,
                self._spec,
                self._store,
                self._classes,
                starts=[trial.trial_id],
                history=trial.epochs,
            )
            for trial in self._waiting()
        ]
        if jobs and like is None:
            like = jobs[0].shape_class
        alike = [job for job in jobs if job.shape_class == like][:limit]
        for job in alike:
            self._at_work.add(job.name)
            self._keep(given_to(self._trials[job.name], worker))
        return alike

    def take(self, result: JobResult, *, worker: str) -> None:
        """Records a trial's result; deletes its checkpoint once it has ended."""
        path = self._store.checkpoint_path(result.name)
        if result.checkpoint is not None:
            self._store.adopt(result.checkpoint, path)
        self._keep(with_result(self._trials[result.name], result, self._spec))
        if result.is_last:
            self._at_work.discard(result.name)
            path.unlink(missing_ok=True)

    def take_back(self, name: str) -> None:
        """Takes back a trial whose worker was lost."""
        self._at_work.discard(name)

    def tick(self, seconds: float) -> bool:
        """Reports progress."""
        self._report(
            self._follower.progress(
                seconds,
                items=self._items(),
                total=len(self._trials),
                best="",
            )
        )
        return True

    def _items(self) -> list[Item]:
        started = [trial for trial in self._trials.values() if trial.started_at]
        return items_of(started, self._spec)

    def _waiting(self) -> list[Trial]:
        return [
            trial
            for name, trial in self._trials.items()
            if not trial.has_ended and name not in self._at_work
        ]

    def _keep(self, trial: Trial) -> None:
        self._trials[trial.trial_id] = trial
        self._store.write(trial)
