"""A report names no folder and no host of the machines that made it."""

from dataclasses import fields, replace

import pytest

from lstm_study.analysis.answer.verdict import judge
from lstm_study.records import CorpusSummary, Failure, Session, StudyRecords
from lstm_study.records.scrub import Scrubber, last_part, neutral, without_folders
from lstm_study.report.content import gather
from lstm_study.report.write import render_files
from tests.support.fake_study import failed_study

TRACEBACK = """Traceback (most recent call last):
  File "/home/ann/.venv/lib/python3.11/site-packages/keras/src/a.py", line 3, in f
  File "/home/ann/code/src/lstm_study/training/fit.py", line 9, in g
  File "/usr/lib/python3.11/json/__init__.py", line 1, in h
OSError: [Errno 28] No space left on device: '/home/ann/my runs/b1-00.npz'
"""


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("run study/imdb.toml --out reports/a", "run study/imdb.toml --out reports/a"),
        ("run /home/ann/x/a.toml --data ~/data/imdb.npz", "run a.toml --data imdb.npz"),
        ("--data '/home/ann/my reviews.csv' --fresh", "--data 'my reviews.csv' --fresh"),
        ("--set data.path=/home/ann/r.csv", "--set data.path=r.csv"),
        ("data.path='C:\\Users\\Ann\\r.csv'", "data.path='r.csv'"),
        ('path = "/home/ann/r.csv"  # mine', 'path = "r.csv"  # mine'),
        ("/home/ann/r.csv:17: the label is empty", "r.csv:17: the label is empty"),
        ("file:///home/ann/r.csv", "r.csv"),
        ("see https://ai.stanford.edu/~amaas/data/", "see https://ai.stanford.edu/~amaas/data/"),
        ("128/100 fits, 64/112 and/or 1 / 2 do not", "128/100 fits, 64/112 and/or 1 / 2 do not"),
        ("<br />an </script> stays", "<br />an </script> stays"),
        ("", ""),
    ],
)
def test_absolute_paths_keep_their_end_and_everything_else_stays(text: str, clean: str) -> None:
    assert without_folders(text) == clean


def test_a_traceback_keeps_where_in_the_code() -> None:
    found = without_folders(TRACEBACK)
    assert "ann" not in found
    for kept in ('"keras/src/a.py", line 3', '"lstm_study/training/fit.py", line 9',
                 '"json/__init__.py", line 1', "device: 'b1-00.npz'"):  # fmt: skip
        assert kept in found


def test_a_path_with_spaces_is_one_path_where_a_field_holds_nothing_else() -> None:
    assert last_part("/home/ann/my reviews, all (2).csv") == "my reviews, all (2).csv"
    assert last_part("data/reviews.csv") == "data/reviews.csv"
    assert last_part("") == ""


def _leaky() -> StudyRecords:
    study = failed_study()
    failure = Failure(kind="bug", message="/home/ann/runs: is full", traceback=TRACEBACK)
    trials = [replace(trial, worker="gpu-box.example-ab12-worker-1") for trial in study.trials[:3]]
    trials[1] = replace(trials[1], status="failed", failure=failure)
    session = study.sessions[0]
    corpus = study.corpus
    assert isinstance(corpus, CorpusSummary)
    assert isinstance(session, Session)
    spec = dict(study.spec) | {"data": dict(study.spec["data"]) | {"path": "/home/ann/r.csv"}}
    return replace(
        study,
        spec=spec,
        spec_text=study.spec_text + '# path = "/home/ann/r.csv"\n',
        settings=('data.path="/home/ann/r.csv"',),
        corpus=replace(corpus, path="/home/ann/r.csv"),
        trials=(*trials, *study.trials[3:]),
        runs=(*study.runs[:-1], replace(study.runs[-1], failure=failure)),
        sessions=(
            replace(session, command="lstm-study chief /home/ann/a.toml --bind gpu-box.example:1",
                    settings=('data.path="/home/ann/r.csv"',)),
            replace(session, stage="worker-gpu-box.example-ab12"),
        ),
        openings=tuple(
            replace(opening, command="lstm-study run --data /home/ann/r.csv")
            for opening in study.openings
        ),
    )  # fmt: skip


def test_no_file_of_a_report_names_a_home_or_a_host() -> None:
    records = _leaky()
    content = gather(
        records,
        verdict=judge(records),
        made_at="2025-03-02T10:00:00.000Z",
        versions={},
        git_commit="",
        bundle=None,
    )
    for path, data in render_files(content).items():
        text = data.decode("utf-8", errors="replace")
        assert "/home" not in text, path
        assert "gpu-box" not in text, path
    assert "machine-2-worker-1" in render_files(content)["tables/trials.csv"].decode()


def test_neutral_records_stay_neutral_and_a_study_without_paths_is_left_alone() -> None:
    once = neutral(_leaky())
    # Field by field, for the arrays among them are the same, and not equal in one truth value.
    for field in fields(once):
        mine, theirs = getattr(neutral(once), field.name), getattr(once, field.name)
        assert mine is theirs or mine == theirs, field.name
    study = failed_study()
    assert neutral(study).trials == study.trials
    assert neutral(study).spec_text == study.spec_text


def test_of_several_paths_each_keeps_its_last_part():
    found = Scrubber().value({"data": {"path": ["/home/ann/My files/a.csv", "b/c.csv"]}})
    assert found == {"data": {"path": ["a.csv", "b/c.csv"]}}
