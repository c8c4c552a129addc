"""Tables of single trainings: trials and runs, epochs, curves, failures, repeats, timeline."""

from collections.abc import Sequence

from lstm_study.analysis.search import summary as search_summary
from lstm_study.arm_names import ABLATION, CONTROL, networks_per_run
from lstm_study.objectives import EPOCH_MEASURES
from lstm_study.records import Control, Epoch, Run, StudyRecords, Trial
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
    RUN_ID,
    SECONDS,
    SECONDS_PER_EPOCH,
    SEED,
    STARTED_AT,
    STATUS,
    TEST_ACCURACY,
    TRIAL_ID,
    WORKER,
    hyperparameter_columns,
    measure_form,
    training_cells,
)
from lstm_study.report.tables.table import Column, Table, cells_of, table
from lstm_study.spec import StudySpec


def trial_tables(records: StudyRecords, spec: StudySpec) -> list[Table]:
    """Builds every table of single trainings; without any they have no rows."""
    ranked = search_summary.ranking(
        records.trials,
        spec.study.direction,
        max_epochs=spec.search.max_epochs,
        runs=records.runs,
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
    fresh = {each.trial_id: each.mean for each in search_summary.finalists(trials)}
    columns = (
        TRIAL_ID,
        Column("rank", "Rank among completed trials at the full budget: finalists first, by the "
               "mean of their fresh seeds, then all others by score", form="count"),
        STATUS,
        ROLE,
        Column("score", f"The {score} that the search ranks by", form=form),
        Column("fresh_mean", f"Of a finalist: mean {score} of its trainings with fresh seeds",
               form=form),
        BUDGET,
        BRACKET,
        ROUND,
        *hyperparameter_columns(spec),
        PARAMETER_COUNT,
        SECONDS_PER_EPOCH,
        SECONDS,
        Column("epochs_trained", "Epochs this trial trained itself", unit="epochs", form="count"),
        Column("initial_epoch", "Epochs that its parent trained", unit="epochs", form="count"),
        ITERATION,
        Column("parent", "Trial it was promoted from; of a finalist, the trial it trains again"),
        SEED,
        Column("score_last_epoch", f"{score} at the last epoch", form=form),
        Column("score_best_epoch", f"Best {score} of its epochs", form=form),
        WORKER,
        STARTED_AT,
        ENDED_AT,
        Column("error", "Why it failed"),
    )  # fmt: skip
    rows = (
        training_cells(trial, columns)
        | {"rank": places.get(trial.trial_id), "fresh_mean": fresh.get(trial.trial_id)}
        for trial in trials
    )
    return table("trials", "One trial: one configuration at one budget", columns, rows)


def _epochs(records: StudyRecords) -> Table:
    columns = (
        Column("training_id", "Trial or run that the epoch belongs to"),
        Column("kind", "trial (search) or run (comparison)"),
        ARM,
        EPOCH,
        Column("train_loss", "Binary cross-entropy during training, with dropout", form="loss"),
        Column("train_accuracy", "Accuracy during training, with dropout", form="percent"),
        Column("validation_loss", "Binary cross-entropy on validation", form="loss"),
        Column("validation_accuracy", "Share of validation reviews classified correctly",
               form="percent"),
        Column("validation_auc", "Area under the ROC curve on validation", form="loss"),
        Column("train_seconds", "Time of the training steps", form="duration"),
        Column("validation_seconds", "Time of the validation", form="duration"),
        ENDED_AT,
    )  # fmt: skip
    trainings: list[tuple[str, str, str | None, tuple[Epoch, ...]]] = [
        (trial.trial_id, "trial", None, trial.epochs) for trial in records.trials
    ]
    trainings += [(run.run_id, "run", run.arm, run.epochs) for run in records.runs]
    rows = (
        cells_of(epoch, columns, training_id=training_id, kind=kind, arm=arm)
        for training_id, kind, arm, epochs in trainings
        for epoch in epochs
    )
    return table("epochs", "One epoch of one training", columns, rows)


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
        Column("value", f"{objective} after the epoch", form=measure_form(objective)),
    )
    rows = (
        cells_of(
            trial,
            columns,
            epoch=epoch.epoch,
            value=search_summary.objective_of(epoch, objective),
        )
        for trial in search_summary.searched(trials)
        for epoch in search_summary.full_curve(trial, by_id)
        if epoch.epoch >= trial.initial_epoch
    )
    title = "One epoch of one trial's learning curve; a promoted trial starts at its parent's end"
    return table("trial_curves", title, columns, rows)


def _failures(records: StudyRecords) -> Table:
    columns = (
        Column("training_id", "Trial or run"),
        Column("stage", "search or comparison"),
        STATUS,
        Column("error_kind", "diverged, out_of_memory, bug or lost_worker"),
        Column("message", "Error message"),
        Column("epochs_trained", "Epochs trained before it failed", unit="epochs", form="count"),
        Column("traceback", "Traceback, if known"),
    )  # fmt: skip
    trainings: list[tuple[str, str, Trial | Run | Control]] = [*_by_stage(records)]
    if records.control is not None:
        trainings.append(("comparison", CONTROL, records.control))
    rows = (
        cells_of(
            training.failure,
            columns,
            training_id=training_id,
            stage=stage,
            status=training.status,
            error_kind=training.failure.kind if training.failure else None,
            epochs_trained=None if isinstance(training, Control) else len(training.epochs),
        )
        for stage, training_id, training in trainings
        if training.status in ("failed", "interrupted")
    )
    return table("failures", "One training that failed or was interrupted", columns, rows)


def _repeats(trials: Sequence[Trial], spec: StudySpec) -> Table:
    columns = (
        *hyperparameter_columns(spec),
        Column("times", "How often the search sampled it", form="count"),
        Column("trial_ids", "Its first-round trials"),
    )
    rows = (
        configuration.as_dict() | {"times": len(ids), "trial_ids": " ".join(ids)}
        for configuration, ids in search_summary.repeated_configurations(trials).items()
    )
    title = "One configuration that the search sampled more than once"
    return table("repeated_configurations", title, columns, rows)


def _timeline(records: StudyRecords) -> Table:
    columns = (
        WORKER,
        Column("training_id", "Trial or run"),
        Column("stage", "search or comparison"),
        STATUS,
        STARTED_AT,
        ENDED_AT,
    )
    rows = (
        cells_of(training, columns, training_id=training_id, stage=stage)
        for stage, training_id, training in _by_stage(records)
        if training.started_at and training.ended_at
    )
    return table("timeline", "One training on one worker", columns, rows)


def _by_stage(records: StudyRecords) -> list[tuple[str, str, Trial | Run]]:
    """Returns every trial and run with its stage and id."""
    return [
        *(("search", trial.trial_id, trial) for trial in records.trials),
        *(("comparison", run.run_id, run) for run in records.runs),
    ]


def run_tables(records: StudyRecords, spec: StudySpec) -> list[Table]:
    """Builds the tables of the runs; without any they have no rows."""
    return [_runs(records, spec), _run_curves(records.runs)]


def _runs(records: StudyRecords, spec: StudySpec) -> Table:
    columns = (
        RUN_ID,
        ARM,
        Column("seed_index", "From 1; runs with the same index have the same seed",
               form="count"),
        SEED,
        STATUS,
        Column("trained_on",
               "training: all training reviews; train: without the validation reviews"),
        Column("masked", "Whether padding was masked and batches grouped by length"),
        TEST_ACCURACY,
        Column("test_loss", "Binary cross-entropy on test", form="loss"),
        Column("test_reviews", "Reviews evaluated", unit="reviews", form="count"),
        Column("test_seconds", "Time of the evaluation, including compilation", form="duration"),
        Column("predict_1000_seconds", "Time to predict 1,000 reviews, without compilation, by all "
               "networks that it takes", form="duration"),
        Column("epochs_trained", "Epochs trained", unit="epochs", form="count"),
        Column("protocol_epochs", "Epochs to train", unit="epochs", form="count"),
        Column("trained_as", "The run whose training this evaluation is of"),
        Column("seconds", f"{SECONDS.meaning}; of the control, with all candidates",
               form=SECONDS.form),
        SECONDS_PER_EPOCH,
        *hyperparameter_columns(spec),
        PARAMETER_COUNT,
        WORKER,
        STARTED_AT,
        ENDED_AT,
        Column("error", "Why it failed"),
    )  # fmt: skip
    rows = [
        training_cells(run, columns) | {"predict_1000_seconds": _predicting(run)}
        for run in records.runs
    ]
    if (control := records.control) is not None:
        rows.append(
            cells_of(None, columns)
            | cells_of(
                control,
                columns,
                run_id=CONTROL,
                arm=CONTROL,
                trained_on="training",
                parameter_count=control.feature_count,
                error=control.failure.message if control.failure else None,
            )
        )
    title = "One run: one training with one seed, on test or on validation"
    return table("runs", title, columns, rows)


def _predicting(run: Run) -> float | None:
    """Returns the time of all networks that a run predicts with; its record has that of one."""
    if run.predict_1000_seconds is None:
        return None
    return networks_per_run(run.arm, run.protocol_epochs) * run.predict_1000_seconds


def _run_curves(runs: Sequence[Run]) -> Table:
    columns = (
        ARM,
        RUN_ID,
        EPOCH,
        Column("measure", "Name of the measure"),
        Column("value", "Its value after the epoch", form="loss"),
    )
    rows = (
        cells_of(run, columns, epoch=epoch.epoch, measure=measure, value=value)
        for run in runs
        if run.arm != ABLATION and not run.trained_as
        for epoch in run.epochs
        for measure in EPOCH_MEASURES
        if (value := getattr(epoch, measure)) is not None
    )
    title = "One measure of one epoch of one run; ablation trainings are in epochs.csv only"
    return table("run_curves", title, columns, rows)
