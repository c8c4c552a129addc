"""The time left of search and comparison together, from the pace of the trainings so far."""

from dataclasses import replace

import pytest

from lstm_study.commands.time_left import TimeLeft, time_left
from lstm_study.records import Run, StudyRecords, Trial
from lstm_study.records.state import SearchState
from lstm_study.spec import StudySpec
from tests.support.fake_study import completed_study

STUDY = completed_study()
SPEC = StudySpec.model_validate(dict(STUDY.spec), strict=False)
PLAN = SearchState(
    trials=STUDY.planned_trials, epochs=STUDY.planned_epochs, exhausted=False, brackets=()
)


def _left(
    trials: list[Trial], runs: list[Run], *, workers: int = 1, stopped: str | None = None
) -> TimeLeft | None:
    return time_left(
        SPEC, trials=trials, runs=runs, plan=replace(PLAN, stopped=stopped), corpus=STUDY.corpus,
        workers=workers, runs_planned=len(STUDY.runs),
    )  # fmt: skip


def _seconds(study: StudyRecords) -> float:
    return sum(epoch.train_seconds for run in study.runs for epoch in run.epochs)


def test_nothing_is_said_before_an_epoch_has_ended() -> None:
    assert _left([], []) is None
    assert _left([replace(STUDY.trials[0], epochs=())], []) is None


def test_a_finished_study_has_no_time_left() -> None:
    found = _left(list(STUDY.trials), list(STUDY.runs))
    assert found is not None
    assert found.both == pytest.approx(0.0, abs=1e-9)


def test_a_search_that_was_ended_early_has_no_time_left() -> None:
    found = _left(list(STUDY.trials[:5]), [], stopped="time limit")
    assert found is not None
    assert found.search == 0.0
    assert found.comparison > 0.0


def test_the_comparison_is_estimated_from_the_pace_of_the_search() -> None:
    found = _left(list(STUDY.trials), [])
    assert found is not None
    assert found.search == 0.0
    # The fake's epochs cost by maxlen and units, of which the work is a rough guide.
    assert found.both == pytest.approx(_seconds(STUDY), rel=0.6)


def test_two_workers_take_half_the_time() -> None:
    one, two = (_left(list(STUDY.trials[:9]), [], workers=count) for count in (1, 2))
    assert one is not None
    assert two is not None
    assert two.both == pytest.approx(one.both / 2)
