"""Tests of the page: every number traced, everything escaped, nothing asked of the network."""

import itertools
import json
import re
from collections.abc import Callable

import pytest

from lstm_study.report.content import Content
from lstm_study.report.page.cells import cell, html_table
from lstm_study.report.page.html import SECTIONS, render
from lstm_study.report.tables.table import Column, table, to_csv
from tests.support.fake_study import ALL_STUDIES, HOSTILE
from tests.support.report_page import parse, untraced

ContentOf = Callable[[str], Content]


def _tables(content: Content) -> dict[str, str]:
    return {table.path: to_csv(table) for table in content.tables.values()}


@pytest.mark.parametrize("name", ALL_STUDIES)
def test_every_number_in_the_page_is_found_in_a_table(content: ContentOf, name: str) -> None:
    assert untraced(render(content(name)), _tables(content(name))) == []


def test_a_number_that_its_table_does_not_hold_is_noticed(content: ContentOf) -> None:
    made = content("completed")
    page = render(made)
    shown = re.search(r'#1,test_accuracy_mean" data-form="percent">([\d.]+)%', page)
    assert shown is not None
    changed = page.replace(f">{shown[1]}%<", ">99.99%<")
    assert any("99.99%" in problem for problem in untraced(changed, _tables(made)))


def test_a_number_without_a_table_is_noticed(content: ContentOf) -> None:
    made = content("completed")
    page = render(made).replace("<footer><p>", "<footer><p>About 12 more. ")
    assert untraced(page, _tables(made)) == [
        "no table for: 'About 12 more. Every number above is a cell of a table in'"
    ]


@pytest.mark.parametrize("name", ALL_STUDIES)
def test_headings_go_down_one_level_at_a_time(content: ContentOf, name: str) -> None:
    page = parse(render(content(name)))
    levels = [int(node.tag[1]) for node in page.walk() if re.fullmatch(r"h[1-6]", node.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("name", ALL_STUDIES)
def test_every_section_is_there_and_says_something(content: ContentOf, name: str) -> None:
    page = parse(render(content(name)))
    sections = {node.attributes["id"]: node for node in page.find("section")}
    assert list(sections) == [identifier for identifier, _ in SECTIONS]
    for section in sections.values():
        assert len(section.text.split()) > 8


@pytest.mark.parametrize("name", ALL_STUDIES)
def test_links_within_the_page_lead_somewhere_and_ids_are_unique(
    content: ContentOf, name: str
) -> None:
    nodes = list(parse(render(content(name))).walk())
    ids = [node.attributes["id"] for node in nodes if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    links = [node.attributes["href"] for node in nodes if node.tag == "a"]
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)


def test_hostile_text_is_shown_and_is_no_element(content: ContentOf) -> None:
    page = render(content("hostile"))
    assert HOSTILE not in page
    tree = parse(page)
    scripts = [node for node in tree.find("script") if node.attributes.get("type") is None]
    assert len(scripts) == 1
    shown = tree.find("main")[0].text
    for where in ("Reviews ", "# ", "lstm-study ", "baseline "):
        assert where + HOSTILE in shown


def test_the_page_forbids_every_request_and_every_script_but_its_own(content: ContentOf) -> None:
    page = parse(render(content("completed")))
    policy = next(
        node.attributes["content"]
        for node in page.find("meta")
        if node.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].startswith("'sha256-")
    assert "unsafe" not in rules["script-src"]
    assert rules["img-src"] == "data:"


def test_the_page_names_no_address_outside_itself(content: ContentOf) -> None:
    page = render(content("completed"))
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    assert "@import" not in page
    assert "url(" not in page


def test_equal_content_gives_equal_pages(content: ContentOf) -> None:
    assert render(content("failed")) == render(content("failed"))


def test_a_difference_is_written_in_points_with_its_interval(content: ContentOf) -> None:
    made = content("completed")
    difference = made.verdict.difference
    assert difference is not None
    lead = next(
        node for node in parse(render(made)).walk() if node.attributes.get("class") == "tile lead"
    )
    assert f"{100 * difference.difference:+.2f}".replace("-", "−") in lead.text
    assert f"{100 * difference.low:+.2f}".replace("-", "−") in lead.text
    assert f"{100 * difference.high:+.2f}".replace("-", "−") in lead.text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "empty",
            "It cannot be said whether the winner beats the baseline: neither has a completed",
        ),
        (
            "one-seed",
            "Too few seeds to say whether the winner beats the baseline: the winner has 1",
        ),
        (
            "completed",
            "No difference between the winner and the baseline was shown: +0.66 points (",
        ),
    ],
)
def test_the_headline_says_the_verdict_in_words(content: ContentOf, name: str, words: str) -> None:
    nodes = parse(render(content(name))).walk()
    (line,) = (node for node in nodes if "headline" in node.attributes.get("class", "").split())
    assert line.text.strip().startswith(words)


def test_deviations_from_the_documented_protocol_stand_in_the_answer(content: ContentOf) -> None:
    answer = parse(render(content("completed"))).find("section")[0].text
    assert "protocol epochs 5 (documented: 10)" in answer


def test_the_trials_are_in_order_of_rank_with_the_winner_marked(content: ContentOf) -> None:
    made = content("completed")
    table = next(
        node
        for node in parse(render(made)).find("table")
        if "trials" in node.attributes.get("class", "").split()
    )
    rows = table.find("tbody")[0].find("tr")
    ranks = [made.tables["trials"].value(int(row.attributes["data-row"]), "rank") for row in rows]
    known = [rank for rank in ranks if rank is not None]
    assert ranks[: len(known)] == known == sorted(known)
    assert [row.attributes.get("class") for row in rows] == ["winner"] + [None] * (len(rows) - 1)


def test_the_pages_script_is_told_of_every_trial_what_the_tables_say(content: ContentOf) -> None:
    made = content("failed")
    page = render(made)
    (found,) = re.findall(r'<script type="application/json" id="trial-data">(.*?)</script>', page)
    told = json.loads(found)
    assert told["trials"].keys() == {trial.trial_id for trial in made.records.trials}
    for trial in made.records.trials:
        mine = told["trials"][trial.trial_id]
        assert mine["parent"] == trial.parent
        assert mine["error"] == (trial.failure.message if trial.failure else None)
        assert len(mine["hyperparameters"]) == 7
    assert [axis["name"] for axis in told["axes"]][-1] == "score"
    assert told["winner"] == made.tables["trials"].value(
        made.tables["trials"].where(rank=1)[0], "trial_id"
    )


def test_durations_of_one_column_have_one_unit(content: ContentOf) -> None:
    made = content("completed")
    for each in parse(render(made)).find("table"):
        heads = each.find("thead")[0].find("th")
        for place, head in enumerate(heads):
            if head.attributes.get("data-form") in ("minutes", "seconds", "fractions_of_seconds"):
                cells = [row.children[place] for row in each.find("tbody")[0].find("tr")]
                units = {
                    cell.text.split()[-1]
                    for cell in cells
                    if not isinstance(cell, str) and "data-form" not in cell.attributes
                }
                assert len(units - {"–"}) == 1


def test_a_time_of_seconds_among_minutes_is_in_seconds_and_sorts_by_its_number() -> None:
    columns = (
        Column("arm", "Which"),
        Column("seconds", "Its time", form="duration"),
    )
    rows = [{"arm": "winner", "seconds": 754.0}, {"arm": "control", "seconds": 10.2}]
    times = table("times", "One arm", columns, rows)
    page = parse(str(html_table(times, caption="Times")))
    cells = page.find("td")
    assert [cell.text for cell in cells] == ["12.6 min", "10 s"]
    assert [cell.attributes["data-v"] for cell in cells] == ["754.0", "10.2"]


def test_durations_of_one_row_have_one_unit_where_the_cells_beside_are_named() -> None:
    columns = (Column("seconds", "Its time", form="duration"),)
    times = table("times", "One arm", columns, [{"seconds": 541.0}, {"seconds": 103.0}])
    assert [parse(str(cell(times, row, "seconds"))).text for row in (0, 1)] == ["9 min", "103 s"]
    together = [parse(str(cell(times, row, "seconds", beside=[0, 1]))).text for row in (0, 1)]
    assert together == ["541 s", "103 s"]
