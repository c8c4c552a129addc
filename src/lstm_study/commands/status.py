"""Where a study stands, whoever works on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from lstm_study.commands.opened import OpenStudy, winner_of
from lstm_study.commands.stages import comparison_plan
from lstm_study.errors import ComparisonError
from lstm_study.records import Run, Trial


@dataclass(frozen=True, kw_only=True)
class StageStatus:
    """One stage: trainings done and planned, failures and what runs, in words."""

    name: str
    done: int
    total: int
    failed: int
    seconds: float
    remaining_seconds: float | None
    running: tuple[str, ...]
    failures: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Status:
    """Where a study stands."""

    name: str
    where: str
    begun: bool
    holder: str
    stages: tuple[StageStatus, ...]
    report: str
    model: str


def read_status(study: OpenStudy) -> Status:
    """Reads where a study stands, whoever works on it."""
    store = study.store
    report, model = study.reports / "report.html", study.reports / "model"
    holder = store.holder()
    planned = store.read_state("plan")
    runs = [run for run in store.read_runs() if not run.trained_as]
    return Status(
        name=study.spec.study.name,
        where=study.where,
        begun=store.exists,
        holder=holder,
        stages=(
            _stage_status(study, "Search", store.read_trials(), planned.get("trials", 0)),
            _stage_status(study, "Comparison", runs, _runs_planned(study)),
        ),
        report=str(report) if report.is_file() else "",
        model=f"{model}/" if model.is_dir() else "",
    )


def _runs_planned(study: OpenStudy) -> int:
    """How many trainings the comparison plans, as far as is known before the search ended."""
    try:
        winner_of(study)
    except ComparisonError:
        plan = study.spec.compare
        arms = 2 + study.spec.protocol.masked + plan.runner_ups
        return arms * plan.seeds + 2 * plan.validation_seeds
    return comparison_plan(study).trainings


def _stage_status(
    study: OpenStudy, name: str, records: Sequence[Trial] | Sequence[Run], total: int
) -> StageStatus:
    from lstm_study.workers.watch import describe, item_of

    stage = "search" if name == "Search" else "compare"
    items = [item_of(record, score=lambda _: "completed") for record in records]
    live = study.store.read_live() if study.store.holder() else {}
    by_id = {item.training_id: item for item in items if not item.ended}
    return StageStatus(
        name=name,
        done=sum(item.ended for item in items),
        total=total,
        failed=sum(item.failed for item in items),
        seconds=sum(s.seconds for s in study.store.read_sessions() if s.stage == stage),
        remaining_seconds=live.get("supervisor", {}).get(name),
        running=tuple(
            f"{values['training_id']} epoch {values['epoch']} of {values['epochs']} "
            f"({values['step']} of {values['steps']} steps), "
            f"{describe(by_id[values['training_id']].configuration)}"
            for values in live.values()
            if values["training_id"] in by_id
        ),
        failures=tuple(f"{item.training_id} failed: {item.score}" for item in items if item.failed),
    )
