"""Which arms there are, and the runs they are made of."""

from dataclasses import replace

import pytest

from lstm_study.comparison.arms import (
    best_epoch,
    evaluations_due,
    last_epochs_run,
    own_epoch_run,
    own_epochs,
    plan_comparison,
    plan_runs,
    plan_validation_runs,
)
from lstm_study.errors import SpecError
from lstm_study.records import Epoch, Run
from lstm_study.store import Store
from tests.support.fake_spec import fake_spec
from tests.support.fake_study import completed_study

SPEC = fake_spec()
STUDY = completed_study()


def test_baseline_and_winner_come_first_then_the_runner_ups_of_the_full_budget():
    plan = plan_comparison(fake_spec(compare__runner_ups="2"), STUDY.trials)
    assert list(plan.arms) == ["baseline", "winner", "runner-up-1", "runner-up-2"]
    assert plan.arms["winner"] == next(
        run.configuration for run in STUDY.runs if run.arm == "winner"
    )
    assert len(set(plan.arms.values())) == 4
    full = {trial.configuration for trial in STUDY.trials if trial.budget_epochs == 9}
    assert {plan.arms[f"runner-up-{number}"] for number in (1, 2)} <= full


def test_where_the_study_is_masked_the_baseline_is_not_and_runs_once_more_as_the_others_are():
    spec = fake_spec(protocol__masked="true", compare__runner_ups="1", compare__seeds="1")
    plan = plan_comparison(spec, STUDY.trials)
    assert list(plan.arms) == ["baseline", "winner", "baseline-masked", "runner-up-1"]
    assert plan.arms["baseline-masked"] == plan.arms["baseline"]
    runs = plan_runs(plan, spec=spec, own_epochs={"baseline": 3, "winner": 3})
    assert [run.masked for run in runs] == [False, True, True, True]
    assert len({run.seed for run in runs}) == 1
    assert [own_epoch_run(run).masked for run in runs[:2]] == [False, True]
    validated = plan_validation_runs(plan, spec=spec)
    assert [(run.arm, run.masked) for run in validated] == [
        ("baseline-validation", False), ("winner-validation", True),
    ]  # fmt: skip


def test_a_masked_studys_ablation_starts_from_the_masked_baselines_validation_run():
    spec = fake_spec(protocol__masked="true", compare__ablation="true", compare__seeds="3")
    plan = plan_comparison(spec, STUDY.trials)
    last = plan_validation_runs(plan, spec=spec)[-1]
    assert (last.run_id, last.masked) == ("baseline-masked-validation-s1", True)
    unmasked = plan_comparison(
        fake_spec(compare__ablation="true", compare__seeds="3"), STUDY.trials
    )
    assert plan.trainings == unmasked.trainings + 3 + 1


def test_a_configuration_that_the_search_drew_twice_is_one_arm():
    best = max(
        (trial for trial in STUDY.trials if trial.budget_epochs == 9), key=lambda trial: trial.score
    )
    again = replace(best, trial_id="b9-99-r0")
    plan = plan_comparison(fake_spec(compare__runner_ups="1"), (*STUDY.trials, again))
    assert plan.arms["winner"] == best.configuration
    assert plan.arms["runner-up-1"] != best.configuration


def test_more_runner_ups_than_there_are_full_budgets_are_as_many_as_there_are():
    plan = plan_comparison(fake_spec(compare__runner_ups="100"), STUDY.trials)
    full = {trial.configuration for trial in STUDY.trials if trial.budget_epochs == 9}
    assert len(plan.arms) == 1 + len(full)


def test_added_seeds_come_after_the_first_ones_and_share_their_seed_across_arms():
    spec = fake_spec(compare__seeds="2")
    plan = plan_comparison(spec, STUDY.trials, more_seeds=1)
    runs = plan_runs(plan, spec=spec, own_epochs={"winner": 3})
    assert [run.run_id for run in runs] == [
        "baseline-s1", "winner-s1", "baseline-s2", "winner-s2", "baseline-s3", "winner-s3",
    ]  # fmt: skip
    assert [run.seed for run in runs[::2]] == [run.seed for run in runs[1::2]]
    assert len({run.seed for run in runs}) == 3
    assert [run.own_epoch for run in runs[:2]] == [None, 3]


def test_validation_runs_leave_validation_out_have_the_full_budget_and_seeds_of_their_own():
    spec = fake_spec(compare__validation_seeds="2")
    plan = plan_comparison(spec, STUDY.trials)
    runs = plan_validation_runs(plan, spec=spec)
    assert [run.run_id for run in runs] == [
        "baseline-validation-s1", "winner-validation-s1",
        "baseline-validation-s2", "winner-validation-s2",
    ]  # fmt: skip
    assert {(run.trained_on, run.protocol_epochs) for run in runs} == {("train", 9)}
    others = {run.seed for run in plan_runs(plan, spec=spec, own_epochs={})}
    assert not others & {run.seed for run in runs}
    assert not {trial.seed for trial in STUDY.trials} & {run.seed for run in runs}


def test_a_baseline_with_epochs_of_its_own_chooses_its_own_epoch_among_them():
    spec = fake_spec(compare__validation_seeds="1", baseline__epochs="12")
    runs = plan_validation_runs(plan_comparison(spec, STUDY.trials), spec=spec)
    assert [(run.arm, run.protocol_epochs) for run in runs] == [
        ("baseline-validation", 12), ("winner-validation", 9)
    ]  # fmt: skip


def test_one_training_is_evaluated_at_the_protocols_epoch_and_at_its_own():
    spec = fake_spec()
    plan = plan_comparison(spec, STUDY.trials)
    run = plan_runs(plan, spec=spec, own_epochs={"baseline": 3})[0]
    own = own_epoch_run(run)
    assert (own.run_id, own.arm) == ("baseline-own-epoch-s1", "baseline-own-epoch")
    assert (own.protocol_epochs, own.trained_as, own.seed) == (3, "baseline-s1", run.seed)
    assert own_epoch_run(replace(run, own_epoch=spec.protocol.epochs)) is None
    assert own_epoch_run(replace(run, own_epoch=None)) is None


def test_runs_of_baseline_and_winner_are_evaluated_over_their_last_epochs_too():
    spec = fake_spec(compare__runner_ups="1")
    plan = plan_comparison(spec, STUDY.trials)
    runs = {run.run_id: run for run in plan_runs(plan, spec=spec, own_epochs={"winner": 3})}
    found = last_epochs_run(runs["winner-s2"])
    assert (found.run_id, found.arm) == ("winner-last-three-s2", "winner-last-three")
    assert (found.trained_as, found.protocol_epochs) == ("winner-s2", spec.protocol.epochs)
    assert last_epochs_run(runs["runner-up-1-s1"]) is None
    assert last_epochs_run(own_epoch_run(runs["winner-s2"])) is None


def test_evaluations_are_due_in_the_order_of_their_epochs_and_once(tmp_path):
    store, spec = Store(tmp_path), fake_spec()
    plan = plan_comparison(spec, STUDY.trials)
    early = plan_runs(plan, spec=spec, own_epochs={"baseline": 3})[0]
    late = replace(early, own_epoch=8)
    assert [run.protocol_epochs for run in evaluations_due(early, store)] == [3, 5]
    assert [run.protocol_epochs for run in evaluations_due(late, store)] == [5, 8]
    store.write(replace(own_epoch_run(early), status="completed"))
    assert [run.run_id for run in evaluations_due(early, store)] == ["baseline-s1"]
    done = replace(early, status="completed")
    assert evaluations_due(done, store) == []


def test_the_trainings_of_a_plan_are_counted_before_they_begin():
    spec = fake_spec(compare__seeds="3", compare__ablation="true")
    plan = plan_comparison(spec, STUDY.trials)
    baseline, winner = plan.arms["baseline"], plan.arms["winner"]
    d = sum(baseline.as_dict()[name] != winner.as_dict()[name] for name in baseline.as_dict())
    assert d > 1
    # d + (d - 1) + ... + 2 trainings of the ablation: the last step's is the winner's own.
    assert plan.trainings == 2 * 3 + 2 * 1 + sum(range(2, d + 1))


def test_an_ablation_needs_validation_runs():
    with pytest.raises(SpecError, match=r"compare\.ablation needs compare\.validation_seeds >= 1"):
        fake_spec(compare__ablation="true", compare__validation_seeds="0")


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


@pytest.mark.parametrize("arm", ["baseline", "winner"])
def test_an_arms_own_epoch_is_that_of_its_completed_validation_runs(arm):
    validated = Run(
        run_id=f"{arm}-validation-s1", arm=f"{arm}-validation", seed_index=1, seed=1,
        configuration=SPEC.baseline.configuration, protocol_epochs=3, trained_on="train",
        status="completed", epochs=curve(0.7, 0.8, 0.75),
    )  # fmt: skip
    other = replace(validated, epochs=curve(0.7, 0.71, 0.9))
    assert own_epochs([validated], spec=SPEC) == {arm: 2}
    assert own_epochs([validated, other], spec=SPEC) == {arm: 3}
    assert own_epochs([replace(validated, status="failed")], spec=SPEC) == {}


def test_no_own_epoch_is_later_than_a_falling_learning_rate_has_reached_zero():
    spec = fake_spec(protocol__epochs="2")
    documented = spec.baseline.configuration
    falling = replace(documented, learning_rate_schedule="linear")
    for configuration, epoch in ((documented, 3), (falling, 2)):
        validated = Run(
            run_id="winner-validation-s1", arm="winner-validation", seed_index=1, seed=1,
            configuration=configuration, protocol_epochs=3, trained_on="train",
            status="completed", epochs=curve(0.7, 0.71, 0.9),
        )  # fmt: skip
        assert own_epochs([validated], spec=spec) == {"winner": epoch}
