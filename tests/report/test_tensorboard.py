"""Event files written without TensorFlow; `tests/keras/test_event_files.py` reads them with it."""

import subprocess
import sys
from pathlib import Path

import pytest

from lstm_study.errors import DependencyError
from lstm_study.report.formats.tensorboard import event_files, write_tensorboard
from tests.support.fake_study import completed_study, failed_study


def test_a_file_begins_with_its_version() -> None:
    assert all(b"brain.Event:2" in data[:60] for data in event_files(failed_study()).values())


def test_without_tensorboardx_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(DependencyError, match=r"pip install 'lstm-study\[tensorboard\]'"):
        write_tensorboard(failed_study(), folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_writing_imports_no_tensorflow() -> None:
    code = (
        "import sys; from tests.support.fake_study import failed_study;"
        "from lstm_study.report.formats.tensorboard import event_files;"
        "event_files(failed_study()); sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_trial_and_run_has_a_file_and_equal_records_give_equal_bytes() -> None:
    study = failed_study()
    files = event_files(study)
    assert len(files) == 1 + len(study.trials) + len(study.runs)
    assert files == event_files(failed_study())


def test_a_second_writing_replaces_the_first(tmp_path: Path) -> None:
    write_tensorboard(failed_study(), folder=tmp_path)
    old = tmp_path / "tensorboard" / "search" / "old"
    old.mkdir()
    folder = write_tensorboard(completed_study(), folder=tmp_path)
    assert not old.exists()
    assert len(list(folder.rglob("events.out.tfevents.*"))) == 1 + 23 + 8
    assert [path.name for path in tmp_path.iterdir()] == ["tensorboard"]
