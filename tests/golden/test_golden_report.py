"""Reports of the fake studies against golden files: pages, tables, summaries.

Scrubbed before comparing: drawings (they depend on matplotlib's version), style and script (files
of the package, tested in the browser), and digits of floats that depend on the processor.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from lstm_study.analysis.answer.verdict import judge
from lstm_study.report.content import Content, gather, illustrate
from lstm_study.report.diff import diff_files
from lstm_study.report.page.html import render
from lstm_study.report.tables.table import to_csv
from lstm_study.report.write import render_files
from tests.support.fake_study import ALL_STUDIES, completed_study, controlled_study
from tests.support.report_page import short_floats, untraced

PAGES = ("completed", "hostile", "interrupted", "empty", "controlled", "compared")
# Their figures differ little from those above, so that their pages are kept without.
PLAIN_PAGES = ("failed", "diverged", "tied", "one-seed")
TABLES = (
    "verdict", "notes", "comparison", "hyperparameters", "runs", "metrics", "calibration",
    "failure_rates", "failed_runs", "secondary_outcomes", "finalists", "confusion",
    "differing_reviews",
    "optimism", "trials", "best_so_far", "schedule", "failures", "rank_agreement", "cost", "splits",
    "importance", "pairs", "random_control", "lengths", "maxlen_choices", "sources", "sessions",
    "openings", "settings", "README",
)  # fmt: skip
COMPARED_TABLES = (
    "comparison", "hyperparameters", "runs", "further_arms", "classical_control", "ablation",
    "ablation_tried", "confusion", "accuracy_by_length", "accuracy_by_unknown",
    "differing_reviews", "near_duplicates", "optimism",
)  # fmt: skip

Golden = Callable[[str, str], None]


@functools.cache
def _tables(name: str) -> Content:
    records = ALL_STUDIES[name]()
    return gather(
        records,
        verdict=judge(records),
        made_at="2025-03-02T10:00:00.000Z",
        versions={"keras": "3.15.0"},
        git_commit="0123456789ab",
        bundle="model",
    )


@functools.cache
def _content(name: str) -> Content:
    return illustrate(_tables(name))


@functools.cache
def _files(name: str) -> dict[str, bytes]:
    return render_files(_content(name))


def _scrubbed(page: str) -> str:
    for pattern, words in (
        (r"<svg.*?</svg>", "<svg>(drawing)</svg>"),
        (r"<style>.*?</style>", "<style>(style)</style>"),
        (r"<script>.*?</script>", "<script>(script)</script>"),
        (r"sha256-[A-Za-z0-9+/=]+", "sha256-(digest)"),
    ):
        page = re.sub(pattern, words, page, flags=re.DOTALL)
    return short_floats(page)


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_the_one_that_was_reviewed(golden: Golden, name: str) -> None:
    golden(f"{name}/report.html", _scrubbed(_files(name)["report.html"].decode()))


@pytest.mark.parametrize("name", PLAIN_PAGES)
def test_the_page_without_figures_is_the_one_that_was_reviewed(golden: Golden, name: str) -> None:
    golden(f"{name}/report.html", _scrubbed(render(_tables(name))))


@pytest.mark.parametrize("name", PLAIN_PAGES)
def test_every_number_in_a_page_without_figures_is_found_in_a_table(name: str) -> None:
    tables = {table.path: to_csv(table) for table in _tables(name).tables.values()}
    assert untraced(render(_tables(name)), tables) == []


@pytest.mark.parametrize("name", PAGES)
def test_the_summary_for_a_pull_request_is_the_one_that_was_reviewed(
    golden: Golden, name: str
) -> None:
    golden(f"{name}/report.md", _files(name)["report.md"].decode())


def test_two_studies_side_by_side_are_those_that_were_reviewed(golden: Golden) -> None:
    files = diff_files(
        [completed_study(), replace(controlled_study(), name="other")],
        made_at="2025-03-02T10:00:00.000Z",
        versions={},
    )
    golden("diff/report.html", _scrubbed(files["report.html"].decode()))


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", ["completed", "hostile"])
def test_tables_are_those_that_were_reviewed(golden: Golden, name: str, table: str) -> None:
    path = f"tables/{table}.csv"
    golden(f"{name}/{path}", short_floats(_files(name)[path].decode()))


@pytest.mark.parametrize("table", COMPARED_TABLES)
def test_tables_of_every_arm_are_those_that_were_reviewed(golden: Golden, table: str) -> None:
    path = f"tables/{table}.csv"
    golden(f"compared/{path}", short_floats(_files("compared")[path].decode()))


@pytest.mark.parametrize("name", PAGES)
def test_every_number_in_an_illustrated_page_is_found_in_a_table(name: str) -> None:
    files = _files(name)
    tables = {path: text.decode() for path, text in files.items() if path.endswith(".csv")}
    assert untraced(files["report.html"].decode(), tables) == []


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_the_page_leads_to_a_file_or_the_model(name: str) -> None:
    files = _files(name)
    links = set(re.findall(r'href="([^"#]+)"', files["report.html"].decode()))
    assert {link for link in links if link not in files} <= {"model/"}


@pytest.mark.parametrize("name", PAGES)
def test_no_figure_is_without_its_table_and_its_words(name: str) -> None:
    content = _content(name)
    for picture in content.pictures.values():
        assert picture.tables
        assert picture.alt.endswith((".", ". "))
        for table in picture.tables:
            assert table is content.tables[table.name]
            assert table.rows


def test_a_report_drawn_twice_is_the_same_bytes() -> None:
    again = illustrate(_content("interrupted"))
    assert render_files(again) == _files("interrupted")
