"""Tests of the search's summary: who wins, and how it got there."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_study.analysis.search.summary import (
    best_by_budget,
    best_so_far,
    full_curve,
    rank_agreement,
    ranking,
    repeated_configurations,
    rounds,
    ties_of_winner,
    winner,
)
from lstm_study.configuration import BASELINE
from lstm_study.records import Epoch, Failure, Run, Trial
from lstm_study.schedule import hyperband
from tests.support.fake_study import completed_study, interrupted_study


def _trial(trial_id: str, score: float | None, **changes: object) -> Trial:
    trial = Trial(
        trial_id=trial_id,
        configuration=BASELINE,
        seed=1,
        iteration=0,
        bracket=0,
        round=0,
        initial_epoch=0,
        budget_epochs=9,
        status="completed",
        score=score,
        ended_at=trial_id,
        seconds=10.0,
    )
    return replace(trial, **changes)  # type: ignore[arg-type]


def _epoch(number: int, accuracy: float) -> Epoch:
    return Epoch(
        epoch=number,
        train_loss=1.0,
        train_accuracy=0.5,
        validation_loss=1.0,
        validation_accuracy=accuracy,
        train_seconds=1.0,
        validation_seconds=0.1,
        ended_at="",
    )


def test_a_small_budget_never_wins_however_good_its_score() -> None:
    trials = [_trial("a", 0.99, budget_epochs=3), _trial("b", 0.80)]
    found = winner(trials, "max", max_epochs=9)
    assert found is not None
    assert found.trial_id == "b"


def test_without_a_completed_full_trial_nobody_wins() -> None:
    trials = [_trial("a", 0.9, budget_epochs=3), _trial("b", None, status="running")]
    assert winner(trials, "max", max_epochs=9) is None
    assert winner(trials, "max") is None
    assert winner([], "max") is None


def test_failed_unscored_and_nan_trials_are_not_ranked() -> None:
    failure = Failure(kind="bug", message="x")
    trials = [
        _trial("a", None, status="failed", failure=failure),
        _trial("b", math.nan),
        _trial("c", None),
        _trial("d", 0.7, status="interrupted"),
        _trial("e", 0.6),
    ]
    assert [trial.trial_id for trial in ranking(trials, "max", max_epochs=9)] == ["e"]


def test_ties_go_to_fewer_parameters_and_then_to_the_lower_id() -> None:
    small = BASELINE.with_values(lstm_units=8)
    trials = [
        _trial("c", 0.9),
        _trial("b", 0.9),
        _trial("d", 0.9, configuration=small),
        _trial("a", 0.8),
    ]
    ranked = ranking(trials, "max", max_epochs=9)
    assert [trial.trial_id for trial in ranked] == ["d", "b", "c", "a"]


def test_the_lower_id_is_the_one_of_the_lower_number() -> None:
    # A bracket that grew: its slots are named with the digits that it began with.
    trials = [_trial("b0-100-r0", 0.8), _trial("b0-99-r0", 0.8)]
    found = winner(trials, "max", max_epochs=9)
    assert found is not None
    assert found.trial_id == "b0-99-r0"


def test_among_ties_the_winner_is_the_one_that_was_compared_as_it() -> None:
    shapes = [BASELINE.with_values(lstm_units=units) for units in (8, 16, 32, 64)]
    trials = [
        _trial(name, score, configuration=shape)
        for name, score, shape in zip("abcd", (0.8, 0.8, 0.8, 0.9), shapes, strict=True)
    ]
    run = completed_study().runs[0]
    runs = [
        replace(run, arm="winner-validation", configuration=shapes[2]),
        replace(run, arm="runner-up-1", configuration=shapes[1]),
    ]

    def ranked(*runs: Run) -> str:
        return "".join(trial.trial_id for trial in ranking(trials, "max", runs=runs))

    assert ranked() == "dabc"
    assert ranked(*runs) == "dcba", "a better one stays better"


def test_a_loss_is_ranked_from_below() -> None:
    ranked = ranking([_trial("a", 0.5), _trial("b", 0.3)], "min", max_epochs=9)
    assert [trial.trial_id for trial in ranked] == ["b", "a"]


@given(st.permutations(range(6)))
def test_the_ranking_does_not_depend_on_the_order_of_the_trials(order: list[int]) -> None:
    trials = [_trial(f"t{number}", [0.8, 0.9, 0.9, 0.7, 0.8, 0.6][number]) for number in range(6)]
    ranked = ranking([trials[number] for number in order], "max")
    assert [trial.trial_id for trial in ranked] == ["t1", "t2", "t0", "t4", "t3", "t5"]


def test_best_so_far_follows_the_end_of_trials_and_counts_failed_epochs() -> None:
    history = (_epoch(1, 0.5), _epoch(2, 0.6))
    trials = [
        _trial("t3", 0.70, epochs=history),
        _trial("t1", 0.90, epochs=history, budget_epochs=3),
        _trial("t2", None, epochs=history[:1], status="failed"),
        _trial("t4", 0.65, epochs=history),
        _trial("t5", None, status="running", ended_at=""),
    ]
    steps = best_so_far(trials, "max", max_epochs=9)
    assert [step.trial_id for step in steps] == ["t1", "t2", "t3", "t4"]
    assert [step.best_score for step in steps] == [0.90, 0.90, 0.90, 0.90]
    assert [step.best_full_budget_score for step in steps] == [None, None, 0.70, 0.70]
    assert [step.epochs for step in steps] == [2, 3, 5, 7]
    assert [step.seconds for step in steps] == [10.0, 20.0, 30.0, 40.0]


def test_the_schedule_of_ten_epochs_is_keras_tuners_worked_by_hand() -> None:
    found = [
        (entry.bracket, entry.round, entry.planned, entry.initial_epoch, entry.budget_epochs)
        for entry in rounds((), hyperband(max_epochs=10, factor=3, iterations=1))
    ]
    assert found == [
        (2, 0, 12, 0, 2),
        (2, 1, 4, 2, 4),
        (2, 2, 2, 4, 10),
        (1, 0, 6, 0, 4),
        (1, 1, 2, 4, 10),
        (0, 0, 4, 0, 10),
    ]


@pytest.mark.parametrize(
    ("max_epochs", "trials", "epochs"), [(9, 23, 75), (10, 30, 120), (27, 70, 375)]
)
def test_the_schedule_costs_what_keras_tuners_does(
    max_epochs: int, trials: int, epochs: int
) -> None:
    found = rounds((), hyperband(max_epochs=max_epochs, factor=3, iterations=1))
    assert sum(entry.planned for entry in found) == trials
    assert (
        sum(entry.planned * (entry.budget_epochs - entry.initial_epoch) for entry in found)
        == epochs
    )


def test_rounds_count_what_ran_beside_what_was_planned() -> None:
    study = interrupted_study()
    first, *others = rounds(study.trials, hyperband(max_epochs=9, factor=3, iterations=1))
    by_status = [trial.status for trial in study.trials if (trial.bracket, trial.round) == (2, 0)]
    assert first.planned == 9
    assert first.completed == by_status.count("completed")
    assert sum(entry.unfinished for entry in (first, *others)) == 2


def test_a_complete_search_ran_what_was_planned() -> None:
    for entry in rounds(completed_study().trials, hyperband(max_epochs=9, factor=3, iterations=1)):
        assert entry.completed == entry.planned


def test_a_promoted_trials_curve_holds_its_parents_epochs() -> None:
    study = completed_study()
    by_id = {trial.trial_id: trial for trial in study.trials}
    last = next(trial for trial in study.trials if trial.round == 2)
    curve = full_curve(last, by_id)
    assert [epoch.epoch for epoch in curve] == list(range(1, 10))
    assert curve[-1] == last.epochs[-1]
    assert by_id[last.parent or ""].epochs[-1] in curve


def test_a_curve_without_its_parent_holds_its_own_epochs_alone() -> None:
    last = next(trial for trial in completed_study().trials if trial.round == 1)
    assert full_curve(last, {}) == last.epochs


def test_parents_in_a_circle_end() -> None:
    one, two = _trial("a", 0.5, parent="b"), _trial("b", 0.5, parent="a")
    assert full_curve(one, {"a": one, "b": two}) == ()


def test_a_configuration_drawn_twice_is_found_and_a_promotion_is_not_one() -> None:
    other = BASELINE.with_values(maxlen=100)
    trials = [
        _trial("a", 0.5),
        _trial("b", 0.5),
        _trial("c", 0.5, configuration=other),
        _trial("c-r1", 0.5, configuration=other, round=1, parent="c"),
    ]
    assert repeated_configurations(trials) == {BASELINE: ("a", "b")}


def test_rank_agreement_is_kendalls_tau_worked_by_hand() -> None:
    # Early ranks 1 2 3 4, final ranks 1 3 2 4: five pairs agree, one does not: (5 - 1) / 6.
    trials = [
        _trial(f"t{number}", final, epochs=(_epoch(1, early),))
        for number, (early, final) in enumerate([(0.5, 0.6), (0.6, 0.8), (0.7, 0.7), (0.8, 0.9)])
    ]
    (found,) = rank_agreement(trials, objective="validation_accuracy", max_epochs=9, epochs=[1, 3])
    assert found.epoch == 1
    assert found.tau == pytest.approx(4 / 6)
    assert found.configurations == 4


def test_rank_agreement_of_fewer_than_three_or_of_equal_scores_is_not_given() -> None:
    two = [_trial(f"t{n}", 0.1 * n, epochs=(_epoch(1, 0.2 * n),)) for n in range(2)]
    equal = [_trial(f"t{n}", 0.5, epochs=(_epoch(1, 0.1 * n),)) for n in range(5)]
    for trials in (two, equal):
        assert (
            rank_agreement(trials, objective="validation_accuracy", max_epochs=9, epochs=[1]) == ()
        )


def test_each_budget_has_a_best_of_its_own_and_the_full_one_comes_first() -> None:
    trials = [
        _trial("b2-00-r0", 0.87, budget_epochs=2),
        _trial("b2-01-r0", 0.80, budget_epochs=2),
        _trial("b0-00-r0", 0.85),
        _trial("b0-01-r0", 0.84),
        _trial("c-00-r0", 0.99, role="control"),
        _trial("b0-02-r0", None, status="failed"),
    ]
    found = best_by_budget(trials, "max")
    assert [(budget, trial.trial_id) for budget, trial in found.items()] == [
        (9, "b0-00-r0"), (2, "b2-00-r0")
    ]  # fmt: skip
    assert found[9] == winner(trials, "max", max_epochs=9)
    assert best_by_budget([], "max") == {}


def test_trials_that_only_the_rule_for_ties_tells_from_the_winner_are_found() -> None:
    other = replace(BASELINE, lstm_units=64)
    trials = [_trial("b0-00-r0", 0.8), _trial("b0-01-r0", 0.8, configuration=other)]
    trials += [_trial("b0-02-r0", 0.8), _trial("b0-03-r0", 0.7, configuration=other)]
    assert winner(trials, "max") == trials[1]
    assert ties_of_winner(trials, "max") == (trials[0], trials[2])
    assert ties_of_winner(trials[1:2], "max") == ties_of_winner([], "max") == ()


def test_finalists_tie_by_their_means_and_not_by_the_scores_that_were_selected() -> None:
    other = replace(BASELINE, lstm_units=64)
    third = replace(BASELINE, lstm_units=32)
    trials = [
        _trial("b0-00-r0", 0.9),
        _trial("b0-01-r0", 0.8, configuration=other),
        _trial("b0-02-r0", 0.8, configuration=third),
        _trial("f-1-s1", 0.75, role="finalist", parent="b0-00-r0"),
        _trial("f-2-s1", 0.75, role="finalist", parent="b0-01-r0", configuration=other),
        _trial("f-3-s1", 0.7, role="finalist", parent="b0-02-r0", configuration=third),
    ]
    assert winner(trials, "max") == trials[1]
    assert ties_of_winner(trials, "max") == (trials[0],)
