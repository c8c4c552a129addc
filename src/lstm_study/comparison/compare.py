"""The comparison stage: retrains every arm with every seed, and evaluates each run once."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from lstm_study.comparison.arms import plan_runs
from lstm_study.configuration import Configuration
from lstm_study.progress import Report
from lstm_study.provenance import now
from lstm_study.records import Failure, Run
from lstm_study.spec import StudySpec
from lstm_study.store import Store
from lstm_study.workers.crew import Context, crew_size, work
from lstm_study.workers.watch import Watch, item_of

if TYPE_CHECKING:
    from lstm_study.workers.pool import WorkerPool

_LOSSES_ALLOWED = 2


def run_comparison(
    arms: Mapping[str, Configuration],
    spec: StudySpec,
    store: Store,
    *,
    context: Context,
    report: Report,
) -> None:
    """Retrains the arms with `compare.seeds` seeds each, skipping what is done.

    Args:
        arms: Configuration by the arm's name: "baseline", "winner", ...
        spec: The study.
        store: Where its records are; held by this process.
        context: The command at work.
        report: Called a few times a second.

    Raises:
        SearchError: No worker can train.
    """
    planned = {run.run_id: run for run in plan_runs(arms, spec=spec)}
    waiting = [run_id for run_id in planned if not _has_ended(store.read_run(run_id))]
    if not waiting:
        return
    losses: dict[str, int] = {}
    at_work: dict[str, str] = {}
    size = crew_size(context.workers, jobs=len(waiting))
    watch = Watch(
        store,
        stage="compare",
        title="Comparison",
        batch_size=spec.protocol.batch_size,
        workers=size.workers,
        items=[item_of(run, score=_shown) for run in store.read_runs()],
    )

    def on_ready(name: str, pool: "WorkerPool") -> bool:
        at_work.pop(name, None)
        if not waiting:
            return False
        run_id = waiting.pop(0)
        at_work[name] = run_id
        if store.read_run(run_id) is None:
            store.write_run(planned[run_id])
        pool.submit(name, {"job": "run", "run_id": run_id})
        return True

    def on_lost(name: str, exit_code: int) -> None:
        run_id = at_work.pop(name, None)
        run = store.read_run(run_id) if run_id else None
        if run is None or _has_ended(run):
            return
        losses[run.run_id] = losses.get(run.run_id, 0) + 1
        if losses[run.run_id] <= _LOSSES_ALLOWED:
            waiting.insert(0, run.run_id)
            return
        store.write_run(
            replace(
                run,
                status="failed",
                ended_at=now(),
                failure=Failure(
                    kind="out_of_memory" if exit_code == -9 else "lost_worker",
                    message=f"its worker process died {losses[run.run_id]} times, "
                    f"last with code {exit_code}",
                ),
            )
        )

    def on_tick(seconds: float) -> bool:
        begun = [run for run_id in planned if (run := store.read_run(run_id)) is not None]
        ids = {run.run_id for run in begun}
        report(
            watch.progress(
                seconds,
                items=[item_of(run, score=_shown) for run in begun],
                total=len(planned),
                to_begin=[
                    (run.configuration, float(run.protocol_epochs))
                    for run in planned.values()
                    if run.run_id not in ids
                ],
                best="",
            )
        )
        return True

    work(
        store=store,
        stage="compare",
        spec=spec,
        context=context,
        size=size,
        on_ready=on_ready,
        on_lost=on_lost,
        on_tick=on_tick,
    )


def _shown(run: Run) -> str:
    return f"{run.test_accuracy:.2%} on test"


def _has_ended(run: Run | None) -> bool:
    return run is not None and run.status in ("completed", "failed")
