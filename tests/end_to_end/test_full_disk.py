"""A disk that is really full: the search pauses in a sentence, and resumes once there is room."""

import subprocess

import pytest

from lstm_study.store import Store
from tests.support.commands import lstm_study, workers_of
from tests.support.tiny import SPEC

# One checkpoint takes 7.7 MB, and two lie side by side while the second replaces the first.
WIDE = [
    f"--set={setting}"
    for setting in (
        "search.max_epochs=2", "space.vocabulary_size=20000", "space.embedding_dim=32",
        "space.lstm_units=4", "data.train_limit=100",
    )
]  # fmt: skip


@pytest.fixture
def small_disk(tmp_path):
    """A folder that is a file system of 12 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted ({mounted.stderr.strip()}): a full disk NOT tested")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_pauses_the_search_and_with_more_room_it_resumes(small_disk):
    (small_disk / "tiny.toml").write_text(SPEC)
    command = ("search", "tiny.toml", "--workers", "1", *WIDE)
    full = lstm_study(*command, cwd=small_disk)
    assert full.code == 1, full.out + full.err
    assert "No space left on device" in full.err
    assert "Free space" in full.err
    assert "then run the same command again" in full.err
    assert "Traceback" not in full.err
    assert "at most 16 MB of checkpoints at a time, 13 MB free: if it fills up" in full.out
    assert workers_of(small_disk) == []
    store = Store(small_disk / "study/runs/tiny")
    (before,) = store.read_trials()
    assert len(before.epochs) == 1, "the epoch that ended is safe"

    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    enough = lstm_study(*command, cwd=small_disk)
    assert enough.code == 0, enough.err
    after = store.read_trials()
    assert [trial.status for trial in after] == ["completed"] * 2
    assert after[0].epochs[0] == before.epochs[0], "it is not trained again"
    assert not list(small_disk.rglob("*~"))
