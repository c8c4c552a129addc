"""Which run of an arm is exported: the median one, by any measure but the test reviews."""

import math
from dataclasses import dataclass

from lstm_study.errors import ExportError
from lstm_study.records import Run, StudyRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A run, and in words how it was chosen."""

    run: Run
    reason: str


def choose_run(records: StudyRecords, *, arm: str = "winner") -> Choice:
    """Chooses the run of an arm that stands for it: the median of its seeds.

    By the validation loss of the last epoch where every run has one; runs that were trained on all
    training reviews have none, and are chosen by the last epoch's training loss. Of two middle
    ones the one with the lower loss is taken. What a run scored on test is never looked at: the
    best on test would promise more than it keeps (`study/decisions/0008`).

    Raises:
        ExportError: The arm has no completed run.
    """
    runs = [run for run in records.runs if run.arm == arm and run.status == "completed"]
    if not runs:
        raise ExportError(
            f"{records.name}: the arm {arm!r} has no completed run to export. "
            "Train it with `lstm-study compare`."
        )
    if len(runs) == 1:
        return Choice(run=runs[0], reason=f"the only completed run of the arm {arm!r}")
    for measure, words in (
        ("validation_loss", "validation loss"),
        ("train_loss", "training loss, for no validation reviews were left out of the training"),
    ):
        losses = [_last(run, measure) for run in runs]
        if None not in losses:
            ordered = sorted(zip(losses, runs, strict=True), key=lambda pair: _key(*pair))
            return Choice(
                run=ordered[(len(ordered) - 1) // 2][1],
                reason=f"the median of {len(runs)} runs by {words}; never by test",
            )
    first = min(runs, key=lambda run: run.seed_index)
    return Choice(run=first, reason=f"the first of {len(runs)} runs, whose losses are not recorded")


def how_chosen(run: Run, records: StudyRecords) -> str:
    """Says in words how a run came to be exported."""
    choice = choose_run(records, arm=run.arm)
    if choice.run.run_id == run.run_id:
        return choice.reason
    return f"the run with the arm's seed {run.seed_index}, asked for by its number"


def _last(run: Run, measure: str) -> float | None:
    value: float | None = getattr(run.epochs[-1], measure) if run.epochs else None
    return value if value is not None and math.isfinite(value) else None


def _key(loss: float | None, run: Run) -> tuple[float, int]:
    assert loss is not None, "only runs with a loss are ordered"
    return loss, run.seed_index
