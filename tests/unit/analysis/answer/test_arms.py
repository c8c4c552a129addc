"""Arms: which runs count, how they vote, and what is said of those that don't count."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_study.analysis.answer.arms import arms_from_records, make_arm, runs_left_out, without
from lstm_study.analysis.answer.verdict import judge
from lstm_study.errors import ComparisonError
from lstm_study.records import Control
from tests.support.fake_study import completed_study, empty_study, failed_study

LABELS = np.array([1, 0, 1, 0], dtype=np.int8)


def test_a_probability_of_exactly_one_half_is_read_as_negative():
    arm = make_arm("a", probabilities=np.array([[0.5, 0.5, 0.51, 0.51]]), labels=LABELS)
    assert arm.correct.tolist() == [[False, True, True, False]]
    assert arm.accuracy == 0.5


def test_a_tied_vote_is_settled_by_the_mean_probability():
    probabilities = np.array([[0.9, 0.6, 0.9, 0.1], [0.2, 0.1, 0.8, 0.2]])
    arm = make_arm("a", probabilities=probabilities, labels=LABELS)
    assert arm.votes.tolist() == [True, False, True, False]


def test_a_majority_outvotes_a_certain_minority():
    probabilities = np.array([[0.51], [0.51], [0.0]])
    assert make_arm("a", probabilities=probabilities, labels=LABELS[:1]).votes.tolist() == [True]


def test_accuracies_of_a_fake_study_are_those_in_its_records():
    study = completed_study()
    for arm in arms_from_records(study).values():
        recorded = [run.test_accuracy for run in study.runs if run.arm == arm.name]
        assert arm.accuracies == pytest.approx(recorded)
        assert arm.seed_indices == (1, 2, 3, 4)


def test_a_failed_run_is_left_out_and_said_to_be():
    study = failed_study()
    arms = arms_from_records(study)
    assert arms["winner"].seeds == 3
    assert runs_left_out(study) == {"winner": "1 of 4 runs is left out: 1 failed"}


def test_unfinished_torn_and_impossible_runs_are_left_out_each_with_its_reason():
    study = completed_study()
    ids = [run.run_id for run in study.runs if run.arm == "baseline"]
    predictions = dict(study.predictions)
    del predictions[ids[0]]
    predictions[ids[1]] = predictions[ids[1]][:-1]
    predictions[ids[2]] = np.full_like(predictions[ids[2]], np.nan)
    runs = tuple(
        replace(run, status="interrupted") if run.run_id == ids[3] else run for run in study.runs
    )
    study = replace(study, predictions=predictions, runs=runs)
    assert list(arms_from_records(study)) == ["winner"]
    assert runs_left_out(study)["baseline"] == (
        "4 of 4 runs are left out: 1 not finished, "
        "1 with probabilities for another number of reviews, "
        "1 with probabilities that are not numbers in [0, 1], 1 without stored probabilities"
    )


def test_a_study_without_evaluations_has_no_arms():
    assert arms_from_records(empty_study()) == {}


@pytest.mark.parametrize(
    ("probabilities", "labels", "words"),
    [
        (np.zeros((0, 4)), LABELS, "one seed or more"),
        (np.zeros((2, 3)), LABELS, r"shape \(2, 3\)"),
        (np.full((1, 4), np.nan), LABELS, "number in"),
        (np.zeros((1, 4)), LABELS + 1, "0 or 1"),
    ],
)
def test_an_arm_that_makes_no_sense_is_refused(probabilities, labels, words):
    with pytest.raises(ComparisonError, match=words):
        make_arm("a", probabilities=probabilities, labels=labels)


def test_the_control_is_a_deterministic_arm_of_one_row():
    study = completed_study()
    row = np.full(len(study.test_labels), 0.7, dtype=np.float32)
    control = Control(status="completed", weighting="nb", inverse_regularisation=1.0)
    study = replace(study, control=control, predictions={**study.predictions, "control": row})
    arm = arms_from_records(study)["control"]
    assert (arm.seeds, arm.deterministic) == (1, True)
    assert arm.accuracy == np.mean(study.test_labels == 1)
    failed = replace(study, control=replace(control, status="failed"))
    assert "control" not in arms_from_records(failed)
    assert judge(study, candidate="control").kind in ("better", "worse")


def test_the_ensemble_is_the_mean_of_the_winners_runs_where_the_study_asks_for_it():
    assert "ensemble" not in arms_from_records(completed_study())
    study = completed_study(export__ensemble="true")
    arm = arms_from_records(study)["ensemble"]
    rows = [study.predictions[f"winner-s{index}"] for index in (1, 2, 3, 4)]
    assert arm.probabilities[0] == pytest.approx(np.mean(rows, axis=0), abs=1e-7)
    assert judge(study, candidate="ensemble").kind == "cannot say"


def test_reviews_can_be_dropped_from_an_arm():
    arm = make_arm("a", probabilities=np.array([[0.9, 0.1, 0.2, 0.3]]), labels=LABELS)
    left = without(arm, (3, 2))
    assert left.labels.tolist() == [1, 0]
    assert left.accuracy == 1.0
    assert without(arm, ()).accuracy == arm.accuracy
    with pytest.raises(ComparisonError, match="no test review is left"):
        without(arm, range(4))
    with pytest.raises(ComparisonError, match="test half of 4 reviews"):
        without(arm, [4])
