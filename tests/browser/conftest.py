"""Debian's Chromium through Playwright, and the reports that it opens."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from lstm_study.analysis.answer.verdict import judge
from lstm_study.records import StudyRecords
from lstm_study.report.content import gather, illustrate
from lstm_study.report.diff import write_diff
from lstm_study.report.page.html import render
from tests.support.fake_open_study import built_study, opened_study
from tests.support.fake_study import compared_study, controlled_study, hostile_study

ARGUMENTS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, headless; its tests are skipped where it is not installed."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed: the report is NOT looked at in a browser")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        launched.close()


def _page(records: StudyRecords, folder: Path) -> Path:
    """Writes the page of a fake study's report, which is whole without the files beside it."""
    content = gather(
        records,
        verdict=judge(records),
        made_at="2025-03-02T10:00:00.000Z",
        versions={"keras": "3.15.0"},
        git_commit="0123456789ab",
        bundle=None,
    )
    page = folder / records.name / "report.html"
    page.parent.mkdir()
    page.write_text(render(illustrate(content)), encoding="utf-8")
    return page


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the hostile fake study, which also holds failures of every kind."""
    return _page(hostile_study(), tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="session")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the fake study that has every arm."""
    return _page(compared_study(), tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="session")
def beyond(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The reports of the fake study with an open space, and of the one with a builder."""
    folder = tmp_path_factory.mktemp("reports")
    return {records.name: _page(records, folder) for records in (opened_study(), built_study())}


class Watched:
    """A page, and what it said or asked for that it should not have."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self.requests.append(request.url))


@pytest.fixture
def watched(browser: Browser, report: Path) -> Iterator[Watched]:
    """The report, open at desktop size; whatever happens, it stays silent and asks for nothing."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    found = Watched(context.new_page())
    found.page.goto(report.as_uri())
    yield found
    assert found.complaints == []
    assert found.requests == [report.as_uri()]
    context.close()


@pytest.fixture(scope="session")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two studies side by side, with hostile text in one of them."""
    return write_diff(
        [replace(hostile_study(), name="hostile"), controlled_study()],
        folder=tmp_path_factory.mktemp("reports") / "both",
        made_at="2025-03-02T10:00:00.000Z",
        versions={},
    )
