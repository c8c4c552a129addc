"""The search: plans, runs its trials on an engine, and ends at its plan or at a limit."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from lstm_study.corpus.types import Corpus
from lstm_study.engine.dispatch import Context, dispatch
from lstm_study.engine.jobs import Engine
from lstm_study.errors import SearchError
from lstm_study.progress.values import Report
from lstm_study.records.state import BracketState, RoundState, SearchState
from lstm_study.search.plan import Plan, make_plan
from lstm_study.search.stage import Limits, SearchStage
from lstm_study.spec import StudySpec
from lstm_study.store import Store

if TYPE_CHECKING:
    from lstm_study.search.oracle import RecordedHyperband


def plan_search(spec: StudySpec, store: Store) -> Plan:
    """Draws the plan and writes it down."""
    plan = make_plan(spec, store.read_trials())
    before = store.read_state(SearchState)
    store.write_state(plan_summary(plan, stopped=before.stopped if before else None))
    return plan


def plan_summary(plan: Plan, *, stopped: str | None = None) -> SearchState:
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
                configurations=tuple(slot.configuration for slot in item.slots),
            )
            for item in plan.brackets
        ),
        stopped=stopped,
    )


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

    reached = Limits(spec, store).reached(0.0)
    only = plan.trial_ids & store.lost_trials() if reached or store.is_compared else None
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
    store.write_state(plan_summary(plan, stopped=oracle.ended_by(reached)))


@contextmanager
def _interrupted_if_not_ended(oracle: "RecordedHyperband") -> Iterator[None]:
    """Marks trials that were running when the block was left, for whatever reason."""
    try:
        yield
    finally:
        for trial in list(oracle.records.values()):
            if trial.status == "running":
                oracle.keep(replace(trial, status="interrupted"))
