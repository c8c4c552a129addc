"""Bad input from the command line: one line that says what to do, exit code 1, nothing left."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.support.commands import Result, lstm_study
from tests.support.tiny import SPEC


class Bomb:
    """Runs a command when a careless reader unpickles it."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return (Path.touch, (self.marker,))


def refused(result: Result, *words: str) -> None:
    """Checks for one line on stderr that holds the words, and exit code 1."""
    assert result.code == 1, result.out + result.err
    lines = result.err.splitlines()
    assert len(lines) == 1, result.err
    assert lines[0].startswith("error: ")
    assert "Traceback" not in result.err
    for word in words:
        assert word in lines[0], lines[0]


def write_spec(folder: Path, *, data: str | None = None, **changes: str) -> None:
    text = SPEC
    for old, new in changes.values() if changes else ():
        text = text.replace(old, new)
    if data is not None:
        begin, end = text.index("[data]"), text.index("[space]")
        text = f"{text[:begin]}[data]\n{data}\n{text[end:]}"
    (folder / "tiny.toml").write_text(text)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("study.seed=0", ["study.seed must be an integer >= 1", "Received: 0"]),
        ("search.max_epochs=1", ["search.max_epochs must be an integer >= 2", "Received: 1"]),
        ("search.max_epohs=5", ["search.max_epohs is not a known key", "max_epochs"]),
        ("space.maxlen={min=9, max=3}", ["space.maxlen needs min < max", "min = 9, max = 3"]),
        ("data.source=imdbb", ["data.source must be 'imdb'"]),
        ("nonsense", ["TABLE.KEY=VALUE"]),
    ],
)
def test_a_broken_rule_of_the_spec(tmp_path, setting, words):
    write_spec(tmp_path)
    result = lstm_study("run", "tiny.toml", "--set", setting, cwd=tmp_path)
    refused(result, *words)
    assert not (tmp_path / "study").exists()


def test_every_broken_rule_is_told_at_once(tmp_path):
    write_spec(tmp_path)
    result = lstm_study(
        "run", "tiny.toml", "--set", "study.seed=0", "--set", "compare.seeds=0", cwd=tmp_path
    )
    assert result.code == 1
    assert len(result.err.splitlines()) == 2


def test_no_such_study_file(tmp_path):
    refused(lstm_study("run", "nowhere.toml", cwd=tmp_path), "nowhere.toml", "quickstart")


def test_a_file_that_is_not_toml(tmp_path):
    (tmp_path / "tiny.toml").write_text("[study\n")
    refused(lstm_study("run", "tiny.toml", cwd=tmp_path), "tiny.toml", "not valid TOML")


def test_no_such_data_file(tmp_path):
    write_spec(tmp_path, data='source = "csv"\npath = "missing.csv"')
    refused(lstm_study("run", "tiny.toml", cwd=tmp_path), "missing.csv")


def test_a_file_of_another_digest(tmp_path):
    (tmp_path / "r.csv").write_text("text,label\n" + "good film,1\nbad film,0\n" * 30)
    write_spec(tmp_path, data=f'source = "csv"\npath = "r.csv"\nsha256 = "{"0" * 64}"')
    refused(lstm_study("run", "tiny.toml", cwd=tmp_path), "r.csv", "0" * 64)


def test_a_hostile_pickle_is_never_run(tmp_path):
    marker = tmp_path / "owned"
    rows = np.array([[1, 2], [3]], dtype=object)
    bomb = np.empty(2, dtype=object)
    bomb[0] = Bomb(marker)
    np.savez(tmp_path / "imdb.npz", x_train=bomb, y_train=[0, 1], x_test=rows, y_test=[0, 1])
    write_spec(tmp_path, data='source = "imdb"\npath = "imdb.npz"')
    refused(lstm_study("run", "tiny.toml", cwd=tmp_path), "imdb.npz")
    assert not marker.exists()


def test_a_truncated_archive(tmp_path):
    whole = gzip.compress(b"\0" * 200_000)
    (tmp_path / "aclImdb_v1.tar.gz").write_bytes(whole[: len(whole) // 2])
    write_spec(tmp_path, data='source = "aclimdb"\npath = "aclImdb_v1.tar.gz"')
    refused(lstm_study("run", "tiny.toml", cwd=tmp_path), "aclImdb_v1.tar.gz")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("good film,1\n" * 40, ["r.csv", "label"]),
        ("good film,1\nbad film,0\n" * 20 + ",1\n", ["r.csv", "42"]),
        ("good film,1\nbad film,0\n" * 20 + "so so,2\n", ["r.csv", "42"]),
    ],
    ids=["one class", "empty text", "a third label"],
)
def test_reviews_that_can_not_be_studied(tmp_path, rows, words):
    (tmp_path / "r.csv").write_text("text,label\n" + rows)
    write_spec(tmp_path, data='source = "csv"\npath = "r.csv"')
    refused(lstm_study("run", "tiny.toml", cwd=tmp_path), *words)


def test_a_missing_column_names_the_nearest(tmp_path):
    (tmp_path / "r.csv").write_text("texts,label\n" + "good film,1\nbad film,0\n" * 20)
    write_spec(tmp_path, data='source = "csv"\npath = "r.csv"')
    refused(lstm_study("run", "tiny.toml", cwd=tmp_path), "r.csv", "texts")


def test_a_reports_folder_that_can_not_be_written_is_told_before_hours_of_training(tmp_path):
    write_spec(tmp_path)
    (tmp_path / "taken").write_text("a file")
    result = lstm_study("run", "tiny.toml", "--out", "taken/reports", cwd=tmp_path)
    refused(result, "taken", "--out DIR")
    assert not (tmp_path / "study").exists()


def test_a_cache_that_can_not_be_written_names_its_variable(tmp_path, monkeypatch):
    write_spec(tmp_path)
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv("LSTM_STUDY_CACHE", str(tmp_path / "taken/cache"))
    refused(lstm_study("run", "tiny.toml", cwd=tmp_path), "LSTM_STUDY_CACHE")


def test_usage_errors_have_an_exit_code_of_their_own(tmp_path):
    assert lstm_study("data", cwd=tmp_path).code == 2
    assert lstm_study("run", "--workers", "many", cwd=tmp_path).code == 2
    assert lstm_study("no-such-command", cwd=tmp_path).code == 2


def test_commands_that_need_more_first_say_what(tmp_path):
    write_spec(tmp_path)
    refused(lstm_study("report", "tiny.toml", cwd=tmp_path), "lstm-study run")
    refused(lstm_study("export", "tiny.toml", cwd=tmp_path), "lstm-study run")
    refused(lstm_study("predict", "nowhere", "A fine film.", cwd=tmp_path), "nowhere")
    assert "has not started" in lstm_study("status", "tiny.toml", cwd=tmp_path).out
