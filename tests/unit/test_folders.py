"""Folders: replaced whole or left as they were, whenever the process ends."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_study import files, folders
from lstm_study.errors import StoreError
from lstm_study.folders import exchange, replacing_folder


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_one(folder: Path, content: str) -> None:
    with replacing_folder(folder) as new:
        (new / "file").write_text(content)
        (new / "inner").mkdir()
        (new / "inner" / "deep").write_text("deep")


def without_exchange(monkeypatch):
    """As on a system that can't exchange two names in one step."""
    monkeypatch.setattr(folders, "exchange", lambda one, other: False)


@pytest.mark.parametrize("prepare", [lambda _: None, without_exchange], ids=["in one", "in two"])
def test_a_folder_appears_whole_and_is_replaced_whole(tmp_path, monkeypatch, prepare):
    prepare(monkeypatch)
    folder = tmp_path / "reports" / "model"
    write_one(folder, "first")
    write_one(folder, "second")
    assert (folder / "file").read_text() == "second"
    assert (folder / "inner" / "deep").read_text() == "deep"
    assert names_in(folder.parent) == ["model"]


@pytest.mark.parametrize("name", ["a" * 255, "ä" * 127])
def test_a_name_as_long_as_the_system_allows_can_be_replaced(tmp_path, monkeypatch, name):
    without_exchange(monkeypatch)
    for content in ("first", "second"):
        write_one(tmp_path / name, content)
    assert names_in(tmp_path) == [name]


def test_a_folder_that_is_replaced_is_missing_at_no_moment(tmp_path, monkeypatch):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    if not exchange(tmp_path / "one", tmp_path / "other"):
        pytest.skip("the system can't exchange two names")
    write_one(tmp_path / "model", "first")
    monkeypatch.setattr(Path, "rename", None)
    write_one(tmp_path / "model", "second")
    assert (tmp_path / "model" / "file").read_text() == "second"
    assert names_in(tmp_path) == ["model", "one", "other"]


def test_what_cannot_be_exchanged_stays_as_it_is(tmp_path):
    (tmp_path / "one").mkdir()
    assert not exchange(tmp_path / "one", tmp_path / "none")
    assert names_in(tmp_path) == ["one"]


def test_a_failure_inside_leaves_the_earlier_folder(tmp_path):
    write_one(tmp_path / "model", "first")
    with pytest.raises(ZeroDivisionError), replacing_folder(tmp_path / "model") as new:
        (new / "file").write_text("half")
        raise ZeroDivisionError
    with (
        pytest.raises(StoreError, match="No space left on device"),
        replacing_folder(tmp_path / "model"),
    ):
        raise OSError(28, "No space left on device")
    assert (tmp_path / "model" / "file").read_text() == "first"
    assert names_in(tmp_path) == ["model"]


def test_a_kill_between_the_two_renames_is_corrected_by_the_next_call(tmp_path):
    write_one(tmp_path / "model", "first")
    (tmp_path / "model").rename(tmp_path / ".model.earlier~")
    with pytest.raises(ZeroDivisionError), replacing_folder(tmp_path / "model"):
        raise ZeroDivisionError
    assert (tmp_path / "model" / "file").read_text() == "first"
    assert names_in(tmp_path) == ["model"]


def draft_of(process: int, *, machine: str = "") -> str:
    return f".model.{machine or files.this_machine()}-{process}-0123abcd~"


def test_only_drafts_that_are_certainly_abandoned_are_deleted(tmp_path):
    """None here is locked, as where locks reach no other machine, or no other process."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    mine, others = draft_of(os.getpid()), draft_of(os.getpid(), machine="89abcdef")
    old, nameless = draft_of(ended.pid, machine="89abcdef"), ".model.123-abcd~"
    for name in (draft_of(ended.pid), mine, others, old, nameless):
        (tmp_path / name).mkdir()
    (tmp_path / ".model.a-file~").touch()
    two_days_ago = (tmp_path / old).stat().st_mtime - 2 * 86_400
    for name in (old, nameless):
        os.utime(tmp_path / name, (two_days_ago, two_days_ago))
    write_one(tmp_path / "model", "new")
    assert names_in(tmp_path) == sorted([mine, others, ".model.a-file~", "model"])


def test_what_a_kill_left_of_another_folder_is_not_deleted(tmp_path):
    """Of model.v-2, the only copy: it was killed between the two renames."""
    other = tmp_path / ".model.v-2.earlier~"
    other.mkdir()
    os.utime(other, (0, 0))
    write_one(tmp_path / "model", "new")
    assert names_in(tmp_path) == sorted([other.name, "model"])


def _write_many(folder: Path, content: str) -> None:
    for _ in range(20):
        write_one(folder, content)


def test_processes_that_replace_one_folder_at_a_time_leave_a_whole_one(tmp_path):
    context = multiprocessing.get_context("spawn")
    folder = tmp_path / "entry"
    writers = [context.Process(target=_write_many, args=(folder, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert (folder / "file").read_text() in ("a", "b")
    assert names_in(tmp_path) == ["entry"]


def test_a_folder_behind_a_link_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "disk").mkdir()
    write_one(tmp_path / "disk" / "model", "old")
    (tmp_path / "model").symlink_to(tmp_path / "disk" / "model")
    write_one(tmp_path / "model", "new")
    assert (tmp_path / "model").is_symlink()
    assert names_in(tmp_path) == ["disk", "model"]
    assert names_in(tmp_path / "disk") == ["model"]
    assert (tmp_path / "disk" / "model" / "file").read_text() == "new"
