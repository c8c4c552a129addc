"""The watched report in a real browser: it changes by itself, and asks its own server alone."""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest
from playwright.sync_api import Browser

from lstm_study.analysis.answer.verdict import judge
from lstm_study.records import StudyRecords
from lstm_study.report.content import gather, illustrate
from lstm_study.report.serve import Watch
from lstm_study.report.write import render_files
from tests.support.fake_study import completed_study, interrupted_study


@dataclass
class Search:
    """A search that gets on when told to."""

    trials: int = 3
    whole: StudyRecords = field(default_factory=completed_study)

    def records(self) -> StudyRecords:
        return replace(interrupted_study(), trials=self.whole.trials[: self.trials])

    def render(self, version: str) -> Mapping[str, bytes]:
        records = self.records()
        content = gather(
            records,
            verdict=judge(records),
            made_at="2025-03-02T10:00:00.000Z",
            versions={},
            git_commit="",
            bundle=None,
        )
        return render_files(illustrate(content), version=version)


@pytest.fixture
def search() -> Search:
    return Search()


@pytest.fixture
def watch(search: Search, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    monkeypatch.setattr("lstm_study.report.serve._REST", 0.0)
    made = Watch(fingerprint=lambda: str(search.trials), render=search.render, port=0)
    serving = threading.Thread(target=made.serve)
    serving.start()
    yield made
    made.end()
    serving.join(timeout=60)


def test_the_page_shows_trials_as_they_finish_and_asks_only_its_own_server(
    browser: Browser, search: Search, watch: Watch
) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(watch.address)
    page.wait_for_selector("table.trials", timeout=60_000)
    assert page.locator("table.trials tbody tr").count() == 3
    search.trials = 5
    page.wait_for_selector("table.trials tbody tr:nth-child(5)", timeout=60_000)
    assert page.locator("table.trials tbody tr").count() == 5
    assert all(url.startswith(watch.address) for url in asked)
    assert watch.address + "version" in asked
    assert [text for text in complaints if "favicon" not in text] == []
    page.evaluate("fetch('http://127.0.0.1:9/').catch(() => {})")
    time.sleep(0.2)
    assert any("Content Security Policy" in text for text in complaints)
    context.close()


def test_without_javascript_the_page_asks_again_by_itself(browser: Browser, watch: Watch) -> None:
    while watch.edition is None:
        time.sleep(0.05)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(watch.address)
    assert page.locator('noscript meta[http-equiv="refresh"]').count() == 1
    context.close()
