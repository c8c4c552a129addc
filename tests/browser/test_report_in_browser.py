"""The report in a real browser: silent, offline, sortable, readable everywhere."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Watched
from tests.support.fake_study import HOSTILE, hostile_study

ROWS = "table.trials tbody tr"
_WIDTHS = """(place) => {
  const { scrollWidth, clientWidth } = document.querySelector(place);
  return [scrollWidth, clientWidth];
}"""


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
    assert HOSTILE in str(excerpts.first.text_content())
    assert watched.page.locator("script:not([type])").count() == 1


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
    with watched.page.expect_console_message(
        lambda message: "Content Security Policy" in message.text
    ):
        watched.page.evaluate("fetch('http://127.0.0.1:9/').catch(() => {})")
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


def _told(page: Page) -> str:
    return page.inner_text("#search .filter output >> nth=0")


def test_trials_filter_by_word_and_by_column(watched: Watched) -> None:
    everything = len(_column(watched.page, "trial_id"))
    assert everything == len(hostile_study().trials)
    watched.page.fill("#filter", "failed")
    assert _column(watched.page, "status") == ["failed"] * 4
    assert _told(watched.page) == f"4 of {everything} trials: “failed”"
    watched.page.fill("#filter", "b2 status:completed")
    assert set(_column(watched.page, "status")) == {"completed"}
    assert all(name.startswith("b2") for name in _column(watched.page, "trial_id"))
    watched.page.fill("#filter", "")
    assert len(_column(watched.page, "trial_id")) == everything
    assert _told(watched.page) == ""


def test_trials_filter_by_comparison_and_say_what_matched(watched: Watched) -> None:
    watched.page.fill("#filter", "score>80 units<=64")
    scores = [float(text.rstrip("%")) for text in _column(watched.page, "score")]
    units = [int(text) for text in _column(watched.page, "lstm_units")]
    matching = [
        trial
        for trial in hostile_study().trials
        if trial.score is not None and trial.score > 0.8 and trial.configuration.lstm_units <= 64
    ]
    assert len(scores) == len(matching) > 0
    assert min(scores) > 80
    assert max(units) <= 64
    assert _told(watched.page) == (
        f"{len(matching)} of {len(hostile_study().trials)} trials: score > 80 and units <= 64"
    )
    lit = watched.page.evaluate(
        "[...new Set([...document.querySelectorAll('#figure-slices [data-trial]:not(.out)')]"
        ".map((mark) => mark.dataset.trial))]"
    )
    assert set(lit) == {trial.trial_id for trial in matching}


def test_a_filter_that_cannot_be_read_says_so_and_hides_nothing(watched: Watched) -> None:
    everything = len(_column(watched.page, "trial_id"))
    watched.page.fill("#filter", "colour>3")
    assert _told(watched.page) == "There is no column “colour”."
    watched.page.fill("#filter", "score>good")
    assert _told(watched.page) == "“score>good” needs a number after >."
    assert len(_column(watched.page, "trial_id")) == everything


def test_the_table_begins_with_the_winner_in_order_of_rank(watched: Watched) -> None:
    ranks = _column(watched.page, "rank")
    known = [int(rank) for rank in ranks if rank != "–"]
    assert ranks[: len(known)] == [str(rank) for rank in range(1, len(known) + 1)]
    assert watched.page.locator("table.trials tr.winner").count() == 1
    head = watched.page.locator('table.trials th[data-column="rank"]')
    assert head.get_attribute("aria-sort") == "ascending"


def test_a_trial_has_a_place_of_its_own_and_lights_up_in_every_figure(watched: Watched) -> None:
    promoted = next(trial for trial in hostile_study().trials if trial.parent is not None)
    watched.page.click(f'table.trials tr[data-trial="{promoted.trial_id}"] a.pick')
    assert watched.page.url.endswith(f"#trial={promoted.trial_id}")
    watched.page.wait_for_selector(f"#trial-name:has-text('{promoted.trial_id}')")
    told = watched.page.inner_text("#trial")
    assert promoted.trial_id in told
    assert f"{promoted.configuration.maxlen}" in told
    assert watched.page.locator("#trial svg circle").count() >= 2
    lit = watched.page.evaluate(
        "[...new Set([...document.querySelectorAll('svg .lit')]"
        ".map((mark) => mark.closest('figure').id))]"
    )
    assert {"figure-trial_curves", "figure-slices"} <= set(lit)
    watched.page.click(f"#trial a:has-text('{promoted.parent}')")
    watched.page.wait_for_selector(f"#trial-name:has-text('{promoted.parent}')")
    watched.page.keyboard.press("Escape")
    assert not watched.page.is_visible("#trial")
    watched.page.mouse.move(5, 5)
    assert watched.page.locator(".lit").count() == 0


def test_the_place_of_a_failed_trial_tells_its_error_as_text(watched: Watched) -> None:
    failed = next(trial for trial in hostile_study().trials if trial.status == "failed")
    watched.page.goto(watched.page.url + f"#trial={failed.trial_id}")
    watched.page.wait_for_selector("#trial .error")
    assert HOSTILE in watched.page.inner_text("#trial .error")
    watched.page.evaluate("location.hash = 'trial=nonsense'")
    watched.page.wait_for_selector("#trial:has-text('no such trial')")


def test_a_click_in_a_figure_opens_the_trials_place(watched: Watched) -> None:
    point = watched.page.locator("#figure-best_so_far use[data-trial]").nth(3)
    name = point.get_attribute("data-trial")
    point.scroll_into_view_if_needed()
    point.click(force=True)
    watched.page.wait_for_selector(f"#trial-name:has-text('Trial {name}')")


def test_a_range_in_the_parallel_coordinates_filters_the_trials(watched: Watched) -> None:
    figure = watched.page.locator("#figure-parallel")
    figure.scroll_into_view_if_needed()
    assert figure.locator("svg[data-live] path[data-trial]").count() == sum(
        trial.status == "completed" and trial.budget_epochs == 9 for trial in hostile_study().trials
    )
    box = figure.locator("rect.zone").last.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    watched.page.mouse.move(middle, box["y"] + 2)
    watched.page.mouse.down()
    watched.page.mouse.move(middle, box["y"] + box["height"] / 2)
    watched.page.mouse.up()
    assert "score>=" in watched.page.input_value("#filter")
    assert figure.locator("rect.brush").count() == 1
    assert 0 < len(_column(watched.page, "trial_id")) < len(hostile_study().trials)
    assert figure.locator("option").all_inner_texts()[:2] == ["1 epoch", "3 epochs"]
    figure.locator("select").select_option("3")
    assert figure.locator("svg[data-live] path[data-trial]").count() == sum(
        trial.status == "completed" and trial.budget_epochs == 3 for trial in hostile_study().trials
    )
    figure.locator("button").click()
    assert watched.page.input_value("#filter") == ""


def test_a_wide_screen_is_used(watched: Watched) -> None:
    watched.page.set_viewport_size({"width": 1900, "height": 1000})
    places = watched.page.evaluate(
        "[...document.querySelectorAll('#search .figures figure')]"
        ".map((each) => each.getBoundingClientRect().left)"
    )
    assert len({round(left) for left in places}) == 2


def test_a_figure_on_a_phone_says_that_it_scrolls(watched: Watched) -> None:
    told = "getComputedStyle(document.querySelector('#figure-run_curves h3'), '::after').content"
    assert watched.page.evaluate(told) == "none"
    watched.page.set_viewport_size({"width": 390, "height": 800})
    assert "scroll sideways" in watched.page.evaluate(told)
    whole, seen = watched.page.evaluate(_WIDTHS, "#figure-run_curves .canvas")
    assert whole > seen


def test_the_figure_of_runs_fits_a_phone_so_that_baseline_and_winner_are_seen_together(
    watched: Watched,
) -> None:
    watched.page.set_viewport_size({"width": 390, "height": 800})
    told = "getComputedStyle(document.querySelector('#figure-seeds h3'), '::after').content"
    assert watched.page.evaluate(told) == "none"
    whole, seen = watched.page.evaluate(_WIDTHS, "#figure-seeds .canvas")
    assert whole == seen


def test_on_a_phone_the_answer_comes_soon_and_a_wide_table_shows_that_it_goes_on(
    watched: Watched,
) -> None:
    watched.page.set_viewport_size({"width": 390, "height": 800})
    assert watched.page.evaluate("document.querySelector('nav').offsetHeight") < 150
    assert watched.page.locator(".headline").bounding_box()["y"] < 400
    wide = watched.page.evaluate(
        "[...document.querySelectorAll('.scroll')]"
        ".filter((each) => each.scrollWidth > each.clientWidth)"
        ".map((each) => getComputedStyle(each).backgroundAttachment)"
    )
    assert wide
    assert set(wide) == {"local, local, scroll, scroll"}


def test_the_answer_is_a_sentence_a_line(watched: Watched) -> None:
    for part in (".advice", ".details"):
        said = watched.page.locator(f"{part} .said")
        tops = [said.nth(place).bounding_box()["y"] for place in range(said.count())]
        assert len(tops) >= 1
        assert sorted(set(tops)) == tops
        whole = watched.page.inner_text(part)
        assert whole.split() == " ".join(said.all_inner_texts()).split()


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
    assert page.locator("nav a").count() == 10
    assert not page.is_visible("#tip")
    assert page.locator(".by-script").count() == 3
    assert not any(each.is_visible() for each in page.locator(".by-script").all())
    context.close()


def test_what_only_a_script_does_is_offered_on_a_screen_alone(watched: Watched) -> None:
    page, offers = watched.page, watched.page.locator(".by-script")
    assert [each.is_visible() for each in offers.all()] == [True] * 3
    page.emulate_media(media="print")
    assert [each.is_visible() for each in offers.all()] == [False] * 3
    page.emulate_media(media="screen")


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
