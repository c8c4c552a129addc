"""The way from baseline to winner, one hyperparameter at a time."""

from dataclasses import replace

import pytest

from lstm_study.analysis.answer.ablation import (
    ablation_path,
    ablation_trainings,
    ablation_trainings_left,
    follow_path,
    score_of,
)
from lstm_study.configuration import Configuration
from lstm_study.records import Epoch, Failure, Run
from tests.support.fake_spec import fake_spec
from tests.support.fake_study import completed_study

BASELINE = Configuration(
    vocabulary_size=1000, maxlen=100, embedding_dim=16, lstm_units=16, dropout=0.2,
    recurrent_dropout=0.2,
)  # fmt: skip
WINNER = BASELINE.with_values(maxlen=200, lstm_units=32, dropout=0.4)


def run(run_id: str, configuration: Configuration, *scores: float, failed: bool = False) -> Run:
    epochs = tuple(
        Epoch(
            epoch=number, train_loss=0.5, train_accuracy=0.5, validation_loss=1 - score,
            validation_accuracy=score, train_seconds=1.0, validation_seconds=1.0, ended_at="",
        )
        for number, score in enumerate(scores, start=1)
    )  # fmt: skip
    found = Run(
        run_id=run_id, arm=run_id.rpartition("-")[0], seed_index=1, seed=1, trained_on="train",
        configuration=configuration, protocol_epochs=2, status="completed", epochs=epochs,
    )  # fmt: skip
    if failed:
        failure = Failure(kind="diverged", message="the loss became nan")
        return replace(found, status="failed", failure=failure)
    return found


ENDS = [
    run("baseline-validation-s1", BASELINE, 0.7, 0.80),
    run("winner-validation-s1", WINNER, 0.9),
]
FIRST = [
    run("ablation-1-maxlen", BASELINE.with_values(maxlen=200), 0.7, 0.84),
    run("ablation-1-lstm-units", BASELINE.with_values(lstm_units=32), 0.9, 0.79),
    run("ablation-1-dropout", BASELINE.with_values(dropout=0.4), 0.7, 0.82),
]
SECOND = [
    run("ablation-2-lstm-units", BASELINE.with_values(maxlen=200, lstm_units=32), 0.85),
    run("ablation-2-dropout", BASELINE.with_values(maxlen=200, dropout=0.4), 0.83),
]


def path(runs, **settings):
    return follow_path(runs, BASELINE, WINNER, spec=fake_spec(**settings))


def test_what_is_left_of_it_is_what_has_not_begun_and_the_steps_to_come():
    def left(runs: list[Run]) -> int:
        return ablation_trainings_left(runs, BASELINE, WINNER, spec=fake_spec())

    assert left([]) == ablation_trainings(BASELINE, WINNER) == 3 + 2
    assert ablation_trainings(WINNER, WINNER) == 0
    assert ablation_trainings(BASELINE, BASELINE.with_values(maxlen=7)) == 0
    assert [left([*ENDS, *FIRST[:count]]) for count in range(4)] == [5, 4, 3, 2]
    assert [left([*ENDS, *FIRST, *SECOND[:count]]) for count in range(3)] == [2, 1, 0]
    running = replace(FIRST[0], status="running", epochs=FIRST[0].epochs[:1])
    assert left([*ENDS, running, *FIRST[1:]]) == 2, "one that has begun is not counted"


def test_nothing_is_left_of_one_whose_way_ended_in_failures():
    def left(runs: list[Run], **settings: str) -> int:
        return ablation_trainings_left(runs, BASELINE, WINNER, spec=fake_spec(**settings))

    failed = [run(each.run_id, each.configuration, failed=True) for each in FIRST]
    assert left([*ENDS, *failed]) == 0
    start = run("baseline-validation-s1", BASELINE, failed=True)
    assert left([start, ENDS[1]]) == 3, "its first step is trained, and leads no further"
    assert left([start, ENDS[1], *FIRST]) == 0
    masked = run("baseline-masked-validation-s1", BASELINE, 0.7, 0.80)
    assert left(ENDS, protocol__masked="true") == 5 + 1
    assert left([*ENDS, masked], protocol__masked="true") == 5


def test_every_hyperparameter_that_differs_is_tried_first():
    found = path([])
    assert found.start is None
    assert found.steps == ()
    assert [name for name, _ in found.candidates.values()] == ["maxlen", "lstm_units", "dropout"]
    configurations = [configuration for _, configuration in found.candidates.values()]
    assert configurations == [each.configuration for each in FIRST]


def test_the_change_with_the_largest_gain_is_kept_and_the_rest_are_tried_on_top_of_it():
    found = path(ENDS + FIRST)
    (step,) = found.steps
    assert (step.hyperparameter, step.before, step.after) == ("maxlen", 100, 200)
    assert (step.score_after, round(step.gain, 10)) == (0.84, 0.04)
    assert [round(gain, 10) for _, gain in step.tried] == [0.04, -0.01, 0.02]
    assert list(found.candidates) == ["ablation-2-lstm-units", "ablation-2-dropout"]


def test_the_last_step_is_the_winners_own_validation_run_and_the_gains_add_up():
    found = path(ENDS + FIRST + SECOND)
    assert [step.hyperparameter for step in found.steps] == ["maxlen", "lstm_units", "dropout"]
    assert found.steps[-1].run_id == "winner-validation-s1"
    assert found.candidates == {}
    assert round(sum(step.gain for step in found.steps), 10) == round(0.9 - 0.8, 10)


def test_a_loss_gains_by_falling():
    found = path(ENDS + FIRST, study__objective='"validation_loss"')
    assert found.steps[0].hyperparameter == "maxlen"
    assert round(found.steps[0].gain, 10) == 0.04


def test_a_step_waits_for_all_its_trainings():
    assert path(ENDS + FIRST[:2]).steps == ()
    unfinished = [*FIRST[:2], replace(FIRST[2], status="running")]
    assert path(ENDS + unfinished).steps == ()


def test_a_failed_change_is_passed_over_in_its_step_and_tried_again_in_the_next():
    failed = run("ablation-1-maxlen", BASELINE.with_values(maxlen=200), 0.5, failed=True)
    found = path([*ENDS, failed, *FIRST[1:]])
    assert found.steps[0].hyperparameter == "dropout"
    assert ("maxlen", None) in found.steps[0].tried
    assert "ablation-2-maxlen" in found.candidates


def test_the_way_ends_where_every_change_failed():
    failed = [run(each.run_id, each.configuration, failed=True) for each in FIRST]
    found = path(ENDS + failed)
    assert found.steps == ()
    assert found.candidates == {}


def test_winner_and_baseline_alike_leave_no_way():
    assert follow_path(ENDS, BASELINE, BASELINE, spec=fake_spec()).candidates == {}


def test_the_score_is_of_the_epoch_that_the_search_counts():
    validated = run("baseline-validation-s1", BASELINE, 0.9, 0.8)
    assert score_of(validated, fake_spec()) == 0.8
    assert score_of(validated, fake_spec(search__score='"best_epoch"')) == 0.9
    assert score_of(replace(validated, epochs=()), fake_spec()) is None


def test_a_masked_studys_way_starts_from_the_masked_baseline():
    masked = run("baseline-masked-validation-s1", BASELINE, 0.7, 0.82)
    found = path([*ENDS, masked, *FIRST], protocol__masked="true")
    assert found.start == 0.82
    assert found.steps[0].gain == pytest.approx(0.02)
    assert path([*ENDS, *FIRST], protocol__masked="true").start is None


def test_a_study_that_did_not_ask_for_it_has_no_path():
    assert ablation_path(completed_study()) is None
    asked = completed_study(compare__ablation="true")
    assert ablation_path(asked) is None
    assert ablation_path(replace(asked, runs=(*asked.runs, *ENDS))) is not None
