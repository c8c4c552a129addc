"""A folder replaced whole or not at all, and the checksums in it."""

import subprocess
import sys
from pathlib import Path

import pytest

from lstm_study.errors import ExportError
from lstm_study.export.folder import replacing_folder
from lstm_study.export.layout import check, read_sums, write_sums


def write_one(folder: Path, content: str) -> None:
    with replacing_folder(folder) as new:
        (new / "file").write_text(content)
        (new / "inner").mkdir()
        (new / "inner" / "deep").write_text("deep")
        write_sums(new)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_whole_and_is_replaced_whole(tmp_path):
    folder = tmp_path / "reports" / "model"
    write_one(folder, "first")
    write_one(folder, "second")
    assert (folder / "file").read_text() == "second"
    assert names(folder.parent) == ["model"]
    assert set(read_sums(folder)) == {"file", "inner/deep"}
    assert check(folder, "file", read_sums(folder)) == folder / "file"


def test_a_failure_inside_leaves_the_earlier_folder(tmp_path):
    write_one(tmp_path / "model", "first")
    with pytest.raises(ZeroDivisionError), replacing_folder(tmp_path / "model") as new:
        (new / "file").write_text("half")
        raise ZeroDivisionError
    with (
        pytest.raises(ExportError, match="No space left on device"),
        replacing_folder(tmp_path / "model"),
    ):
        raise OSError(28, "No space left on device")
    assert (tmp_path / "model" / "file").read_text() == "first"
    assert names(tmp_path) == ["model"]


def test_a_kill_in_the_instant_of_the_exchange_is_mended_by_the_next_call(tmp_path):
    write_one(tmp_path / "model", "first")
    (tmp_path / "model").rename(tmp_path / ".model.old~")
    (tmp_path / ".model.new~").mkdir()
    with pytest.raises(ZeroDivisionError), replacing_folder(tmp_path / "model"):
        raise ZeroDivisionError
    assert (tmp_path / "model" / "file").read_text() == "first"
    assert names(tmp_path) == ["model"]


def test_a_folder_that_is_no_bundle_is_never_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ExportError, match="must be empty or a model bundle"):
        write_one(tmp_path / "mine", "first")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    (tmp_path / "empty").mkdir()
    write_one(tmp_path / "empty", "first")


def test_a_changed_file_is_found(tmp_path):
    write_one(tmp_path / "model", "first")
    (tmp_path / "model" / "file").write_text("other")
    with pytest.raises(ExportError, match="is damaged or was changed"):
        check(tmp_path / "model", "file", read_sums(tmp_path / "model"))
    with pytest.raises(ExportError, match="is missing"):
        check(tmp_path / "model", "none", read_sums(tmp_path / "model"))


def test_a_missing_model_folder_is_told_before_keras_is_imported(tmp_path):
    code = (
        "import sys; from pathlib import Path; from lstm_study.export import *; "
        "from lstm_study.errors import ExportError\n"
        "try: load_bundle(Path(sys.argv[1]) / 'none')\n"
        "except ExportError as error: print(error)\n"
        "assert not {'keras', 'tensorflow', 'pandas', 'scipy'} & set(sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "no such model folder" in result.stdout
