"""The epoch that validation chose."""

from dataclasses import replace

from lstm_study.analysis.search.summary import full_curve, winner
from lstm_study.comparison.own_epoch import best_epoch, own_epochs
from lstm_study.records import Epoch, Run
from tests.support.fake_spec import fake_spec
from tests.support.fake_study import completed_study

SPEC = fake_spec()


def curve(*accuracies: float, first: int = 1) -> tuple[Epoch, ...]:
    return tuple(
        Epoch(
            epoch=number, train_loss=0.5, train_accuracy=0.5, validation_loss=1 - accuracy,
            validation_accuracy=accuracy, train_seconds=1.0, validation_seconds=1.0, ended_at="",
        )
        for number, accuracy in enumerate(accuracies, start=first)
    )  # fmt: skip


def test_the_best_epoch_is_chosen_and_of_equal_ones_the_earliest():
    assert best_epoch([curve(0.7, 0.9, 0.8, 0.9)], spec=SPEC) == 2


def test_of_several_curves_their_mean_decides():
    assert best_epoch([curve(0.9, 0.8, 0.2), curve(0.2, 0.8, 0.9)], spec=SPEC) == 2


def test_a_loss_is_best_where_it_is_least():
    spec = fake_spec(study__objective='"validation_loss"')
    assert best_epoch([curve(0.7, 0.9, 0.8)], spec=spec) == 2


def test_no_curve_and_an_epoch_that_some_curve_lacks_choose_nothing():
    assert best_epoch([], spec=SPEC) is None
    assert best_epoch([(), curve(0.7)], spec=SPEC) is None
    assert best_epoch([curve(0.7, 0.9), curve(0.7)], spec=SPEC) == 1


def test_the_winners_own_epoch_is_looked_for_in_its_parents_curves_too():
    study = completed_study()
    best = winner(study.trials, "max", max_epochs=9)
    if best.parent is None:
        best = replace(best, parent="b9-00-r0", initial_epoch=3, epochs=best.epochs[3:])
    parent_id = best.parent
    others = [trial for trial in study.trials if trial.trial_id not in (best.trial_id, parent_id)]
    best = replace(best, epochs=curve(*[0.8] * 6, first=4))
    parent = replace(
        best, trial_id=parent_id, parent=None, initial_epoch=0, budget_epochs=3, round=0,
        epochs=curve(0.7, 0.95, 0.8), score=0.8,
    )  # fmt: skip
    trials = (*others, parent, best)
    assert len(full_curve(best, {trial.trial_id: trial for trial in trials})) == 9
    assert own_epochs(trials, (), spec=SPEC)["winner"] == 2


def test_the_baselines_own_epoch_is_that_of_its_completed_validation_runs():
    study = completed_study()
    validated = Run(
        run_id="baseline-validation-s1", arm="baseline-validation", seed_index=1, seed=1,
        configuration=SPEC.baseline.configuration, protocol_epochs=3, trained_on="train",
        status="completed", epochs=curve(0.7, 0.8, 0.75),
    )  # fmt: skip
    assert own_epochs(study.trials, [validated], spec=SPEC)["baseline"] == 2
    unfinished = replace(validated, status="failed")
    assert "baseline" not in own_epochs(study.trials, [unfinished], spec=SPEC)
