"""Whether a record is consistent: what a digest can't show of an older or a forged one."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from lstm_study.configuration import HYPERPARAMETERS, Configuration
from lstm_study.objectives import EPOCH_MEASURES, OBJECTIVES
from lstm_study.records.comparison import Control, NearDuplicates
from lstm_study.records.session import Session
from lstm_study.records.state import ArmsState, SeedsState, VerdictsState
from lstm_study.records.training import Epoch, Run, Trial
from lstm_study.spec.quantities import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDING = 1e-9
_LEAST_FRACTION = 1e-6
_SHARES = ("test_accuracy", "test_roc_auc", "test_f1", "test_brier_score", "test_calibration_error")


def contradictions(record: Any) -> list[str]:
    """Returns what in a record contradicts the rest of it, in words; empty for most kinds."""
    return list(_contradictions(record))


def of_predictions(
    record: Run | Control, probabilities: "NDArray[Any]", labels: "NDArray[Any]"
) -> str:
    """Returns how test probabilities contradict the record of their run, in words; "" if not.

    They were read as float32 [test reviews], and the labels as int8 [test reviews].
    """
    import numpy as np

    from lstm_study.metrics import THRESHOLD

    if probabilities.dtype.kind != "f" or labels.dtype.kind not in "iu":
        return (
            f"must hold probabilities and labels. Received: {probabilities.dtype}, {labels.dtype}"
        )
    if labels.ndim != 1 or not np.isin(labels, (0, 1)).all():
        return "the labels must be one row of 0 and 1"
    if probabilities.shape != labels.shape or len(labels) != record.test_reviews:
        return f"must hold {record.test_reviews} numbers. Received: {probabilities.shape}"
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        return "must hold probabilities from 0 to 1"
    accuracy = float(np.mean((probabilities > THRESHOLD) == labels))
    if record.test_accuracy is None or abs(accuracy - record.test_accuracy) > _ROUNDING:
        return f"has accuracy {accuracy}, and its record {record.test_accuracy}"
    return ""


def of_history(epochs: Sequence[Epoch], recorded: Sequence[Epoch]) -> str:
    """Returns how a checkpoint's history contradicts the recorded one, in words; "" if not.

    Of a training that was killed either may be longer. Times are not compared: a training that is
    repeated has others.
    """
    known = {epoch.epoch: epoch for epoch in recorded}
    for epoch in epochs:
        other = known.get(epoch.epoch, epoch)
        if any(getattr(epoch, name) != getattr(other, name) for name in EPOCH_MEASURES):
            return f"is of another training: its epoch {epoch.epoch} has other losses"
    return ""


def of_weights(epochs: Sequence[Epoch], run: Run) -> str:
    """Returns how the history that weights were saved with contradicts their run's; "" if not."""
    if epochs and len(epochs) != len(run.epochs):
        return (
            f"is of another training or epoch: {len(epochs)}, where the run has {len(run.epochs)}"
        )
    return of_history(epochs, run.epochs)


@singledispatch
def _contradictions(record: object) -> Iterator[str]:
    del record
    return iter(())


def of_configuration(configuration: Configuration) -> Iterator[str]:
    """Yields the hyperparameters that are out of range, in words."""
    for name, row in HYPERPARAMETERS.items():
        value = getattr(configuration, name)
        if row.is_numeric and value is not None and not row.low <= value <= row.high:
            yield f"{name} must be {row.low:g} to {row.high:g}. Received: {value:g}"
        if row.kind == "choice" and value not in row.choices:
            yield f"{name} must be one of {', '.join(row.choices)}. Received: {value!r}"


@_contradictions.register
def _of_trial(trial: Trial) -> Iterator[str]:
    yield from of_configuration(trial.configuration)
    yield from _of_times(trial.started_at, trial.ended_at)
    yield from _of_epochs(trial.epochs, first=trial.initial_epoch + 1, last=trial.budget_epochs)
    yield from _of_end(trial)
    if trial.status != "completed" or not trial.epochs:
        return
    if len(trial.epochs) != trial.budget_epochs - trial.initial_epoch:
        yield f"it is completed after {counted(len(trial.epochs), 'epoch')}"
    for name, metric in OBJECTIVES.items():
        values = [getattr(epoch, name) for epoch in trial.epochs]
        best = max if metric.direction == "max" else min
        if None not in values and trial.score_last_epoch == values[-1]:
            if trial.score_best_epoch != best(values):
                yield f"score_best_epoch {trial.score_best_epoch} is not that of its epochs"
            break
    else:
        yield f"score_last_epoch {trial.score_last_epoch} is not that of its last epoch"
    if trial.score not in (trial.score_last_epoch, trial.score_best_epoch):
        yield f"score {trial.score} is that of no epoch"


@_contradictions.register
def _of_run(run: Run) -> Iterator[str]:
    yield from of_configuration(run.configuration)
    yield from _of_times(run.started_at, run.ended_at)
    yield from _of_epochs(run.epochs, first=1, last=None)
    yield from _of_end(run)
    yield from _of_test(run)


@_contradictions.register
def _of_control(control: Control) -> Iterator[str]:
    yield from _of_times(control.started_at, control.ended_at)
    yield from _of_end(control)
    yield from _of_test(control)


@_contradictions.register
def _of_session(session: Session) -> Iterator[str]:
    yield from _of_times(session.started_at)
    yield from _in_range(session, "seconds")


@_contradictions.register
def _of_near_duplicates(found: NearDuplicates) -> Iterator[str]:
    ascending = all(a < b for a, b in zip(found.positions, found.positions[1:], strict=False))
    within = not found.positions or 0 <= found.positions[0] <= found.positions[-1]
    if not ascending or not within or max(found.positions, default=-1) >= found.test_reviews:
        yield f"positions must ascend within {found.test_reviews} test reviews"


@_contradictions.register
def _of_arms(state: ArmsState) -> Iterator[str]:
    for configuration in state.arms.values():
        yield from of_configuration(configuration)
    yield from _of_counts(state.own_epochs)


@_contradictions.register
def _of_seeds(state: SeedsState) -> Iterator[str]:
    for number, added in enumerate(state.added):
        yield from _of_counts({f"added.{number}.seeds": added.seeds})


@_contradictions.register
def _of_verdicts(state: VerdictsState) -> Iterator[str]:
    for look in state.looks:
        yield from _of_counts(look.seeds)
        if look.fraction is not None and not look.fraction >= _LEAST_FRACTION:
            yield f"fraction must be at least {_LEAST_FRACTION:g}. Received: {look.fraction}"


def _of_counts(counts: Mapping[str, int]) -> Iterator[str]:
    for name, count in counts.items():
        if count < 1:
            yield f"{name} must be an integer >= 1. Received: {count}"


def _of_times(*times: str) -> Iterator[str]:
    for time in times:
        try:
            is_time = not time or datetime.fromisoformat(time).tzinfo is not None
        except ValueError:
            is_time = False
        if not is_time:
            yield f"a time must be ISO 8601 in UTC. Received: {time!r}"


def _of_epochs(epochs: Sequence[Epoch], *, first: int, last: int | None) -> Iterator[str]:
    numbers = [epoch.epoch for epoch in epochs]
    if numbers != list(range(first, first + len(epochs))):
        yield f"epochs must count up from {first}. Received: {numbers}"
    if last is not None and first + len(epochs) - 1 > last:
        yield f"epochs must end at {last}. Received: {numbers}"
    for epoch in epochs:
        for name in EPOCH_MEASURES:
            highest = math.inf if name.endswith("_loss") else 1.0
            yield from _in_range(epoch, name, highest=highest)
        for name in ("train_seconds", "validation_seconds"):
            yield from _in_range(epoch, name)


def _of_end(record: Trial | Run | Control) -> Iterator[str]:
    if (record.status == "failed") != (record.failure is not None):
        yield f"its status is {record.status!r}, and its failure {record.failure}"
    yield from _in_range(record, "seconds")


def _of_test(record: Run | Control) -> Iterator[str]:
    for name in _SHARES:
        yield from _in_range(record, name, highest=1.0)
    yield from _in_range(record, "test_loss")
    yield from _in_range(record, "test_reviews")


def _in_range(record: Any, name: str, *, highest: float = math.inf) -> Iterator[str]:
    value = getattr(record, name)
    if value is not None and not 0 <= value <= highest:
        yield f"{name} must be 0 to {highest:g}. Received: {value}"
