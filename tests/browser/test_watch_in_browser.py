"""The watched report in a real browser: styled at once, up to date, and nothing chosen is lost."""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from lstm_study.analysis.answer.verdict import judge
from lstm_study.errors import StoreError
from lstm_study.records import StudyRecords
from lstm_study.report.content import gather, illustrate
from lstm_study.report.page.html import render_live
from lstm_study.report.serve import ReportServer
from lstm_study.report.write import render_files
from tests.browser.test_accessibility import axe_violations
from tests.support.fake_study import completed_study, interrupted_study


@dataclass
class Search:
    """A search that proceeds when told to."""

    trials: int = 3
    is_ready: bool = True
    whole: StudyRecords = field(default_factory=completed_study)

    def records(self) -> StudyRecords:
        return replace(interrupted_study(), trials=self.whole.trials[: self.trials])

    def render(self) -> Mapping[str, bytes]:
        while not self.is_ready:
            time.sleep(0.02)
        records = self.records()
        content = gather(
            records,
            verdict=judge(records),
            made_at="2025-03-02T10:00:00.000Z",
            versions={},
            git_commit="",
            bundle=None,
        )
        return render_files(illustrate(content))

    def progress(self) -> dict[str, Any]:
        return {
            "headline": "Running: process 1 (`lstm-study run`).",
            "stages": [
                {"name": "Search", "done": self.trials, "total": 23, "what": "trials",
                 "facts": ["about 5 min left", "2 workers on cpu"]},
            ],
            "best": ["Best at the full budget: b1-00-r1"],
            "running": [
                {"worker": "worker-1", "training_id": "b2-04-r1", "configuration": "16/48",
                 "epoch": 2, "epochs": 3, "step": 4, "steps": 25, "curve": [0.6, 0.7]},
            ],
            "log": [f"line {number}" for number in range(12)],
        }  # fmt: skip


@pytest.fixture
def search() -> Search:
    return Search()


@pytest.fixture
def server(search: Search, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReportServer]:
    monkeypatch.setattr("lstm_study.report.serve._REST", 0.0)
    made = ReportServer(
        page=render_live("A fake study"),
        fingerprint=lambda: str(search.trials),
        render=search.render,
        progress=search.progress,
        port=0,
    )
    serving = threading.Thread(target=made.serve)
    serving.start()
    yield made
    search.is_ready = True
    made.end()
    serving.join(timeout=60)
    # Matplotlib's settings are this process's: what still draws would leave them to the next test.
    for thread in threading.enumerate():
        if thread.name == "report":
            thread.join(timeout=60)


def _rows(page: Page) -> int:
    return page.locator("table.trials tbody tr").count()


def test_the_page_shows_trials_as_they_finish_and_asks_only_its_own_server(
    browser: Browser, search: Search, server: ReportServer
) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(server.address)
    page.wait_for_selector("table.trials", timeout=60_000)
    assert _rows(page) == 3
    said = page.locator("#live-status [role=status]")
    assert said.inner_text() == "Running: process 1 (lstm-study run)."
    assert said.locator("code").inner_text() == "lstm-study run"
    search.trials = 5
    page.wait_for_selector("table.trials tbody tr:nth-child(5)", timeout=60_000)
    assert _rows(page) == 5
    assert all(url.startswith(server.address) for url in asked)
    assert server.address + "live.json" in asked
    assert [text for text in complaints if "favicon" not in text] == []
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate("fetch('http://127.0.0.1:9/').catch(() => {})")
    context.close()


def test_the_progress_is_styled_and_shown_before_the_first_report(
    browser: Browser, search: Search, server: ReportServer
) -> None:
    search.is_ready = False
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.address)
    page.wait_for_selector(".stage .count", timeout=30_000)
    told = page.inner_text("#live")
    for words in ("A fake study", "3 of 23", "about 5 min left", "2 workers", "b2-04-r1", "2 of 3",
                  "Best at the full budget", "line 11"):  # fmt: skip
        assert words in told
    assert page.evaluate("getComputedStyle(document.body).display") == "grid"
    assert page.locator("#live .spark path").count() == 1
    assert page.locator("#report section").count() == 0
    context.close()


def test_records_that_are_gone_are_named_and_the_last_report_stays(
    browser: Browser, search: Search, server: ReportServer
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.address)
    page.wait_for_selector("table.trials", timeout=60_000)
    whole = server._progress

    def fail() -> dict[str, Any]:
        raise StoreError("no study. Start one with `lstm-study run`.")

    server._progress = fail
    page.wait_for_selector("#live-status [role=alert]", timeout=30_000)
    assert page.inner_text("#live-status").endswith(": no study. Start one with lstm-study run.")
    assert _rows(page) == 3
    server._progress = whole
    page.wait_for_selector("#live-status [role=status]", timeout=30_000)
    assert page.locator("#live-status [role=alert]").count() == 0
    context.close()


def test_a_newer_report_leaves_filter_scroll_trial_and_opened_parts_as_they_were(
    browser: Browser, search: Search, server: ReportServer
) -> None:
    search.trials = 12
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(server.address)
    page.wait_for_selector("table.trials tbody tr:nth-child(12)", timeout=60_000)
    page.fill("#filter", "units>=16")
    page.click('table.trials th[data-column="parameter_count"] button')
    page.click("#method details summary")
    page.click("table.trials tbody tr:not([hidden]) a.pick")
    page.wait_for_selector("#trial:not([hidden])")
    shown = page.inner_text("#trial-name")
    page.focus("#filter")
    # Distance of the trials' table from the top of the window.
    place = "document.querySelector('#search').getBoundingClientRect().top"
    page.evaluate("document.querySelector('#search').scrollIntoView()")
    before = page.evaluate(place)
    search.trials = 15
    page.wait_for_selector("table.trials tbody tr:nth-child(15)", state="attached", timeout=60_000)
    assert page.input_value("#filter") == "units>=16"
    assert "15 of 15 trials: units >= 16" in page.inner_text("#search .filter output >> nth=0")
    head = page.locator('table.trials th[data-column="parameter_count"]')
    assert head.get_attribute("aria-sort") == "ascending"
    assert page.inner_text("#trial-name") == shown
    assert page.evaluate("document.activeElement.id") == "filter"
    assert page.locator("#method details[open]").count() == 1
    assert abs(page.evaluate(place) - before) < 5
    context.close()


def test_the_live_page_has_no_violation_of_axe(
    browser: Browser, search: Search, server: ReportServer
) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(server.address)
    page.wait_for_selector("table.trials", timeout=60_000)
    assert axe_violations(page) == []
    context.close()


def test_without_javascript_the_page_leads_to_the_report(
    browser: Browser, server: ReportServer
) -> None:
    while server.edition is None:
        time.sleep(0.05)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.address)
    page.click("noscript a")
    assert page.locator("table.trials").count() == 1
    context.close()
