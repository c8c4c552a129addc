"""`search`: the first stage of a study, its finalists included."""

from lstm_study.commands.begin import free_bytes
from lstm_study.commands.estimate import load_keras_tuner
from lstm_study.commands.open_study import OpenStudy, Show
from lstm_study.commands.progress import progress_with_time_left
from lstm_study.commands.winner import winner_of
from lstm_study.commands.workers import StageWorkers, stage_workers
from lstm_study.corpus.types import Corpus
from lstm_study.engine.backend import in_force
from lstm_study.engine.devices import choose_workers
from lstm_study.engine.dispatch import dispatch
from lstm_study.records import Trial
from lstm_study.records.state import Extent, SearchState
from lstm_study.records.trial_ids import in_order
from lstm_study.search.disk import peak_checkpoint_bytes
from lstm_study.search.plan import Plan
from lstm_study.search.plan_sizes import least_trials, slots_at_most, trials_at_most
from lstm_study.search.plan_state import plan_search, plan_summary
from lstm_study.search.rerank import FRESH_SEEDS, RerankStage, plan_finalists
from lstm_study.search.search import run_search
from lstm_study.spec import StudySpec
from lstm_study.spec.quantities import counted, size_in_words


def search(
    study: OpenStudy,
    corpus: Corpus,
    *,
    show: Show,
    extent: Extent | None = None,
    workers: StageWorkers | None = None,
) -> Trial:
    """Runs the search of a study that has begun to its end, and returns the winner.

    Args:
        study: The study, begun.
        corpus: Its reviews.
        show: Where to report progress.
        extent: Of the comparison that will follow, for the time of the whole; None for all of it.
        workers: The command's; None for its own.

    Raises:
        SearchError: Workers can't train, or trials fail in a row with an error in the code.
        ComparisonError: No trial completed at the full budget.
    """
    stopped = why_stopped(study)
    with stage_workers(study, workers) as own:
        # What a limit ended may have room again, but once test was opened the winner stands.
        if stopped is None or (stopped and not study.store.is_compared):
            _search(study, corpus, show=show, extent=extent, workers=own)
            stopped = why_stopped(study)
        if stopped:
            show.stage("Search", stopped)
        rerank(study, corpus, show=show, workers=own, extent=extent)
    found = winner_of(study)
    show.stage("Search", f"{'ended' if stopped else 'finished'}; winner {found.trial_id}")
    return found


def why_stopped(study: OpenStudy) -> str | None:
    """Returns why the search ended early; "" if it did not, None while it has not ended."""
    state = study.store.read_state(SearchState)
    return state.stopped if state is not None else None


def _search(
    study: OpenStudy,
    corpus: Corpus,
    *,
    show: Show,
    extent: Extent | None,
    workers: StageWorkers,
) -> None:
    # This process and its workers load Keras at the same time, for some seconds.
    with workers.engine(slots_at_most(study.spec)) as engine:
        load_keras_tuner(study.spec, study.store.log_path)
        plan = plan_search(study.spec, study.store)
        planned = plan_summary(plan)
        show.stage("Search", f"{planned.in_words}{end_in_words(planned, study.spec)}")
        if forgotten := sorted(plan.unproposed_ids & study.store.lost_trials(), key=in_order):
            show.stage(
                "Search",
                f"{', '.join(forgotten)}: the proposed configuration is lost with plan.json; the "
                "new one may differ, since more results are known now",
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


def rerank(
    study: OpenStudy,
    corpus: Corpus,
    *,
    show: Show,
    workers: StageWorkers,
    extent: Extent | None = None,
) -> None:
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
    with workers.engine(left) as engine:
        engine.set_up(study.spec, corpus)
        dispatch(stage, engine, store=study.store, corpus=corpus, context=study.context)


def end_in_words(planned: SearchState, spec: StudySpec) -> str:
    """Says after how many trials a limit ends the search; "" where its plan does."""
    if trials_at_most(planned, spec) == planned.trials:
        return ""
    most, whole = spec.search.max_trials, spec.search.max_epochs
    said = f"; it ends after {most} (search.max_trials)"
    if spec.search.control == "random":
        said += ", then comes the random control"
    if most is not None and most < (least := least_trials(planned, whole)):
        said += (
            f". So no trial will have {counted(whole, 'epoch')}, and there will be no winner: that "
            f"takes search.max_trials = {least} or more"
        )
    return said


def _disk_in_words(study: OpenStudy, plan: Plan) -> str:
    """Says what the search's checkpoints take at most, and whether there is room for them."""
    # Workers of an earlier command may have left more brackets open than these would.
    earlier = [each.workers for each in study.store.read_sessions() if each.stage == "search"]
    workers = plan.most_slots  # On a cluster, and in populations, as many as can be of use.
    backend = in_force().name
    if not study.cluster and backend != "jax":
        workers = choose_workers(
            study.workers,
            jobs=plan.most_slots,
            backend=backend,
            workers_per_gpu=study.workers_per_gpu,
        ).count
    peak = peak_checkpoint_bytes(plan, spec=study.spec, workers=max([workers, *earlier]))
    free = free_bytes(study.store.folder)
    there = sum(path.stat().st_size for path in (study.store.folder / "checkpoints").glob("*.npz"))
    words = f"at most {size_in_words(peak)} of checkpoints at a time, {size_in_words(free)} free"
    if peak > free + there:
        words += ": if it fills up, the search pauses and can be resumed once there is room"
    return words
