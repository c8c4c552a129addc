"""What `report` says before it draws."""

from pathlib import Path

import pytest

from lstm_study.commands import open_study
from lstm_study.commands.report import make_report
from lstm_study.errors import StoreError
from tests.support.fake_study import completed_study
from tests.support.stored_study import leave


def test_of_a_study_that_has_not_been_started_nothing_is_said_to_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = leave(completed_study(), tmp_path)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    # Without a display: what is shown would be an error.
    with pytest.raises(StoreError, match="no study has been started here"):
        make_report(open_study(study), show=None)  # type: ignore[arg-type]
