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
async () => {
  const { passes, violations } = await axe.run(document, { resultTypes: ["violations"] });
  return { passed: passes.length, violations };
}
"""


def axe_violations(page: Page) -> list[str]:
    """Runs axe-core on a page whose policy is bypassed, and returns what it finds, in words."""
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate(AXE_RUN)
    assert found["passed"] > 20, "axe looked at next to nothing"
    return [
        f"{item['id']}: {item['help']}: {item['nodes'][0]['html'][:200]}"
        for item in found["violations"]
    ]


def _violations(
    browser: Browser, page_path: Path, *, scheme: str, width: int, anchor: str = ""
) -> list[str]:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        bypass_csp=True,
    )
    page = context.new_page()
    page.goto(page_path.as_uri() + anchor)
    found = axe_violations(page)
    context.close()
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_violation_in_the_report(
    browser: Browser, report: Path, scheme: str, width: int
) -> None:
    assert _violations(browser, report, scheme=scheme, width=width) == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
def test_axe_finds_no_violation_with_a_trial_opened(
    browser: Browser, report: Path, scheme: str, width: int
) -> None:
    anchor = f"#trial={hostile_study().trials[1].trial_id}"
    assert _violations(browser, report, scheme=scheme, width=width, anchor=anchor) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_in_the_report_of_every_arm(
    browser: Browser, compared: Path, scheme: str
) -> None:
    assert _violations(browser, compared, scheme=scheme, width=1280) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_in_two_studies_side_by_side(
    browser: Browser, comparison: Path, scheme: str
) -> None:
    assert _violations(browser, comparison, scheme=scheme, width=1280) == []


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
    opened.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found = opened.evaluate(AXE_RUN)
    context.close()
    assert "image-alt" in {item["id"] for item in found["violations"]}
