"""Reports without figures, made once: figures take seconds and have tests of their own."""

import functools
from collections.abc import Callable

import pytest

from lstm_study.analysis.answer.verdict import judge
from lstm_study.report.content import Content, gather
from tests.support.fake_study import ALL_STUDIES


@functools.cache
def _content(name: str) -> Content:
    records = ALL_STUDIES[name]()
    return gather(
        records,
        verdict=judge(records),
        made_at="2025-03-02T10:00:00.000Z",
        versions={"keras": "3.15.0"},
        git_commit="0123456789ab",
        bundle="model",
    )


@pytest.fixture(scope="session")
def content() -> Callable[[str], Content]:
    """Returns a fake study's content by name, without figures."""
    return _content
