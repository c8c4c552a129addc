"""Files and folders: replaced whole or left as they were, whenever the process ends."""

import errno
import multiprocessing
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lstm_study import files
from lstm_study.errors import DataError, StoreError
from lstm_study.exchange import exchange
from lstm_study.files import (
    appending,
    open_log,
    read_bytes,
    replacing,
    replacing_folder,
    sha256_of,
    write_array,
    write_text,
)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_one(folder: Path, content: str) -> None:
    with replacing_folder(folder) as new:
        (new / "file").write_text(content)
        (new / "inner").mkdir()
        (new / "inner" / "deep").write_text("deep")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "before")

    def half_way() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        half_way()
    assert path.read_text() == "before"
    assert names_in(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("name", ["a" * 255, "ä" * 127])
def test_a_name_as_long_as_the_system_allows_can_be_written(tmp_path, monkeypatch, name):
    write_text(tmp_path / name, "long")
    assert names_in(tmp_path) == [name]
    (tmp_path / name).unlink()
    without_exchange(monkeypatch)
    for content in ("first", "second"):
        write_one(tmp_path / name, content)
    assert names_in(tmp_path) == [name]


def test_a_file_that_cannot_be_written_is_the_callers_error_with_its_advice(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreError, match=r"taken/a\.txt: cannot be written .*Free space"):
        write_text(tmp_path / "taken" / "a.txt", "x")
    with (
        pytest.raises(DataError, match=r"b: cannot be written \(No space left.*\)\. Buy a disk\."),
        replacing(tmp_path / "b", error=DataError, next_step="Buy a disk."),
    ):
        raise OSError(28, "No space left on device")
    assert names_in(tmp_path) == ["taken"]


def test_no_free_space_is_advised_where_the_file_system_is_read_only(tmp_path):
    with (
        pytest.raises(
            StoreError, match=r"\(Read-only file system\)\. Mount it writable, or choose"
        ),
        replacing(tmp_path / "b"),
    ):
        raise OSError(errno.EROFS, "Read-only file system")


@pytest.mark.parametrize(
    "step", ["Free space, or set CACHE to another folder.", "Set CACHE to another folder."]
)
def test_what_else_can_be_done_is_advised_on_a_read_only_file_system_too(step):
    refusal = OSError(errno.EROFS, "Read-only file system")
    expected = "Mount it writable, or set CACHE to another folder."
    assert files.step_after(refusal, otherwise=step) == expected
    assert files.step_after(OSError(errno.ENOSPC, "full"), otherwise=step) == step


def test_an_array_that_does_not_fit_is_refused_in_the_systems_words(tmp_path):
    # A limit on the size of files is to a write what a full disk is.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))
    try:
        with pytest.raises(
            StoreError, match=r"a\.npy: cannot be written \(File too large\)\. Free"
        ):
            write_array(tmp_path / "a.npy", np.zeros(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names_in(tmp_path) == []


def without_exchange(monkeypatch):
    """As on a system that can't exchange two names in one step."""
    monkeypatch.setattr(files, "exchange", lambda one, other: False)


@pytest.mark.parametrize("prepare", [lambda _: None, without_exchange], ids=["in one", "in two"])
def test_a_folder_appears_whole_and_is_replaced_whole(tmp_path, monkeypatch, prepare):
    prepare(monkeypatch)
    folder = tmp_path / "reports" / "model"
    write_one(folder, "first")
    write_one(folder, "second")
    assert (folder / "file").read_text() == "second"
    assert (folder / "inner" / "deep").read_text() == "deep"
    assert names_in(folder.parent) == ["model"]


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
    return f".model.{machine or files._this_machine()}-{process}-0123abcd~"


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


@pytest.mark.parametrize("read", [read_bytes, sha256_of])
def test_a_pipe_or_a_device_is_refused_and_not_read(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="Not a regular file"):
            read(path)


def test_the_digest_of_a_file_is_its_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a").startswith("ba7816bf")


def test_a_pipe_in_a_logs_place_is_refused_and_not_waited_at(tmp_path):
    log = tmp_path / "study.log"
    os.mkfifo(log)
    for write in (open_log, appending):
        with pytest.raises(StoreError, match=r"study\.log: must be a file\. Received: a pipe\."):
            write(log).__enter__()
    log.unlink()
    log.symlink_to(os.devnull)
    with open_log(log) as file:
        file.write(b"discarded")
