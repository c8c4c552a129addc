"""The simulation's tables are written whole."""

import csv
import subprocess
import sys
from dataclasses import replace

import pytest

from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.simulation.__main__ import write_tables
from lstm_study.simulation.error_rates import simulate
from lstm_study.simulation.measured import measure_study
from lstm_study.simulation.page import exceptions
from tests.support.fake_study import completed_study, one_seed_study
from tests.support.stored_study import leave


def test_the_tables_are_written_whole_and_alike_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "lstm_study.simulation.__main__.scenarios",
        lambda: ((Scenario(name="A/A", documents=300), (4, 5)),),
    )
    for name in ("first", "second"):
        write_tables(tmp_path / name / "table", studies=5)
    with (tmp_path / "first" / "table.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["seeds"] for row in rows] == ["4", "5"]
    for suffix in (".csv", ".md"):
        first, second = (
            (tmp_path / name / "table").with_suffix(suffix) for name in ("first", "second")
        )
        assert first.read_bytes() == second.read_bytes()


def test_the_tables_of_a_study_have_its_own_components_and_say_how_well_they_are_known(tmp_path):
    folder = leave(completed_study(seeds=6), tmp_path).parent / "study" / "runs" / "fake"
    command = [sys.executable, "-m", "lstm_study.simulation", "--study", str(folder)]
    options = ["--studies", "5", "--out", str(tmp_path / "table")]
    done = subprocess.run([*command, *options], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    with (tmp_path / "table.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = measure_study(completed_study(seeds=6))
    assert [row["scenario"] for row in rows] == [
        *["A/A"] * 4, *["equally good"] * 4, *["equally good, candidate fails in 10%"] * 4,
        *["1 point better"] * 4,
    ]  # fmt: skip
    assert {row["documents"] for row in rows} == {"2000"}
    planted = float(rows[-1]["candidate_deviation_points"])
    assert planted == pytest.approx(100 * found.candidate.deviation, abs=1e-6)
    page = " ".join((tmp_path / "table.md").read_text("utf-8").split())
    low, high = 100 * found.candidate.low, 100 * found.candidate.high
    assert f"(from 6 runs, which show it only to be between {low:.2f} and {high:.2f})" in page


def test_a_study_that_has_compared_nothing_is_one_line(tmp_path):
    leave(one_seed_study(), tmp_path)
    (folder,) = (tmp_path / "study" / "runs").iterdir()
    command = [sys.executable, "-m", "lstm_study.simulation", "--study", str(folder)]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "table")], check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "two completed runs of the winner are needed" in done.stderr
    assert not (tmp_path / "table.md").exists()


def test_a_row_that_is_not_as_it_should_be_is_named():
    (outcome,) = simulate(Scenario(name="A/A", documents=200), seeds=(4,), studies=5)
    good = replace(outcome, better=0.03, worse=0.02, coverage=0.95)
    bad = replace(good, better=0.08, coverage=0.9)
    assert exceptions([good], chance=0.01) == "So it is in every row."
    assert exceptions([good, bad], chance=0.01) == (
        "Not so: A/A, 4 seeds, 200 reviews: 10.0% false verdicts; A/A, 4 seeds, 200 reviews: "
        "coverage 90.0%."
    )
