"""The index of all reports: one row a report, the newest first."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lstm_study.analysis.answer.verdict import judge
from lstm_study.records import StudyRecords
from lstm_study.report.index import render_index
from lstm_study.report.write import write_report
from tests.support.fake_study import HOSTILE, completed_study, empty_study
from tests.support.report_page import Node, parse


def _write(records: StudyRecords, folder: Path, *, made_at: str) -> None:
    write_report(
        records, verdict=judge(records), folder=folder / records.name,
        made_at=made_at, versions={}, git_commit="", bundle=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("reports")
    _write(completed_study(), found, made_at="2025-03-02T10:00:00.000Z")
    _write(
        replace(empty_study(), name="other", title=HOSTILE), found,
        made_at="2025-03-03T10:00:00.000Z",
    )  # fmt: skip
    return found


def _rows(text: str) -> list[Node]:
    return parse(text).find("tbody")[0].find("tr")


def test_every_report_has_a_row_with_a_link_the_newest_first(folder: Path) -> None:
    rows = _rows((folder / "index.html").read_text())
    links = [row.find("a")[0].attributes["href"] for row in rows]
    assert links == ["other/report.html", "fake/report.html"]
    assert all((folder / link).is_file() for link in links)
    summary = json.loads((folder / "fake" / "summary.json").read_text())
    accuracy = summary["arms"]["winner"]["test_accuracy_mean"]
    assert f"{accuracy:.2%}" in rows[1].text
    assert summary["arms"]["winner"]["label"] in rows[1].text
    assert summary["verdict"]["headline"] in rows[1].text
    assert "Too few seeds" not in rows[0].text, "nothing has been compared"


def test_hostile_titles_are_text(folder: Path) -> None:
    text = (folder / "index.html").read_text()
    assert HOSTILE not in text
    assert HOSTILE in _rows(text)[0].text


def test_what_is_no_report_is_no_row(folder: Path, tmp_path: Path) -> None:
    for name, summary in (("broken", "{"), ("foreign", "{}"), ("alone", "[]")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "summary.json").write_text(summary)
        (tmp_path / name / "report.html").write_text("")
    assert "There are no reports" in render_index(tmp_path)
