"""Kept records: the same report again, and a study that resumes from them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_study.records.kinds import KINDS
from lstm_study.store import Store
from tests.support.commands import Result, environment, lstm_study
from tests.support.fake_study import completed_study
from tests.support.stored_study import leave

RECORDS = Path("study/reference/fake")
WITHOUT_TENSORFLOW = """
import sys
from lstm_study.cli import app
app(sys.argv[1:], standalone_mode=False)
assert not {"tensorflow", "keras", "keras_tuner", "jax"} & set(sys.modules)
"""


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_kept_records_give_the_same_report_byte_for_byte_without_tensorflow(
    tmp_path: Path,
) -> None:
    leave(completed_study(), tmp_path)
    assert lstm_study("report", "fake.toml", cwd=tmp_path).code == 0
    kept = lstm_study("records", "fake.toml", cwd=tmp_path)
    assert kept.code == 0, kept.err
    report = _files(tmp_path / "reports" / "fake")
    # Neither the study file nor what the study left is there any more.
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(tmp_path / RECORDS, elsewhere / RECORDS)
    before = _files(elsewhere / RECORDS)
    arguments = ["report", "--records", str(RECORDS), "--out", "again"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, *arguments],
        cwd=elsewhere, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert _files(elsewhere / "again" / "fake") == report
    assert _files(elsewhere / RECORDS) == before


@pytest.mark.parametrize("arguments", [(), ("fake.toml", "--records", "x"),
                                       ("--records", "x", "--set", "study.seed=2")])  # fmt: skip
def test_a_report_is_of_a_study_or_of_records(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = lstm_study("report", *arguments, cwd=tmp_path)
    assert done.code == 2
    assert "--records FOLDER" in done.err


def test_every_file_of_a_real_study_is_kept_or_left_out_on_purpose(
    finished: tuple[Path, Result],
) -> None:
    runs = finished[0] / "study" / "runs" / "tiny"
    known = {path for kind in KINDS for path in runs.glob(kind.path)}
    assert {path for path in runs.rglob("*") if path.is_file()} - known == set()


def test_a_study_resumes_from_kept_records(finished: tuple[Path, Result], tmp_path: Path) -> None:
    first = finished[0]
    kept = lstm_study("records", "tiny.toml", "--to", str(tmp_path / "kept"), cwd=first)
    assert kept.code == 0, kept.err
    shutil.copy(first / "tiny.toml", tmp_path)
    runs = tmp_path / "study" / "runs" / "tiny"
    shutil.copytree(tmp_path / "kept", runs)
    before = Store(runs).read_all()

    # All is done but the model, whose weights are gone: said, with what to do.
    done = lstm_study("run", "tiny.toml", "--workers", "1", cwd=tmp_path)
    assert done.code == 1
    assert "kept records have no weights" in done.err
    after = Store(runs).read_all()
    assert (after.trials, after.runs) == (before.trials, before.runs)
    assert len(after.openings) == len(before.openings)

    # Doing it trains that run again, and nothing else; the copy gives the same numbers on a CPU.
    gone = Path(done.err.partition("delete ")[2].partition(", remove it from")[0])
    (tmp_path / gone).unlink()
    assert "`lstm-study check tiny.toml --repair`" in done.err
    repaired = lstm_study("check", "tiny.toml", "--repair", cwd=tmp_path)
    assert f"{gone.name}" in repaired.out, repaired.err
    done = lstm_study("run", "tiny.toml", "--workers", "1", cwd=tmp_path)
    assert done.code == 0, done.err
    assert (tmp_path / "reports" / "tiny" / "model" / "sentiment-lstm.keras").is_file()
    last = Store(runs).read_all()
    assert last.trials == before.trials
    again = next(run for run in last.runs if run.run_id == gone.stem)
    old = next(run for run in before.runs if run.run_id == gone.stem)
    # Evaluations at other epochs of the same training are made again with it.
    others = [
        [run for run in records.runs if gone.stem not in (run.run_id, run.trained_as)]
        for records in (before, last)
    ]
    assert others[0] == others[1]
    assert again.test_accuracy == old.test_accuracy
    assert len(last.openings) == len(before.openings) + 1
