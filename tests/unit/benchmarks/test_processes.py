"""Processes of the benchmarks: what they tell before they fail is kept."""

import sys

import pytest

from tests.benchmarks.measure import BenchmarkError, told
from tests.benchmarks.processes import command, fresh, growing
from tests.support.benchmarked import dies_after_two_cases, returns_after_a_case


def test_a_process_that_dies_has_told_its_cases_before_and_leaves_its_log(tmp_path):
    log = tmp_path / "row-1.log"
    found = []
    with pytest.raises(BenchmarkError) as failed:
        for so_far in growing(dies_after_two_cases, log=log):
            found.append(so_far)
    assert found == [{"1 ms": 10.0}, {"1 ms": 10.0, "4 ms": 20.0}]
    assert "dies_after_two_cases: exit status -9" in str(failed.value)
    assert told(failed.value) == "the card fell off the bus; log: row-1.log"
    assert "a library's line on standard output" in log.read_text()


def test_what_a_process_tells_and_returns_is_joined():
    found = fresh(returns_after_a_case, factor=2)
    assert found.pop("peak_mb") > 0
    assert found == {"1 ms": 20.0, "4 ms": 40.0}


def test_a_command_that_fails_leaves_its_log(tmp_path):
    log = tmp_path / "row.log"
    fails = "import sys; print('epoch 3 of 10'); sys.exit('no memory left')"
    with pytest.raises(BenchmarkError, match="exit status 1"):
        command([sys.executable, "-c", fails], cwd=tmp_path, log=log)
    assert {"epoch 3 of 10", "no memory left"} == set(log.read_text().splitlines())
