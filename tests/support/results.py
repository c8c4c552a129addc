"""What a study's records say without times: equal for equal studies, to the bit.

python -m tests.support.results study/runs/one study/runs/another
"""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np

from lstm_study.records import Control, NearDuplicates, ReviewFacts
from lstm_study.store import Store

_TIMES = {"started_at", "ended_at", "seconds", "worker", "train_seconds", "validation_seconds",
          "fit_seconds", "test_seconds", "predict_1000_seconds"}  # fmt: skip


def results_of(folder: Path) -> dict[str, Any]:
    """Every trial, run and control with its history and scores, and every array of predictions."""
    store = Store(folder)
    found: dict[str, Any] = {trial.trial_id: _timeless(trial) for trial in store.read_trials()}
    found |= {run.run_id: _timeless(run) for run in store.read_runs()}
    found["control"] = _timeless(store.read(Control))
    found["near-duplicates"] = _timeless(store.read(NearDuplicates))
    found["review-facts"] = _timeless(store.read(ReviewFacts))
    for path in (folder / "predictions").glob("*.npy"):
        found[f"predictions of {path.stem}"] = np.load(path).tobytes()
    return found


def differences(one: Path, another: Path) -> list[str]:
    """Names what two studies do not have in common."""
    first, second = results_of(one), results_of(another)
    return [name for name in sorted({*first, *second}) if first.get(name) != second.get(name)]


def _timeless(record: Any) -> Any:
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {
            field.name: _timeless(getattr(record, field.name))
            for field in dataclasses.fields(record)
            if field.name not in _TIMES
        }
    if isinstance(record, tuple):
        return tuple(_timeless(each) for each in record)
    return record


if __name__ == "__main__":
    one, another = (Path(argument) for argument in sys.argv[1:])
    different = differences(one, another)
    print(f"{len(results_of(one))} results, {len(different)} different: {different}")
    sys.exit(bool(different))
