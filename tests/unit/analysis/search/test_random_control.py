"""Tests of the random control: apart from the search, and its band worked by hand."""

from dataclasses import replace

from lstm_study.analysis.search.random_control import random_control_progress
from lstm_study.analysis.search.summary import best_so_far, ranking, repeated_configurations, rounds
from lstm_study.records import Trial
from lstm_study.schedule import hyperband
from tests.support.fake_study import completed_study, controlled_study


def _control(scores: list[float | None]) -> list[Trial]:
    first = next(trial for trial in controlled_study().trials if trial.role == "control")
    return [
        replace(
            first,
            trial_id=f"c-{number:02d}-r0",
            score=score,
            status="failed" if score is None else "completed",
            ended_at=f"2025-03-01T12:{number:02d}:00.000Z",
        )
        for number, score in enumerate(scores)
    ]


def test_the_control_changes_nothing_of_what_the_search_came_to() -> None:
    alone, beside = completed_study().trials, controlled_study().trials
    assert len(beside) > len(alone)
    for ask in (
        lambda trials: best_so_far(trials, "max", max_epochs=9),
        lambda trials: ranking(trials, "max", max_epochs=9),
        lambda trials: rounds(trials, hyperband(max_epochs=9, factor=3, iterations=1)),
        repeated_configurations,
    ):
        assert ask(beside) == ask(alone)  # type: ignore[no-untyped-call]


def test_best_so_far_of_the_control_follows_the_order_in_which_its_trials_ended() -> None:
    found = random_control_progress(_control([0.7, None, 0.9, 0.8]), "max", seed=1)
    assert [step.best_score for step in found] == [0.7, 0.7, 0.9, 0.9]
    assert [step.epochs for step in found] == [9, 18, 27, 36]


def test_the_band_over_orders_holds_every_trial_at_first_and_narrows_to_the_best() -> None:
    # After one of two trials half of all orders stand at 0.7 and half at 0.9.
    found = random_control_progress(_control([0.7, 0.9]), "max", seed=1)
    assert [(step.low, step.high) for step in found] == [(0.7, 0.9), (0.9, 0.9)]
    down = random_control_progress(_control([0.7, 0.9]), "min", seed=1)
    assert [(step.low, step.high) for step in down] == [(0.7, 0.9), (0.7, 0.7)]
    assert [step.best_score for step in down] == [0.7, 0.7]


def test_without_a_control_there_is_nothing() -> None:
    assert random_control_progress(completed_study().trials, "max", seed=1) == ()
