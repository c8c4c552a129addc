"""A study's answer so far."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from lstm_study.analysis.answer.advice import advise
from lstm_study.analysis.answer.arms import ArmSummary, arms_from_records, summarise_arm
from lstm_study.analysis.answer.questions import Comparison, side_questions
from lstm_study.analysis.answer.verdict import Verdict
from lstm_study.analysis.search.summary import winner
from lstm_study.commands.open_study import OpenStudy, as_run
from lstm_study.commands.outputs import is_model_current, is_report_current, own_model, own_report
from lstm_study.comparison.looks import judge_now, standing
from lstm_study.comparison.verdicts import judge_study, judge_without_near_duplicates
from lstm_study.records import Run, StudyRecords, Trial

TrainingT = TypeVar("TrainingT", Trial, Run)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a finished study says.

    Attributes:
        verdict: Winner against baseline.
        records: All that the study left.
        winner: The trial that won the search; None before there is one.
        arms: Every arm that was evaluated on test.
        advice: Which model to use, in sentences; empty with fewer than two models.
        comparisons: The questions beside winner and baseline; see `side_questions`.
        report: The HTML report; None before it was written.
        model: The model bundle's folder; None before it was written.
        outdated: Those of the two that other trainings or settings were made with.
        where: What commands call the study file.
    """

    verdict: Verdict
    records: StudyRecords
    arms: tuple[ArmSummary, ...]
    advice: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    winner: Trial | None
    report: Path | None
    model: Path | None
    outdated: tuple[Path, ...]
    where: str

    @property
    def failed_trainings(self) -> int:
        """Trials and runs that failed, the control included."""
        control = self.records.control
        failed = sum(trial.status == "failed" for trial in self.records.trials)
        failed += sum(run.status == "failed" for run in self.records.runs)
        return failed + (control is not None and control.status == "failed")


def verdict_at_its_look(study: OpenStudy, records: StudyRecords) -> Verdict:
    """Gives the verdict that the study's report gives, without its notes; it is not recorded."""
    return judge_now(records, as_run(study).spec, study.store)


def read_records(study: OpenStudy) -> StudyRecords:
    """Reads all records of a study; see `read_trials` for trainings that were interrupted."""
    return replace(
        study.store.read_all(), trials=tuple(read_trials(study)), runs=tuple(read_runs(study))
    )


def read_trials(study: OpenStudy) -> list[Trial]:
    """Reads the trials; one recorded as running is interrupted if no command holds the study."""
    return _read(study.store.read_trials(), holder=study.store.holder())


def read_runs(study: OpenStudy) -> list[Run]:
    """Reads the runs, like `read_trials`."""
    return _read(study.store.read_runs(), holder=study.store.holder())


def _read(trainings: Iterable[TrainingT], *, holder: str) -> list[TrainingT]:
    return [
        replace(each, status="interrupted") if each.status == "running" and not holder else each
        for each in trainings
    ]


def read_answer(study: OpenStudy, *, is_noted: bool = True) -> Answer:
    """Reads what the study says so far.

    The first verdict, and each one on more seeds than the last, is written down as a look at the
    test reviews, where `is_noted`; see `comparison.looks`. It says this of the spec that it was run
    with, where `run` would refuse the study file's.
    """
    study = as_run(study)
    records = read_records(study)
    report, model = own_report(study), own_model(study)
    at = standing(records, study.spec, study.store)
    arms = arms_from_records(records)
    return Answer(
        verdict=judge_study(
            records,
            spec=study.spec,
            store=study.store,
            at=at,
            without=judge_without_near_duplicates(records, at=at),
            is_noted=is_noted,
        ),
        records=records,
        winner=winner(
            records.trials,
            study.spec.study.direction,
            max_epochs=study.spec.search.max_epochs,
            runs=records.runs,
        ),
        arms=tuple(summarise_arm(arm) for arm in arms.values()),
        advice=advise(records, level=at.level).texts,
        comparisons=side_questions(arms, level=at.level),
        report=report,
        model=model,
        outdated=tuple(_outdated(study, report, model)),
        where=study.where,
    )


def _outdated(study: OpenStudy, report: Path | None, model: Path | None) -> Iterator[Path]:
    """Yields those of the two that are out of date: seeds may have been added."""
    if report is not None and not is_report_current(study.store):
        yield report
    if model is not None and not is_model_current(study, model):
        yield model
