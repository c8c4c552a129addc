"""Which run leaves as the model."""

from dataclasses import replace

import pytest

from lstm_study.errors import ExportError
from lstm_study.export.choice import choose_run
from lstm_study.records import StudyRecords
from tests.support.fake_study import completed_study


def with_last(records: StudyRecords, measure: str, losses: list[float | None]) -> StudyRecords:
    """Sets the last epoch's loss of the winner's runs, in order of seed."""
    values = iter(losses)
    runs = [
        replace(run, epochs=(*run.epochs[:-1], replace(run.epochs[-1], **{measure: next(values)})))
        if run.arm == "winner"
        else run
        for run in records.runs
    ]
    return replace(records, runs=tuple(runs))


def test_the_median_by_training_loss_leaves_where_nothing_was_left_out_for_validation():
    records = with_last(completed_study(seeds=3), "train_loss", [0.30, 0.10, 0.20])
    choice = choose_run(records)
    assert choice.run.run_id == "winner-s3"
    assert "median of 3 runs by training loss" in choice.reason


def test_of_two_middle_runs_the_one_with_the_lower_loss_leaves():
    records = with_last(completed_study(seeds=4), "train_loss", [0.4, 0.1, 0.3, 0.2])
    assert choose_run(records).run.run_id == "winner-s4"
    tied = with_last(records, "train_loss", [0.2] * 4)
    assert choose_run(tied).run.run_id == "winner-s2"


def test_the_first_seed_leaves_where_no_loss_is_recorded():
    records = completed_study(seeds=3)
    runs = tuple(replace(run, epochs=()) for run in reversed(records.runs))
    choice = choose_run(replace(records, runs=runs))
    assert choice.run.run_id == "winner-s1"
    assert choice.reason == "the first of 3 runs; their losses are not recorded"


def test_validation_loss_decides_where_every_run_has_one():
    records = with_last(completed_study(seeds=3), "train_loss", [0.30, 0.10, 0.20])
    some = with_last(records, "validation_loss", [0.5, None, 0.7])
    assert choose_run(some).run.run_id == "winner-s3"
    every = with_last(records, "validation_loss", [0.5, 0.6, 0.7])
    choice = choose_run(every)
    assert (choice.run.run_id, "validation loss" in choice.reason) == ("winner-s2", True)


def test_what_a_run_scored_on_test_changes_nothing():
    records = completed_study(seeds=5)
    chosen = choose_run(records).run.run_id
    turned = [replace(run, test_accuracy=1 - run.test_accuracy) for run in records.runs]
    assert choose_run(replace(records, runs=tuple(turned))).run.run_id == chosen


def test_failed_runs_never_leave_and_one_run_is_taken_as_it_is():
    records = completed_study(seeds=2)
    runs = [
        replace(run, status="failed") if run.run_id == "winner-s1" else run for run in records.runs
    ]
    choice = choose_run(replace(records, runs=tuple(runs)))
    assert choice.run.run_id == "winner-s2"
    assert choice.reason == "the only completed run of the arm 'winner'"
    failed = tuple(replace(run, status="failed") for run in records.runs)
    with pytest.raises(ExportError, match="no completed run to export"):
        choose_run(replace(records, runs=failed))
