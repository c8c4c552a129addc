"""The search: plans, runs its trials on an engine, and ends at its plan or at a limit."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from lstm_study.corpus.types import Corpus
from lstm_study.engine.dispatch import Context, dispatch
from lstm_study.engine.protocols import Engine
from lstm_study.errors import SearchError
from lstm_study.progress.values import Report
from lstm_study.search.plan import Plan
from lstm_study.search.plan_state import write_plan
from lstm_study.search.stage import Limits, SearchStage, only_trials
from lstm_study.spec import StudySpec
from lstm_study.store import Store

if TYPE_CHECKING:
    from lstm_study.search.oracle import RecordedHyperband


def run_search(
    spec: StudySpec,
    store: Store,
    plan: Plan,
    *,
    engine: Engine,
    corpus: Corpus,
    context: Context,
    report: Report,
) -> None:
    """Runs the search to its end or to a limit, from wherever it stands.

    What ended it is left in the plan's state: "stopped" is "" at the end of the plan. Where a limit
    is reached or the comparison has begun, it trains those trials alone that a repair moved aside.

    Raises:
        SearchError: No worker can train, or trials fail in a row with an error in the code.
    """
    from lstm_study.search.oracle import RecordedHyperband

    reached, lost = Limits(spec, store).reached(0.0), only_trials(spec, store)
    only = plan.trial_ids & lost if lost is not None else None
    oracle = RecordedHyperband(spec=spec, plan=plan, store=store, only=only)
    if only is None or only:
        stage = SearchStage(spec, plan, oracle, store, report=report, is_limited=only is None)
        with _interrupted_if_not_ended(oracle):
            engine.set_up(spec, corpus)
            dispatch(stage, engine, store=store, corpus=corpus, context=context)
        if oracle.bugs_stopped_it:
            raise SearchError(
                f"The search was stopped: {oracle.stop_reason}. "
                f"Their tracebacks are in {store.log_path}."
            )
    write_plan(oracle.plan, store, stopped=oracle.ended_by(reached))


@contextmanager
def _interrupted_if_not_ended(oracle: "RecordedHyperband") -> Iterator[None]:
    """Marks trials that were running when the block was left, for whatever reason."""
    try:
        yield
    finally:
        for trial in list(oracle.records.values()):
            if trial.status == "running":
                oracle.keep(replace(trial, status="interrupted"))
