"""Takes the README's picture: `python -m tests.browser.screenshot REPORT.html SCREENSHOT.png`."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS


def main() -> None:
    """Opens a report, and writes its first screen."""
    report, target = map(Path, sys.argv[1:])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(report.absolute().as_uri())
        page.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    main()
