"""The epoch that validation chose for an arm, fixed before the test reviews are opened.

The documented protocol trains for 10 epochs whether they help or not. Each arm is also evaluated
at the epoch at which it was best on the validation reviews, so that the winner does not win by
overfitting less in an arbitrary number of epochs.
"""

from collections.abc import Mapping, Sequence
from statistics import fmean

from lstm_study.analysis.answer.ablation import VALIDATION_SUFFIX
from lstm_study.analysis.search.summary import objective_of
from lstm_study.records import Epoch, Run
from lstm_study.spec import StudySpec


def own_epochs(runs: Sequence[Run], *, spec: StudySpec) -> Mapping[str, int]:
    """Returns the own epoch of baseline and winner; an arm without a whole curve is absent.

    Both are the best epoch of the mean curve of the arm's validation runs.

    Args:
        runs: Those so far; the validation runs among them.
        spec: The study.
    """
    found = {}
    for arm in ("baseline", "winner"):
        curves = [
            run.epochs
            for run in runs
            if run.arm == arm + VALIDATION_SUFFIX and run.status == "completed"
        ]
        epoch = best_epoch(curves, spec=spec)
        if epoch is not None:
            found[arm] = epoch
    return found


def best_epoch(curves: Sequence[Sequence[Epoch]], *, spec: StudySpec) -> int | None:
    """Returns the epoch with the best mean of the objective; ties go to the earlier one.

    Args:
        curves: Histories with validation, one for each training.
        spec: The study: its objective.

    Returns:
        None without a curve. Epochs that some curve lacks are not chosen.
    """
    sign = 1 if spec.study.direction == "max" else -1
    by_epoch: dict[int, list[float]] = {}
    for curve in curves:
        for epoch in curve:
            value = objective_of(epoch, spec.study.objective)
            if value is not None:
                by_epoch.setdefault(epoch.epoch, []).append(sign * value)
    means = {
        number: fmean(values) for number, values in by_epoch.items() if len(values) == len(curves)
    }
    return min(means, key=lambda number: (-means[number], number), default=None)
