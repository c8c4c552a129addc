"""The trials of a study that opens hyperparameters, or has a builder: filtered and dragged."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from lstm_study.configuration import Configuration
from tests.support.fake_open_study import built_study, opened_study

STUDIES = {"open": opened_study, "built": built_study}


@pytest.fixture(params=STUDIES)
def page(
    request: pytest.FixtureRequest, browser: Browser, beyond: dict[str, Path]
) -> Iterator[Page]:
    """The report of one of them."""
    found = browser.new_page(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    complaints: list[str] = []
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.goto(beyond[request.param].as_uri())
    yield found
    assert complaints == []
    found.close()


def _trials(page: Page) -> dict[str, Configuration]:
    name = page.url.split("/")[-2]
    return {trial.trial_id: trial.configuration for trial in STUDIES[name]().trials}


def _left(page: Page) -> set[str]:
    rows = page.locator("table.trials tbody tr:not([hidden])")
    return set(rows.evaluate_all("rows => rows.map((row) => row.dataset.trial)"))


def _told(page: Page) -> str:
    return page.inner_text("#search .filter output >> nth=0")


def _axes(page: Page) -> list[str]:
    data = "JSON.parse(document.getElementById('trial-data').textContent)"
    names: list[str] = page.evaluate(data + ".axes.map((axis) => axis.name)")
    return names


def _drag(page: Page, place: int, low: float, high: float) -> None:
    """Drags along an axis of the parallel coordinates, from and to a share of its height."""
    area = page.locator("#figure-parallel rect.zone").nth(place)
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    middle, margin = box["x"] + box["width"] / 2, box["height"] * 8 / 296
    for share, then in ((low, page.mouse.down), (high, page.mouse.up)):
        inner = box["height"] - 2 * margin
        page.mouse.move(middle, box["y"] + margin + (1 - share) * inner)
        then()


def test_trials_filter_by_what_the_study_opens(page: Page) -> None:
    trials = _trials(page)
    for condition, holds in {
        "learning_rate>0.004": lambda found: found.learning_rate > 0.004,
        "learning_rate<=4e-3": lambda found: found.learning_rate <= 0.004,
        "pooling:max": lambda found: found.value("pooling") == "max",
        "pooling=max": lambda found: found.value("pooling") == "max",
        "pooling!=max": lambda found: found.value("pooling") != "max",
        "pooling=last|mean": lambda found: found.value("pooling") in ("last", "mean"),
    }.items():
        page.fill("#filter", condition)
        assert "no column" not in _told(page)
        assert _left(page) == {name for name, found in trials.items() if holds(found)}, condition
    assert _told(page).endswith("pooling = last or mean")


def test_trials_filter_by_names_with_digits_that_a_builder_declares(
    browser: Browser, beyond: dict[str, Path]
) -> None:
    page = browser.new_page()
    page.goto(beyond["built"].as_uri())
    page.fill("#filter", "filters_0>4")
    assert _left(page) == set()
    page.fill("#filter", "convolutions=2")
    assert _left(page) == {
        trial.trial_id
        for trial in built_study().trials
        if trial.configuration.value("convolutions") == 2
    }
    page.close()


def test_every_searched_hyperparameter_can_be_dragged_and_filters_the_trials(page: Page) -> None:
    axes = _axes(page)
    assert {"learning_rate", "pooling"} <= set(axes)
    everything = _left(page)
    for place, name in enumerate(axes):
        page.fill("#filter", "")
        _drag(page, place, -0.02, 0.45)
        written = page.input_value("#filter")
        if name == "compiled":  # every trial has the same word
            continue
        assert "no column" not in _told(page)
        assert _left(page)
        assert written.startswith(name)
        assert page.locator("#figure-parallel rect.brush").count() == 1
    page.fill("#filter", "")
    _drag(page, axes.index("pooling"), -0.02, 0.2)
    written = page.input_value("#filter")
    assert written in ("pooling=last", "pooling=max")
    assert _left(page) < everything
    _drag(page, axes.index("pooling"), 0.6, 1.02)
    assert page.input_value("#filter").startswith("pooling=")
    assert page.input_value("#filter") != written


def test_a_dragged_range_contains_its_ends(page: Page) -> None:
    axes = _axes(page)
    # A count, a rate on a logarithm, words.
    for name in {"vocabulary_size", "learning_rate", "pooling"} & set(axes):
        page.fill("#filter", "")
        _drag(page, axes.index(name), -0.02, 1.02)
        lines = page.locator("#figure-parallel path[data-trial]")
        assert lines.count() == page.locator("#figure-parallel path[data-trial]:not(.out)").count()


def test_names_of_axes_do_not_run_into_each_other(page: Page) -> None:
    boxes = page.locator("#figure-parallel text.axis").evaluate_all(
        "texts => texts.map((text) => text.getBoundingClientRect())"
        ".map(({ left, right, top, bottom }) => [left, right, top, bottom])"
    )
    assert len(boxes) == len(_axes(page))
    for place, (left, right, top, bottom) in enumerate(boxes):
        for other_left, other_right, other_top, other_bottom in boxes[place + 1 :]:
            assert (
                right <= other_left or other_right <= left
                or bottom <= other_top or other_bottom <= top
            )  # fmt: skip


def test_finalists_are_said_to_be_trained_again_and_promotions_to_go_on(
    browser: Browser, beyond: dict[str, Path]
) -> None:
    page = browser.new_page()
    page.goto(beyond["open"].as_uri())
    finalist = next(each for each in opened_study().trials if each.role == "finalist")
    page.evaluate(f"location.hash = 'trial={finalist.parent}'")
    page.wait_for_selector(f"#trial-name:has-text('{finalist.parent}')")
    told = page.inner_text("#trial")
    assert f"Trained again from the start, with fresh seeds, as {finalist.trial_id}," in told
    assert "Promoted to" not in told
    page.evaluate(f"location.hash = 'trial={finalist.trial_id}'")
    page.wait_for_selector(f"#trial-name:has-text('{finalist.trial_id}')")
    told = page.inner_text("#trial")
    assert f"as a finalist: the configuration of {finalist.parent}" in told
    assert "Promoted from" not in told
    # Its own epochs, and none of its parent's.
    assert page.locator("#trial svg circle").count() == len(finalist.epochs)
    promoted = next(each for each in opened_study().trials if each.round == 1)
    page.evaluate(f"location.hash = 'trial={promoted.parent}'")
    page.wait_for_selector(f"#trial-name:has-text('{promoted.parent}')")
    assert f"Promoted to {promoted.trial_id}." in page.inner_text("#trial")
    page.close()


def test_the_dashed_curve_beside_a_trials_own_is_explained(page: Page) -> None:
    winner = page.locator("table.trials tr.winner").get_attribute("data-trial")
    other = page.locator("table.trials tbody tr:not(.winner)").first.get_attribute("data-trial")
    page.evaluate(f"location.hash = 'trial={other}'")
    page.wait_for_selector(f"#trial-name:has-text('{other}')")
    assert page.inner_text("#trial .legend").strip() == f"Dashed: the winner, {winner}."
    page.evaluate(f"location.hash = 'trial={winner}'")
    page.wait_for_selector(f"#trial-name:has-text('{winner}')")
    assert page.locator("#trial .legend").count() == 0
