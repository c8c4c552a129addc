"""The live page with a report: what it says is of what was run."""

import threading
import time
from collections.abc import Callable
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


def test_a_study_that_is_not_whole_yet_is_told_and_shown_once_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lstm_study.report.serve._LOOK_SECONDS", 0.05)
    monkeypatch.setattr("lstm_study.report.serve._REST", 0.0)
    leave(STUDY, tmp_path)
    (missing, *_) = sorted(Path("study/runs/fake/runs").glob("winner-*.json"))
    copied = missing.read_bytes()
    missing.unlink()
    told: list[str] = []
    server = watch(open_study("fake.toml"), port=0, tell=told.append)
    serving = threading.Thread(target=server.serve)
    serving.start()
    try:
        _until(lambda: bool(told))
        missing.write_bytes(copied)
        _until(lambda: server.edition is not None)
    finally:
        server.end()
        serving.join(timeout=60)
    assert len(told) == 1
    assert told[0].startswith(f"{missing}: is missing.")
    assert server.problem is None


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
