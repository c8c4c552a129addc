"""A study's status, whether or not a command is running on it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from lstm_study.arm_names import LAST_EPOCHS_SUFFIX, OWN_EPOCH_SUFFIX, PRIMARY
from lstm_study.commands.compare import extent_of, is_compared
from lstm_study.commands.estimate import time_left_of
from lstm_study.commands.open_study import OpenStudy, as_run, recorded_spec
from lstm_study.commands.outputs import is_model_current, is_report_current, own_model, own_report
from lstm_study.comparison.looks import added_seeds
from lstm_study.duration.expected_comparison import expected_comparison
from lstm_study.duration.time_left import TimeLeft
from lstm_study.errors import RecordError
from lstm_study.progress.follow import Item, item_of, running_of, silence_in_words
from lstm_study.records import Run, Trial
from lstm_study.records.state import Extent, Live, QuickState, ReportState, SearchState
from lstm_study.search.plan_sizes import trials_at_most, with_further_trials
from lstm_study.spec import StudySpec
from lstm_study.spec.changes import changes
from lstm_study.store import Store
from lstm_study.store.snapshot import Snapshot

State = Literal["not started", "running", "interrupted", "finished"]


@dataclass(frozen=True, kw_only=True)
class StageStatus:
    """One stage: trainings done and planned, failures and what runs, in words.

    Attributes:
        name: "Search" or "Comparison".
        done: Trainings ended.
        total: Trainings planned; of a comparison that is shortened, those of its part.
        failed: How many of those that ended failed.
        epochs: Epochs ended, of trainings that still run, too.
        seconds: Time worked, over restarts.
        remaining_seconds: The estimate of the running process; None where none is.
        rounds: The search's brackets, round by round, in words.
        running: What each worker trains, in words.
        failures: What failed, in words.
        remark: What ended the search early, or how the comparison is shortened; "" for neither.
        is_done: Whether nothing of the stage is left.
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
    remark: str
    is_done: bool


@dataclass(frozen=True, kw_only=True)
class Status:
    """Where a study stands.

    Attributes:
        name: The study.
        where: What commands call it.
        begun: Whether it has.
        state: "not started"; "running", while a command is; "finished", where every training is
            done and report and model are written; else "interrupted".
        holder: The process that runs on it, in words; "" if there is none.
        on_another_machine: The process of another machine that began on it and, by what is here,
            has not ended: it was killed, or runs where its lock can't be seen from here; "" if
            there is none.
        differences: How the study file, with the settings given, differs from what the study was
            run with, each as "compare.seeds was 5, is 4".
        is_taken_up: Whether `run` would use the study file's values, which all else then describes;
            else all describes what the study was run with.
        left_out: The settings that it was run with and that were not given now.
        stages: Search and comparison.
        time_left: Of the whole study; None where no pace is known yet, and where it is finished.
        report: The report's file; "" where the study's last report is not in this reports folder.
        model: The bundle's folder; "" where there is none of this study in this reports folder.
        is_elsewhere: Whether the last report was written to another folder.
        problem: That a file of the study is gone, or that the list of them is damaged, and what to
            do; or what a repair lost; "" for none. What is damaged otherwise, `check` finds.
    """

    name: str
    where: str
    begun: bool
    state: State
    holder: str
    on_another_machine: str
    differences: tuple[str, ...]
    is_taken_up: bool
    left_out: tuple[str, ...]
    stages: tuple[StageStatus, ...]
    time_left: TimeLeft | None
    report: str
    model: str
    is_elsewhere: bool
    problem: str = ""


def read_status(study: OpenStudy) -> Status:
    """Reads a study's status, whether or not a command is running on it."""
    study = replace(study, store=Snapshot(study.store.folder))
    store, given = study.store, study
    study, before = as_run(given), recorded_spec(given)
    stages = _stages(study)
    state = study_state(study, stages)
    planned, extent = _planned_search(study), _extent(study)
    left = _time_left(study, planned, extent)
    made, report, model = store.read_state(ReportState), own_report(study), own_model(study)
    if left is not None and not left.search + left.comparison and made is not None:
        left = None
    return Status(
        name=study.spec.study.name,
        where=study.where,
        begun=state != "not started",
        state=state,
        holder=store.holder(),
        on_another_machine=store.on_another_machine(),
        differences=_differences(given, before),
        is_taken_up=study is given,
        left_out=_settings_left_out(given),
        stages=stages,
        time_left=left,
        report=str(report) if report is not None else "",
        model=f"{model}/" if model is not None else "",
        is_elsewhere=made is not None and report is None,
        problem=_problem(store),
    )


def _problem(store: Store) -> str:
    try:
        store.check_complete()
        return " ".join(store.lost_in_words())
    except RecordError as error:
        return str(error)


def _time_left(study: OpenStudy, planned: SearchState | None, extent: Extent) -> TimeLeft | None:
    # Which trials were moved aside is not known from a damaged ledger.
    with suppress(RecordError):
        return time_left_of(study, plan=planned, extent=extent) if study.store.exists else None
    return None


def study_state(study: OpenStudy, stages: Sequence[StageStatus] = ()) -> State:
    """Says where a study stands in one word, by the same rule for every command.

    Args:
        study: The study.
        stages: Its stages, where they were read already.
    """
    store = study.store
    if store.holder():
        return "running"
    if not store.has_begun:
        return "not started"
    is_trained = all(stage.is_done for stage in stages or _stages(study))
    is_whole = is_trained and store.has_spec_and_corpus and _is_written(study)
    return "finished" if is_whole else "interrupted"


def _differences(given: OpenStudy, before: StudySpec) -> tuple[str, ...]:
    found = changes(before.model_dump(mode="json"), given.spec, is_compared=False)
    return tuple(sorted((*found.allowed, *found.refused)))


def _settings_left_out(study: OpenStudy) -> tuple[str, ...]:
    store = study.store
    with suppress(RecordError):
        if store.has_begun and store.exists:
            return store.settings_left_out(study.settings)
    return ()


def _stages(study: OpenStudy) -> tuple[StageStatus, StageStatus]:
    store = study.store
    planned = _planned_search(study)
    trials = store.read_trials()
    # Those of the finalists are planned once the search has ended.
    finalists = sum(trial.role == "finalist" for trial in trials)
    extent = _extent(study)
    runs = [run for run in store.read_runs() if not run.trained_as and _is_of(run, extent)]
    total = trials_at_most(planned, study.spec, trials) + finalists if planned else 0
    is_over = planned is not None and planned.stopped is not None
    # Trials that a limit interrupted stay interrupted; the finalists are trained nevertheless.
    to_end = [t for t in trials if t.role == "finalist" or not (planned and planned.stopped)]
    is_searched = is_over and all(t.has_ended for t in to_end)
    return (
        _stage_status(
            study,
            "Search",
            trials,
            total,
            rounds=tuple(_rounds(planned, trials)),
            remark=(planned and planned.stopped) or "",
            is_done=is_searched,
        ),
        _stage_status(
            study,
            "Comparison",
            runs,
            _runs_planned(study, planned, extent),
            remark=_shortened(study, planned) if extent != Extent() else "",
            is_done=is_searched and _is_compared(study, extent),
        ),
    )


def _planned_search(study: OpenStudy) -> SearchState | None:
    """Returns the search's plan, as not ended where the study file now lets the search resume."""
    planned, before = study.store.read_state(SearchState), recorded_spec(study)
    found = changes(before.model_dump(mode="json"), study.spec, is_compared=study.store.is_compared)
    if planned is not None and found.searches_on:
        planned = replace(planned, stopped=None)
    return with_further_trials(planned, study.spec) if planned is not None else None


def _is_compared(study: OpenStudy, extent: Extent) -> bool:
    # What is damaged is for the commands that need it to say.
    with suppress(RecordError):
        return is_compared(study, extent=extent)
    return False


def _extent(study: OpenStudy) -> Extent:
    """Says how much of the comparison the running command trains, or the last one did.

    A comparison that was quick stays so until a command trains the rest, or was about to.
    """
    store, quick = study.store, extent_of(quick=True)
    told = store.read_extent()
    if store.holder():
        return told or Extent()
    was_quick = store.read_state(QuickState) is not None and told in (None, quick)
    return quick if was_quick and all(_is_of(run, quick) for run in store.read_runs()) else Extent()


def _is_of(run: Run, extent: Extent) -> bool:
    """Whether a run is of the part of the comparison that is trained."""
    if run.trained_on == "train":
        return not extent.primary_only
    arm = run.arm.removesuffix(OWN_EPOCH_SUFFIX).removesuffix(LAST_EPOCHS_SUFFIX)
    is_of_arm = arm in PRIMARY or not extent.primary_only
    return is_of_arm and (extent.most_seeds is None or run.seed_index <= extent.most_seeds)


def _shortened(study: OpenStudy, planned: SearchState | None) -> str:
    return f"of {_runs_planned(study, planned, Extent())} of the whole comparison"


def _is_written(study: OpenStudy) -> bool:
    """Whether report and model were made from all trainings."""
    made, model = study.store.read_state(ReportState), own_model(study)
    # Where there is none of it here, it may be in another reports folder.
    has_model = made is not None and bool(made.model)
    if model is not None:
        has_model = is_model_current(study, model)
    return has_model and is_report_current(study.store)


def _runs_planned(study: OpenStudy, plan: SearchState | None, extent: Extent) -> int:
    """How many trainings the comparison plans, as far as that is known before the search ends."""
    store = study.store
    return expected_comparison(
        study.spec,
        plan,
        store.read_trials(),
        store.read_runs(),
        more_seeds=added_seeds(store),
        extent=extent,
    ).trainings


def _stage_status(
    study: OpenStudy,
    name: str,
    records: Sequence[Trial] | Sequence[Run],
    total: int,
    *,
    rounds: tuple[str, ...] = (),
    remark: str,
    is_done: bool,
) -> StageStatus:
    stage = "search" if name == "Search" else "compare"
    items = [item_of(record, score=lambda _: "completed") for record in records]
    live = study.store.read_live() if study.store.holder() else {}
    left = study.store.read_time_left() if live else {}
    # The finalists' trials are counted with the search.
    at_work = name if name in left or name != "Search" else "Finalists"
    return StageStatus(
        name=name,
        done=sum(item.ended for item in items),
        total=total,
        failed=sum(item.failed for item in items),
        epochs=sum(len(item.epochs) for item in items),
        seconds=sum(s.seconds for s in study.store.read_sessions() if s.stage == stage),
        remaining_seconds=left.get(at_work),
        rounds=rounds,
        running=tuple(_running(items, live)) if at_work in left else (),
        failures=tuple(f"{item.training_id} failed: {item.score}" for item in items if item.failed),
        remark=remark,
        is_done=is_done,
    )


def _running(items: Sequence[Item], live: Mapping[str, Live]) -> Iterator[str]:
    at_work = {each.worker: each for each in running_of(items, live)}
    for worker in sorted(live):
        found = at_work.get(worker)
        if found is None:
            yield f"{worker}: waits for its next training"
            continue
        steps = f" ({found.step} of {found.steps} steps)" if found.epochs else ""
        detail = silence_in_words(found.silent_seconds) or found.detail
        yield f"{worker}: {found.training_id} {found.in_words}{steps}, {detail}"


def _rounds(planned: SearchState | None, trials: Sequence[Trial]) -> Iterator[str]:
    """Says of each bracket how many trials of each round have completed, and of the finalists."""
    completed = Counter(
        (trial.role, trial.iteration, trial.bracket, trial.round)
        for trial in trials
        if trial.status == "completed"
    )
    for bracket in planned.brackets if planned else ():
        key = (bracket.role, bracket.iteration, bracket.bracket)
        rounds = [
            f"{completed[(*key, number)]} of {each.trials} to epoch {each.budget_epochs}"
            for number, each in enumerate(bracket.rounds)
        ]
        yield f"{bracket.in_words}: {', '.join(rounds)}"
    finalists = [trial for trial in trials if trial.role == "finalist"]
    if finalists:
        done = sum(trial.status == "completed" for trial in finalists)
        yield f"finalists, with fresh seeds: {done} of {len(finalists)}"
