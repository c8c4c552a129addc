"""The simulation's tables are written whole."""

import csv

from lstm_study.analysis.generative import Scenario
from lstm_study.analysis.simulation import write_tables


def test_the_tables_are_written_whole_and_alike_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "lstm_study.analysis.simulation.scenarios",
        lambda: ((Scenario(name="A/A", documents=300), (2, 3)),),
    )
    for name in ("first", "second"):
        write_tables(tmp_path / name / "table", studies=5, percentile_studies=2)
    with (tmp_path / "first" / "table.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["seeds"] for row in rows] == ["2", "3"]
    assert rows[0]["percentile_studies"] == "2"
    for suffix in (".csv", ".md"):
        first, second = (
            (tmp_path / name / "table").with_suffix(suffix) for name in ("first", "second")
        )
        assert first.read_bytes() == second.read_bytes()
