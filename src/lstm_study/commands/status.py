"""A study's status, whether or not a command is running on it."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lstm_study.analysis.answer.planned_arms import PRIMARY
from lstm_study.commands.estimate import time_left_of
from lstm_study.commands.opened import OpenStudy, winner_of
from lstm_study.commands.stages import comparison_plan
from lstm_study.commands.time_left import TimeLeft
from lstm_study.commands.work_left import possible_arms
from lstm_study.errors import ComparisonError
from lstm_study.progress.follow import Item, item_of, silence_in_words, silent_seconds
from lstm_study.records import Run, Trial
from lstm_study.records.state import Live, ReportState, SearchState


@dataclass(frozen=True, kw_only=True)
class StageStatus:
    """One stage: trainings done and planned, failures and what runs, in words.

    Attributes:
        name: "Search" or "Comparison".
        done: Trainings ended.
        total: Trainings planned.
        failed: How many of those that ended failed.
        epochs: Epochs ended, of trainings that still run, too.
        seconds: Time worked, over restarts.
        remaining_seconds: The estimate of the running process; None where none is.
        rounds: The search's brackets, round by round, in words.
        running: What each worker trains, in words.
        failures: What failed, in words.
    """

    name: str
    done: int
    total: int
    failed: int
    epochs: int
    seconds: float
    remaining_seconds: float | None
    rounds: tuple[str, ...]
    running: tuple[str, ...]
    failures: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Status:
    """Where a study stands.

    Attributes:
        name: The study.
        where: What commands call it.
        begun: Whether it has.
        holder: The process that runs on it, in words; "" if there is none.
        stages: Search and comparison.
        time_left: Of the whole study; None where no pace is known yet, and where it is finished.
        report: The report's file; "" where the last report is not in this reports folder.
        model: The bundle's folder; "" where there is none in this reports folder.
        is_elsewhere: Whether the last report was written to another folder.
    """

    name: str
    where: str
    begun: bool
    holder: str
    stages: tuple[StageStatus, ...]
    time_left: TimeLeft | None
    report: str
    model: str
    is_elsewhere: bool


def read_status(study: OpenStudy) -> Status:
    """Reads a study's status, whether or not a command is running on it."""
    store = study.store
    report, model = study.reports / "report.html", study.reports / "model"
    holder = store.holder()
    planned = store.read_state(SearchState)
    trials = store.read_trials()
    # Those of the finalists are planned once the search has ended.
    finalists = sum(trial.role == "finalist" for trial in trials)
    runs = [run for run in store.read_runs() if not run.trained_as]
    runs_planned = _runs_planned(study, planned)
    left = time_left_of(study) if store.exists else None
    made = store.read_state(ReportState)
    is_elsewhere = made is not None and _made_at(study.reports) != made.made_at
    is_here = report.is_file() and not is_elsewhere
    if left is not None and not left.search + left.comparison and (is_here or is_elsewhere):
        left = None
    return Status(
        name=study.spec.study.name,
        where=study.where,
        begun=store.exists,
        holder=holder,
        stages=(
            _stage_status(study, "Search", trials, planned.trials + finalists if planned else 0),
            _stage_status(study, "Comparison", runs, runs_planned),
        ),
        time_left=left,
        report=str(report) if is_here else "",
        model=f"{model}/" if model.is_dir() else "",
        is_elsewhere=is_elsewhere,
    )


def _made_at(reports: Path) -> str:
    """Returns when the report of a folder was made; "" where there is none that can be read."""
    try:
        return str(json.loads((reports / "manifest.json").read_text(encoding="utf-8"))["made_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _runs_planned(study: OpenStudy, plan: SearchState | None) -> int:
    """How many trainings the comparison plans, as far as is known before the search ended."""
    if plan is None or plan.stopped is not None:
        with suppress(ComparisonError):
            winner_of(study)
            return comparison_plan(study).trainings
    arms = possible_arms(study.spec, plan, study.store.read_trials())
    compared = study.spec.compare
    return len(arms) * compared.seeds + len(PRIMARY) * compared.validation_seeds


def _stage_status(
    study: OpenStudy, name: str, records: Sequence[Trial] | Sequence[Run], total: int
) -> StageStatus:
    stage = "search" if name == "Search" else "compare"
    items = [item_of(record, score=lambda _: "completed") for record in records]
    live = study.store.read_live() if study.store.holder() else {}
    left = study.store.read_time_left() if live else {}
    # The finalists' trials are counted with the search.
    at_work = name if name in left or name != "Search" else "Finalists"
    by_id = {item.training_id: item for item in items if not item.ended}
    return StageStatus(
        name=name,
        done=sum(item.ended for item in items),
        total=total,
        failed=sum(item.failed for item in items),
        epochs=sum(len(item.epochs) for item in items),
        seconds=sum(s.seconds for s in study.store.read_sessions() if s.stage == stage),
        remaining_seconds=left.get(at_work),
        rounds=_rounds(study, records) if name == "Search" else (),
        running=tuple(_running(by_id, live)) if at_work in left else (),
        failures=tuple(f"{item.training_id} failed: {item.score}" for item in items if item.failed),
    )


def _running(by_id: Mapping[str, Item], live: Mapping[str, Live]) -> Iterator[str]:
    for worker, at in sorted(live.items()):
        item = by_id.get(at.training_id)
        if item is None:
            yield f"{worker}: waits for its next training"
        else:
            silence = silence_in_words(silent_seconds(at))
            yield (
                f"{worker}: {item.training_id} epoch {at.epoch} of {at.epochs} "
                f"({at.step} of {at.steps} steps), {silence or item.configuration.description}"
            )


def _rounds(study: OpenStudy, records: Sequence[Trial] | Sequence[Run]) -> tuple[str, ...]:
    """Says of each bracket how many trials of each round have completed."""
    completed = Counter(
        (trial.role, trial.iteration, trial.bracket, trial.round)
        for trial in records
        if isinstance(trial, Trial) and trial.status == "completed"
    )
    lines = []
    planned = study.store.read_state(SearchState)
    for bracket in planned.brackets if planned else ():
        key = (bracket.role, bracket.iteration, bracket.bracket)
        rounds = [
            f"{completed[(*key, number)]} of {each.trials} to epoch {each.budget_epochs}"
            for number, each in enumerate(bracket.rounds)
        ]
        lines.append(f"{bracket.in_words}: {', '.join(rounds)}")
    return tuple(lines)
