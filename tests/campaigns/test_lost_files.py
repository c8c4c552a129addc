"""A finished study that lost what `run` can make again is whole after the next `run`."""

import json
import shutil
from pathlib import Path

from lstm_study.records.kinds import KINDS
from tests.support.forked_commands import ForkedCommands
from tests.support.results import differences
from tests.support.tiny import SPEC

RECORDS = Path("study/runs/tiny")
_REPORT = Path("reports/tiny/report.html")
# Trainings are repeated for these: tests/commands/test_check.py loses each.
_TRAININGS = ("trial", "run", "control", "predictions", "weights")


def test_every_file_that_can_be_made_again_is_and_the_report_is_the_same(
    tmp_path: Path, forked: ForkedCommands
) -> None:
    def state(folder: Path) -> str:
        return json.loads(forked.run("status", "tiny.toml", "--json", cwd=folder).out)["state"]

    whole, lossy = tmp_path / "whole", tmp_path / "lossy"
    whole.mkdir()
    (whole / "tiny.toml").write_text(SPEC)
    assert forked.run("run", "tiny.toml", cwd=whole).code == 0
    shutil.copytree(whole, lossy)
    lost = [
        path
        for kind in KINDS
        if kind.is_kept and kind.is_made_again and kind.name not in (*_TRAININGS, "ledger")
        for path in kind.paths(lossy / RECORDS)
    ]
    assert {"arms.json", "review-facts.json", "near-duplicates.json", "plan.json", "spec.toml",
            "corpus.json", "report.json"} == {path.name for path in lost}  # fmt: skip
    for path in lost:
        path.unlink()
    assert forked.run("check", "tiny.toml", "--repair", cwd=lossy).code == 0
    assert state(lossy) == "interrupted"
    done = forked.run("run", "tiny.toml", cwd=lossy)
    assert (done.code, "This study is finished" in done.out) == (0, False)
    assert [path.name for path in lost if not path.is_file()] == []
    assert differences(whole / RECORDS, lossy / RECORDS) == []
    assert (lossy / _REPORT).read_bytes() == (whole / _REPORT).read_bytes()
    assert state(lossy) == "finished"
