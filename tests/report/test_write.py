"""Tests of the report's folder: whole or not at all. The empty study has no figures to draw."""

import csv
import gzip
import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lstm_study.analysis.answer.verdict import judge
from lstm_study.errors import ReportError
from lstm_study.folders import drafting, exchange
from lstm_study.records import StudyRecords
from lstm_study.report import write
from lstm_study.report.content import Content
from lstm_study.report.write import OWN, render_files, write_files, write_report
from tests.support.fake_reviews import fake_corpus
from tests.support.fake_study import empty_study


def _write(
    folder: Path, *, records: StudyRecords | None = None, made_at: str = "2025-03-02T10:00:00.000Z"
) -> Path:
    study = records or empty_study()
    return write_report(
        study,
        verdict=judge(study),
        folder=folder,
        made_at=made_at,
        versions={"keras": "3.15.0"},
        git_commit="0123456789ab",
        bundle=None,
    )


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_page_is_returned_and_every_file_is_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "fake"
    assert _write(folder) == folder / "report.html"
    for name in ("report.html", "manifest.json", "summary.json", "report.md"):
        assert (folder / name).stat().st_size > 100
    assert (folder / "tables" / "trials.csv").is_file()
    assert (folder / "tables" / "README.csv").is_file()


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    _write(tmp_path / "one")
    _write(tmp_path / "two")
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")


def test_what_a_killed_process_left_beside_a_report_is_deleted_and_no_running_ones(
    tmp_path: Path,
) -> None:
    with drafting(tmp_path / "fake") as running:
        (running / "page").touch()
        (tmp_path / ".fake.123-abcd~" / "made").mkdir(parents=True)
        os.utime(tmp_path / ".fake.123-abcd~", (0, 0))
        _write(tmp_path / "fake")
        assert (running / "page").is_file()
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            running.name, "fake", "index.html",
        ]  # fmt: skip


def _write_many(folder: Path) -> None:
    for number in range(20):
        write_files(dict.fromkeys(("report.md", "tables/a.csv"), b"%d" % number), folder)


def test_processes_that_report_at_the_same_time_do_not_hinder_each_other(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(tmp_path / "fake",)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert _bytes(tmp_path) == {"fake/report.md": b"19", "fake/tables/a.csv": b"19"}


def test_a_report_behind_a_link_stays_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere" / "fake").mkdir(parents=True)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "fake").symlink_to(tmp_path / "elsewhere" / "fake")
    write_files({"report.md": b"behind"}, tmp_path / "reports" / "fake")
    monkeypatch.chdir(tmp_path / "elsewhere" / "fake")
    assert Path("report.md").read_bytes() == b"behind"
    write_files({"report.md": b"here"}, Path())
    assert _bytes(tmp_path) == {"elsewhere/fake/report.md": b"here"}


def test_a_second_report_takes_the_place_of_the_first_and_leaves_nothing_of_it(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "fake"
    _write(folder)
    (folder / "tables" / "old.csv").write_text("x")
    _write(folder, made_at="2025-03-03T10:00:00.000Z")
    assert not (folder / "tables" / "old.csv").exists()
    assert "2025-03-03" in (folder / "report.html").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"fake", "index.html"}


def test_the_model_bundle_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    bundle = tmp_path / "fake" / "model"
    bundle.mkdir(parents=True)
    (bundle / "sentiment-lstm.keras").write_bytes(b"weights")
    _write(tmp_path / "fake")
    assert (bundle / "sentiment-lstm.keras").read_bytes() == b"weights"


def test_a_folder_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "fake").write_text("a file")
    with pytest.raises(ReportError) as caught:
        _write(tmp_path / "fake")
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "fake") in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["fake"]


@pytest.mark.parametrize("stop", range(1, 2 * len(OWN)))
def test_a_failure_while_moving_in_leaves_the_earlier_report_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    folder = tmp_path / "fake"
    _write(folder)
    (folder / "notes.txt").write_text("mine")
    before = _bytes(folder)
    monkeypatch.setattr(write, "exchange", lambda one, other: False)
    rename, calls = Path.rename, iter(range(1, 1000))

    def fail_once(path: Path, target: Path) -> Path:
        if next(calls) == stop:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_once)
    try:
        _write(folder, made_at="2025-03-03T10:00:00.000Z")
    except ReportError:
        assert _bytes(folder) == before
    else:
        assert stop > len(OWN)
    assert {path.name for path in tmp_path.iterdir()} == {"fake", "index.html"}


@pytest.mark.parametrize("stop", range(1, len(OWN)))
def test_a_failure_after_some_were_exchanged_leaves_the_earlier_report_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    folder, calls = tmp_path / "fake", iter(range(1, 1000))
    first, second = (
        dict.fromkeys([*OWN[:4], "tables/a", "figures/b"], text) for text in (b"1", b"2")
    )
    write_files(first, folder)
    before = _bytes(folder)

    def refuses_once(one: Path, other: Path) -> bool:
        return next(calls) != stop and exchange(one, other)

    monkeypatch.setattr(write, "exchange", refuses_once)
    monkeypatch.setattr(Path, "rename", lambda *_: (folder / "no" / "such").touch())
    with pytest.raises(ReportError):
        write_files(second, folder)
    assert _bytes(folder) == before


def test_a_report_that_is_replaced_is_missing_at_no_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    if not exchange(tmp_path / "one", tmp_path / "other"):
        pytest.skip("the system can't exchange two names")
    files = [*OWN[:4], "tables/a", "figures/b"]
    write_files(dict.fromkeys(files, b"1"), tmp_path / "fake")
    monkeypatch.setattr(Path, "rename", None)
    write_files(dict.fromkeys(files, b"2"), tmp_path / "fake")
    assert set(_bytes(tmp_path / "fake").values()) == {b"2"}


def test_the_manifest_names_every_file_with_its_digest(tmp_path: Path) -> None:
    folder = _write(tmp_path / "fake").parent
    files = json.loads((folder / "manifest.json").read_text())["files"]
    found = _bytes(folder)
    found.pop("manifest.json")
    assert files == {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}


def test_the_manifest_holds_what_repeats_the_study(tmp_path: Path) -> None:
    study = empty_study()
    manifest = json.loads(_write(tmp_path / "fake").with_name("manifest.json").read_text())
    assert manifest["spec"] == study.spec
    assert manifest["spec_text"] == study.spec_text
    assert manifest["seeds"]["study"] == 7
    assert manifest["git_commit"] == "0123456789ab"
    assert manifest["versions"] == {"keras": "3.15.0"}
    assert manifest["data"] is None
    assert manifest["openings"] == []


def test_the_data_dictionary_covers_every_column_of_every_csv(tmp_path: Path) -> None:
    tables = _write(tmp_path / "fake").parent / "tables"
    with (tables / "README.csv").open(newline="") as file:
        explained = {(row["table"], row["column"]) for row in csv.DictReader(file)}
    for path in tables.glob("*.csv"):
        if path.name != "README.csv":
            with path.open(newline="") as file:
                header = next(csv.reader(file))
            assert {(path.name, column) for column in header} <= explained


def test_the_data_dictionary_covers_the_packed_predictions(
    content: Callable[[str], Content],
) -> None:
    files = render_files(content("completed"))
    header = gzip.decompress(files["tables/predictions.csv.gz"]).decode().split("\n", 1)[0]
    explained = csv.DictReader(files["tables/README.csv"].decode().splitlines())
    found = [row["column"] for row in explained if row["table"] == "predictions.csv.gz"]
    assert found == header.split(",")


def test_the_summary_says_what_the_verdict_says(tmp_path: Path) -> None:
    study = empty_study()
    summary = json.loads(_write(tmp_path / "fake").with_name("summary.json").read_text())
    verdict = judge(study)
    assert summary["verdict"]["kind"] == verdict.kind
    assert summary["verdict"]["sentence"] == verdict.sentence


def test_digests_of_the_data_reach_the_manifest(tmp_path: Path) -> None:
    from dataclasses import replace

    study = replace(empty_study(), corpus=replace(fake_corpus(), length_counts=(), coverage=()))
    manifest = json.loads(
        _write(tmp_path / "fake", records=study).with_name("manifest.json").read_text()
    )
    assert manifest["data"]["digest"] == "d" * 64
    assert manifest["data"]["reviews"] == {"train": 1600, "validation": 400, "test": 2000}
