"""A report from kept records, drawn whole."""

from dataclasses import replace
from pathlib import Path

import pytest

from lstm_study import commands
from tests.support.fake_study import completed_study
from tests.support.stored_study import MADE, leave


def test_a_report_from_records_says_where_it_may_differ_and_writes_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = commands.open_study(leave(completed_study(), tmp_path))
    study.store.write_state(replace(MADE, versions={"matplotlib": "1.0"}))
    kept = commands.keep(study)
    before = {path: path.read_bytes() for path in kept.folder.rglob("*") if path.is_file()}
    path, notes = commands.report_kept(commands.open_kept(kept.folder), show=commands.Silent())
    assert path == Path("reports/fake/report.html")
    assert "made with matplotlib 1.0 (here " in notes[0]
    assert "links to reports/fake/model/, which is not included in the records" in notes[1]
    after = {path: path.read_bytes() for path in kept.folder.rglob("*") if path.is_file()}
    assert after == before
