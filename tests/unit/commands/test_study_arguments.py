"""What the Python interface refuses, where the command line refuses it."""

import pytest

from lstm_study import Study
from lstm_study.errors import BuilderError, ComparisonError, DataError, SearchError


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
        ({"more_seeds": -1}, "more_seeds must be a whole number >= 0. Received: -1."),
        ({"more_seeds": "3"}, "more_seeds must be a whole number >= 0. Received: '3'."),
        ({"only_seeds": 0}, "only_seeds must be a whole number >= 1. Received: 0."),
    ],
)
def test_a_comparison_refuses_numbers_of_seeds_that_it_would_ignore(
    tmp_path, monkeypatch, given, why
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ComparisonError, match=why):
        Study.load("quickstart").compare(**given)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize("count", [0, -1, 1.5, True])
def test_a_number_of_best_trials_is_one_or_more(count):
    study = Study.load("quickstart")
    for method in (study.best_hyperparameters, study.get_best_hyperparameters):
        with pytest.raises(ComparisonError, match=f"num_trials must be .* >= 1. Received: {count}"):
            method(count)
    with pytest.raises(ComparisonError, match="num_trials must be"):
        study.results_summary(count)


def test_a_baseline_without_a_builder_is_not_ignored():
    with pytest.raises(BuilderError, match=r"Give build, or .*baseline.lstm_units=64"):
        Study.load("quickstart", baseline={"lstm_units": 64})


def test_what_is_no_text_is_not_predicted():
    with pytest.raises(DataError, match=r"given a text or several. Received: 3 \(of type int"):
        Study.load("quickstart").predict(3)
