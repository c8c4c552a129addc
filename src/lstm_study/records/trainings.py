"""Which trainings a report or a model was made from, told without a clock."""

import hashlib
from collections.abc import Iterable

from lstm_study.arm_names import CONTROL
from lstm_study.records.comparison import Control
from lstm_study.records.training import Run, Trial


def trainings_sha256(trials: Iterable[Trial], runs: Iterable[Run], control: Control | None) -> str:
    """Returns a digest of the trainings that have ended; others and the order don't count.

    What is made from them keeps it: it is up to date as long as the records give the same. Times
    say that too, but for a clock that was set back.
    """
    ended = [(t.trial_id, t.status, t.ended_at, t.score) for t in trials if t.has_ended]
    ended += [(r.run_id, r.status, r.ended_at, r.test_accuracy) for r in runs if r.has_ended]
    if control is not None and control.has_ended:
        ended.append((CONTROL, control.status, control.ended_at, control.test_accuracy))
    lines = sorted(map(repr, ended))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
