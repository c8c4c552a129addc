"""Tables of single trainings: trials, epochs, curves, failures, repeats, timeline."""

from collections.abc import Sequence

from lstm_study.analysis.answer.arms import CONTROL
from lstm_study.analysis.search import summary as search_summary
from lstm_study.records import Epoch, Failure, Run, StudyRecords, Trial
from lstm_study.report.tables.columns import (
    ARM,
    BRACKET,
    BUDGET,
    ENDED_AT,
    EPOCH,
    ITERATION,
    PARAMETER_COUNT,
    ROLE,
    ROUND,
    SECONDS,
    SECONDS_PER_EPOCH,
    SEED,
    STARTED_AT,
    STATUS,
    TRIAL_ID,
    WORKER,
    configuration_cells,
    hyperparameter_columns,
    measure_form,
    parameter_count,
    seconds_per_epoch,
)
from lstm_study.report.tables.table import Cell, Column, Table, table
from lstm_study.spec import StudySpec


def trial_tables(records: StudyRecords, spec: StudySpec) -> list[Table]:
    """Builds every table of single trainings; without any they have no rows."""
    ranked = search_summary.ranking(
        records.trials, spec.study.direction, max_epochs=spec.search.max_epochs
    )
    return [
        _trials(records.trials, spec, ranked),
        _epochs(records),
        _trial_curves(records.trials, spec),
        _failures(records),
        _repeats(records.trials, spec),
        _timeline(records),
    ]


def _trials(trials: Sequence[Trial], spec: StudySpec, ranked: Sequence[Trial]) -> Table:
    form = measure_form(spec.study.objective)
    score = spec.study.objective
    places = {trial.trial_id: place for place, trial in enumerate(ranked, start=1)}
    columns = (
        TRIAL_ID,
        Column(name="rank", meaning="Rank among completed trials at the full budget", form="count"),
        STATUS,
        ROLE,
        Column(name="score", meaning=f"The {score} that the search ranks by", form=form),
        BUDGET,
        BRACKET,
        ROUND,
        *hyperparameter_columns(spec),
        PARAMETER_COUNT,
        SECONDS_PER_EPOCH,
        SECONDS,
        Column(name="epochs_trained", meaning="Epochs this trial trained itself", unit="epochs",
               form="count"),
        Column(name="initial_epoch", meaning="Epochs that its parent trained", unit="epochs",
               form="count"),
        ITERATION,
        Column(name="parent", meaning="Trial it was promoted from"),
        SEED,
        Column(name="score_last_epoch", meaning=f"{score} at the last epoch", form=form),
        Column(name="score_best_epoch", meaning=f"Best {score} of its epochs", form=form),
        WORKER,
        STARTED_AT,
        ENDED_AT,
        Column(name="error", meaning="Why it failed"),
    )  # fmt: skip
    return table(
        "trials",
        "One trial: one configuration at one budget",
        columns,
        (
            configuration_cells(trial.configuration)
            | {
                "trial_id": trial.trial_id,
                "rank": places.get(trial.trial_id),
                "status": trial.status,
                "role": trial.role,
                "score": trial.score,
                "budget_epochs": trial.budget_epochs,
                "bracket": trial.bracket,
                "round": trial.round,
                "parameter_count": parameter_count(trial),
                "seconds_per_epoch": seconds_per_epoch(trial),
                "seconds": trial.seconds,
                "epochs_trained": len(trial.epochs),
                "initial_epoch": trial.initial_epoch,
                "iteration": trial.iteration,
                "parent": trial.parent,
                "seed": trial.seed,
                "score_last_epoch": trial.score_last_epoch,
                "score_best_epoch": trial.score_best_epoch,
                "worker": trial.worker,
                "started_at": trial.started_at,
                "ended_at": trial.ended_at,
                "error": trial.failure.message if trial.failure else None,
            }
            for trial in trials
        ),
    )


def _epochs(records: StudyRecords) -> Table:
    columns = (
        Column(name="training_id", meaning="Trial or run that the epoch belongs to"),
        Column(name="kind", meaning="trial (search) or run (comparison)"),
        ARM,
        EPOCH,
        Column(name="train_loss", meaning="Binary cross-entropy during training, with dropout",
               form="loss"),
        Column(name="train_accuracy", meaning="Accuracy during training, with dropout",
               unit="share", form="percent"),
        Column(name="validation_loss", meaning="Binary cross-entropy on validation", form="loss"),
        Column(name="validation_accuracy", unit="share", form="percent",
               meaning="Share of validation reviews classified correctly"),
        Column(name="train_seconds", meaning="Time of the training steps", unit="seconds",
               form="duration"),
        Column(name="validation_seconds", meaning="Time of the validation", unit="seconds",
               form="duration"),
        ENDED_AT,
    )  # fmt: skip
    trainings: list[tuple[str, str, str | None, tuple[Epoch, ...]]] = [
        (trial.trial_id, "trial", None, trial.epochs) for trial in records.trials
    ]
    trainings += [(run.run_id, "run", run.arm, run.epochs) for run in records.runs]
    return table(
        "epochs",
        "One epoch of one training",
        columns,
        (
            {"training_id": training_id, "kind": kind, "arm": arm}
            | {column.name: getattr(epoch, column.name) for column in columns[3:]}
            for training_id, kind, arm, epochs in trainings
            for epoch in epochs
        ),
    )


def _trial_curves(trials: Sequence[Trial], spec: StudySpec) -> Table:
    """A promoted trial's rows start at its parent's last epoch, so that the lines connect."""
    objective = spec.study.objective
    by_id = {trial.trial_id: trial for trial in trials}
    columns = (
        TRIAL_ID,
        ITERATION,
        BRACKET,
        ROUND,
        STATUS,
        EPOCH,
        Column(name="value", meaning=f"{objective} after the epoch", form=measure_form(objective)),
    )
    return table(
        "trial_curves",
        "One epoch of one trial's learning curve; a promoted trial starts at its parent's end",
        columns,
        (
            {
                "trial_id": trial.trial_id,
                "iteration": trial.iteration,
                "bracket": trial.bracket,
                "round": trial.round,
                "status": trial.status,
                "epoch": epoch.epoch,
                "value": search_summary.objective_of(epoch, objective),
            }
            for trial in search_summary.searched(trials)
            for epoch in search_summary.full_curve(trial, by_id)
            if epoch.epoch >= trial.initial_epoch
        ),
    )


def _failures(records: StudyRecords) -> Table:
    columns = (
        Column(name="training_id", meaning="Trial or run"),
        Column(name="stage", meaning="search or comparison"),
        STATUS,
        Column(name="error_kind", meaning="diverged, out_of_memory, bug or lost_worker"),
        Column(name="message", meaning="Error message"),
        Column(name="epochs_trained", meaning="Epochs trained before it failed", unit="epochs",
               form="count"),
        Column(name="traceback", meaning="Traceback, if known"),
    )  # fmt: skip
    trainings: list[tuple[str, str, Trial | Run]] = [
        *(("search", trial.trial_id, trial) for trial in records.trials),
        *(("comparison", run.run_id, run) for run in records.runs),
    ]
    rows: list[dict[str, Cell]] = [
        {
            "training_id": training_id,
            "stage": stage,
            "status": item.status,
            **_failure(item.failure),
            "epochs_trained": len(item.epochs),
        }
        for stage, training_id, item in trainings
        if item.status in ("failed", "interrupted")
    ]
    control = records.control
    if control is not None and control.status == "failed":
        rows.append(
            {
                "training_id": CONTROL,
                "stage": "comparison",
                "status": control.status,
                **_failure(control.failure),
                "epochs_trained": None,
            }
        )
    return table("failures", "One training that failed or was interrupted", columns, rows)


def _failure(failure: Failure | None) -> dict[str, Cell]:
    return {
        "error_kind": failure.kind if failure else None,
        "message": failure.message if failure else None,
        "traceback": failure.traceback if failure else None,
    }


def _repeats(trials: Sequence[Trial], spec: StudySpec) -> Table:
    columns = (
        *hyperparameter_columns(spec),
        Column(name="times", meaning="How often the search sampled it", form="count"),
        Column(name="trial_ids", meaning="Its first-round trials"),
    )
    return table(
        "repeated_configurations",
        "One configuration that the search sampled more than once",
        columns,
        (
            configuration_cells(configuration) | {"times": len(ids), "trial_ids": " ".join(ids)}
            for configuration, ids in search_summary.repeated_configurations(trials).items()
        ),
    )


def _timeline(records: StudyRecords) -> Table:
    columns = (
        WORKER,
        Column(name="training_id", meaning="Trial or run"),
        Column(name="stage", meaning="search or comparison"),
        STATUS,
        STARTED_AT,
        ENDED_AT,
    )
    trainings: list[Trial | Run] = [*records.trials, *records.runs]
    return table(
        "timeline",
        "One training on one worker",
        columns,
        (
            {
                "worker": item.worker,
                "training_id": item.trial_id if isinstance(item, Trial) else item.run_id,
                "stage": "search" if isinstance(item, Trial) else "comparison",
                "status": item.status,
                "started_at": item.started_at,
                "ended_at": item.ended_at,
            }
            for item in trainings
            if item.started_at and item.ended_at
        ),
    )
