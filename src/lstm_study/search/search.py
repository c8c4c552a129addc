"""The search stage: plans, hands out trials, and ends with a winner."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from lstm_study.analysis.search.summary import rank_key
from lstm_study.configuration import Configuration
from lstm_study.engine.crew import Context, CrewSize, crew_size, work
from lstm_study.errors import SearchError
from lstm_study.progress.follow import Follower, Item, item_of, score_in_words
from lstm_study.progress.values import Progress, Report
from lstm_study.records import Trial
from lstm_study.records.state import BracketState, RoundState, SearchState
from lstm_study.search.plan import slots_at_most
from lstm_study.spec import StudySpec
from lstm_study.store import Store

_DISK_LOOK_SECONDS = 5.0

if TYPE_CHECKING:
    from lstm_study.engine.pool import WorkerPool
    from lstm_study.search.oracle import RecordedHyperband
    from lstm_study.search.plan import Plan


def search_crew_size(spec: StudySpec, context: Context) -> CrewSize:
    """Chooses workers and threads before the plan is drawn, which takes Keras Tuner.

    A space that holds less than the schedule wants leaves some of them idle.
    """
    return crew_size(
        context.workers, jobs=slots_at_most(spec), workers_per_gpu=context.workers_per_gpu
    )


def plan_search(spec: StudySpec, store: Store) -> "Plan":
    """Draws the plan and writes it down."""
    from lstm_study.search.plan import make_plan

    plan = make_plan(spec)
    before = store.read_state(SearchState)
    store.write_state(plan_summary(plan, stopped=before.stopped if before else None))
    return plan


def plan_summary(plan: "Plan", *, stopped: str | None = None) -> SearchState:
    """Returns the plan in plain numbers, for `plan.json`, displays and reports."""
    return SearchState(
        trials=plan.trials,
        epochs=plan.epochs,
        exhausted=plan.exhausted,
        brackets=tuple(
            BracketState(
                iteration=item.bracket.iteration,
                bracket=item.bracket.bracket,
                role=item.role,
                rounds=tuple(
                    RoundState(
                        trials=each.trials,
                        initial_epoch=each.initial_epoch,
                        budget_epochs=each.budget_epochs,
                    )
                    for each in item.bracket.rounds
                ),
            )
            for item in plan.brackets
        ),
        stopped=stopped,
    )


def run_search(
    spec: StudySpec,
    store: Store,
    plan: "Plan",
    *,
    pool: "WorkerPool",
    size: CrewSize,
    context: Context,
    report: Report,
    on_open: Callable[[str], None] = lambda _: None,
    on_news: Callable[[str], None] = lambda _: None,
) -> None:
    """Runs the search to its end or to a limit, from wherever it stands.

    What ended it is left in the plan's state: "stopped" is "" at the end of the plan.

    Args:
        spec: The study.
        store: Where its records are; held by this process.
        plan: What `plan_search` drew.
        pool: Workers that were started for the search; they end with it.
        size: How many, and their threads.
        context: The command at work.
        report: Called a few times a second.
        on_open: Called with the address for workers of other machines once it is listened on; with
            "" where none are wanted.
        on_news: Called with who came and went of those workers, in words.

    Raises:
        SearchError: No worker can train, the address can't be listened on, or trials fail in a row
            with an error in the code.
    """
    from lstm_study.search.chief import Chief
    from lstm_study.search.oracle import RecordedHyperband

    limits = _Limits(spec, store)
    if reached := limits.reached(0.0):
        store.write_state(plan_summary(plan, stopped=reached))
        return
    oracle = RecordedHyperband(spec=spec, plan=plan, store=store)
    watch = _SearchWatch(spec, store, plan, oracle)
    with (
        _interrupted_if_not_ended(store, oracle),
        Chief(oracle, store=store, bind=context.bind) as chief,
    ):
        on_open(chief.address if context.bind else "")
        joined: set[str] = set()

        def on_ready(name: str, pool: "WorkerPool") -> bool:
            if name in joined:
                return False
            joined.add(name)
            pool.submit(name, {"job": "search", "address": chief.address, "token": chief.token})
            return True

        def on_lost(name: str, exit_code: int) -> None:
            joined.discard(name)
            oracle.lose_worker(name, exit_code=exit_code)

        def on_tick(seconds: float) -> bool:
            for news in chief.take_stock():
                on_news(news)
            report(watch.progress(seconds, workers=size.workers + chief.crews.workers))
            reached = limits.reached(seconds)
            if reached:
                oracle.stop(reached)
            return not reached

        with pool:
            work(
                pool,
                store=Store(store.folder, term=chief.term),
                stage="search",
                spec=spec,
                context=context,
                size=size,
                on_ready=on_ready,
                on_lost=on_lost,
                on_tick=on_tick,
                is_needed=lambda: bool(context.bind) and not oracle.is_over,
                is_manned=lambda: size.workers + chief.crews.workers > 0,
            )
        chief.say_goodbye(oracle.stop_reason)
    if oracle.bugs_stopped_it:
        raise SearchError(
            f"The search was stopped: {oracle.stop_reason}. "
            f"Their tracebacks are in {store.log_path}."
        )
    store.write_state(plan_summary(plan, stopped=oracle.stop_reason))


@contextmanager
def _interrupted_if_not_ended(store: Store, oracle: "RecordedHyperband") -> Iterator[None]:
    """Marks trials that were running when the block was left, for whatever reason.

    What ended stays as it ended, even if a worker given up for silent managed to write again.
    """
    try:
        yield
    finally:
        records = oracle.records
        for trial in store.read_trials():
            known = records.get(trial.trial_id)
            if known is not None and known.status in ("completed", "failed"):
                if trial != known:
                    store.write_trial(known)
            elif trial.status == "running":
                store.write_trial(replace(trial, status="interrupted"))


class _Limits:
    """Looks now and then whether the search has used up its time or its disk."""

    def __init__(self, spec: StudySpec, store: Store) -> None:
        self._spec, self._store = spec.search, store
        self._seconds_before = sum(s.seconds for s in store.read_sessions() if s.stage == "search")
        self._next_look = 0.0

    def reached(self, seconds: float) -> str:
        """Says which limit is reached; "" if none is.

        Args:
            seconds: Time since this command's work began.
        """
        time_limit, disk_limit = self._spec.time_limit_seconds, self._spec.disk_limit_bytes
        if time_limit is not None and self._seconds_before + seconds >= time_limit:
            return f"search.time_limit of {self._spec.time_limit} is reached"
        if disk_limit is not None and seconds >= self._next_look:
            self._next_look = seconds + _DISK_LOOK_SECONDS
            if self._store.used_bytes() > disk_limit:
                return f"search.disk_limit of {self._spec.disk_limit} is reached"
        return ""


class _SearchWatch:
    """Follows a search: its trials, and what the plan still holds."""

    def __init__(
        self, spec: StudySpec, store: Store, plan: "Plan", oracle: "RecordedHyperband"
    ) -> None:
        self._spec, self._store, self._plan, self._oracle = spec, store, plan, oracle
        self._follower = Follower(
            store,
            stage="search",
            title="Search",
            batch_size=spec.protocol.batch_size,
            workers=1,
            items=self._items(),
        )

    def progress(self, seconds: float, *, workers: int) -> Progress:
        """Says where the search stands.

        Args:
            seconds: Time since this command's work began.
            workers: Those that share it now, of all machines.
        """
        self._follower.workers = workers
        return self._follower.progress(
            seconds,
            items=self._items(),
            total=self._plan.trials,
            to_begin=self._to_begin(),
            best=self._best(),
        )

    def _items(self) -> list[Item]:
        items = []
        for trial in self._oracle.records.values():
            record = trial
            if trial.status in ("running", "interrupted"):
                # Its worker's record is ahead of the oracle's.
                record = self._store.read_trial(trial.trial_id) or trial
            items.append(item_of(record, score=self._shown))
        return items

    def _to_begin(self) -> list[tuple[Configuration, float, bool]]:
        trials = self._oracle.records
        # What a tuner will propose is not known yet: the baseline stands for it.
        typical = self._spec.baseline.configuration
        masked = self._spec.protocol.masked
        waiting: list[tuple[Configuration, float, bool]] = []
        for planned in self._plan.brackets:
            for item in planned.bracket.rounds:
                begun = sum(slot.trial_id(item.round) in trials for slot in planned.slots)
                epochs = item.budget_epochs - item.initial_epoch
                # Who will be promoted is not known yet: the mean over the bracket stands for it.
                share = max(0, item.trials - begun) * epochs / len(planned.slots)
                waiting += [
                    (slot.configuration or typical, share, masked) for slot in planned.slots
                ]
        return waiting

    def _shown(self, trial: Trial) -> str:
        return score_in_words(trial, objective=self._spec.study.objective)

    def _best(self) -> str:
        completed = [
            trial
            for trial in self._oracle.records.values()
            if trial.status == "completed" and trial.role == "search"
        ]
        if not completed:
            return ""
        # Scores at different budgets are not comparable: only the largest one reached counts.
        most = max(trial.budget_epochs for trial in completed)
        candidates = [trial for trial in completed if trial.budget_epochs == most]
        best = min(candidates, key=lambda trial: rank_key(trial, self._spec.study.direction))
        return f"{self._shown(best)} at epoch {most} ({best.trial_id})"
