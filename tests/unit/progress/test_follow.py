"""What is shown of a stage: its running trainings, and the time worked on it."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from lstm_study.configuration import BASELINE
from lstm_study.progress.follow import Follower, Item, item_of, silent_seconds
from lstm_study.progress.values import Progress
from lstm_study.provenance import machine
from lstm_study.records import Failure, Session, Trial
from lstm_study.records.state import Live
from lstm_study.store import Store
from tests.support.fake_study import completed_study

STUDY = completed_study()
TRIAL, RUN = STUDY.trials[0], STUDY.runs[0]


def item(training_id: str = "b0-00-r0", *, score: str = "") -> Item:
    return Item(
        training_id=training_id, configuration=BASELINE, epochs=(),
        score=score, failed=False,
    )  # fmt: skip


def live(folder: Path, *, timed: int, worker: str = "w1", training_id: str = "b0-00-r0") -> None:
    """Leaves what a worker says after `timed` steps of two seconds, and one that compiled."""
    Store(folder).write_live(
        worker,
        Live(
            training_id=training_id, epochs=4, epoch=1, step=timed + 1, steps=100,
            timed_steps=timed, timed_seconds=2.0 * timed, train_accuracy=0.5,
        ),
    )  # fmt: skip


def progress(folder: Path, items: list[Item]) -> Progress:
    follower = Follower(Store(folder), stage="search", title="Search", items=items)
    return follower.progress(30.0, items=items, total=5, best="")


def test_each_workers_training_is_shown_with_its_step(tmp_path):
    live(tmp_path, timed=49)
    live(tmp_path, timed=9, worker="w2", training_id="b0-01-r0")
    found = progress(tmp_path, [item(), item("b0-01-r0")])
    shown = [(each.worker, each.training_id, each.epoch, each.step) for each in found.running]
    assert shown == [("w1", "b0-00-r0", 1, 50), ("w2", "b0-01-r0", 1, 10)]


def test_what_ended_since_the_command_began_is_listed_once_in_the_order_it_ended(tmp_path):
    before = item("b0-00-r0", score="81.00%")
    follower = Follower(Store(tmp_path), stage="search", title="Search", items=[before])
    second, third = item("b0-01-r0"), item("b0-02-r0")
    found = follower.progress(1.0, items=[before, second, third], total=2, best="")
    assert (found.done, found.failed, found.total, found.ended) == (1, 0, 3, ())
    third = replace(third, score="diverged", failed=True)
    follower.progress(2.0, items=[before, second, third], total=5, best="")
    second = replace(second, score="80.00%")
    found = follower.progress(3.0, items=[before, second, third], total=5, best="81.00%")
    assert [(each.training_id, each.score, each.failed) for each in found.ended] == [
        ("b0-02-r0", "diverged", True), ("b0-01-r0", "80.00%", False),
    ]  # fmt: skip
    assert {each.detail for each in found.ended} == {BASELINE.description}
    assert (found.done, found.failed, found.total, found.best) == (3, 1, 5, "81.00%")


def test_a_worker_is_shown_only_while_its_training_has_not_ended(tmp_path):
    live(tmp_path, timed=9, worker="w2", training_id="b0-01-r0")
    live(tmp_path, timed=9, worker="w3", training_id="another stage's")
    live(tmp_path, timed=9, worker="w1", training_id="b0-02-r0")
    found = progress(tmp_path, [item("b0-01-r0"), item("b0-02-r0", score="81.00%")])
    assert [each.worker for each in found.running] == ["w2"]
    assert progress(tmp_path, [item("b0-01-r0"), item("b0-02-r0")]).running[0].worker == "w1"


def test_what_a_worker_does_beside_trainings_is_shown_by_its_parts(tmp_path):
    Store(tmp_path).write_live("w1", Live(training_id="control", step=2, steps=9))
    Store(tmp_path).write_live("w2", Live(training_id="test-reviews", step=1, steps=2))
    live(tmp_path, timed=49, worker="w3")
    found = progress(tmp_path, [item()]).running
    assert [each.in_words for each in found] == ["part 3 of 9", "part 2 of 2", "epoch 1 of 4"]
    assert [each.share_done for each in found] == [2 / 9, 0.5, 0.125]
    assert replace(found[2], epoch=0, step=0, steps=0).share_done == 0.0, "before its first step"
    assert found[0].detail == "logistic regression over words and pairs of words"


def test_a_worker_is_silent_since_it_last_sent_where_it_stands_if_it_says_when():
    assert silent_seconds(Live()) == 0.0
    assert silent_seconds(Live(at=time.time() + 100.0)) == 0.0, "another machine's clock"
    assert 100.0 <= silent_seconds(Live(at=time.time() - 100.0)) < 160.0


@pytest.mark.parametrize("record", [TRIAL, RUN])
def test_a_training_that_failed_says_how_and_one_that_completed_has_its_score(record):
    def found(**values) -> Item:
        return item_of(replace(record, **values), score=lambda _: "81.00%")

    completed = found(status="completed")
    assert (completed.score, completed.failed, completed.ended) == ("81.00%", False, True)
    failure = Failure(kind="out_of_memory", message="no room")
    failed = found(status="failed", failure=failure)
    assert (failed.score, failed.failed, failed.ended) == ("out of memory", True, True)
    assert not found(status="running").ended
    name = record.trial_id if isinstance(record, Trial) else record.run_id
    assert completed.training_id == name


def test_trap_17_elapsed_counts_only_the_time_worked_however_long_the_study_lay(tmp_path):
    """Keras Tuner's "Total elapsed time" grows while no command runs; here two sessions of 60 s and
    40 s, a month apart, and 30 s of the third make 130 s. The comparison's time is its own."""
    for started_at, stage, seconds in (
        ("2026-01-01T00:00:00.000Z", "search", 60.0),
        ("2026-02-01T00:00:00.000Z", "search", 40.0),
        ("2026-02-01T01:00:00.000Z", "compare", 500.0),
    ):
        Store(tmp_path).write(
            Session(
                command="", stage=stage, started_at=started_at, seconds=seconds, workers=1,
                threads=1, machine=machine(), git_commit="", settings=(),
            )
        )  # fmt: skip
    assert progress(tmp_path, [item()]).elapsed_seconds == 130.0
