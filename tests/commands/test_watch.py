"""The live page with a report: what it says is of what was run."""

from pathlib import Path

import pytest

from lstm_study.commands import open_study, read_answer
from lstm_study.commands.watch import watch
from tests.support.fake_study import completed_study
from tests.support.stored_study import leave

STUDY = completed_study()


def test_the_page_has_the_reports_interval_where_the_file_says_another_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = leave(STUDY, tmp_path)
    found = read_answer(open_study("fake.toml"), is_noted=False).verdict
    text = path.read_text().replace("seeds = 4", "seeds = 8", 1)
    path.write_text(text.replace("epochs = 5", "epochs = 7", 1))
    server = watch(open_study("fake.toml"), port=0)
    server._server.server_close()
    page = server._render()["report.html"].decode()
    assert f"{found.level:.0%} interval" in page
    assert "99.69% interval" not in page
