"""Tables of the comparison: arms, runs, learning curves, metrics, ROC, calibration, predictions."""

import gzip
import io
import statistics
from collections.abc import Sequence
from typing import Any

from lstm_study.analysis import metrics, search_summary
from lstm_study.analysis.optimism import search_optimism
from lstm_study.analysis.verdict import Verdict
from lstm_study.configuration import HYPERPARAMETERS, Configuration
from lstm_study.records import Run, StudyRecords
from lstm_study.report.columns import (
    ARM,
    ENDED_AT,
    EPOCH,
    HYPERPARAMETER_COLUMNS,
    PARAMETER_COUNT,
    SECONDS,
    SECONDS_PER_EPOCH,
    SEED,
    STARTED_AT,
    STATUS,
    WORKER,
    configuration_cells,
    measure_form,
    parameter_count,
    seconds_per_epoch,
)
from lstm_study.report.numbers import plain
from lstm_study.report.tables import Column, Table, safe_cell, table
from lstm_study.spec import StudySpec

RUN_ID = Column(name="run_id", meaning="Run: arm and seed index")
TEST_ACCURACY = Column(
    name="test_accuracy", meaning="Share of test reviews read right", unit="share", form="percent"
)
ROC_POINTS = 100
BINS = 10


def comparison_tables(records: StudyRecords, spec: StudySpec, verdict: Verdict) -> list[Table]:
    """Builds every table of the comparison but the predictions."""
    configurations = arm_configurations(records, spec)
    return [
        _verdict(records, verdict),
        _notes(verdict, records),
        _comparison(records, spec, configurations),
        _hyperparameters(spec, configurations),
        _runs(records.runs),
        _run_curves(records.runs),
        _metrics(records),
        _roc(records),
        _calibration(records),
        _tests(verdict),
        _optimism(records, spec),
    ]


def arm_configurations(records: StudyRecords, spec: StudySpec) -> dict[str, Configuration]:
    """Returns each arm's configuration, baseline and winner first.

    The baseline is the spec's and the winner the search's where they have no run yet.
    """
    found = {"baseline": spec.baseline.configuration}
    best = search_summary.winner(
        records.trials, spec.study.direction, max_epochs=spec.search.max_epochs
    )
    if best is not None:
        found["winner"] = best.configuration
    return found | {run.arm: run.configuration for run in records.runs}


def completed_runs(records: StudyRecords, arm: str) -> list[Run]:
    """Returns an arm's completed runs that were evaluated, by seed index."""
    return [
        run
        for run in records.runs
        if run.arm == arm and run.status == "completed" and run.test_accuracy is not None
    ]


def predictions_csv_gz(records: StudyRecords) -> bytes | None:
    """Writes every run's test probabilities beside the label, gzipped; None where there are none.

    One row per test review, in the test half's own order. Equal records give equal bytes.
    """
    if records.test_labels is None or not records.predictions:
        return None
    ids = sorted(records.predictions)
    columns = [records.predictions[run_id] for run_id in ids]
    lines = [",".join(["review", "label", *(safe_cell(run_id) for run_id in ids)])]
    lines += [
        f"{number},{int(label)}," + ",".join(f"{column[number]:.6g}" for column in columns)
        for number, label in enumerate(records.test_labels)
    ]
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="") as file:
        file.write(("\n".join(lines) + "\n").encode())
    return out.getvalue()


def _verdict(records: StudyRecords, verdict: Verdict) -> Table:
    points = "share; the report shows percentage points"
    columns = (
        Column(name="kind", meaning="Which of the stated answers it is"),
        Column(name="sentence", meaning="The answer in words"),
        Column(name="candidate", meaning="Arm in question"),
        Column(name="reference", meaning="Arm it is compared with"),
        Column(name="difference", meaning="Mean test accuracy, candidate minus reference",
               unit=points, form="points"),
        Column(name="low", meaning="Lower end of its interval", unit=points, form="points"),
        Column(name="high", meaning="Upper end of its interval", unit=points, form="points"),
        Column(name="level", meaning="Share of such intervals that hold the true difference",
               unit="share", form="share"),
        Column(name="p_value", meaning="Two-sided, of the test that the interval turns into",
               form="probability"),
        Column(name="resamples", meaning="Resamples of the bootstrap", form="count"),
        Column(name="smallest_difference", unit=points, form="bare_points",
               meaning="True difference that would have been found with the stated power"),
        Column(name="power", meaning="Chance of finding it", unit="share", form="share"),
        Column(name="seeds_to_settle", unit="runs", form="count",
               meaning="Runs per arm that would find the difference observed with that power"),
        Column(name="candidate_seeds", meaning="Completed runs of the candidate", unit="runs",
               form="count"),
        Column(name="reference_seeds", meaning="Completed runs of the reference", unit="runs",
               form="count"),
        Column(name="looks", meaning="How often this question was put to the test reviews",
               form="count"),
        Column(name="openings", meaning="Logged openings of the test reviews", form="count"),
        Column(name="disagreement", unit="share", form="share",
               meaning="Test reviews on which the two arms' majority votes differ"),
        Column(name="rule", meaning="The rule it was given by"),
        Column(name="deviations", meaning="How the study differs from the documented protocol"),
        Column(name="settings", meaning="One-off changes of the spec"),
    )  # fmt: skip
    found, power = verdict.difference, verdict.power
    row = {
        "kind": verdict.kind,
        "sentence": verdict.sentence,
        "candidate": verdict.candidate,
        "reference": verdict.reference,
        "difference": found.difference if found else None,
        "low": found.low if found else None,
        "high": found.high if found else None,
        "level": found.level if found else None,
        "p_value": found.p_value if found else None,
        "resamples": found.resamples if found else None,
        "smallest_difference": power.smallest_difference if power else None,
        "power": power.power if power else None,
        "seeds_to_settle": power.seeds_to_settle if power else None,
        "candidate_seeds": len(completed_runs(records, verdict.candidate)),
        "reference_seeds": len(completed_runs(records, verdict.reference)),
        "looks": verdict.looks,
        "openings": len(records.openings),
        "disagreement": verdict.disagreement.between_votes if verdict.disagreement else None,
        "rule": verdict.rule,
        "deviations": "; ".join(records.deviations),
        "settings": "; ".join(records.settings),
    }
    return table("verdict", "The study's answer", columns, [row])


def _notes(verdict: Verdict, records: StudyRecords) -> Table:
    """Lists the caveats of the answer, a sentence each."""
    columns = (Column(name="note", meaning="A caveat of the answer"),)
    notes = list(verdict.notes)
    if records.deviations:
        notes.append(
            "This study differs from the documented baseline and protocol: "
            + "; ".join(records.deviations)
            + "."
        )
    if records.settings:
        notes.append("Settings changed on the command line: " + "; ".join(records.settings) + ".")
    return table("notes", "One caveat", columns, ({"note": note} for note in notes))


def _tests(verdict: Verdict) -> Table:
    columns = (
        Column(name="test", meaning="Name of the test"),
        Column(name="p_value", meaning="Two-sided p-value", form="probability"),
        Column(name="detail", meaning="What it counted"),
    )
    return table(
        "tests",
        "One test beside the verdict",
        columns,
        (
            {"test": entry.test, "p_value": entry.p_value, "detail": entry.detail}
            for entry in verdict.tests
        ),
    )


def _comparison(
    records: StudyRecords, spec: StudySpec, configurations: dict[str, Configuration]
) -> Table:
    columns = (
        ARM,
        Column(name="label", meaning="Embedding width / LSTM units"),
        *HYPERPARAMETER_COLUMNS,
        PARAMETER_COUNT,
        Column(name="seeds", meaning="Completed runs", unit="runs", form="count"),
        Column(name="failed", meaning="Failed runs", unit="runs", form="count"),
        Column(name="epochs", meaning="Epochs of each run", unit="epochs", form="count"),
        Column(name="test_accuracy_mean", meaning="Mean test accuracy of its runs", unit="share",
               form="percent"),
        Column(name="test_accuracy_low", meaning="Lowest test accuracy of its runs", unit="share",
               form="percent"),
        Column(name="test_accuracy_high", meaning="Highest test accuracy of its runs",
               unit="share", form="percent"),
        Column(name="test_accuracy_sd", meaning="Standard deviation over runs, n − 1",
               unit="share; the report shows percentage points", form="points"),
        Column(name="test_loss_mean", meaning="Mean binary cross-entropy on test", form="loss"),
        SECONDS_PER_EPOCH,
        Column(name="training_seconds_mean", meaning="Mean time worked of a run", unit="seconds",
               form="duration"),
        Column(name="test_seconds_per_thousand", meaning="Mean time to read 1,000 test reviews",
               unit="seconds", form="duration"),
    )  # fmt: skip
    rows = []
    for arm, configuration in configurations.items():
        runs = completed_runs(records, arm)
        accuracies = [run.test_accuracy for run in runs if run.test_accuracy is not None]
        rows.append(
            configuration_cells(configuration)
            | {
                "arm": arm,
                "label": configuration.label,
                "parameter_count": configuration.parameter_count,
                "seeds": len(runs),
                "failed": sum(run.arm == arm and run.status == "failed" for run in records.runs),
                "epochs": spec.protocol.epochs,
                "test_accuracy_mean": _mean(accuracies),
                "test_accuracy_low": min(accuracies, default=None),
                "test_accuracy_high": max(accuracies, default=None),
                "test_accuracy_sd": statistics.stdev(accuracies) if len(accuracies) > 1 else None,
                "test_loss_mean": _mean([run.test_loss for run in runs]),
                "seconds_per_epoch": _mean([seconds_per_epoch(run) for run in runs]),
                "training_seconds_mean": _mean([run.seconds for run in runs]),
                "test_seconds_per_thousand": _mean(
                    [
                        1000 * run.test_seconds / run.test_reviews
                        for run in runs
                        if run.test_seconds is not None and run.test_reviews
                    ]
                ),
            }
        )
    return table("comparison", "One arm", columns, rows)


def _hyperparameters(spec: StudySpec, configurations: dict[str, Configuration]) -> Table:
    searched = spec.space.searched()
    dimensions = spec.space.dimensions()
    columns = (
        Column(name="hyperparameter", meaning="Its name"),
        Column(name="meaning", meaning="What it is"),
        Column(name="searched", meaning="The values that the search drew from, or fixed"),
        *(
            Column(name=arm, meaning=f"Its value in the {arm}", form="plain")
            for arm in configurations
        ),
    )
    return table(
        "hyperparameters",
        "One hyperparameter",
        columns,
        (
            {
                "hyperparameter": name,
                "meaning": HYPERPARAMETER_COLUMNS[position].meaning,
                "searched": _space_in_words(dimensions[name].model_dump(), name, searched),
            }
            | {arm: getattr(value, name) for arm, value in configurations.items()}
            for position, name in enumerate(HYPERPARAMETERS)
        ),
    )


def _space_in_words(dimension: dict[str, Any], name: str, searched: Sequence[str]) -> str:
    if name not in searched:
        value = dimension.get("value", (dimension.get("choices") or [None])[0])
        return f"fixed at {plain(value)}"
    if "choices" in dimension:
        return ", ".join(plain(value) for value in dimension["choices"])
    step = f", step {plain(dimension['step'])}" if dimension["step"] else ""
    log = ", log scale" if dimension["sampling"] == "log" else ""
    return f"{plain(dimension['min'])} to {plain(dimension['max'])}{step}{log}"


def _runs(runs: Sequence[Run]) -> Table:
    columns = (
        RUN_ID,
        ARM,
        Column(name="seed_index", meaning="From 1; runs with one index share their data order",
               form="count"),
        SEED,
        STATUS,
        TEST_ACCURACY,
        Column(name="test_loss", meaning="Binary cross-entropy on test", form="loss"),
        Column(name="test_reviews", meaning="Reviews evaluated", unit="reviews", form="count"),
        Column(name="test_seconds", meaning="Time of the evaluation", unit="seconds",
               form="duration"),
        Column(name="epochs_trained", meaning="Epochs trained", unit="epochs", form="count"),
        Column(name="protocol_epochs", meaning="Epochs to train", unit="epochs", form="count"),
        SECONDS,
        SECONDS_PER_EPOCH,
        *HYPERPARAMETER_COLUMNS,
        PARAMETER_COUNT,
        WORKER,
        STARTED_AT,
        ENDED_AT,
        Column(name="error", meaning="Why it failed"),
    )  # fmt: skip
    same = ("run_id", "arm", "seed_index", "seed", "status", "test_accuracy", "test_loss",
            "test_reviews", "test_seconds", "protocol_epochs", "seconds", "worker", "started_at",
            "ended_at")  # fmt: skip
    return table(
        "runs",
        "One run: one training with one seed, evaluated on test",
        columns,
        (
            configuration_cells(run.configuration)
            | {name: getattr(run, name) for name in same}
            | {
                "epochs_trained": len(run.epochs),
                "seconds_per_epoch": seconds_per_epoch(run),
                "parameter_count": parameter_count(run),
                "error": run.failure.message if run.failure else None,
            }
            for run in runs
        ),
    )


def _run_curves(runs: Sequence[Run]) -> Table:
    measures = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    columns = (
        ARM,
        RUN_ID,
        EPOCH,
        Column(name="measure", meaning="What the value is"),
        Column(name="value", meaning="Its value after the epoch", form="loss"),
    )
    return table(
        "run_curves",
        "One measure of one epoch of one run",
        columns,
        (
            {
                "arm": run.arm,
                "run_id": run.run_id,
                "epoch": epoch.epoch,
                "measure": measure,
                "value": getattr(epoch, measure),
            }
            for run in runs
            for epoch in run.epochs
            for measure in measures
            if getattr(epoch, measure) is not None
        ),
    )


def _evaluated(records: StudyRecords) -> list[tuple[Run, Any]]:
    """Pairs each completed run with its probabilities, where the predictions fit the labels."""
    if records.test_labels is None:
        return []
    found = []
    for run in records.runs:
        row = records.predictions.get(run.run_id)
        if run.status == "completed" and row is not None and row.shape == records.test_labels.shape:
            found.append((run, row))
    return found


def _metrics(records: StudyRecords) -> Table:
    counted = "Reviews that are {} and read as {}"
    columns = (
        ARM,
        RUN_ID,
        Column(name="accuracy", meaning="Share of test reviews read right", unit="share",
               form="percent"),
        Column(name="log_loss", meaning="Binary cross-entropy, probabilities cut to 1e-7",
               unit="nats", form="loss"),
        Column(name="roc_auc", meaning="Chance that a positive review gets the higher probability",
               form="loss"),
        Column(name="f1", meaning="F1 of the positive label", form="loss"),
        Column(name="brier_score", meaning="Mean squared distance of probability and label",
               form="loss"),
        Column(name="calibration_error", meaning="Expected calibration error, 15 equal bins",
               form="loss"),
        Column(name="true_positive", meaning=counted.format("positive", "positive"),
               unit="reviews", form="count"),
        Column(name="false_negative", meaning=counted.format("positive", "negative"),
               unit="reviews", form="count"),
        Column(name="false_positive", meaning=counted.format("negative", "positive"),
               unit="reviews", form="count"),
        Column(name="true_negative", meaning=counted.format("negative", "negative"),
               unit="reviews", form="count"),
    )  # fmt: skip
    rows = []
    for run, probabilities in _evaluated(records):
        found = metrics.measure(records.test_labels, probabilities)  # type: ignore[arg-type]
        rows.append(
            {"arm": run.arm, "run_id": run.run_id}
            | {name.name: getattr(found, name.name) for name in columns[2:8]}
            | {name.name: getattr(found.confusion, name.name) for name in columns[8:]}
        )
    return table("metrics", "Metrics of one run on test", columns, rows)


def _roc(records: StudyRecords) -> Table:
    """Thins each curve to at most 101 points, spaced evenly over the reviews."""
    import numpy as np

    columns = (
        ARM,
        RUN_ID,
        Column(name="false_positive_rate", meaning="Negative reviews read as positive",
               unit="share", form="share"),
        Column(name="true_positive_rate", meaning="Positive reviews read as positive",
               unit="share", form="share"),
    )  # fmt: skip
    rows = []
    for run, probabilities in _evaluated(records):
        truth = np.asarray(records.test_labels, dtype=bool)
        order = np.argsort(-np.asarray(probabilities), kind="stable")
        changes = np.flatnonzero(np.diff(np.asarray(probabilities)[order])) + 1
        cuts = np.concatenate([[0], changes, [truth.size]])
        kept = np.unique(np.linspace(0, len(cuts) - 1, ROC_POINTS + 1).round().astype(int))
        hits = np.concatenate([[0], np.cumsum(truth[order])])[cuts[kept]]
        misses = cuts[kept] - hits
        if hits[-1] == 0 or misses[-1] == 0:
            continue
        rows += [
            {
                "arm": run.arm,
                "run_id": run.run_id,
                "false_positive_rate": round(float(miss / misses[-1]), 6),
                "true_positive_rate": round(float(hit / hits[-1]), 6),
            }
            for hit, miss in zip(hits, misses, strict=True)
        ]
    return table("roc", "One point of one run's ROC curve", columns, rows)


def _calibration(records: StudyRecords) -> Table:
    columns = (
        ARM,
        Column(name="low", meaning="Lower end of the bin of probabilities", form="share"),
        Column(name="high", meaning="Upper end of the bin", form="share"),
        Column(name="reviews", meaning="Reviews in it, summed over the arm's runs",
               unit="reviews", form="count"),
        Column(name="probability", meaning="Their mean probability", unit="share", form="share"),
        Column(name="positive", meaning="Their share that is positive", unit="share",
               form="share"),
    )  # fmt: skip
    import numpy as np

    pairs = _evaluated(records)
    rows = []
    for arm in dict.fromkeys(run.arm for run, _ in pairs):
        rows_of_arm = [row for run, row in pairs if run.arm == arm]
        pooled = np.concatenate(rows_of_arm)
        labels = np.tile(np.asarray(records.test_labels), len(rows_of_arm))
        rows += [
            {
                "arm": arm,
                "low": entry.low,
                "high": entry.high,
                "reviews": entry.documents,
                "probability": entry.probability,
                "positive": entry.positive,
            }
            for entry in metrics.reliability(labels, pooled, bins=BINS)
        ]
    return table("calibration", "One bin of one arm's reliability diagram", columns, rows)


def _optimism(records: StudyRecords, spec: StudySpec) -> Table:
    form = measure_form(spec.study.objective)
    gap = "points" if form == "percent" else "loss"
    columns = (
        ARM,
        Column(name="measure", meaning="accuracy or loss, the objective's"),
        Column(name="in_search", meaning="Score of the trial that the search ranked", form=form),
        Column(name="trial_id", meaning="That trial"),
        Column(name="trials_ranked", meaning="Completed trials that it was ranked among",
               form="count"),
        Column(name="fresh_validation", meaning="Mean over runs with fresh seeds, validation",
               form=form),
        Column(name="fresh_runs", meaning="How many runs that is", form="count"),
        Column(name="on_test", meaning="Mean over completed runs, test", form=form),
        Column(name="test_runs", meaning="How many runs that is", form="count"),
        Column(name="optimism", meaning="How much better search made it look than test", form=gap),
    )  # fmt: skip
    rows = search_optimism(records)
    return table(
        "optimism",
        "One arm's score in the search, on fresh seeds and on test",
        columns,
        ({column.name: getattr(row, column.name) for column in columns} for row in rows),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return statistics.fmean(present) if present else None
