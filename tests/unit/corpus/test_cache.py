import logging
import os
import re
import shutil

import numpy as np
import pytest

from lstm_study.commands.doctor import _cache
from lstm_study.corpus import cache
from lstm_study.corpus.cache import cache_folder, read_entry, write_entry
from lstm_study.corpus.home_folder import with_home
from lstm_study.corpus.sources.imdb_npz import _keras_folder
from lstm_study.corpus.summary import summarise
from lstm_study.errors import DataError
from tests.unit.corpus.test_summary import assembled


def written(folder):
    corpus = assembled()
    summary = summarise(corpus, source="csv", path="r.csv", source_sha256="ab")
    write_entry(folder, corpus, summary)
    return corpus, summary


def test_what_was_written_is_read_back_as_views_of_the_files(tmp_path):
    corpus, summary = written(tmp_path / "entry")
    entry = read_entry(tmp_path / "entry")
    assert entry.training.token_ids.tolist() == corpus.training.token_ids.tolist()
    assert entry.training.token_ids.dtype == np.int32
    test = entry.open_test(on_open=lambda: None)
    assert test.labels.tolist() == corpus.test.labels.tolist()
    assert entry.vocabulary.words == corpus.words
    assert entry.summary == summary
    assert isinstance(entry.training.token_ids.base, np.memmap)
    assert not entry.training.token_ids.flags.writeable
    assert [path.name for path in tmp_path.iterdir()] == ["entry"]


def test_an_entry_that_is_not_there_is_none_and_nothing_is_said(tmp_path, caplog):
    assert read_entry(tmp_path / "entry") is None
    assert not caplog.records


@pytest.mark.parametrize(
    "damage", ["shorter", "changed", "missing", "no manifest", "torn manifest", "manifest"]
)
def test_a_torn_entry_is_found_logged_and_written_again(tmp_path, caplog, damage):
    folder = tmp_path / "entry"
    written(folder)
    victim = folder / ("manifest.json" if "manifest" in damage else "training-token_ids.npy")
    raw = victim.read_bytes()
    if damage in ("missing", "no manifest"):
        victim.unlink()
    elif damage == "manifest":
        count = re.search(rb'"train_reviews": (\d)', raw)
        victim.write_bytes(raw[: count.start(1)] + b"7" + raw[count.end(1) :])
    else:
        changed = raw[:-1] + bytes([raw[-1] ^ 1])
        victim.write_bytes(changed if damage == "changed" else raw[: len(raw) // 2])
    with caplog.at_level(logging.WARNING):
        assert read_entry(folder) is None
    assert "is damaged" in caplog.text
    written(folder)
    assert read_entry(folder) is not None
    assert [path.name for path in tmp_path.iterdir()] == ["entry"]
    assert not (folder / "replaced").exists()


@pytest.mark.parametrize("name", ["manifest.json", "words.json", "test-labels.npy", ""])
@pytest.mark.parametrize(
    "make",
    [os.mkfifo, os.mkdir, lambda path: path.symlink_to("nowhere"), lambda path: path.touch()],
    ids=["pipe", "folder", "dangling link", "empty file"],
)
def test_what_is_no_file_or_no_folder_in_the_cache_is_replaced(tmp_path, name, make):
    folder = tmp_path / "entry"
    written(folder)
    if name:
        (folder / name).unlink()
    else:
        shutil.rmtree(folder)
    make(folder / name)
    assert read_entry(folder) is None
    written(folder)
    assert read_entry(folder) is not None
    assert [path.name for path in tmp_path.iterdir()] == ["entry"]


@pytest.mark.parametrize(
    "damage", [lambda path: path.unlink(), lambda path: path.write_bytes(bytes(10))]
)
def test_test_reviews_that_are_damaged_once_the_entry_was_read_are_refused(tmp_path, damage):
    written(tmp_path / "entry")
    entry = read_entry(tmp_path / "entry")
    damage(tmp_path / "entry" / "test-labels.npy")
    with pytest.raises(DataError, match="the encoded test reviews are gone or damaged"):
        entry.open_test(on_open=lambda: None)


def test_a_cache_that_cannot_be_written_is_one_line_that_names_the_variable(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(DataError, match="LSTM_STUDY_CACHE") as caught:
        written(tmp_path / "file" / "corpora" / "entry")
    assert "\n" not in str(caught.value)


def test_a_cache_that_cannot_be_looked_into_is_said_with_the_variable_too(tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.is_dir", refused)
        assert read_entry(tmp_path / "entry") is None
    monkeypatch.setattr("pathlib.Path.mkdir", lambda path, **_: refused(path))
    with pytest.raises(DataError, match=r"Permission denied.*LSTM_STUDY_CACHE"):
        written(tmp_path / "entry")


@pytest.mark.parametrize("stop", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_entry_that_could_not_be_finished_leaves_nothing(tmp_path, monkeypatch, stop):
    def stopped(*_):
        raise stop

    monkeypatch.setattr(cache, "sha256_of", stopped)
    with pytest.raises(DataError if isinstance(stop, OSError) else KeyboardInterrupt):
        written(tmp_path / "entry")
    assert list(tmp_path.iterdir()) == []


def test_the_cache_is_where_it_is_given_or_named_or_the_users(tmp_path, monkeypatch):
    assert cache_folder(tmp_path) == tmp_path
    monkeypatch.setenv("LSTM_STUDY_CACHE", str(tmp_path / "named"))
    assert cache_folder(None) == tmp_path / "named"
    monkeypatch.delenv("LSTM_STUDY_CACHE")
    assert cache_folder(None).name == "lstm-study"
    assert os.fspath(cache_folder(None)).startswith(os.path.expanduser("~"))  # noqa: PTH111


def test_a_user_without_a_home_folder_is_told_what_to_set(monkeypatch):
    """As in a container that runs under a number of one's own."""

    def no_entry(number):
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr("pwd.getpwuid", no_entry)
    for name in ("HOME", "XDG_CACHE_HOME", cache.CACHE_VARIABLE, "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(
        DataError, match=f"no home folder to keep the cache in. Set {cache.CACHE_VARIABLE}"
    ):
        cache_folder(None)
    assert _cache().startswith("There is no home folder")
    with pytest.raises(DataError, match=r"~/reviews\.csv: there is no such home folder\. Set HOME"):
        with_home("~/reviews.csv")
    assert not _keras_folder().exists()
    monkeypatch.setenv(cache.CACHE_VARIABLE, "/scratch")
    assert str(cache_folder(None)) == "/scratch"
