"""`python -m tests.benchmarks` from end to end, on its cheap rows in sizes of a smoke test."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("by_timeout", [True, False])
def test_a_run_that_is_stopped_keeps_its_numbers_and_says_what_is_missing(tmp_path, by_timeout):
    code = (
        "import sys; from tests.benchmarks import __main__ as bench; "
        "from tests.support.benchmarked import waiting_rows; "
        "bench.ROWS = {'gpu-step': ('', waiting_rows), 'gpu-open': ('', waiting_rows)}; "
        "sys.exit(bench.main())"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", code, "--out", str(tmp_path)], cwd=ROOT, text=True,
        stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert running.stderr is not None
    said = [running.stderr.readline() for _ in range(2)]
    assert "first: wall time: 10 ms" in said[1]
    running.send_signal(signal.SIGTERM)
    if by_timeout:
        os.killpg(running.pid, signal.SIGTERM)
    rest = running.communicate(timeout=60)[1]
    assert running.returncode == 1
    assert "FAILED" in rest and "gpu-open" not in rest
    (table,) = tmp_path.glob("*.csv")
    with table.open(newline="") as file:
        measured, missing = csv.DictReader(file)
    assert (measured["case"], measured["ours"]) == ("first", "10")
    assert (missing["case"], missing["ours"]) == ("the rest", "")
    assert missing["note"] == "not measured: failed: stopped by SIGTERM"
    assert (tmp_path / "logs" / "gpu-step.log").is_file()
    with pytest.raises(ProcessLookupError):
        os.kill(int(measured["note"].removeprefix("process ")), 0)
