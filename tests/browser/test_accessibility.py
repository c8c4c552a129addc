"""The report and the comparison of two studies under axe-core: no violation, light or dark.

axe-core comes with the package axe-playwright-python, and runs outside the page's own policy, as a
person's assistive technology does.
"""

from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.fake_study import hostile_study

AXE = resources.files("axe_playwright_python") / "axe.min.js"
# It looks at everything, but describes no element that passes, and there are thousands of them.
AXE_RUN = """
async ({ part, rules }) => {
  const runOnly = rules.length ? { type: "rule", values: rules } : undefined;
  const { passes, violations } = await axe.run(part, { resultTypes: ["violations"], runOnly });
  return { passed: passes.length, violations };
}
"""
# All that another scheme can change.
OF_COLOURS = ["color-contrast", "link-in-text-block"]


def axe_violations(page: Page, *, part: str = "html") -> list[str]:
    """Runs axe-core on a page whose policy is bypassed, light and dark, and returns what it finds.

    Of the second scheme it looks at the colours alone.

    Args:
        page: Its policy is bypassed.
        part: What of it is looked at, as a selector.
    """
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    page.emulate_media(color_scheme="light")
    light: dict[str, Any] = page.evaluate(AXE_RUN, {"part": part, "rules": []})
    assert light["passed"] > 20 - 10 * (part != "html"), "axe looked at next to nothing"
    page.emulate_media(color_scheme="dark")
    dark: dict[str, Any] = page.evaluate(AXE_RUN, {"part": part, "rules": OF_COLOURS})
    assert dark["passed"] or dark["violations"], "axe looked at no colour"
    return [
        f"{scheme}: {item['id']}: {item['help']}: {item['nodes'][0]['html'][:200]}"
        for scheme, found in (("light", light), ("dark", dark))
        for item in found["violations"]
    ]


def _violations(
    browser: Browser, page_path: Path, *, width: int, anchor: str = "", part: str = "html"
) -> list[str]:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, bypass_csp=True, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(page_path.as_uri() + anchor)
    found = axe_violations(page, part=part)
    context.close()
    return found


@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_violation_in_the_report_light_or_dark(
    browser: Browser, report: Path, width: int
) -> None:
    assert _violations(browser, report, width=width) == []


def test_axe_finds_no_violation_with_a_trial_opened(browser: Browser, report: Path) -> None:
    anchor = f"#trial={hostile_study().trials[1].trial_id}"
    assert _violations(browser, report, width=390, anchor=anchor, part="#trial") == []


def test_axe_finds_no_violation_in_the_report_of_every_arm(
    browser: Browser, compared: Path
) -> None:
    assert _violations(browser, compared, width=1280) == []


def test_axe_finds_no_violation_in_two_studies_side_by_side(
    browser: Browser, comparison: Path
) -> None:
    assert _violations(browser, comparison, width=1280) == []


def test_axe_would_find_a_violation(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    good = "".join(f"<p>{number}</p>" for number in range(3))
    page.write_text(
        f"<!doctype html><html lang='en'><head><title>t</title></head><body><main><h1>t</h1>{good}"
        "<ul><li>a</li></ul><table><tr><th>a</th></tr><tr><td>b</td></tr></table>"
        "<a href='#x'>a</a><button>b</button><img src='data:,'></main></body></html>"
    )
    context = browser.new_context(bypass_csp=True)
    opened = context.new_page()
    opened.goto(page.as_uri())
    found = {item.split(":")[1].strip() for item in axe_violations(opened)}
    context.close()
    assert "image-alt" in found


def test_axe_would_find_colours_that_are_too_close_in_the_dark(
    browser: Browser, tmp_path: Path
) -> None:
    page = tmp_path / "dark.html"
    rows = "<p>Words that can be read by day, and cannot be read by night.</p>" * 3
    page.write_text(
        "<!doctype html><html lang='en'><head><title>t</title><style>body { background: white }"
        "@media (prefers-color-scheme: dark) { body { background: black; color: #222 } }</style>"
        f"</head><body><main><h1>t</h1>{rows}<ul><li>a</li></ul><table><tr><th>a</th></tr><tr>"
        "<td>b</td></tr></table><a href='#x'>a</a><button>b</button></main></body></html>"
    )
    context = browser.new_context(bypass_csp=True)
    opened = context.new_page()
    opened.goto(page.as_uri())
    found = axe_violations(opened)
    context.close()
    assert [item for item in found if item.startswith("dark: color-contrast")]
    assert not [item for item in found if item.startswith("light: color-contrast")]
