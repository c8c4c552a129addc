"""What a process may use, where a control group allows less than the machine has."""

import os
from pathlib import Path

import pytest

from lstm_study import provenance
from lstm_study.provenance import machine, usable_cpus


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all control groups, of which this process is in `job/step`."""
    (tmp_path / "own").write_text("0::/job/step\n")
    monkeypatch.setattr(provenance, "_CGROUPS", tmp_path / "all")
    monkeypatch.setattr(provenance, "_OWN_CGROUP", tmp_path / "own")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    (tmp_path / "all" / "job" / "step").mkdir(parents=True)
    return tmp_path / "all"


def test_the_smallest_limit_of_the_groups_that_hold_a_process_counts(groups):
    (groups / "job" / "step" / "memory.max").write_text("max\n")
    (groups / "job" / "memory.max").write_text(f"{2**20}\n")
    (groups / "memory.max").write_text(f"{2**21}\n")
    (groups / "job" / "step" / "cpu.max").write_text("max 100000\n")
    (groups / "job" / "cpu.max").write_text("350000 100000\n")
    (groups / "cpu.max").write_text("50000 100000\n")
    assert machine().memory_bytes == 2**20
    assert usable_cpus() == 1
    (groups / "cpu.max").unlink()
    assert usable_cpus() == 3


def test_a_container_sees_its_own_group_as_the_root(groups, tmp_path):
    (tmp_path / "own").write_text("4:memory:/x\n0::/../../elsewhere\n")
    (groups / "memory.max").write_text(f"{2**20}\n")
    assert machine().memory_bytes == 2**20


def test_without_a_limit_the_machine_counts(groups, tmp_path):
    (groups / "memory.max").write_text("max\n")
    assert machine().memory_bytes > 2**20
    (tmp_path / "own").unlink()
    assert usable_cpus() == 16
