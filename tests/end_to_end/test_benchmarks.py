"""`python -m tests.benchmarks` from end to end, on its cheap rows in sizes of a smoke test."""

import csv
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs the benchmarks without a GPU."""
    return subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip


def test_cheap_rows_leave_a_well_formed_table(tmp_path):
    gpu_rows = ("gpu-step", "gpu-study", "gpu-population", "gpu-baseline", "gpu-search")
    rows = ("help", "report", *gpu_rows)
    done = bench("--quick", "--rounds", "2", "--out", str(tmp_path), "--only", *rows)
    assert done.returncode == 0, done.stderr
    table, text = sorted(tmp_path.iterdir())
    assert table.stem == text.stem and table.stem.endswith("-quick")
    with table.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [*dict.fromkeys(line["row"] for line in lines)] == [*rows]
    measured = [line for line in lines if line["ours"]]
    assert {line["row"] for line in measured} == {"help", "report"}
    for line in measured:
        assert 0 < float(line["ours_least"]) <= float(line["ours"]) <= float(line["ours_most"])
    assert all(line["note"] for line in lines if not line["ours"])
    assert "the numbers mean nothing" in text.read_text()


def test_an_unknown_row_and_no_rounds_are_usage_errors():
    assert bench("--only", "speed").returncode == 2
    assert "must be 1 or more" in bench("--rounds", "0").stderr
