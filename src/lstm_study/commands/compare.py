"""`compare`: the second stage of a study; what it will train, and whether that is done."""

from lstm_study.analysis.statistics.planned_power import PlannedPower, plan_power
from lstm_study.analysis.statistics.power import LEAST_SEEDS
from lstm_study.commands.estimate import time_left_of
from lstm_study.commands.open_study import OpenStudy, Show
from lstm_study.commands.progress import progress_with_time_left
from lstm_study.commands.search import rerank
from lstm_study.commands.winner import check_searched, winner_of
from lstm_study.commands.workers import StageWorkers, stage_workers
from lstm_study.comparison.arms import ComparisonPlan, plan_comparison
from lstm_study.comparison.jobs import Jobs
from lstm_study.comparison.looks import add_seeds, added_seeds, seeds_to_add
from lstm_study.comparison.quick import limited, record_quick
from lstm_study.comparison.stage import run_comparison
from lstm_study.corpus.types import Corpus
from lstm_study.errors import ComparisonError
from lstm_study.progress.values import Report
from lstm_study.records import CorpusSummary
from lstm_study.records.state import Extent
from lstm_study.spec.quantities import counted


def compare(
    study: OpenStudy,
    corpus: Corpus,
    *,
    show: Show,
    more_seeds: int = 0,
    only_seeds: int | None = None,
    quick: bool = False,
    workers: StageWorkers | None = None,
) -> None:
    """Retrains every arm under the protocol, and evaluates each run once on test.

    Args:
        study: The study, begun.
        corpus: Its reviews.
        show: Where to show progress.
        more_seeds: Seeds to add to those planned so far; written down, and counted as another look
            at the test reviews once a verdict is read.
        only_seeds: Train at most so many seeds of each arm now; the next comparison resumes with
            the others. The verdict on them counts as a look, too, and says how many are missing.
        quick: Whether to train as few seeds as a verdict needs, of winner and baseline alone;
            recorded as a deviation. See `comparison.quick`.
        workers: The command's; None for its own.
    """
    winner_of(study)
    check_searched(study)
    with stage_workers(study, workers) as own:
        rerank(study, corpus, show=show, workers=own)
        if more_seeds:
            show.stage("Comparison", add_seeds(study.spec, study.store, more_seeds, study.command))
        extent = extent_of(only_seeds=only_seeds, quick=quick)
        _compare(study, corpus, show=show, workers=own, extent=extent)
        if extent != Extent():
            return
        while more := seeds_to_add(study.spec, study.store):
            show.stage("Comparison", add_seeds(study.spec, study.store, more, study.command))
            _compare(study, corpus, show=show, workers=own, extent=extent)


def planned_power(study: OpenStudy, summary: CorpusSummary) -> PlannedPower:
    """Says what the comparison of these reviews will be able to show."""
    return plan_power(
        training_reviews=summary.training_reviews,
        test_reviews=summary.test_reviews,
        seeds=study.spec.compare.seeds,
    )


def comparison_plan(study: OpenStudy, *, extent: Extent | None = None) -> ComparisonPlan:
    """Plans the comparison of a finished search, or a part of it; all of it if not given."""
    plan = plan_comparison(
        study.spec,
        study.store.read_trials(),
        runs=study.store.read_runs(),
        more_seeds=added_seeds(study.store),
    )
    return limited(plan, extent or Extent())


def extent_of(*, only_seeds: int | None = None, quick: bool = False) -> Extent:
    """Says how much of a comparison is trained; the options are those of `compare`."""
    return Extent(most_seeds=LEAST_SEEDS if quick else only_seeds, primary_only=quick)


def is_compared(study: OpenStudy, *, extent: Extent) -> bool:
    """Whether nothing of a comparison is left to train or to evaluate; writes nothing.

    Args:
        study: The study, which another process may hold.
        extent: How much of the comparison.
    """
    try:
        winner_of(study)
        plan = comparison_plan(study, extent=extent)
        jobs = Jobs(plan, spec=study.spec, store=study.store, is_read_only=True)
        if not jobs.is_done:
            return False
        return extent != Extent() or not seeds_to_add(study.spec, study.store, is_noted=False)
    except ComparisonError:
        # The stage that compares says what keeps it from being compared.
        return False


def train_arms(
    study: OpenStudy,
    plan: ComparisonPlan,
    corpus: Corpus,
    *,
    report: Report,
    workers: StageWorkers | None = None,
) -> None:
    """Trains and evaluates what a plan holds and is not done yet.

    Args:
        study: The study.
        plan: What is to be trained.
        corpus: The reviews.
        report: Shows progress.
        workers: The command's; None for its own.
    """
    with stage_workers(study, workers) as own:
        run_comparison(
            plan,
            study.spec,
            study.store,
            start_engine=own.engine,
            corpus=corpus,
            context=study.context,
            report=report,
        )


def _compare(
    study: OpenStudy,
    corpus: Corpus,
    *,
    show: Show,
    workers: StageWorkers,
    extent: Extent,
) -> None:
    if extent.primary_only:
        record_quick(comparison_plan(study), study.store)
    plan = comparison_plan(study, extent=extent)
    show.stage(
        "Comparison",
        f"{', '.join(plan.arms)}: {counted(plan.seeds, 'seed')} each, runs of "
        f"{counted(study.spec.protocol.epochs, 'epoch')} on all training reviews"
        + (f"; {_validated(plan.validation_seeds)}" if plan.validation_seeds else "")
        + ("; the classical control" if plan.control else "")
        + ("; the path from baseline to winner" if plan.ablation else ""),
    )
    study.store.write_extent(extent)
    left = time_left_of(study, extent=extent)
    if left is not None:
        show.stage("Time", left.sentence)
    report = progress_with_time_left(study, show, extent=extent)
    train_arms(study, plan, corpus, report=report, workers=workers)


def _validated(seeds: int) -> str:
    times = "once" if seeds == 1 else f"with {seeds} seeds"
    return f"baseline and winner {times} trained without the validation reviews"
