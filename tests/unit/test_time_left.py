"""How long the rest takes: from the first steps on, not from the first epoch."""

from pathlib import Path

import pytest

from lstm_study.configuration import BASELINE
from lstm_study.progress.follow import Follower, Item
from lstm_study.progress.values import Progress
from lstm_study.provenance import machine
from lstm_study.records import Epoch, Session
from lstm_study.records.state import Live
from lstm_study.store import Store

EPOCH = Epoch(
    epoch=1, train_loss=0.5, train_accuracy=0.7, validation_loss=None, validation_accuracy=None,
    train_seconds=100.0, validation_seconds=20.0, ended_at="2026-01-01T00:00:00.000Z",
)  # fmt: skip


def item(training_id: str = "b0-00-r0", *, epochs: int = 0, score: str = "") -> Item:
    return Item(
        training_id=training_id, configuration=BASELINE, target_epochs=4, own_epochs=4,
        epochs=(EPOCH,) * epochs, score=score, failed=False,
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


def progress(folder: Path, items: list[Item], *, to_begin: float = 0.0, workers: int = 1):
    watch = Follower(Store(folder), stage="search", title="Search", batch_size=64, items=items)
    return watch.progress(
        30.0,
        workers=workers,
        items=items,
        total=5,
        to_begin=[(BASELINE, to_begin, False)],
        best="",
    )


def left(folder: Path, items: list[Item], **options) -> float | None:
    found: Progress = progress(folder, items, **options)
    return found.remaining_seconds


def test_before_the_second_step_there_is_nothing_to_estimate_from(tmp_path):
    assert left(tmp_path, [item()]) is None
    live(tmp_path, timed=0)
    assert left(tmp_path, [item()]) is None


def test_within_the_first_epoch_its_steps_tell_how_long_an_epoch_takes(tmp_path):
    # 49 steps in 98 s: an epoch of 100 takes 200 s. Half of the first of four is done.
    live(tmp_path, timed=49)
    assert left(tmp_path, [item()]) == pytest.approx(3.5 * 200)
    assert left(tmp_path, [item()], to_begin=2.0) == pytest.approx(5.5 * 200)
    assert left(tmp_path, [item()], to_begin=2.0, workers=2) == pytest.approx(5.5 * 100)


def test_epochs_that_ended_count_with_their_validation(tmp_path):
    assert left(tmp_path, [item(epochs=1)]) == pytest.approx(3 * 120)
    live(tmp_path, timed=50)
    # An epoch of 120 s and half a one of 100 s: 220 s for one and a half.
    assert left(tmp_path, [item(epochs=1)]) == pytest.approx((3 - 0.51) * 220 / 1.5)


def test_what_ended_is_left_out(tmp_path):
    live(tmp_path, timed=49)
    assert left(tmp_path, [item(score="80.00%")], to_begin=1.0) is None


def test_each_workers_training_is_shown_with_its_step(tmp_path):
    live(tmp_path, timed=49)
    live(tmp_path, timed=9, worker="w2", training_id="b0-01-r0")
    found = progress(tmp_path, [item(), item("b0-01-r0")], workers=2)
    shown = [(each.worker, each.training_id, each.epoch, each.step) for each in found.running]
    assert shown == [("w1", "b0-00-r0", 1, 50), ("w2", "b0-01-r0", 1, 10)]


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
