"""Several studies on one page: what each says of itself is what its own report says."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from lstm_study.analysis.answer.verdict import judge
from lstm_study.commands import open_study, read_answer
from lstm_study.commands.diff import make_diff
from lstm_study.records.state import Look, VerdictsState
from lstm_study.store import Store
from tests.support.fake_study import completed_study
from tests.support.stored_study import leave


def test_a_studys_answer_is_that_of_its_last_planned_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    leave(completed_study(), tmp_path)
    more = replace(completed_study(seeds=6), name="more")
    leave(more, tmp_path)
    before = Look(at="", seeds={"baseline": 4, "winner": 4}, kind="worse", fraction=1.0)
    Store(tmp_path / "study" / "runs" / "more").write_state(VerdictsState(looks=(before,)))
    studies = [open_study(tmp_path / f"{name}.toml") for name in ("fake", "more")]
    page = make_diff(studies)
    with (page.parent / "tables" / "studies.csv").open(newline="") as lines:
        answers = {row["study"]: row["answer"] for row in csv.DictReader(lines)}
    assert answers["more"] == "worse" != judge(more).kind
    assert answers == {
        each.spec.study.name: read_answer(each).verdict.kind for each in studies
    }  # fmt: skip
