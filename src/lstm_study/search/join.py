"""A crew of workers that takes its trials from a chief on another machine."""

import platform
import re
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

import grpc

from lstm_study.engine.crew import Context, Crew, crew_of, crew_size, start_workers, work
from lstm_study.errors import SearchError
from lstm_study.progress.follow import Item, describe, item_of, running_of, score_in_words
from lstm_study.progress.values import Ended, Progress, Report
from lstm_study.records import Trial
from lstm_study.records.state import SearchState
from lstm_study.search.link import Found, Link, Pulse
from lstm_study.spec import StudySpec
from lstm_study.store import Store

if TYPE_CHECKING:
    from lstm_study.engine.pool import WorkerPool

_LOOK_SECONDS = 2.0


def run_crew(
    spec: StudySpec,
    store: Store,
    found: Found,
    *,
    context: Context,
    report: Report,
    on_join: Callable[[str, int], None],
) -> str:
    """Trains what a chief hands out until it has no more, and returns what ended the search.

    Args:
        spec: The study, as its chief reads it.
        store: Where the records are: the chief's own folder, shared.
        found: The chief.
        context: The command at work.
        report: Called a few times a second.
        on_join: Called with the crew's name and the number of its workers.

    Returns:
        The limit that ended the search; "" if it came to the end of its plan.

    Raises:
        SearchError: The chief fell silent, gave this crew up, or refused it; or no worker can
            train.
    """
    host = re.sub(r"[^A-Za-z0-9.]+", "-", platform.node())
    name = f"{host}-{secrets.token_hex(2)}"
    plan = store.read_state(SearchState)
    jobs = max(item.rounds[0].trials for item in plan.brackets) if plan else 1
    size = crew_size(context.workers, jobs=jobs, workers_per_gpu=context.workers_per_gpu)
    with Link(found.address, found.token) as link:
        _join(link, found, crew=name, workers=size.workers)
        on_join(name, size.workers)
        own_store = Store(store.folder, term=found.term, crew=name)
        pulse = Pulse(link, crew=name, address=found.address, check_term=own_store.check_term)
        joined: set[str] = set()
        watch = _CrewWatch(spec, store, name)

        def on_ready(worker: str, pool: "WorkerPool") -> bool:
            if worker in joined:
                return False
            joined.add(worker)
            pool.submit(worker, {"job": "search", "address": found.address, "token": found.token})
            return True

        def on_lost(worker: str, exit_code: int) -> None:
            joined.discard(worker)
            pulse.lose(worker, exit_code)

        worked = 0.0

        def on_tick(seconds: float) -> bool:
            nonlocal worked
            worked = seconds
            report(watch.progress(seconds))
            return pulse.beat()

        crew = Crew(name=name, log_path=store.crew_log_path(name))
        try:
            with start_workers(size, stage="search", store=own_store, crew=crew) as pool:
                work(
                    pool,
                    store=own_store,
                    stage="search",
                    spec=spec,
                    context=context,
                    size=size,
                    on_ready=on_ready,
                    on_lost=on_lost,
                    on_tick=on_tick,
                    crew=crew,
                )
        finally:
            pulse.leave()
        report(watch.progress(worked, at_once=True))
    return pulse.over or ""


def _join(link: Link, found: Found, *, crew: str, workers: int) -> None:
    try:
        term = link.ask("Join", crew=crew, workers=workers)["term"]
    except grpc.RpcError as error:
        raise SearchError(
            f"{found.address}: the chief stopped answering ({error.code().name.lower()})."
        ) from error
    if term != found.term:
        raise SearchError(f"{found.address}: the chief was started anew in this moment.")


class _CrewWatch:
    """Follows a search from a crew's side: the whole of it in numbers, its own trials by name."""

    def __init__(self, spec: StudySpec, store: Store, crew: str) -> None:
        self._objective, self._store, self._crew = spec.study.objective, store, crew
        plan = store.read_state(SearchState)
        self._total = plan.trials if plan else 0
        self._next = 0.0
        self._items: list[Item] = []
        self._ended: list[Ended] = []

    def progress(self, seconds: float, *, at_once: bool = False) -> Progress:
        """Says where the search stands, `seconds` after this crew began.

        Args:
            seconds: Time since then.
            at_once: Whether to read the records even if they were read a moment ago.
        """
        if at_once or seconds >= self._next:
            self._next = seconds + _LOOK_SECONDS
            self._look()
        live = self._store.read_live()
        own = {worker: at for worker, at in live.items() if crew_of(worker) == self._crew}
        return Progress(
            stage="Search",
            done=sum(item.ended for item in self._items),
            total=max(self._total, len(self._items)),
            failed=sum(item.failed for item in self._items),
            running=tuple(running_of(self._items, own)),
            ended=tuple(self._ended),
            best="",
            elapsed_seconds=seconds,
            remaining_seconds=self._store.read_time_left().get("Search"),
        )

    def _look(self) -> None:
        trials = self._store.read_trials()
        self._items = [item_of(trial, score=self._shown) for trial in trials]
        told = {ended.training_id for ended in self._ended}
        self._ended += [
            Ended(
                training_id=item.training_id,
                detail=describe(item.configuration),
                score=item.score,
                failed=item.failed,
            )
            for trial, item in zip(trials, self._items, strict=True)
            if item.ended and crew_of(trial.worker) == self._crew and item.training_id not in told
        ]

    def _shown(self, trial: Trial) -> str:
        return score_in_words(trial, objective=self._objective)
