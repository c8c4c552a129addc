"""A command's workers, kept from stage to stage."""

from pathlib import Path

import pytest

from lstm_study.commands import workers as module
from lstm_study.commands.open_study import OpenStudy, open_study
from lstm_study.commands.workers import stage_workers
from lstm_study.engine import devices
from lstm_study.engine.devices import Workers
from tests.support.tiny import SPEC


class Recorded:
    """Stands for processes that only start and end."""

    def __init__(self, size: Workers, *, log_path: Path, scratch: Path) -> None:
        del log_path, scratch
        self.size, self.is_closed = size, False

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OpenStudy:
    monkeypatch.setattr(module, "Processes", Recorded)
    monkeypatch.setattr(devices, "usable_cpus", lambda: 4)
    (tmp_path / "tiny.toml").write_text(SPEC)
    return open_study(tmp_path / "tiny.toml")


def test_stages_have_the_same_workers_unless_there_is_work_for_more(study: OpenStudy) -> None:
    with stage_workers(study) as workers:
        with workers.engine(3) as first:
            pass
        with workers.engine(2) as second:
            assert second is first
        with workers.engine(9) as third:
            assert third is not first
            assert third.size.count == 4
            assert first.is_closed
    assert third.is_closed


def test_workers_that_were_left_at_work_are_replaced(study: OpenStudy) -> None:
    with stage_workers(study) as workers:
        with workers.engine(2) as first:
            first.close()  # as the dispatcher does at a limit
        with workers.engine(2) as second:
            assert second is not first


def test_an_error_ends_the_workers(study: OpenStudy) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        stage_workers(study) as workers,
        workers.engine(2) as engine,
    ):
        raise KeyboardInterrupt
    assert engine.is_closed


def test_workers_that_are_given_are_left_to_whom_they_belong(study: OpenStudy) -> None:
    with stage_workers(study) as outer:
        with stage_workers(study, outer) as inner, inner.engine(1) as engine:
            pass
        assert inner is outer
        assert not engine.is_closed
    assert engine.is_closed
