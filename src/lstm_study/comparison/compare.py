"""The comparison stage: retrains every arm with every seed, and evaluates each run once."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from lstm_study.comparison.arms import Plan, evaluations_due, own_epoch_run
from lstm_study.comparison.jobs import Job, Jobs
from lstm_study.engine.crew import Context, crew_size, start_workers, work
from lstm_study.progress.follow import Follower, Item, item_of
from lstm_study.progress.values import Report
from lstm_study.records import Failure, Run
from lstm_study.spec import StudySpec
from lstm_study.store import Store

if TYPE_CHECKING:
    from lstm_study.engine.pool import WorkerPool

_LOSSES_ALLOWED = 2


def run_comparison(
    plan: Plan, spec: StudySpec, store: Store, *, context: Context, report: Report
) -> None:
    """Does all that a comparison plans, skipping what is done.

    Args:
        plan: What to retrain; see `arms.plan_comparison`.
        spec: The study.
        store: Where its records are; held by this process.
        context: The command at work.
        report: Called a few times a second.

    Raises:
        SearchError: No worker can train.
        ComparisonError: The arms are not those that the comparison began with.
    """
    jobs = Jobs(plan, spec=spec, store=store)
    if jobs.is_done:
        return
    losses: dict[str, int] = {}
    at_work: dict[str, Job] = {}
    size = crew_size(
        context.workers,
        jobs=max(1, len(jobs.planned_runs)),
        workers_per_gpu=context.workers_per_gpu,
    )
    watch = Follower(
        store,
        stage="compare",
        title="Comparison",
        batch_size=spec.protocol.batch_size,
        workers=size.workers,
        items=_items(store.read_runs(), store),
    )

    def on_ready(name: str, pool: "WorkerPool") -> bool:
        at_work.pop(name, None)
        taken = {job.name for job in at_work.values()}
        job = next((job for job in jobs.waiting() if job.name not in taken), None)
        if job is not None:
            at_work[name] = job
            jobs.give(job)
            pool.submit(name, job.message)
            return True
        if taken:
            # What others are at may make more work: asked again in a moment.
            pool.submit(name, {"job": "wait"})
        return bool(taken)

    def on_lost(name: str, exit_code: int) -> None:
        job = at_work.pop(name, None)
        if job is None:
            return
        losses[job.name] = losses.get(job.name, 0) + 1
        if losses[job.name] > _LOSSES_ALLOWED:
            jobs.fail(
                job,
                Failure(
                    kind="out_of_memory" if exit_code == -9 else "lost_worker",
                    message=f"its worker process died {losses[job.name]} times, "
                    f"last with code {exit_code}",
                ),
            )

    def on_tick(seconds: float) -> bool:
        planned = jobs.planned_runs
        begun = store.read_runs()
        items = _items(begun, store)
        ids = {run.run_id for run in begun}
        report(
            watch.progress(
                seconds,
                items=items,
                total=plan.trainings,
                to_begin=[
                    (run.configuration, float(_last_epoch(run)), run.masked)
                    for run in planned
                    if run.run_id not in ids
                ],
                best="",
            )
        )
        return True

    with start_workers(size, stage="compare", store=store) as pool:
        work(
            pool,
            store=store,
            stage="compare",
            spec=spec,
            context=context,
            size=size,
            on_ready=on_ready,
            on_lost=on_lost,
            on_tick=on_tick,
        )


def _items(runs: Iterable[Run], store: Store) -> list[Item]:
    """Returns the trainings among the runs; evaluations at another epoch belong to theirs."""
    return [_item(run, store) for run in runs if not run.trained_as]


def _item(run: Run, store: Store) -> Item:
    item = item_of(run, score=_shown)
    own = own_epoch_run(run)
    if own is None:
        return item
    found = store.read_run(own.run_id)
    item = replace(item, target_epochs=_last_epoch(run), own_epochs=_last_epoch(run))
    if found is not None and len(found.epochs) > len(run.epochs):
        item = replace(item, epochs=found.epochs)
    is_on_its_way = run.status == "completed" and bool(evaluations_due(run, store))
    return replace(item, score="") if is_on_its_way else item


def _last_epoch(run: Run) -> int:
    return max(run.protocol_epochs, run.own_epoch or 0)


def _shown(run: Run) -> str:
    if run.test_accuracy is not None:
        return f"{run.test_accuracy:.2%} on test"
    last = run.epochs[-1].validation_accuracy if run.epochs else None
    return f"{last:.2%} on validation" if last is not None else "completed"
