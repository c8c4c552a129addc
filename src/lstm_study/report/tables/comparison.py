"""The table of all arms: what each is for, its accuracy, size and cost."""

import math
import statistics
from collections.abc import Sequence
from typing import Any

from lstm_study.analysis.answer.arms import Arm, arms_from_records
from lstm_study.analysis.answer.planned_arms import epochs_of, is_arm_masked
from lstm_study.analysis.search import summary as search_summary
from lstm_study.analysis.statistics.failures import failed_runs, without_runs
from lstm_study.analysis.statistics.intervals import LEVEL
from lstm_study.arm_names import (
    CONTROL,
    ENSEMBLE,
    LAST_EPOCHS_SUFFIX,
    MASKED_BASELINE,
    OWN_EPOCH_SUFFIX,
    PRIMARY,
    RECIPE_BASELINE,
    RUNNER_UP,
    networks_per_run,
)
from lstm_study.configuration import Configuration
from lstm_study.metrics import log_loss
from lstm_study.records import Run, StudyRecords
from lstm_study.report.tables.columns import (
    ARM,
    PREDICTING_PARAMETERS,
    SECONDS_PER_EPOCH,
    hyperparameter_columns,
    seconds_per_epoch,
    short_name_column,
)
from lstm_study.report.tables.table import Column, Table, cells_of, table
from lstm_study.spec import StudySpec


def arm_configurations(records: StudyRecords, spec: StudySpec) -> dict[str, Configuration]:
    """Returns the configuration of each arm that is evaluated on test, baseline and winner first.

    The baseline is the spec's and the winner the search's where they have no run yet.
    """
    found = {"baseline": spec.baseline.configuration}
    best = search_summary.winner(
        records.trials,
        spec.study.direction,
        max_epochs=spec.search.max_epochs,
        runs=records.runs,
    )
    if best is not None:
        found["winner"] = best.configuration
    found |= {run.arm: run.configuration for run in records.runs if run.trained_on == "training"}
    return dict(sorted(found.items(), key=lambda item: _order_of(item[0])))


def evaluated_runs(records: StudyRecords, arm: str) -> list[Run]:
    """Returns an arm's completed runs that were evaluated, by seed index."""
    return [run for run in records.completed_runs(arm) if run.test_accuracy is not None]


def purpose(arm: str, spec: StudySpec) -> str:
    """Describes an arm in a few words."""
    if arm == "baseline" and not spec.baseline_is_documented:
        return "the study file's baseline, which is not the documented one"
    for name, words in _PURPOSES.items():
        if arm == name or (name.startswith("-") and arm.endswith(name)):
            return words
    return "the search's next best configuration" if arm.startswith(RUNNER_UP) else ""


_PURPOSES = {
    "baseline": "the documented configuration and training",
    "winner": "the configuration that the search chose",
    MASKED_BASELINE: "the baseline's configuration with padding masked, as for the winner",
    RECIPE_BASELINE: "the baseline's network, trained by the winner's recipe",
    OWN_EPOCH_SUFFIX: "the same trainings, evaluated at the epoch with the best validation score",
    LAST_EPOCHS_SUFFIX: "the same trainings, mean probability of the last epochs, at most three",
    CONTROL: "classical control: logistic regression over words and pairs of words",
    ENSEMBLE: "mean probability over the winner's runs",
}


def _order_of(arm: str) -> tuple[int, str]:
    """Orders arms: baseline, winner and their variants first, then the rest by name."""
    order = (*PRIMARY, MASKED_BASELINE, *(arm + OWN_EPOCH_SUFFIX for arm in PRIMARY))
    return (order.index(arm) if arm in order else len(order), arm)


def comparison_table(
    records: StudyRecords, spec: StudySpec, configurations: dict[str, Configuration]
) -> Table:
    """Builds the table: a row per arm, those that only combine trainings included."""
    columns = (
        ARM,
        Column("purpose", "Description of the arm"),
        short_name_column(spec),
        *hyperparameter_columns(spec),
        Column("masked", "Whether padding was masked and batches grouped by length"),
        PREDICTING_PARAMETERS,
        Column("seeds", "Completed runs", unit="runs", form="count"),
        Column("failed", "Runs without a result: diverged, or lost by the machine", unit="runs",
               form="count"),
        Column("left_out", "Completed runs that failed by the decision rule: in the means here, "
               "left out of differences", unit="runs", form="count"),
        Column("epochs", "Epochs of each run", unit="epochs", form="count"),
        Column("test_accuracy_mean", "Mean test accuracy of its runs", form="percent"),
        Column("test_accuracy_kept", "Mean test accuracy without the runs left out",
               form="percent"),
        Column("test_accuracy_mean_low",
               "Lower end of the mean's 95% interval: Student's t over runs", form="percent"),
        Column("test_accuracy_mean_high", "Upper end of that interval", form="percent"),
        Column("test_accuracy_low", "Lowest test accuracy of its runs", form="percent"),
        Column("test_accuracy_high", "Highest test accuracy of its runs", form="percent"),
        Column("test_accuracy_sd", "Standard deviation over runs, n − 1", form="bare_points"),
        Column("test_loss_mean", "Mean binary cross-entropy on test", form="loss"),
        SECONDS_PER_EPOCH,
        Column("training_seconds_mean", "Mean training time of a run", form="duration"),
        Column("predict_1000_seconds", "Mean time to classify 1,000 reviews, once compiled, by all "
               "networks that it takes", form="duration"),
    )  # fmt: skip
    known = arms_from_records(records)
    rows = [
        _arm_row(records, spec, arm, configuration) | _without_failed(known.get(arm))
        for arm, configuration in configurations.items()
    ]
    for row in (_control_row(records, spec), _ensemble_row(records, spec, rows)):
        if row is not None:
            rows.append(cells_of(None, columns, **row))
    return table("comparison", "One arm", columns, rows)


def _arm_row(
    records: StudyRecords, spec: StudySpec, arm: str, configuration: Configuration
) -> dict[str, Any]:
    runs = evaluated_runs(records, arm)
    accuracies = [run.test_accuracy for run in runs if run.test_accuracy is not None]
    low, high = _interval(accuracies)
    begun = [run for run in records.runs if run.arm == arm]
    masked = begun[0].masked if begun else is_arm_masked(arm, spec)
    epochs = begun[0].protocol_epochs if begun else epochs_of(arm, spec)
    networks = networks_per_run(arm, epochs)
    parameters = begun[0].trainable_parameters if begun else configuration.parameter_count
    predicting = _mean([run.predict_1000_seconds for run in runs])
    return configuration.as_dict() | {
        "arm": arm,
        "purpose": purpose(arm, spec),
        "label": configuration.label if networks == 1 else f"{networks} × {configuration.label}",
        "masked": masked,
        "parameter_count": networks * parameters,
        "seeds": len(runs),
        "failed": sum(run.status == "failed" for run in begun),
        "epochs": epochs,
        "test_accuracy_mean": _mean(accuracies),
        "test_accuracy_mean_low": low,
        "test_accuracy_mean_high": high,
        "test_accuracy_low": min(accuracies, default=None),
        "test_accuracy_high": max(accuracies, default=None),
        "test_accuracy_sd": statistics.stdev(accuracies) if len(accuracies) > 1 else None,
        "test_loss_mean": _mean([run.test_loss for run in runs]),
        "seconds_per_epoch": _mean([seconds_per_epoch(run) for run in runs]),
        "training_seconds_mean": _mean([run.seconds for run in runs]),
        "predict_1000_seconds": None if predicting is None else networks * predicting,
    }


def _without_failed(arm: Arm | None) -> dict[str, Any]:
    """Counts an arm's completed runs that failed by the rule, and averages the others."""
    failed = failed_runs(arm) if arm is not None else ()
    kept = without_runs(arm, [run.seed_index for run in failed]) if arm is not None else None
    return {"left_out": len(failed), "test_accuracy_kept": kept.accuracy if kept else None}


def _control_row(records: StudyRecords, spec: StudySpec) -> dict[str, Any] | None:
    control = records.control
    if control is None:
        return None
    return {
        "arm": CONTROL,
        "purpose": purpose(CONTROL, spec),
        "label": "logistic",
        "parameter_count": control.feature_count,
        "seeds": int(control.status == "completed"),
        "failed": int(control.status == "failed"),
        "left_out": 0,
        "test_accuracy_kept": control.test_accuracy,
        "test_accuracy_mean": control.test_accuracy,
        "test_accuracy_low": control.test_accuracy,
        "test_accuracy_high": control.test_accuracy,
        "test_loss_mean": control.test_loss,
        "training_seconds_mean": control.fit_seconds,
        "predict_1000_seconds": control.predict_1000_seconds,
    }


def _ensemble_row(
    records: StudyRecords, spec: StudySpec, rows: Sequence[dict[str, Any]]
) -> dict[str, Any] | None:
    """Its cost is that of all of the winner's runs, since each of them predicts every review."""
    arm = arms_from_records(records).get(ENSEMBLE)
    if arm is None:
        return None
    winner = next(row for row in rows if row["arm"] == "winner")
    times = [run.predict_1000_seconds for run in evaluated_runs(records, "winner")]
    known = [value for value in times if value is not None]
    return winner | {
        "arm": ENSEMBLE,
        "purpose": purpose(ENSEMBLE, spec),
        "label": f"{len(times)} × {winner['label']}",
        "parameter_count": len(times) * int(winner["parameter_count"]),
        "seeds": 1,
        "failed": 0,
        "left_out": 0,
        "test_accuracy_mean": arm.accuracy,
        "test_accuracy_kept": arm.accuracy,
        "test_accuracy_mean_low": None,
        "test_accuracy_mean_high": None,
        "test_accuracy_low": arm.accuracy,
        "test_accuracy_high": arm.accuracy,
        "test_accuracy_sd": None,
        "test_loss_mean": log_loss(arm.labels, arm.probabilities[0]),
        "training_seconds_mean": len(times) * float(winner["training_seconds_mean"]),
        "predict_1000_seconds": math.fsum(known) if known else None,
    }


def _mean(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return statistics.fmean(present) if present else None


def _interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Returns Student's interval of a mean over runs, on these test reviews; none for one run.

    Checked: `scipy.stats.ttest_1samp(...).confidence_interval()`.
    """
    if len(values) < 2:
        return None, None
    from scipy.special import stdtrit

    reach = float(stdtrit(len(values) - 1, (1 + LEVEL) / 2)) * statistics.stdev(values)
    half = reach / len(values) ** 0.5
    middle = statistics.fmean(values)
    return max(0.0, middle - half), min(1.0, middle + half)
