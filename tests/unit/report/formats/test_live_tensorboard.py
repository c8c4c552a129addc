"""Event files that grow with their records: nothing missing and nothing twice, after any kill."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lstm_study.errors import DependencyError, ReportError
from lstm_study.records import Run, Trial
from lstm_study.report.formats.tensorboard import LiveTensorBoard, event_file
from tests.support.fake_study import failed_study

STUDY = failed_study()
DONE: list[Trial | Run] = [*STUDY.trials, *STUDY.runs]


def begun(trial: Trial, *, epochs: int) -> Trial:
    """A trial as its record was after some epochs."""
    return replace(
        trial, status="running", epochs=trial.epochs[:epochs], score=None, ended_at="", seconds=0.0
    )  # fmt: skip


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("events.*"))
    }


def test_a_file_grows_with_its_record_and_ends_as_if_written_at_once(tmp_path):
    trial = max(STUDY.trials, key=lambda each: len(each.epochs))
    assert len(trial.epochs) > 1
    files, sizes = LiveTensorBoard("fake", folder=tmp_path), []
    path, whole = event_file(trial)
    for standing in (*(begun(trial, epochs=n) for n in range(len(trial.epochs) + 1)), trial):
        files.update([standing])
        data = (files.folder / path).read_bytes()
        assert whole.startswith(data)
        sizes.append(len(data))
    assert sizes == sorted(set(sizes)), "every epoch adds to it"
    assert sizes[-1] == len(whole)


@pytest.mark.parametrize("kept", [0, 1, 60, 200, -1])
def test_what_a_kill_tore_is_completed_and_no_event_is_doubled(tmp_path, kept):
    whole = tmp_path / "whole"
    LiveTensorBoard("fake", folder=whole).update(DONE)
    torn = LiveTensorBoard("fake", folder=tmp_path / "torn")
    torn.update(DONE)
    for path in torn.folder.rglob("events.*"):
        path.write_bytes(path.read_bytes()[:kept])
    LiveTensorBoard("fake", folder=tmp_path / "torn").update(DONE)
    assert files_in(tmp_path / "torn") == files_in(whole)


def test_a_second_command_changes_nothing_where_nothing_is_new(tmp_path):
    LiveTensorBoard("fake", folder=tmp_path).update(DONE)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("events.*")}
    LiveTensorBoard("fake", folder=tmp_path).update(DONE)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("events.*")} == before


def test_a_study_begun_afresh_leaves_nothing_of_the_earlier_one(tmp_path):
    LiveTensorBoard("fake", folder=tmp_path).update(DONE)
    first = replace(STUDY.trials[0], started_at="2031-01-01T00:00:00.000Z")
    waiting = replace(STUDY.trials[1], started_at="")
    files = LiveTensorBoard("fake", folder=tmp_path)
    files.update([first, waiting])
    path, data = event_file(first)
    found = files_in(files.folder)
    assert found.keys() == {path, "events.out.tfevents.0.fake"}
    assert found[path] == data


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(ReportError, match=r"cannot be written .* leave out --tensorboard"):
        LiveTensorBoard("fake", folder=tmp_path / "taken").update(DONE)


def test_without_tensorboardx_it_is_refused_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(DependencyError, match="tensorboardX, which is not installed"):
        LiveTensorBoard("fake", folder=tmp_path)
