"""Tests of how figures become SVG, on one small drawing."""

import functools
import re
from dataclasses import replace

import matplotlib as mpl
from matplotlib.figure import Figure

from lstm_study.report.figures.picture import Marks, Picture
from lstm_study.report.figures.search import best_so_far
from lstm_study.report.figures.style import RC, WINNER, arm_colours
from lstm_study.report.tables.search import search_tables
from lstm_study.report.tables.table import table
from tests.support.fake_spec import fake_spec
from tests.support.fake_study import HOSTILE, controlled_study
from tests.support.report_page import parse


def _draw(figure: Figure) -> Marks:
    axes = figure.add_subplot()
    axes.plot([0, 1], [0.123456, 1], color=WINNER, gid="trial-b2-00-r0")
    axes.scatter([0, 1], [1, 0], color=WINNER, linewidths=0, gid="points")
    axes.set_title(HOSTILE)
    return {"points": ["b2-00-r0", f'"{HOSTILE}']}


@functools.cache
def _picture() -> Picture:
    return _draw_again()


def _draw_again() -> Picture:
    return Picture(
        draw=_draw,
        name="small",
        title="Small",
        alt=f'A "small" drawing {HOSTILE}',
        tables=(table("t", "One", (), []),),
        height=2,
    )


def test_the_settings_of_matplotlib_are_as_they_were() -> None:
    before = dict(mpl.rcParams)
    drawn = _draw_again()
    assert drawn.svg.startswith("<?xml")
    assert isinstance(drawn.figure(), Figure)
    assert dict(mpl.rcParams) == before
    assert mpl.rcParams["svg.hashsalt"] != RC["svg.hashsalt"]


def test_a_drawing_is_the_same_bytes_every_time_whatever_the_settings() -> None:
    first = _picture()
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red"}):
        second = _draw_again()
    assert second.svg == first.svg
    assert second.png == first.png


def test_a_drawing_is_the_same_bytes_if_its_layout_differs_in_the_last_bits() -> None:
    # As after another processor's logarithms.
    moved = replace(_picture(), height=2 + 1e-13)
    assert moved.svg == _picture().svg
    assert 'clip-path="url(#p_' in moved.svg


def test_svg_holds_no_date_and_no_name_of_its_maker() -> None:
    text = _picture().svg
    assert "dc:date" not in text
    assert "Matplotlib" not in text


def test_colours_within_the_page_are_the_pages_own() -> None:
    drawn = _picture()
    assert WINNER in drawn.svg
    assert WINNER not in drawn.inline
    assert "var(--winner)" in drawn.inline


def test_lines_and_points_carry_the_trial_they_show() -> None:
    root = parse(_picture().inline)
    marked = [node for node in root.walk() if "data-trial" in node.attributes]
    assert [(node.tag, node.attributes["data-trial"]) for node in marked] == [
        ("use", "b2-00-r0"),
        ("use", f'"{HOSTILE}'),
        ("g", "b2-00-r0"),
    ]


def test_ids_are_the_figures_own_and_every_reference_finds_one() -> None:
    text = _picture().inline
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert ids
    assert all(name.startswith("small-") for name in ids)
    wanted = re.findall(r'href="#([^"]+)"', text) + re.findall(r"url\(#([^)]+)\)", text)
    assert wanted
    assert set(wanted) <= set(ids)


def test_hostile_text_in_a_drawing_is_text() -> None:
    inline = _picture().inline
    assert HOSTILE not in inline
    root = parse(inline)
    assert not root.find("script")
    assert HOSTILE in root.text
    assert root.find("svg")[0].attributes["aria-label"] == f'A "small" drawing {HOSTILE}'


def test_baseline_and_winner_keep_their_colours_among_any_arms() -> None:
    few, many = arm_colours(["winner"]), arm_colours(["control", "baseline", "winner"])
    assert few["winner"] == many["winner"] == WINNER
    assert len(set(many.values())) == 3


def test_every_arm_of_a_full_comparison_has_a_colour_of_its_own() -> None:
    evaluated = ("", "-own-epoch", "-last-three")
    arms = [f"{name}{how}" for name in ("baseline", "winner") for how in evaluated]
    arms += [
        "baseline-masked",
        "baseline-recipe",
        "control",
        "ensemble",
        "runner-up-1",
        "runner-up-2",
    ]
    assert len(set(arm_colours(arms).values())) == len(arms)


def test_a_search_and_a_control_without_a_score_of_the_full_budget_are_drawn() -> None:
    failed = replace(controlled_study().trials[0], status="failed", score=None)
    control = replace(failed, trial_id="c-1", role="control")
    done = replace(failed, trial_id="t-1", status="completed", score=0.8, budget_epochs=1)
    spec = fake_spec(search__control="random")
    study = replace(controlled_study(), trials=(done, control))
    tables = {each.name: each for each in search_tables(study, spec)}
    picture = best_so_far(
        tables["best_so_far"], tables["random_control"], objective="validation_accuracy"
    )
    assert picture is not None
    assert "random control" in picture.svg
