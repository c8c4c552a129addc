"""The oracle whose state is the records, beside plain Keras Tuner's, whose state is its own."""

import random
import socket
import threading
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import keras
import keras_tuner
import pytest
from keras_tuner.src.engine.trial import TrialStatus

from lstm_study.configuration import BASELINE, Configuration
from lstm_study.engine.classes import Classes
from lstm_study.model.space import hyperparameters
from lstm_study.progress.values import ignore
from lstm_study.records import Failure, Trial
from lstm_study.search.oracle import RecordedHyperband
from lstm_study.search.plan import make_plan, trial_of
from lstm_study.search.plan_state import plan_search
from lstm_study.search.stage import SearchStage
from lstm_study.spec import StudySpec
from lstm_study.store import Store
from tests.support.tiny import spec

NAN = Failure(kind="diverged", message="the loss became nan")
TEN = ("search.max_epochs=10",)
WIDE = (*TEN, "space.lstm_units={min=1, max=99}", "space.embedding_dim={min=1, max=99}")


def oracle_of(folder: Path, *settings: str) -> RecordedHyperband:
    study, store = spec(*(settings or WIDE)), Store(folder)
    return RecordedHyperband(spec=study, plan=plan_search(study, store), store=store)


def plain_oracle(folder: Path, **options) -> keras_tuner.oracles.HyperbandOracle:
    """Keras Tuner's own, over the same space."""
    oracle = keras_tuner.oracles.HyperbandOracle(
        objective=keras_tuner.Objective("validation_accuracy", "max"),
        **({"max_epochs": 10, "factor": 3, "seed": 3} | options),
        hyperparameters=hyperparameters(spec(*WIDE).space),
    )
    oracle.verbose = 0
    oracle._set_project_dir(str(folder), "plain")
    return oracle


def value_of(name: str) -> float:
    """A made-up score for a configuration."""
    return (sum(name.encode()) * 7919 % 1000) / 1000


def finish(oracle: RecordedHyperband, trial, *, failure: Failure | None = None) -> None:
    """Does what the stage does when a trial ends."""
    record = oracle.records[trial.trial_id]
    if failure is not None:
        oracle.keep(replace(record, status="failed", failure=failure))
    else:
        score = value_of(record.trial_id.rpartition("-")[0])
        oracle.keep(replace(record, status="completed", score=score))
    oracle.end_trial(trial)


def play(oracle: RecordedHyperband, *, until: int = 1_000) -> list[str]:
    """Runs trials one after the other."""
    order = []
    while len(order) < until:
        trial = oracle.create_trial("w1")
        if trial.status == TrialStatus.STOPPED:
            break
        order.append(trial.trial_id)
        finish(oracle, trial)
    return order


def records_of(folder: Path) -> list[Trial]:
    return Store(folder).read_trials()


def test_the_schedule_is_what_plain_keras_tuner_runs(tmp_path):
    play(oracle_of(tmp_path / "ours"))
    theirs = plain_oracle(tmp_path)
    budgets = []
    while (trial := theirs.create_trial("t")).status == TrialStatus.RUNNING:
        budgets.append(trial.hyperparameters.values["tuner/epochs"])
        theirs.update_trial(trial.trial_id, {"validation_accuracy": value_of(trial.trial_id)})
        trial.status = "COMPLETED"
        theirs.end_trial(trial)
    assert sorted(record.budget_epochs for record in records_of(tmp_path / "ours")) == sorted(
        budgets
    )


def test_trap_7_plain_keras_tuner_loses_its_finalists_to_two_failures_and_ours_does_not(tmp_path):
    theirs, ended = plain_oracle(tmp_path, max_epochs=10), 0
    while (trial := theirs.create_trial("t")).status == TrialStatus.RUNNING:
        fails = ended in (3, 7)
        if not fails:
            theirs.update_trial(trial.trial_id, {"validation_accuracy": value_of(trial.trial_id)})
        trial.status = "FAILED" if fails else "COMPLETED"
        theirs.end_trial(trial)
        ended += 1
    finals = [
        trial
        for trial in theirs.trials.values()
        if trial.hyperparameters.values["tuner/round"] == 2
    ]
    assert finals == [], "Keras Tuner has fixed it"

    ours, number = oracle_of(tmp_path / "ours"), 0
    while (trial := ours.create_trial("w1")).status == TrialStatus.RUNNING:
        finish(ours, trial, failure=NAN if number in (3, 7) else None)
        number += 1
    assert sum(record.round == 2 for record in records_of(tmp_path / "ours")) == 2


def test_trap_6_plain_keras_tuners_best_trial_can_be_one_of_a_small_budget(tmp_path):
    theirs = plain_oracle(tmp_path, max_epochs=10)
    first = theirs.create_trial("t")
    theirs.update_trial(first.trial_id, {"validation_accuracy": 0.9})
    first.status = "COMPLETED"
    theirs.end_trial(first)
    best = theirs.get_best_trials(1)[0]
    assert best.hyperparameters.values["tuner/epochs"] == 2, "Keras Tuner has fixed it"


def test_trap_12_a_seed_of_zero_is_random_to_keras_tuner_and_refused_by_us(tmp_path):
    assert plain_oracle(tmp_path, seed=0).seed != 0, "Keras Tuner has fixed it"
    with pytest.raises(Exception, match=r"study\.seed must be an integer >= 1"):
        spec("study.seed=0")


def test_traps_13_to_16_a_search_killed_after_any_trial_goes_on_as_if_it_never_stopped(tmp_path):
    whole = tmp_path / "whole"
    order = play(oracle_of(whole))
    for cut in range(0, len(order), 7):
        folder = tmp_path / f"cut-{cut}"
        play(oracle_of(folder), until=cut)
        oracle_of(folder).create_trial("w1")  # handed out, and killed before its first epoch
        rest = play(oracle_of(folder))
        assert order[cut:] == rest
        assert records_of(folder) == records_of(whole)


def test_trap_15_nothing_of_keras_tuners_own_state_is_written_or_read(tmp_path):
    play(oracle_of(tmp_path))
    assert not list(tmp_path.rglob("oracle.json"))
    assert not list(tmp_path.rglob("tuner*.json"))


def test_trap_19_diverged_trials_never_end_the_search_and_three_bugs_in_a_row_do(tmp_path):
    diverging = oracle_of(tmp_path / "a")
    for _ in range(6):
        finish(diverging, diverging.create_trial("w1"), failure=NAN)
    assert (diverging.stop_reason, diverging.bugs_stopped_it) == ("", False)

    buggy = oracle_of(tmp_path / "b")
    for _ in range(3):
        bug = Failure(kind="bug", message="KeyError: 'x'", traceback="...")
        finish(buggy, buggy.create_trial("w1"), failure=bug)
    assert "3 trials in a row" in buggy.stop_reason
    assert buggy.bugs_stopped_it
    assert buggy.create_trial("w1").status == TrialStatus.STOPPED
    assert oracle_of(tmp_path / "b").stop_reason == "", "a new start gives the fixed code a chance"


def test_finalists_that_were_trained_again_are_no_trials_of_the_search(tmp_path):
    oracle = oracle_of(tmp_path)
    trial = oracle.create_trial("w1")
    record = oracle.records[trial.trial_id]
    finalist = replace(record, trial_id="f-1-s1", role="finalist", parent=record.trial_id)
    Store(tmp_path).write(finalist)
    assert set(oracle_of(tmp_path).records) == {record.trial_id}


def test_trap_20_an_error_in_the_oracle_leaves_nothing_locked(tmp_path):
    oracle = oracle_of(tmp_path)
    with pytest.raises(KeyError):
        oracle.update_trial("no such trial", {})
    with pytest.raises(KeyError):
        oracle.end_trial(keras_tuner.engine.trial.Trial(oracle.get_space(), "no such trial"))
    done = threading.Thread(target=oracle.create_trial, args=("w1",))
    done.start()
    done.join(timeout=60)
    assert not done.is_alive()


def test_trap_23_a_lost_workers_trial_is_the_next_one_that_is_handed_out(tmp_path):
    oracle = oracle_of(tmp_path)
    first, second = oracle.create_trial("w1"), oracle.create_trial("w2")
    oracle.take_back(first.trial_id)
    assert oracle.create_trial("w3").trial_id == first.trial_id
    assert oracle.create_trial("w4").trial_id not in (first.trial_id, second.trial_id)


def test_trap_24_nothing_listens_on_a_port(tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("a search on this machine opens no port")

    monkeypatch.setattr(socket.socket, "listen", refuse)
    oracle, store = oracle_of(tmp_path), Store(tmp_path)
    stage = SearchStage(spec(*WIDE), make_plan(spec(*WIDE)), oracle, store, report=ignore)
    (job,) = stage.due("w1", 1)
    assert job.configuration.maxlen in (6, 8)


def test_a_worker_gets_several_trials_of_one_shape_class_and_no_trial_twice(tmp_path):
    oracle = oracle_of(tmp_path, *TEN)
    seen: set[str] = set()
    while trials := oracle.create_trials(4):
        records = [oracle.records[trial.trial_id] for trial in trials]
        shapes = {Classes(spec(*TEN)).of(each.configuration) for each in records}
        assert len(shapes) == 1
        assert not seen & {trial.trial_id for trial in trials}
        seen |= {trial.trial_id for trial in trials}
        for trial in trials:
            finish(oracle, trial)
    assert len(seen) == 30
    alone = tmp_path / "alone"
    play(oracle_of(alone, *TEN))
    assert seen == {record.trial_id for record in records_of(alone)}


def play_side_by_side(oracle: RecordedHyperband, *, seed: int, failing: Collection[str] = ()):
    """Runs trials on three workers, each with up to three at once, that end in a random order."""
    chance, running = random.Random(seed), []
    while True:
        while len(running) < 9 and (trials := oracle.create_trials(chance.randint(1, 3))):
            running += trials
        if not running:
            break
        trial = running.pop(chance.randrange(len(running)))
        finish(oracle, trial, failure=NAN if trial.trial_id in failing else None)


@pytest.mark.parametrize("most", [1, 5, 12, 14, 17, 20, 25, 29, 30])
def test_a_limit_in_trials_is_for_the_first_ones_of_the_plan_with_any_number_of_workers(
    tmp_path, most
):
    settings = (*WIDE, f"search.max_trials={most}", "search.control=random")
    alone = oracle_of(tmp_path / "alone", *settings)
    order = play(alone)
    assert order[:most] == play(oracle_of(tmp_path / "whole"))[:most]
    epochs = sum(
        each.budget_epochs - each.initial_epoch
        for each in alone.records.values()
        if each.role == "search"
    )
    # The random control pays for the epochs that the limit leaves.
    assert len(order[most:]) == max(1, epochs // 10)
    assert {alone.records[each].role for each in order[most:]} == {"control"}
    assert alone.stop_reason == ("" if most == 30 else f"search.max_trials of {most} is reached")
    for seed in range(3):
        side_by_side = oracle_of(tmp_path / str(seed), *settings)
        play_side_by_side(side_by_side, seed=seed)
        assert set(side_by_side.records) == set(order)
        assert side_by_side.stop_reason == alone.stop_reason


def test_trials_that_failed_are_replaced_beyond_the_limit_whatever_the_number_of_workers(tmp_path):
    settings = (*WIDE, "search.max_trials=20")
    failing = play(oracle_of(tmp_path / "whole", *settings))[12:14]  # of bracket 2's second round
    found = []
    for seed in range(4):
        oracle = oracle_of(tmp_path / str(seed), *settings)
        play_side_by_side(oracle, seed=seed, failing=failing)
        found.append(set(oracle.records))
    assert found[1:] == found[:-1]
    assert len(found[0]) == 22


def test_a_raised_limit_resumes_the_search_where_the_lower_one_ended_it(tmp_path):
    play(oracle_of(tmp_path, *WIDE, "search.max_trials=14", "search.control=random"))
    play(oracle_of(tmp_path, *WIDE, "search.control=random"))
    whole = oracle_of(tmp_path / "whole", *WIDE, "search.control=random")
    play(whole)
    assert {each.trial_id for each in records_of(tmp_path)} == set(whole.records)


def test_checkpoints_that_no_trial_can_need_are_deleted_as_the_search_runs(tmp_path):
    oracle, store, most = oracle_of(tmp_path), Store(tmp_path), 0
    while (trial := oracle.create_trial("w1")).status == TrialStatus.RUNNING:
        path = store.checkpoint_path(trial.trial_id)
        path.parent.mkdir(exist_ok=True)
        path.touch()
        most = max(most, len(list(path.parent.iterdir())))
        finish(oracle, trial)
    assert most <= 6
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_trap_22_a_second_plain_tuner_with_overwrite_wipes_the_project_and_ours_never_does(
    tmp_path,
):
    def plain_tuner(*, overwrite: bool) -> keras_tuner.Tuner:
        return keras_tuner.Hyperband(
            lambda hp: keras.Sequential([keras.Input((1,)), keras.layers.Dense(hp.Int("n", 1, 9))]),
            objective=keras_tuner.Objective("validation_accuracy", "max"),
            directory=str(tmp_path),
            project_name="plain",
            overwrite=overwrite,
        )

    plain_tuner(overwrite=False).oracle.create_trial("t")
    assert list((tmp_path / "plain").glob("trial_*"))
    plain_tuner(overwrite=True)
    assert not list((tmp_path / "plain").glob("trial_*")), "Keras Tuner has fixed it"

    play(oracle_of(tmp_path / "ours"), until=5)
    before = records_of(tmp_path / "ours")
    oracle_of(tmp_path / "ours")
    assert len(before) == 5
    assert records_of(tmp_path / "ours") == before


NARROW = tuple(f"space.{name}=6" for name in ("maxlen", "embedding_dim", "lstm_units"))
BAYESIAN = (*NARROW, "search.tuner='bayesian'", "search.max_trials=9", "space.dropout=0.1")


def play_by_two(oracle: RecordedHyperband) -> None:
    """Runs trials two at a time, as two workers do: each is proposed without its fellow's score."""
    while trials := [trial for _ in range(2) for trial in oracle.create_trials(1)]:
        for trial in trials:
            finish(oracle, trial)


def configurations_of(folder: Path) -> dict[str, Configuration]:
    return {each.trial_id: each.configuration for each in records_of(folder)}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("lost", ["b0-06-r0", "b0-07-r0"])
def test_a_bayesian_trial_whose_record_was_lost_gets_the_configuration_that_it_had(tmp_path, lost):
    play_by_two(oracle_of(tmp_path, *BAYESIAN))
    before = configurations_of(tmp_path)
    assert len(before) == 9
    (tmp_path / "trials" / f"{lost}.json").unlink()
    assert play(oracle_of(tmp_path, *BAYESIAN)) == [lost]
    assert configurations_of(tmp_path) == before


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_bayesian_plan_that_is_lost_knows_its_proposals_again_from_the_trials(tmp_path):
    play_by_two(oracle_of(tmp_path, *BAYESIAN))
    before = configurations_of(tmp_path)
    (tmp_path / "plan.json").unlink()
    oracle_of(tmp_path, *BAYESIAN)
    (tmp_path / "trials" / "b0-07-r0.json").unlink()
    play(oracle_of(tmp_path, *BAYESIAN))
    assert configurations_of(tmp_path) == before


def test_a_bayesian_trial_that_was_killed_before_its_record_is_not_proposed_again(tmp_path):
    play(oracle_of(tmp_path, *BAYESIAN), until=3)
    oracle_of(tmp_path, *BAYESIAN).create_trials(1)
    proposed = configurations_of(tmp_path)["b0-03-r0"]
    (tmp_path / "trials" / "b0-03-r0.json").unlink()
    # Meanwhile one of those before it was lost: from fewer results another would be proposed.
    (tmp_path / "trials" / "b0-00-r0.json").unlink()
    play(oracle_of(tmp_path, *BAYESIAN), until=4)
    assert configurations_of(tmp_path)["b0-03-r0"] == proposed


def test_a_bayesian_proposal_is_made_from_all_trials_before_it_past_a_hundred_too(
    tmp_path, monkeypatch
):
    def limited_to(count: int) -> StudySpec:
        return spec("search.tuner='bayesian'", f"search.max_trials={count}")

    study, store, few = limited_to(103), Store(tmp_path), make_plan(limited_to(3))
    begun = trial_of(few.brackets[0], few.brackets[0].slots[0], 0, configuration=BASELINE)
    plan = make_plan(study, [begun])  # as it is named where three trials were planned at first
    (bracket,) = plan.brackets
    for slot in bracket.slots[:101]:
        trial = trial_of(bracket, slot, 0, configuration=BASELINE)
        store.write(replace(trial, status="failed", failure=NAN))
    seen: list[int] = []
    monkeypatch.setattr(
        "lstm_study.search.oracle.propose",
        lambda spec, records: seen.append(len(records)) or BASELINE,
    )
    oracle = RecordedHyperband(spec=study, plan=plan, store=store)
    assert [trial.trial_id for trial in oracle.create_trials(1)] == ["b0-101-r0"]
    assert seen == [101]
