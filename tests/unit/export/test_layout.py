"""A bundle's folder: what may be replaced, and the checksums in it."""

import hashlib
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from lstm_study.errors import ExportError
from lstm_study.export import classical, layout, load
from lstm_study.export.layout import checked_file, read_sums, replacing_bundle, write_sums
from lstm_study.files import save_array


def test_a_folder_that_is_no_bundle_is_never_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    refused = pytest.raises(
        ExportError, match=r"must be empty or a model bundle.* a folder without SHA256SUMS"
    )
    with refused, replacing_bundle(tmp_path / "mine"):
        pass
    thesis = tmp_path / "mine" / "thesis.txt"
    refused = pytest.raises(ExportError, match="Received: a file")
    with refused, replacing_bundle(thesis):
        pass
    assert thesis.read_text() == "years of work"
    (tmp_path / "empty").mkdir()
    for name in ("empty", "none", "empty"):
        with replacing_bundle(tmp_path / name) as new:
            (new / "file").write_text("new")
        assert set(read_sums(tmp_path / name)) == {"file"}


def test_a_bundle_that_does_not_fit_is_told_where_else_it_can_go(tmp_path):
    refused = pytest.raises(ExportError, match=r"\(full\)\. Free space, or .* with --out\.")
    with refused, replacing_bundle(tmp_path / "model"):
        raise OSError(28, "full")
    assert list(tmp_path.iterdir()) == []


def test_a_changed_file_is_found(tmp_path):
    (tmp_path / "model" / "inner").mkdir(parents=True)
    (tmp_path / "model" / "file").write_text("first")
    (tmp_path / "model" / "inner" / "deep").write_text("deep")
    write_sums(tmp_path / "model")
    sums = read_sums(tmp_path / "model")
    assert set(sums) == {"file", "inner/deep"}
    assert checked_file(tmp_path / "model", "file", sums) == tmp_path / "model" / "file"
    (tmp_path / "model" / "file").write_text("other")
    with pytest.raises(ExportError, match="is damaged or was changed"):
        checked_file(tmp_path / "model", "file", read_sums(tmp_path / "model"))
    with pytest.raises(ExportError, match="is missing"):
        checked_file(tmp_path / "model", "none", read_sums(tmp_path / "model"))
    (tmp_path / "model" / "added").write_text("later")
    with pytest.raises(ExportError, match="is not listed in SHA256SUMS"):
        checked_file(tmp_path / "model", "added", sums)


def test_a_bundle_that_is_being_replaced_is_read_once_it_has_its_name_again(tmp_path):
    with replacing_bundle(tmp_path / "model") as new:
        (new / "file").write_text("new")
    (tmp_path / "model").rename(tmp_path / "away")
    ends = threading.Timer(0.1, (tmp_path / "away").rename, [tmp_path / "model"])
    ends.start()
    assert set(read_sums(tmp_path / "model")) == {"file"}
    ends.join()


@pytest.mark.parametrize("error", [ExportError("a file is missing"), FileNotFoundError(2, "none")])
def test_a_bundle_that_an_equal_one_replaced_while_it_was_loaded_is_loaded_again(
    tmp_path, monkeypatch, error
):
    calls = []

    def write():
        with replacing_bundle(tmp_path / "model") as new:
            (new / "file").write_text("same")

    def loaded(folder, sums, *, ensemble):
        calls.append(folder)
        if len(calls) == 1:
            write()
            raise error
        return sums

    monkeypatch.setattr(load, "_load", loaded)
    write()
    assert set(load.load_bundle(tmp_path / "model")) == {"file"}
    with pytest.raises(ExportError, match="no such model folder"):
        load.load_bundle(tmp_path / "none")


def test_what_has_a_files_name_and_cannot_be_read_is_told_from_what_is_missing(
    tmp_path, monkeypatch
):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(
            ExportError, match=rf"{name}: cannot be read \(Not a regular.*again with"
        ):
            checked_file(tmp_path, name, {})
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(ExportError, match="link: is missing"):
        checked_file(tmp_path, "link", {})

    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(layout, "sha256_of", refused)
    with pytest.raises(
        ExportError, match=r"cannot be read \(Permission denied\)\. Correct its perm"
    ):
        checked_file(tmp_path, "file", {})


def test_an_archive_of_a_bundle_is_not_said_to_be_missing(tmp_path):
    (tmp_path / "model.zip").write_bytes(b"PK")
    with pytest.raises(ExportError, match=r"model\.zip: is a file, .* unpack an archive of it"):
        read_sums(tmp_path / "model.zip")


@pytest.mark.parametrize("lost", ["coefficients.npy", "keys.npy"])
def test_a_classical_model_that_lost_a_file_is_told_which(tmp_path, lost):
    for name in ("coefficients.npy", "keys.npy", "weights.npy"):
        save_array(tmp_path / name, np.zeros(3))
    about = {"format": classical.FORMAT, "format_version": classical.FORMAT_VERSION}
    (tmp_path / "configuration.json").write_text(json.dumps(about))
    write_sums(tmp_path)
    (tmp_path / lost).unlink()
    with pytest.raises(ExportError, match=f"{lost}: is missing"):
        load.load_bundle(tmp_path)


def test_a_pipe_in_place_of_the_sums_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "SHA256SUMS")
    with pytest.raises(ExportError, match=r"cannot be read .*Not a regular file"):
        read_sums(tmp_path)
    with pytest.raises(ExportError, match="is a file"):
        read_sums(tmp_path / "SHA256SUMS")


def test_the_sums_are_what_sha256sum_reads_and_a_bundle_without_them_is_refused(tmp_path):
    (tmp_path / "b").write_text("b")
    (tmp_path / "a").write_text("a")
    write_sums(tmp_path)
    digests = [hashlib.sha256(name.encode()).hexdigest() for name in "ab"]
    path = tmp_path / "SHA256SUMS"
    for _ in range(2):
        assert path.read_text() == f"{digests[0]}  a\n{digests[1]}  b\n"
        write_sums(tmp_path)
    path.write_bytes(b"\xff")
    with pytest.raises(ExportError, match=r"cannot be read \('utf-8' codec .* again with"):
        read_sums(tmp_path)
    path.unlink()
    with pytest.raises(ExportError, match="SHA256SUMS: is missing"):
        read_sums(tmp_path)


def test_a_missing_model_folder_is_told_before_keras_is_imported(tmp_path):
    code = (
        "import sys; from pathlib import Path; from lstm_study.export import *; "
        "from lstm_study.errors import ExportError\n"
        "try: load_bundle(Path(sys.argv[1]) / 'none')\n"
        "except ExportError as error: print(error)\n"
        "assert not {'keras', 'tensorflow', 'pandas', 'scipy'} & set(sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "no such model folder" in result.stdout
