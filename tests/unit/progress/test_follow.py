"""What is shown of a stage: its running trainings, and the time worked on it."""

from pathlib import Path

from lstm_study.configuration import BASELINE
from lstm_study.progress.follow import Follower, Item
from lstm_study.progress.values import Progress
from lstm_study.provenance import machine
from lstm_study.records import Session
from lstm_study.records.state import Live
from lstm_study.store import Store


def item(training_id: str = "b0-00-r0", *, score: str = "") -> Item:
    return Item(
        training_id=training_id, configuration=BASELINE, target_epochs=4, epochs=(),
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
