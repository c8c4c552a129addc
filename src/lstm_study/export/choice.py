"""Which run of an arm is exported: the median one, by any measure but the test reviews."""

from dataclasses import dataclass
from operator import itemgetter

from lstm_study.analysis.search.summary import objective_of
from lstm_study.arm_names import LAST_EPOCHS_SUFFIX
from lstm_study.errors import ExportError
from lstm_study.records import Run, StudyRecords
from lstm_study.spec.quantities import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A run, and in words how it was chosen."""

    run: Run
    reason: str


def exportable_arms(records: StudyRecords) -> list[str]:
    """Returns the arms of which a run can be exported, in alphabetical order.

    They have a completed run on all training reviews that is one network: not a mean of several.
    """
    found = {
        run.arm
        for run in records.runs
        if run.status == "completed" and run.trained_on == "training"
    }
    return sorted(arm for arm in found if not arm.endswith(LAST_EPOCHS_SUFFIX))


def choose_run(records: StudyRecords, *, arm: str = "winner") -> Choice:
    """Chooses the run that represents an arm: the median of its seeds.

    By the validation loss of the last epoch where every run has one; runs that were trained on all
    training reviews have none, and are chosen by the last epoch's training loss. Of two middle
    ones the one with the lower loss is taken. What a run scored on test is never looked at: the
    best on test would promise more than it keeps (`study/decisions/0008`).

    Raises:
        ExportError: The arm has no completed run.
    """
    runs = records.completed_runs(arm)
    if not runs:
        raise ExportError(
            f"{records.name}: the arm {arm!r} has no completed run to export. "
            "Train it with `lstm-study run`."
        )
    if len(runs) == 1:
        return Choice(run=runs[0], reason=f"the only completed run of the arm {arm!r}")
    for measure, words in (
        ("validation_loss", "validation loss"),
        ("train_loss", "training loss, since no validation reviews were kept out of the training"),
    ):
        known = [
            (loss, run.seed_index, run)
            for run in runs
            if run.epochs and (loss := objective_of(run.epochs[-1], measure)) is not None
        ]
        if len(known) == len(runs):
            *_, run = sorted(known, key=itemgetter(0, 1))[(len(known) - 1) // 2]
            reason = f"the median of {counted(len(runs), 'run')} by {words}; never by test"
            return Choice(run=run, reason=reason)
    first = min(runs, key=lambda run: run.seed_index)
    return Choice(
        run=first, reason=f"the first of {counted(len(runs), 'run')}; their losses are not recorded"
    )
