"""The committed report of each reference study is what its committed records give, to the byte."""

from pathlib import Path

import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__

from lstm_study import commands
from tests.support.commands import lstm_study

ROOT = Path(__file__).parents[2]
REFERENCES = sorted(path for path in (ROOT / "study" / "reference").glob("*") if path.is_dir())


@pytest.mark.parametrize("records", REFERENCES, ids=lambda path: path.name)
def test_the_committed_report_is_what_the_committed_records_give_on_any_processor(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on the least of processors, whatever this one is: NumPy and OpenBLAS choose their
    # functions by its instructions.
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", " ".join(__cpu_dispatch__))
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    made_it = lstm_study("report", "--records", str(records), "--out", str(tmp_path), cwd=ROOT)
    assert made_it.code == 0, made_it.err
    study = commands.open_kept(records, out=tmp_path)
    committed = ROOT / "reports" / study.spec.study.name
    made = {path.relative_to(study.reports) for path in study.reports.rglob("*") if path.is_file()}
    assert made
    differing = [
        str(path)
        for path in sorted(made)
        if not (committed / path).is_file()
        or (committed / path).read_bytes() != (study.reports / path).read_bytes()
    ]
    assert not differing


@pytest.mark.parametrize("records", REFERENCES, ids=lambda path: path.name)
def test_reference_records_are_small_and_hold_nothing_but_records(records: Path) -> None:
    from lstm_study.records.kinds import KINDS

    files = {path for path in records.rglob("*") if path.is_file()}
    assert files <= {path for kind in KINDS if kind.is_kept for path in records.glob(kind.path)}
    assert sum(path.stat().st_size for path in files) < 12_000_000
