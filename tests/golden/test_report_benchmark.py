"""The benchmark runs, on a study small enough for a test."""

import csv
import re
from pathlib import Path

from tests.benchmarks.thousand_trials import made_up, run


def test_the_benchmark_writes_its_table_and_its_words(tmp_path: Path) -> None:
    said: list[str] = []
    run(trials=3, epochs=2, folder=tmp_path, tell=said.append)
    with (tmp_path / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["tables", "figures", "page and files", "whole report"]
    assert float(rows[-1]["wall_seconds"]) >= float(rows[1]["wall_seconds"])
    assert (tmp_path / "report.md").read_text() == said[0] + "\n"
    (memory,) = re.findall(r"took (\d+) MB of memory at most", said[0])
    assert 50 < int(memory) < 5_000


def test_the_made_up_study_is_as_large_as_asked_and_always_the_same() -> None:
    records = made_up(trials=5, epochs=4)
    assert [len(trial.epochs) for trial in records.trials] == [4] * 5
    assert records == made_up(trials=5, epochs=4)
