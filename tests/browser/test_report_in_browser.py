"""The report in a real browser: silent, offline, sortable, readable everywhere."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Watched
from tests.support.fake_study import HOSTILE, hostile_study

ROWS = "table.trials tbody tr"


def _column(page: Page, name: str) -> list[str]:
    """The texts of one column of the trials table, rows that are filtered out left out."""
    texts: list[str] = page.evaluate(
        """name => {
          const table = document.querySelector("table.trials");
          const heads = [...table.tHead.rows[0].cells];
          const place = heads.findIndex((head) => head.dataset.column === name);
          return [...table.tBodies[0].rows].filter((row) => row.offsetParent !== null)
            .map((row) => row.cells[place].textContent);
        }""",
        name,
    )
    return texts


def _sort(page: Page, name: str) -> None:
    page.click(f'table.trials th[data-column="{name}"] button')


def test_the_report_opens_without_a_word_on_the_console_or_a_request(watched: Watched) -> None:
    watched.page.mouse.wheel(0, 20_000)
    watched.page.wait_for_timeout(200)
    assert watched.page.title().startswith("Reviews")


def test_hostile_text_is_shown_and_never_run(watched: Watched) -> None:
    assert HOSTILE in watched.page.inner_text("h1")
    assert HOSTILE in watched.page.inner_text("#failures")
    excerpts = watched.page.locator("table.excerpts td", has_text="Review 1111:")
    assert HOSTILE in excerpts.first.inner_text()
    assert watched.page.locator("script").count() == 1


def test_a_script_that_slipped_in_would_not_run(watched: Watched) -> None:
    watched.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.slipped = true";
          document.body.append(script);
        }"""
    )
    assert watched.page.evaluate("window.slipped") is None
    assert any("Content Security Policy" in text for text in watched.complaints)
    watched.complaints.clear()


def test_a_request_that_slipped_in_would_not_leave(watched: Watched) -> None:
    watched.page.evaluate("fetch('http://127.0.0.1:9/').catch(() => {})")
    watched.page.wait_for_timeout(100)
    assert any("Content Security Policy" in text for text in watched.complaints)
    watched.complaints.clear()
    watched.requests[:] = [url for url in watched.requests if not url.startswith("http:")]


def test_trials_sort_by_number_both_ways_with_missing_values_last(watched: Watched) -> None:
    _sort(watched.page, "parameter_count")
    up = [int(text.replace(",", "")) for text in _column(watched.page, "parameter_count")]
    assert up == sorted(up)
    _sort(watched.page, "parameter_count")
    down = [int(text.replace(",", "")) for text in _column(watched.page, "parameter_count")]
    assert down == sorted(up, reverse=True)
    for _ in range(2):
        _sort(watched.page, "score")
        scores = _column(watched.page, "score")
        missing = scores.count("–")
        assert missing == 4
        assert scores[-missing:] == ["–"] * missing
    head = watched.page.locator('table.trials th[data-column="score"]')
    assert head.get_attribute("aria-sort") == "descending"


def test_trials_filter_by_word_and_by_column(watched: Watched) -> None:
    everything = len(_column(watched.page, "trial_id"))
    assert everything == len(hostile_study().trials)
    watched.page.fill("#filter", "failed")
    assert _column(watched.page, "status") == ["failed"] * 4
    assert watched.page.inner_text(".filter output") == f"4 of {everything}"
    watched.page.fill("#filter", "b2 status:completed")
    assert set(_column(watched.page, "status")) == {"completed"}
    assert all(name.startswith("b2") for name in _column(watched.page, "trial_id"))
    watched.page.fill("#filter", "")
    assert len(_column(watched.page, "trial_id")) == everything


def test_a_trial_picked_in_the_table_lights_up_in_every_figure(watched: Watched) -> None:
    name = _column(watched.page, "trial_id")[0]
    button = watched.page.locator(f'button.pick[data-id="{name}"]')
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    lit = watched.page.evaluate(
        "[...new Set([...document.querySelectorAll('svg .lit')]"
        ".map((mark) => mark.closest('figure').id))]"
    )
    assert {"figure-trial_curves", "figure-slices", "figure-parallel"} <= set(lit)
    watched.page.mouse.move(5, 5)
    watched.page.keyboard.press("Escape")
    assert watched.page.locator(".lit").count() == 0


def test_a_point_under_the_pointer_tells_of_its_trial(watched: Watched) -> None:
    point = watched.page.locator("#figure-best_so_far use[data-trial]").nth(3)
    name = point.get_attribute("data-trial")
    point.scroll_into_view_if_needed()
    point.hover(force=True)
    told = watched.page.inner_text("#tip")
    assert told.splitlines()[0] == name
    assert "score:" in told
    watched.page.mouse.move(5, 5)
    assert not watched.page.is_visible("#tip")


def test_dark_and_light_differ_and_the_button_changes_between_them(
    browser: Browser, report: Path
) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    line = "getComputedStyle(document.querySelector('#figure-seeds svg text')).fill"
    seen = []
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(report.as_uri())
        seen.append((page.evaluate(paper), page.evaluate(line)))
        page.click("#tools button")
        seen.append((page.evaluate(paper), page.evaluate(line)))
        context.close()
    light, light_to_dark, dark, dark_to_light = seen
    assert light == dark_to_light == ("rgb(255, 255, 255)", light[1])
    assert dark == light_to_dark
    assert light[0] != dark[0]
    assert light[1] != dark[1]


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1280])
def test_the_page_never_scrolls_sideways(watched: Watched, width: int) -> None:
    watched.page.set_viewport_size({"width": width, "height": 800})
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= width


def test_everything_is_there_without_javascript(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator(ROWS).count() == len(hostile_study().trials)
    assert page.locator("figure svg").count() >= 12
    assert page.locator("nav a").count() == 9
    assert not page.is_visible("#tip")
    context.close()


def test_text_and_its_ground_are_far_enough_apart_to_read(browser: Browser, report: Path) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5 or more, in light and in dark."""
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(report.as_uri())
        colours = page.evaluate(
            """() => {
              const style = getComputedStyle(document.documentElement);
              const get = (name) => style.getPropertyValue(name).trim();
              return Object.fromEntries(["--page", "--raised", "--ink", "--muted", "--link",
                "--lead"].map((name) => [name, get(name)]));
            }"""
        )
        for text in ("--ink", "--muted", "--link", "--lead"):
            for ground in ("--page", "--raised"):
                assert _contrast(colours[text], colours[ground]) >= 4.5, (scheme, text, ground)
        context.close()


def test_the_report_prints_to_pdf_with_the_light_colours(watched: Watched, tmp_path: Path) -> None:
    watched.page.click("#tools button")
    printed = watched.page.pdf(path=tmp_path / "report.pdf")
    assert printed.startswith(b"%PDF-")
    assert len(printed) > 50_000
    watched.page.emulate_media(media="print")
    assert watched.page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    assert not watched.page.is_visible("nav")
    assert watched.page.is_visible("#answer")


def _contrast(one: str, other: str) -> float:
    lights = sorted((_luminance(one), _luminance(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
