"""What the Python interface refuses, where the command line refuses it."""

import pytest

from lstm_study import Study
from lstm_study.errors import ComparisonError, SearchError


@pytest.mark.parametrize("workers", [0, -1])
def test_there_is_one_worker_at_the_least(workers):
    with pytest.raises(SearchError, match=f"workers must be .* >= 1.* Received: {workers}"):
        Study.load("quickstart", workers=workers)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"more_seeds": 2, "quick": True}, "exclude each other"),
        ({"only_seeds": 2, "quick": True}, "exclude each other"),
        ({"more_seeds": 2, "only_seeds": 1}, "exclude each other"),
        ({"more_seeds": -1}, "more_seeds must be >= 0. Received: -1"),
        ({"only_seeds": 0}, "only_seeds must be >= 1. Received: 0"),
    ],
)
def test_a_comparison_refuses_numbers_of_seeds_that_it_would_ignore(
    tmp_path, monkeypatch, given, why
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ComparisonError, match=why):
        Study.load("quickstart").compare(**given)
    assert not (tmp_path / "study").exists()
