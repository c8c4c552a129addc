"""Which trainings a report or a model was made from, told without a clock."""

import hashlib
from collections.abc import Iterable

from lstm_study.records.comparison import Control
from lstm_study.records.training import Run, Trial

_ENDED = ("completed", "failed")


def trainings_sha256(trials: Iterable[Trial], runs: Iterable[Run], control: Control | None) -> str:
    """Returns a digest of the trainings that have ended; others and the order don't count.

    What is made from them keeps it: it is up to date as long as the records give the same. Times
    say that too, but for a clock that was set back.
    """
    ended = [(each.trial_id, each.status, each.ended_at, each.score) for each in trials]
    ended += [(each.run_id, each.status, each.ended_at, each.test_accuracy) for each in runs]
    if control is not None:
        ended.append(("control", control.status, control.ended_at, control.test_accuracy))
    lines = sorted(repr(each) for each in ended if each[1] in _ENDED)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
