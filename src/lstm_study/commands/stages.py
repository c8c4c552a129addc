"""The stages of a study, and the command that runs them all."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_study.analysis.statistics.planned_power import PlannedPower, plan_power
from lstm_study.analysis.statistics.power import LEAST_SEEDS
from lstm_study.commands.answer import Answer, read_answer
from lstm_study.commands.begin import begin, check_writable, free_bytes
from lstm_study.commands.estimate import (
    estimate,
    load_keras_tuner,
    time_left_in_words,
    time_left_of,
)
from lstm_study.commands.export import export_arm
from lstm_study.commands.made import (
    is_model_current,
    is_report_current,
    own_model,
    own_report,
)
from lstm_study.commands.model import check_unchanged
from lstm_study.commands.opened import OpenStudy, Show, held
from lstm_study.commands.progress import progress_with_time_left
from lstm_study.commands.winner import check_searched, winner_of
from lstm_study.comparison.arms import ComparisonPlan, plan_comparison
from lstm_study.comparison.jobs import Jobs
from lstm_study.comparison.looks import add_seeds, added_seeds, seeds_to_add
from lstm_study.comparison.quick import record_quick, shortened
from lstm_study.comparison.runs import run_comparison
from lstm_study.corpus.types import Corpus
from lstm_study.engine.backend import in_force
from lstm_study.engine.devices import choose_workers
from lstm_study.engine.dispatch import dispatch
from lstm_study.engine.processes import Processes
from lstm_study.errors import ComparisonError
from lstm_study.progress.values import Report
from lstm_study.provenance import git_commit, now, versions
from lstm_study.records import CorpusSummary, Trial
from lstm_study.records.state import Extent, ReportState, SearchState
from lstm_study.records.trainings import trainings_sha256
from lstm_study.search.disk import peak_checkpoint_bytes
from lstm_study.search.plan import Plan, slots_at_most, trials_at_most
from lstm_study.search.plan_state import plan_search, plan_summary
from lstm_study.search.rerank import FRESH_SEEDS, RerankStage, plan_finalists
from lstm_study.search.search import run_search
from lstm_study.spec.quantities import size_in_words

if TYPE_CHECKING:
    from lstm_study.engine.ray_cluster import RayCluster


def run(study: OpenStudy, *, fresh: bool, show: Show, quick: bool = False) -> tuple[Answer, bool]:
    """Runs every stage that is not done yet.

    Args:
        study: The study.
        fresh: Whether to move away all that it left, and begin again.
        show: Where to report progress.
        quick: Whether to shorten the comparison; see `comparison.quick`.

    Returns:
        What the study says, and whether it was finished already.
    """
    if not fresh:
        check_unchanged(study.spec, folder=study.folder, text=study.builder_text, where=study.where)
    if not fresh and is_finished(study, quick=quick):
        return read_answer(study), True
    check_writable(study.reports)
    with held(study, show=show, fresh=fresh) as begun:
        corpus = begin(begun, show=show)
        show.stage("Power", planned_power(begun, corpus.summary).sentence)
        extent = extent_of(quick=quick)
        begun.store.write_extent(extent)
        show.stage(
            "Time", time_left_in_words(estimate(begun, corpus.summary, show=show, extent=extent))
        )
        search(begun, corpus, show=show, extent=extent)
        compare(begun, corpus, show=show, quick=quick)
        export_arm(begun, show=show)
        make_report(begun, show=show)
        answer = read_answer(begun)
        begun.store.delete_moved_away()
    return answer, False


def planned_power(study: OpenStudy, summary: CorpusSummary) -> PlannedPower:
    """Says what the comparison of these reviews will be able to show."""
    test = next(split.reviews for split in summary.splits if split.name == "test")
    return plan_power(test_reviews=test, seeds=study.spec.compare.seeds)


def search(study: OpenStudy, corpus: Corpus, *, show: Show, extent: Extent | None = None) -> Trial:
    """Runs the search of a study that has begun to its end, and returns the winner.

    Args:
        study: The study, begun.
        corpus: Its reviews.
        show: Where to report progress.
        extent: Of the comparison that will follow, for the time of the whole; None for all of it.

    Raises:
        SearchError: Workers can't train, or trials fail in a row with an error in the code.
        ComparisonError: No trial completed at the full budget.
    """
    stopped = _stopped(study)
    # What a limit ended may have room again, but once test was opened the winner stands.
    if stopped is None or (stopped and not study.store.is_compared):
        _search(study, corpus, show=show, extent=extent)
        stopped = _stopped(study)
    if stopped:
        show.stage("Search", stopped)
    _rerank(study, corpus, show=show, extent=extent)
    found = winner_of(study)
    show.stage("Search", f"{'ended' if stopped else 'finished'}; winner {found.trial_id}")
    return found


def _search(study: OpenStudy, corpus: Corpus, *, show: Show, extent: Extent | None) -> None:
    # This process and its workers load Keras at the same time, for some seconds.
    with start_engine(study, slots_at_most(study.spec)) as engine:
        load_keras_tuner(study.spec, study.store.log_path)
        plan = plan_search(study.spec, study.store)
        planned = plan_summary(plan)
        most = trials_at_most(planned, study.spec)
        ends = f"; it ends after {most} (search.max_trials)" if most < planned.trials else ""
        show.stage("Search", f"{planned.in_words}{ends}")
        if forgotten := sorted(plan.unproposed_ids & study.store.lost_trials()):
            show.stage(
                "Search",
                f"{', '.join(forgotten)}: which configuration was proposed is lost with plan.json; "
                "now that other results are known, it may be another",
            )
        show.stage("Disk", _disk_in_words(study, plan))
        run_search(
            study.spec,
            study.store,
            plan,
            engine=engine,
            corpus=corpus,
            context=study.context,
            report=progress_with_time_left(study, show, extent=extent),
        )


def _rerank(study: OpenStudy, corpus: Corpus, *, show: Show, extent: Extent | None = None) -> None:
    """Trains the finalists again with fresh seeds, as far as that is not done."""
    finalists = plan_finalists(study.spec, study.store)
    left = sum(not trial.has_ended for trial in finalists)
    if not left:
        return
    show.stage(
        "Finalists",
        f"{len(finalists) // FRESH_SEEDS} of the best trials again, {FRESH_SEEDS} fresh seeds each",
    )
    stage = RerankStage(
        study.spec,
        finalists,
        study.store,
        report=progress_with_time_left(study, show, extent=extent),
    )
    with start_engine(study, left) as engine:
        engine.set_up(study.spec, corpus)
        dispatch(stage, engine, store=study.store, corpus=corpus, context=study.context)


def start_engine(study: OpenStudy, jobs: int) -> "Processes | RayCluster":
    """Starts workers for so many jobs, at most: on this machine, or on a Ray cluster.

    They load for some seconds.

    Raises:
        DependencyError: Ray is not installed.
        SearchError: The cluster can't be reached.
    """
    if study.cluster:
        from lstm_study.engine.ray_cluster import RayCluster

        return RayCluster(
            study.cluster,
            workers=study.workers,
            workers_per_gpu=study.workers_per_gpu,
            population=study.population,
            jobs=jobs,
        )
    size = choose_workers(study.workers, jobs=jobs, workers_per_gpu=study.workers_per_gpu)
    size = replace(size, population=study.population)
    return Processes(size, log_path=study.store.log_path, scratch=study.store.scratch)


def compare(
    study: OpenStudy,
    corpus: Corpus,
    *,
    show: Show,
    more_seeds: int = 0,
    only_seeds: int | None = None,
    quick: bool = False,
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
    """
    winner_of(study)
    check_searched(study)
    _rerank(study, corpus, show=show)
    if quick:
        _compare(study, corpus, show=show, quick=True)
        return
    if more_seeds:
        show.stage("Comparison", add_seeds(study.spec, study.store, more_seeds, study.command))
    _compare(study, corpus, show=show, only_seeds=only_seeds)
    if only_seeds is not None:
        return
    while more := seeds_to_add(study.spec, study.store):
        show.stage("Comparison", add_seeds(study.spec, study.store, more, study.command))
        _compare(study, corpus, show=show)


def _compare(
    study: OpenStudy,
    corpus: Corpus,
    *,
    show: Show,
    only_seeds: int | None = None,
    quick: bool = False,
) -> None:
    if quick:
        record_quick(comparison_plan(study), study.store)
    plan = comparison_plan(study, only_seeds=only_seeds, quick=quick)
    show.stage(
        "Comparison",
        f"{', '.join(plan.arms)}: {plan.seeds} seeds each, runs of "
        f"{study.spec.protocol.epochs} epochs on all training reviews"
        + (f"; {_validated(plan.validation_seeds)}" if plan.validation_seeds else "")
        + ("; the classical control" if plan.control else "")
        + ("; one hyperparameter at a time" if plan.ablation else ""),
    )
    extent = extent_of(only_seeds=only_seeds, quick=quick)
    study.store.write_extent(extent)
    left = time_left_of(study, extent=extent)
    if left is not None:
        show.stage("Time", left.sentence)
    train_arms(study, plan, corpus, report=progress_with_time_left(study, show, extent=extent))


def train_arms(study: OpenStudy, plan: ComparisonPlan, corpus: Corpus, *, report: Report) -> None:
    """Trains and evaluates what a plan holds and is not done yet.

    Args:
        study: The study.
        plan: What is to be trained.
        corpus: The reviews.
        report: Shows progress.
    """
    run_comparison(
        plan,
        study.spec,
        study.store,
        start_engine=partial(start_engine, study),
        corpus=corpus,
        context=study.context,
        report=report,
    )


def _validated(seeds: int) -> str:
    times = "once" if seeds == 1 else f"with {seeds} seeds"
    return f"baseline and winner {times} without the validation reviews"


def extent_of(*, only_seeds: int | None = None, quick: bool = False) -> Extent:
    """Says how much of a comparison is trained; the options are those of `compare`."""
    return Extent(most_seeds=LEAST_SEEDS if quick else only_seeds, primary_only=quick)


def comparison_plan(
    study: OpenStudy, *, only_seeds: int | None = None, quick: bool = False
) -> ComparisonPlan:
    """Plans the comparison of a finished search.

    Args:
        study: The study.
        only_seeds: At most so many seeds of each arm; None for all.
        quick: Whether it is shortened; see `comparison.quick`.
    """
    plan = plan_comparison(
        study.spec, study.store.read_trials(), more_seeds=added_seeds(study.store)
    )
    if quick:
        return shortened(plan)
    return plan if only_seeds is None else replace(plan, seeds=min(plan.seeds, only_seeds))


def make_report(study: OpenStudy, *, show: Show) -> Path:
    """Writes the report from the records, and returns the HTML file."""
    from lstm_study.report.write import write_report as write

    show.stage("Report", "drawing figures and tables")
    answer = read_answer(study)
    made_at, installed, commit = now(), versions(), git_commit(Path.cwd())
    page = write(
        answer.records,
        verdict=answer.verdict,
        folder=study.reports,
        made_at=made_at,
        versions=installed,
        git_commit=commit,
        bundle=answer.model,
    )
    # From this, kept records give the same report again.
    model = answer.model.name if answer.model is not None else ""
    found = answer.records
    study.store.write_state(
        ReportState(
            made_at=made_at,
            versions=installed,
            git_commit=commit,
            model=model,
            trainings_sha256=trainings_sha256(found.trials, found.runs, found.control),
        )
    )
    return page


def is_finished(study: OpenStudy, *, quick: bool = False) -> bool:
    """Whether every stage of this very spec is done, and report and model are there.

    Args:
        study: The study.
        quick: Whether a shortened comparison will do.
    """
    if not study.store.exists:
        return False
    # A key that is newer than the study had its default.
    same_spec = study.store.read_spec() == study.spec
    searched = _stopped(study) is not None
    compared = searched and is_compared(study, extent=extent_of(quick=quick))
    model = own_model(study)
    return bool(
        same_spec
        and searched
        and compared
        and model is not None
        and is_model_current(study, model)
        and own_report(study) is not None
        and is_report_current(study.store)
    )


def is_compared(study: OpenStudy, *, extent: Extent, is_read_only: bool = False) -> bool:
    """Whether nothing of a comparison is left to train or to evaluate.

    Args:
        study: The study.
        extent: How much of the comparison.
        is_read_only: Whether to leave the own epochs unfixed where they could be fixed now.
    """
    try:
        winner_of(study)
        quick = extent.primary_only
        only_seeds = None if quick else extent.most_seeds
        plan = comparison_plan(study, only_seeds=only_seeds, quick=quick)
        jobs = Jobs(plan, spec=study.spec, store=study.store, is_read_only=is_read_only)
        if not jobs.is_done:
            return False
        return extent != Extent() or not seeds_to_add(study.spec, study.store, is_noted=False)
    except ComparisonError:
        # The stage that compares says what keeps it from being compared.
        return False


def _disk_in_words(study: OpenStudy, plan: Plan) -> str:
    """Says what the search's checkpoints take at most, and whether there is room for them."""
    # Workers of an earlier command may have left more brackets open than these would.
    earlier = [each.workers for each in study.store.read_sessions() if each.stage == "search"]
    workers = plan.most_slots  # On a cluster, and in populations, as many as can be of use.
    if not study.cluster and in_force().name != "jax":
        workers = choose_workers(
            study.workers, jobs=plan.most_slots, workers_per_gpu=study.workers_per_gpu
        ).count
    peak = peak_checkpoint_bytes(plan, spec=study.spec, workers=max([workers, *earlier]))
    free = free_bytes(study.store.folder)
    there = sum(path.stat().st_size for path in (study.store.folder / "checkpoints").glob("*.npz"))
    words = f"at most {size_in_words(peak)} of checkpoints at a time, {size_in_words(free)} free"
    if peak > free + there:
        words += ": if it fills up, the search pauses and can be resumed once there is room"
    return words


def _stopped(study: OpenStudy) -> str | None:
    """Returns why the search ended early; "" if it did not, None while it has not ended."""
    state = study.store.read_state(SearchState)
    return state.stopped if state is not None else None
