"""Files: replaced whole or left as they were, whenever the process ends."""

import errno
import os
import resource
from pathlib import Path

import numpy as np
import pytest

from lstm_study import files
from lstm_study.errors import DataError, StoreError
from lstm_study.files import (
    appending,
    open_log,
    read_bytes,
    replacing,
    sha256_of,
    write_array,
    write_text,
)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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
def test_a_name_as_long_as_the_system_allows_can_be_written(tmp_path, name):
    write_text(tmp_path / name, "long")
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
