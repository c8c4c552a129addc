"""Finalists: which trials are trained again, with which seeds, and who wins."""

from dataclasses import replace

import pytest

from lstm_study.analysis.search.summary import finalists, ranking, winner
from lstm_study.engine.jobs import JobResult
from lstm_study.records import Failure, Run
from lstm_study.records.state import SearchState
from lstm_study.search.rerank import FRESH_SEEDS, RerankStage, plan_finalists
from lstm_study.store import Store
from tests.support.fake_spec import fake_spec
from tests.support.fake_study import completed_study

SPEC = fake_spec(search__rerank="3")
STUDY = completed_study()
RANKED = ranking(STUDY.trials, "max", max_epochs=9)
WINNER_RUN = next(run for run in STUDY.runs if run.arm == "winner")


def ignore(progress):
    """Reports nothing."""


def store_of(tmp_path, trials=STUDY.trials):
    store = Store(tmp_path)
    store.begin(SPEC, spec_text=STUDY.spec_text, settings=(), data_digest="")
    for trial in trials:
        store.write(trial)
    return store


def again(scores):
    """Every finalist's trials with fresh seeds, of these scores; None for a failed one."""
    return [
        replace(
            RANKED[place], trial_id=f"f-{place + 1}-s{index}", role="finalist",
            parent=RANKED[place].trial_id, score=score,
            status="failed" if score is None else "completed",
        )
        for place, row in enumerate(scores)
        for index, score in enumerate(row, start=1)
    ]  # fmt: skip


def test_the_best_different_configurations_are_trained_again_with_the_same_fresh_seeds(tmp_path):
    twin = replace(RANKED[0], trial_id="b9-99-r0")
    found = plan_finalists(SPEC, store_of(tmp_path, [*STUDY.trials, twin]))
    assert len(found) == 3 * FRESH_SEEDS
    assert [trial.parent for trial in found[:3]] == [trial.trial_id for trial in RANKED[:3]]
    assert len({trial.configuration for trial in found}) == 3
    seeds = {trial.trial_id[-1]: trial.seed for trial in found}
    assert all(trial.seed == seeds[trial.trial_id[-1]] for trial in found)
    assert not set(seeds.values()) & {trial.seed for trial in STUDY.trials}
    assert {(trial.budget_epochs, trial.initial_epoch) for trial in found} == {(9, 0)}


def test_a_finalist_is_trained_as_its_trial_was(tmp_path):
    trials = [replace(trial, masked=True, parameter_count=77) for trial in STUDY.trials]
    found = plan_finalists(fake_spec(search__rerank="2"), store_of(tmp_path, trials))
    assert len(found) == 2 * FRESH_SEEDS
    assert {(trial.masked, trial.parameter_count) for trial in found} == {(True, 77)}


@pytest.mark.parametrize("rerank", ["0", "1"])
def test_none_are_trained_where_there_is_nothing_to_choose(tmp_path, rerank):
    assert plan_finalists(fake_spec(search__rerank=rerank), store_of(tmp_path)) == []


def test_trials_below_the_full_budget_are_no_finalists(tmp_path):
    below = [trial for trial in STUDY.trials if trial.budget_epochs < 9]
    assert len(below) > 2
    assert plan_finalists(SPEC, store_of(tmp_path, below)) == []


def test_a_comparison_that_began_without_finalists_keeps_its_winner(tmp_path):
    store = store_of(tmp_path)
    store.write(WINNER_RUN)
    assert plan_finalists(SPEC, store) == []


def test_a_baseline_that_was_trained_before_the_search_ended_leaves_the_finalists(tmp_path):
    store = store_of(tmp_path)
    found = plan_finalists(SPEC, store)
    for run in STUDY.runs:
        if run.arm == "baseline":
            store.write(run)
    assert store.paths(Run)
    assert plan_finalists(SPEC, store) == found


def test_a_search_that_went_on_adds_the_finalists_that_it_lacks(tmp_path):
    (least, best), others = RANKED[:2][::-1], RANKED[2:]
    before = [trial for trial in STUDY.trials if trial not in (least, best)]
    store = store_of(tmp_path, before)
    first = plan_finalists(SPEC, store)
    assert {trial.parent for trial in first} == {trial.trial_id for trial in others[:3]}
    for trial in first:
        store.write(replace(trial, status="completed", score=0.5))
    store.write(best)
    twin = replace(best, trial_id="b9-99-r0", configuration=others[0].configuration)
    store.write(twin)  # better than the finalist that has its configuration
    found = plan_finalists(SPEC, store)
    assert [trial.trial_id for trial in found if trial.status != "completed"] == [
        f"f-4-s{index}" for index in range(1, FRESH_SEEDS + 1)
    ]
    assert {trial.parent for trial in found} - {trial.parent for trial in first} == {best.trial_id}
    for trial in found:
        store.write(trial)
    store.write(WINNER_RUN)
    store.write(least)
    assert plan_finalists(SPEC, store) == found, "the comparison has begun"


def test_finalists_of_which_some_were_recorded_when_the_power_went_are_all_planned(tmp_path):
    store = store_of(tmp_path)
    whole = plan_finalists(SPEC, store)
    for trial in whole[:4]:
        store.write(trial)
    assert plan_finalists(SPEC, store) == whole


def test_the_best_mean_wins_and_the_selected_score_is_not_counted():
    trials = [*STUDY.trials, *again([(0.80, 0.81, 0.82), (0.83, 0.80, 0.84), (0.9, 0.9, 0.6)])]
    assert winner(trials, "max", max_epochs=9) == RANKED[1]
    assert [each.trial_id for each in ranking(trials, "max", max_epochs=9)][:3] == [
        RANKED[1].trial_id, RANKED[0].trial_id, RANKED[2].trial_id,
    ]  # fmt: skip
    means = {each.trial_id: each.mean for each in finalists(trials)}
    assert means[RANKED[2].trial_id] == pytest.approx(0.8)
    losses = [replace(trial, score=1 - trial.score) for trial in trials]
    assert winner(losses, "min", max_epochs=9).trial_id == RANKED[1].trial_id


def test_a_tie_of_means_goes_to_fewer_parameters_then_to_the_lower_id_whatever_the_search_scored():
    ties = again([(0.8, 0.9)] * 3)
    size = {0: 200, 1: 200, 2: 100}
    low_id_last = {0: "b0-09-r0", 1: "b0-01-r0", 2: "b0-05-r0"}
    found = [
        replace(RANKED[place], trial_id=low_id_last[place], parameter_count=size[place])
        for place in size
    ]
    names = {RANKED[place].trial_id: low_id_last[place] for place in size}
    fresh = [replace(trial, parent=names[trial.parent]) for trial in ties]
    assert found[0].score > found[1].score > found[2].score
    ranked = ranking([*found, *fresh], "max", max_epochs=9)
    assert [trial.trial_id for trial in ranked] == ["b0-05-r0", "b0-01-r0", "b0-09-r0"]


def test_until_all_have_ended_the_order_is_the_searchs():
    trials = again([(0.1, 0.1, 0.1), (0.9, 0.9, 0.9)])
    trials[-1] = replace(trials[-1], status="interrupted", score=None)
    assert ranking([*STUDY.trials, *trials], "max", max_epochs=9) == RANKED


def test_a_finalist_whose_training_failed_comes_after_those_with_a_mean():
    trials = [*STUDY.trials, *again([(0.9, None, 0.9), (0.7, 0.7, 0.7)])]
    assert ranking(trials, "max", max_epochs=9)[:2] == (RANKED[1], RANKED[0])


def test_the_stage_records_all_before_the_first_begins_and_resumes_what_is_left(tmp_path):
    store = store_of(tmp_path)
    stage = RerankStage(SPEC, plan_finalists(SPEC, store), store, report=ignore)
    recorded = [trial for trial in store.read_trials() if trial.role == "finalist"]
    assert len(recorded) == 9
    assert {trial.status for trial in recorded} == {"interrupted"}
    store.write_state(SearchState(trials=9, epochs=81, exhausted=False, brackets=(), stopped=""))
    assert store.outdated() == [], "they begin after the search has ended"
    (job,) = stage.due("w1", 1)
    assert (job.name, job.validates, job.trains_on, job.epochs) == ("f-1-s1", True, "train", 9)
    epochs = next(t.epochs for t in RANKED if len(t.epochs) == 9)
    stage.take(JobResult(name=job.name, epochs=epochs, is_last=True), worker="w1")
    (other,) = stage.due("w1", 1)
    stage.take(JobResult(name=other.name, failure=Failure(kind="diverged", message="nan"),
                      is_last=True), worker="w1")  # fmt: skip
    (third,) = stage.due("w1", 1)
    stage.take_back(third.name)
    assert third.name in [job.name for job in stage.due("w1", 9)]
    done = {trial.trial_id: trial for trial in plan_finalists(SPEC, store)}
    assert done["f-1-s1"].score == epochs[-1].validation_accuracy
    assert done[other.name].status == "failed"
    assert sum(trial.has_ended for trial in done.values()) == 2


def test_a_finalists_checkpoint_is_kept_until_it_ends_and_progress_is_of_those_that_began(tmp_path):
    store, seen = store_of(tmp_path), []
    stage = RerankStage(SPEC, plan_finalists(SPEC, store), store, report=seen.append)
    assert stage.tick(1.0), "the search goes on"
    assert (seen[-1].stage, seen[-1].done, seen[-1].total) == ("Finalists", 0, 9)
    (job,) = stage.due("w1", 1)
    scratch, kept = tmp_path / "scratch.npz", store.checkpoint_path(job.name)
    scratch.write_bytes(b"epoch 1")
    (epoch, *_) = next(t.epochs for t in RANKED if len(t.epochs) == 9)
    stage.take(JobResult(name=job.name, epochs=(epoch,), checkpoint=scratch), worker="w1")
    assert (kept.read_bytes(), scratch.exists()) == (b"epoch 1", False)
    assert stage.backlog == 8
    assert job.name not in [other.name for other in stage.due("w2", 9)], "it is still trained"
    stage.take_back(job.name)
    assert stage.due("w1", 1)[0].starts == (kept,)
    failure = Failure(kind="diverged", message="nan")
    stage.take(JobResult(name=job.name, failure=failure, is_last=True), worker="w1")
    assert not kept.exists()
    stage.tick(2.0)
    assert (seen[-1].done, seen[-1].failed) == (1, 1)


def test_finalists_that_one_worker_gets_at_once_are_of_one_shape_class(tmp_path):
    of_16 = RANKED[0].configuration.with_values(batch_size=16)
    best = replace(RANKED[0], configuration=of_16)
    store = store_of(tmp_path, [best if each == RANKED[0] else each for each in STUDY.trials])
    stage = RerankStage(SPEC, plan_finalists(SPEC, store), store, report=ignore)
    first = stage.due("w1", 2)
    assert [job.name for job in first] == ["f-1-s1", "f-1-s2"]
    assert [job.name for job in stage.due("w1", 9, like=first[0].shape_class)] == ["f-1-s3"]
    assert stage.due("w1", 1, like=first[0].shape_class) == []
    assert len(stage.due("w2", 9)) == 6
    assert stage.due("w3", 9) == []
