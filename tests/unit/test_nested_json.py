"""JSON that is nested deeper than Python's parser goes is a damaged file, as any other."""

from pathlib import Path

import pytest

from lstm_study.commands.records import _check_target
from lstm_study.corpus.cache import read_entry
from lstm_study.duration.pace_measurement import kept_pace
from lstm_study.engine.devices import Workers
from lstm_study.errors import StoreError
from lstm_study.files import read_object
from lstm_study.report.index import _entries
from lstm_study.store import Store

NESTED = '{"a":' + "[" * 100_000 + "]" * 100_000 + "}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with such a file under every name."""
    names = (
        "live/time-left", "study.json", "fake/summary.json", "fake/report.html",
        "manifest.json", "cache/pace.json",
    )  # fmt: skip
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(NESTED)
    return tmp_path


def test_it_is_as_if_there_were_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTM_STUDY_CACHE", str(folder / "cache"))
    monkeypatch.setenv("LSTM_STUDY_TIMING", "on")
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert kept_pace(Workers(count=1, threads=1)) is None
    assert Store(folder).read_time_left() == {}
    assert read_object(folder / "manifest.json") == {}
    assert list(_entries(folder)) == []


def test_a_time_left_that_is_no_object_is_as_if_there_were_none(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "time-left").write_text("125")
    assert Store(tmp_path).read_time_left() == {}


def test_an_encoded_corpus_is_encoded_again(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read_entry(folder) is None
    assert "is damaged" in caplog.text


def test_it_is_no_earlier_copy_of_records(folder: Path) -> None:
    with pytest.raises(StoreError, match="something else"):
        _check_target(folder, "fake")
