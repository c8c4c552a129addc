"""The comparison: retrains every arm with every seed on an engine, and evaluates each run once."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from lstm_study.comparison.arms import ComparisonPlan
from lstm_study.comparison.jobs import Jobs
from lstm_study.comparison.runs import ComparisonStage
from lstm_study.corpus.types import Corpus
from lstm_study.engine.dispatch import Context, dispatch
from lstm_study.engine.jobs import Engine
from lstm_study.progress.values import Report
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

    Args:
        plan: What to retrain; see `arms.plan_comparison`.
        spec: The study.
        store: Where its records are; held by this process.
        start_engine: Called with the number of trainings, if any is left to do.
        corpus: The reviews.
        context: The running command.
        report: Called a few times a second.

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
