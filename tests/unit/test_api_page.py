"""The page of the Python interface is what the docstrings say."""

from lstm_study import Study
from tests.support.api_page import PAGE, api_page


def test_the_page_is_made_from_the_docstrings() -> None:
    assert PAGE.read_text(encoding="utf-8") == api_page().rstrip() + "\n", (
        "run: python -m tests.support.api_page"
    )


def test_every_public_name_is_documented_and_on_the_page() -> None:
    page = api_page()
    for name, member in vars(Study).items():
        if not name.startswith("_"):
            assert member.__doc__, name
            assert f"`Study.{name}" in page
