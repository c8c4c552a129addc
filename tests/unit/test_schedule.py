"""Hyperband's schedule, against numbers worked by hand."""

import pytest

from lstm_study.schedule import hyperband


def rounds(max_epochs: int, factor: int) -> list[list[tuple[int, int, int]]]:
    return [
        [(item.trials, item.initial_epoch, item.budget_epochs) for item in bracket.rounds]
        for bracket in hyperband(max_epochs=max_epochs, factor=factor)
    ]


def test_ten_epochs_by_factor_three_are_the_three_brackets_of_the_documentation():
    assert rounds(10, 3) == [
        [(12, 0, 2), (4, 2, 4), (2, 4, 10)],
        [(6, 0, 4), (2, 4, 10)],
        [(4, 0, 10)],
    ]


@pytest.mark.parametrize(
    ("max_epochs", "trials", "epochs"), [(9, 23, 75), (10, 30, 120), (27, 70, 375)]
)
def test_trap_9_the_true_cost_is_far_above_keras_tuners_docstring(max_epochs, trials, epochs):
    schedule = hyperband(max_epochs=max_epochs, factor=3)
    assert sum(bracket.trials for bracket in schedule) == trials
    assert sum(bracket.epochs for bracket in schedule) == epochs


def test_two_epochs_are_the_smallest_schedule():
    assert rounds(2, 3) == [[(2, 0, 2)]]


def test_iterations_repeat_every_bracket():
    once = hyperband(max_epochs=9, factor=3)
    twice = hyperband(max_epochs=9, factor=3, iterations=2)
    assert len(twice) == 2 * len(once)
    assert [bracket.iteration for bracket in twice] == [0] * len(once) + [1] * len(once)
