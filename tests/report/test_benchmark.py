"""The report's benchmark, on a study small enough for a test."""

from tests.benchmarks.reports import made_up, measure


def test_each_step_of_a_report_is_measured() -> None:
    seconds, size = measure(made_up(trials=3, epochs=2))
    assert list(seconds) == ["tables", "figures", "page and files", "whole report"]
    whole = seconds["whole report"][0]
    assert whole >= sum(wall for step, (wall, _) in seconds.items() if step != "whole report")
    assert size > 50_000


def test_the_made_up_study_is_as_large_as_asked_and_always_the_same() -> None:
    records = made_up(trials=5, epochs=4)
    assert [len(trial.epochs) for trial in records.trials] == [4] * 5
    assert records == made_up(trials=5, epochs=4)
