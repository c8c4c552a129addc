"""No damage to a file of a study changes its answer in silence."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm_study.records import Epoch
from lstm_study.records.state import (
    AddedSeeds,
    ArmsState,
    Look,
    ReportState,
    SearchState,
    SeedsState,
    VerdictsState,
)
from lstm_study.store import Store
from lstm_study.training.checkpoint import Checkpoint, write_checkpoint
from tests.campaigns.damage import HELD, answer, attempt
from tests.support.fake_study import ALL_STUDIES
from tests.support.stored_study import leave
from tests.unit.test_store import EPOCH

TRIES = 600


def stored(name: str, folder: Path) -> Path:
    """Leaves a fake study with every kind of file, and returns its folder."""
    records = ALL_STUDIES[name]()
    leave(records, folder)
    store = Store(folder / "study" / "runs" / records.name)
    store.write_state(SearchState(trials=31, epochs=150, exhausted=False, brackets=(), stopped=""))
    arms = {"baseline": records.trials[0].configuration}
    store.write_state(ArmsState(fixed_at="t", arms=arms, own_epochs={"baseline": 3}))
    store.write_state(SeedsState(added=(AddedSeeds(seeds=2, added_at="t", command="c"),)))
    store.write_state(VerdictsState(looks=(Look(at="t", seeds={"baseline": 4}, kind="better"),)))
    store.write_state(ReportState(made_at="t", versions={}, git_commit="", model=""))
    checkpoint = Checkpoint(epochs=_history(), variables=_variables())
    write_checkpoint(store.checkpoint_path("b2-00-r0"), checkpoint)
    if any(run.run_id == "winner-s1" for run in records.runs):
        write_checkpoint(store.weights_path("winner-s1"), replace(checkpoint, epochs=()))
    return store.folder


def _history() -> tuple[Epoch, ...]:
    return (EPOCH, replace(EPOCH, epoch=2))


def _variables() -> tuple[np.ndarray, ...]:
    draw = np.random.default_rng(0)
    return draw.normal(size=(9, 4)).astype(np.float32), draw.integers(9, size=3), np.array(1.5)


@pytest.mark.parametrize("name", ["compared", "interrupted"])
def test_a_damaged_file_is_named_or_changes_nothing(name: str, tmp_path: Path) -> None:
    folder = stored(name, tmp_path)
    before = answer(folder)
    draw = random.Random(f"damage to {name}")
    tries = [attempt(folder, tmp_path, before, draw) for _ in range(TRIES)]
    assert [each for each in tries if each.outcome not in HELD] == []
    counts = Counter(each.outcome for each in tries)
    # Where nothing changed, the damaged bytes were no part of the answer (the report's time).
    assert counts["refused"] > 0.7 * TRIES
    assert len({each.file.partition("/")[0] for each in tries}) > 10
