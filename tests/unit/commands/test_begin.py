"""What a command makes sure of before it trains."""

import errno
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from lstm_study.commands.begin import check_writable
from lstm_study.errors import ReportError


def test_a_reports_folder_that_cannot_be_written_to_is_refused_with_the_systems_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_writable(tmp_path / "new" / "reports")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(ReportError, match=r"file: Not a directory\). Choose another folder with"):
        check_writable(tmp_path / "file" / "reports")

    def read_only(dir: Path) -> TemporaryFile:  # noqa: A002 - the name is tempfile's
        raise OSError(errno.EROFS, "Read-only file system", str(dir))

    monkeypatch.setitem(check_writable.__globals__, "TemporaryFile", read_only)
    with pytest.raises(ReportError, match="Read-only file system"):
        check_writable(tmp_path)
