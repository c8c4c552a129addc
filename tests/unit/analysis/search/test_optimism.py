"""The table of search optimism, from records of fake studies."""

from dataclasses import replace
from statistics import fmean

import pytest

from lstm_study.analysis.search.optimism import search_optimism
from tests.support.fake_study import completed_study, diverged_study, empty_study


def test_the_winner_is_found_in_the_search_by_its_configuration():
    study = completed_study()
    winner, baseline = search_optimism(study)
    configuration = next(run.configuration for run in study.runs if run.arm == "winner")
    trial = next(trial for trial in study.trials if trial.trial_id == winner.trial_id)
    assert trial.configuration == configuration
    assert trial.budget_epochs == 9
    assert winner.in_search == trial.score
    tests = [run.test_accuracy for run in study.runs if run.arm == "winner"]
    assert winner.on_test == pytest.approx(fmean(tests))
    assert winner.optimism == pytest.approx(winner.in_search - winner.on_test)
    assert winner.trials_ranked == sum(trial.budget_epochs == 9 for trial in study.trials)
    assert baseline.arm == "baseline"


def test_a_finalist_was_picked_for_the_mean_of_its_trainings_as_one():
    study = completed_study()
    plain = search_optimism(study)[0]
    source = next(trial for trial in study.trials if trial.trial_id == plain.trial_id)
    again = tuple(
        replace(source, trial_id=f"f-1-s{n}", role="finalist", parent=source.trial_id, score=score)
        for n, score in enumerate((0.9, 0.94), start=1)
    )
    winner = search_optimism(replace(study, trials=(*study.trials, *again)))[0]
    assert (winner.in_search, plain.as_finalist) == (plain.in_search, None)
    assert winner.as_finalist == pytest.approx(0.92)
    assert winner.optimism == pytest.approx(0.92 - winner.on_test)
    assert winner.trials_ranked == plain.trials_ranked


def test_a_loss_is_optimistic_when_it_is_lower_in_the_search():
    winner = search_optimism(completed_study(study__objective='"validation_loss"'))[0]
    assert winner.measure == "loss"
    assert winner.optimism == pytest.approx(winner.on_test - winner.in_search)


def test_fresh_validation_comes_from_runs_that_kept_reviews_aside():
    study = completed_study()
    assert search_optimism(study)[0].fresh_validation is None
    source = next(run for run in study.runs if run.arm == "winner")
    extra = [
        replace(
            source,
            run_id=f"winner-validation-s{index}",
            arm="winner-validation",
            epochs=(replace(source.epochs[-1], validation_accuracy=value, validation_loss=0.3),),
        )
        for index, value in enumerate((0.80, 0.82), start=1)
    ]
    winner = search_optimism(replace(study, runs=(*study.runs, *extra)))[0]
    assert winner.fresh_validation == pytest.approx(0.81)
    assert winner.fresh_runs == 2


def test_a_study_without_a_winner_still_has_its_baseline_row():
    rows = search_optimism(diverged_study())
    assert [row.arm for row in rows] == ["baseline"]
    assert rows[0].in_search is None
    assert rows[0].optimism is None
    assert search_optimism(empty_study()) == ()
