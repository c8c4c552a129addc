"""Tables of what runs predict on test: metrics, ROC, calibration, predictions."""

import gzip
import io
import math
from typing import Any

import numpy as np

from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.statistics import metrics
from lstm_study.analysis.statistics.calibration import temperature_of, tempered
from lstm_study.records import StudyRecords
from lstm_study.report.tables.columns import ARM, RUN_ID
from lstm_study.report.tables.table import Column, Table, cells_of, safe_cell, table

CALIBRATED = "winner, calibrated"
BINS = 10


def prediction_tables(records: StudyRecords) -> list[Table]:
    """Builds every table of the predictions but the predictions themselves."""
    found = _metrics(records)
    return [found, _confusion(found), _roc(records), _calibration(records)]


def predictions_csv_gz(records: StudyRecords) -> bytes | None:
    """Writes every run's test probabilities beside the label, gzipped; None without predictions.

    One row per test review, in the test half's own order. Three significant digits of the smaller
    of p and 1 - p are kept, which log losses depend on, and more where those would be 0.5, so that
    every label is the run's. Equal records give equal bytes.
    """
    if records.test_labels is None or not records.predictions:
        return None
    ids = sorted(records.predictions)
    columns = [records.predictions[run_id] for run_id in ids]
    lines = [",".join(["review", "label", *(safe_cell(run_id) for run_id in ids)])]
    lines += [
        f"{number},{int(label)}," + ",".join(_written(column[number]) for column in columns)
        for number, label in enumerate(records.test_labels)
    ]
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="") as file:
        file.write(("\n".join(lines) + "\n").encode())
    return out.getvalue()


def predictions_columns(records: StudyRecords) -> Table | None:
    """Explains the columns of predictions.csv.gz, without its rows; None without predictions."""
    if records.test_labels is None or not records.predictions:
        return None
    known = "three significant digits of the smaller of it and 1 minus it"
    columns = (
        Column("review", "Position in the test set, from 0"),
        Column("label", "True label: 1 for positive, 0 for negative"),
        *(
            Column(run_id, f"Probability of positive that {run_id} predicts: {known}")
            for run_id in sorted(records.predictions)
        ),
    )
    return Table(
        name="predictions", title="One test review", columns=columns, rows=(), suffix=".csv.gz"
    )


def _written(probability: float) -> str:
    """0.0001234 → "0.000123", 0.9998766 → "0.999877", 0.5000001 → "0.500000119"."""
    value = float(probability)
    rest = 1 - value
    if value <= 0.5 or not rest:
        text = f"{value:.3g}"
    else:
        places = 2 - math.floor(math.log10(rest))
        text = f"{value:.{places}f}".rstrip("0")
    return text if text != "0.5" else f"{value:.9g}"


def _evaluated(records: StudyRecords) -> list[tuple[str, str, Any]]:
    """Returns arm, id and probabilities of everything that was evaluated on test.

    The classical control and the ensemble have one row each, named like their arms.
    """
    arms = arms_from_records(records)
    ids = {
        (run.arm, run.seed_index): run.run_id for run in records.runs if run.status == "completed"
    }
    return [
        (name, ids.get((name, index), name), row)
        for name, arm in arms.items()
        for index, row in zip(arm.seed_indices, arm.probabilities, strict=True)
    ]


def _metrics(records: StudyRecords) -> Table:
    counted = "Reviews that are {} and classified as {}"
    columns = (
        ARM,
        RUN_ID,
        Column("accuracy", "Share of test reviews classified correctly", form="percent"),
        Column("balanced_accuracy",
               "Mean of the shares of positive and negative reviews classified correctly",
               form="percent"),
        Column("majority_share",
               "Share of the more frequent label: the accuracy of always answering it",
               form="percent"),
        Column("log_loss", "Binary cross-entropy, probabilities clipped at 1e-7", unit="nats",
               form="loss"),
        Column("roc_auc", "Area under the ROC curve", form="loss"),
        Column("f1", "F1 of the positive label", form="loss"),
        Column("brier_score", "Mean squared error of the probability", form="loss"),
        Column("calibration_error", "Expected calibration error, 15 equal bins", form="loss"),
        Column("true_positive", counted.format("positive", "positive"), unit="reviews",
               form="count"),
        Column("false_negative", counted.format("positive", "negative"), unit="reviews",
               form="count"),
        Column("false_positive", counted.format("negative", "positive"), unit="reviews",
               form="count"),
        Column("true_negative", counted.format("negative", "negative"), unit="reviews",
               form="count"),
    )  # fmt: skip
    rows = []
    for arm, run_id, probabilities in _evaluated(records):
        found = metrics.measure(records.test_labels, probabilities)  # type: ignore[arg-type]
        rows.append(
            cells_of(found, columns, arm=arm, run_id=run_id) | cells_of(found.confusion, columns)
        )
    return table("metrics", "Metrics of one run on test", columns, rows)


def _confusion(runs: Table) -> Table:
    """Averages the confusion counts of each arm's runs."""
    columns = (
        ARM,
        Column("runs", "Completed runs in the mean", unit="runs", form="count"),
        *(
            Column(column.name, f"{column.meaning}, mean over runs", unit="reviews", form="count")
            for column in runs.columns[-4:]
        ),
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for arm in dict.fromkeys(runs.column("arm")):
        mine = [row for row in runs.records() if row["arm"] == arm]
        means = {
            column.name: math.fsum(float(row[column.name] or 0) for row in mine) / len(mine)
            for column in columns[2:]
        }
        rows.append({"arm": arm, "runs": len(mine), **means})
    return table("confusion", "Confusion matrix of one arm", columns, rows)


def _roc(records: StudyRecords) -> Table:
    """Averages the ROC curves of each arm's runs at fixed false positive rates."""
    columns = (
        ARM,
        Column("runs", "Completed runs of the arm", unit="runs", form="count"),
        Column("false_positive_rate", "Negative reviews classified as positive", form="share"),
        Column("true_positive_rate", "Positive reviews classified as positive, mean over runs",
               form="share"),
        Column("lowest", "The lowest of its runs", form="share"),
        Column("highest", "The highest of its runs", form="share"),
    )  # fmt: skip
    # Denser where the curves bend.
    at = np.concatenate([np.arange(0, 40) / 400, np.arange(10, 101) / 100])
    curves: dict[str, list[Any]] = {}
    for arm, _, probabilities in _evaluated(records):
        truth = np.asarray(records.test_labels, dtype=bool)
        if truth.all() or not truth.any():
            continue
        order = np.argsort(-np.asarray(probabilities), kind="stable")
        changes = np.flatnonzero(np.diff(np.asarray(probabilities)[order])) + 1
        cuts = np.concatenate([[0], changes, [truth.size]])
        hits = np.concatenate([[0], np.cumsum(truth[order])])[cuts]
        misses = cuts - hits
        rates = np.interp(at, misses / misses[-1], hits / hits[-1])
        curves.setdefault(arm, []).append(np.concatenate([[0.0], rates]))
    rows = [
        {
            "arm": arm,
            "runs": len(found),
            "false_positive_rate": round(float(rate), 6),
            "true_positive_rate": round(float(np.mean(values)), 6),
            "lowest": round(float(min(values)), 6),
            "highest": round(float(max(values)), 6),
        }
        for arm, found in curves.items()
        for rate, values in zip([0.0, *at], np.transpose(found), strict=True)
    ]
    return table("roc", "One point of one arm's mean ROC curve", columns, rows)


def _calibration(records: StudyRecords) -> Table:
    columns = (
        ARM,
        Column("low", "Lower end of the bin of probabilities", form="share"),
        Column("high", "Upper end of the bin", form="share"),
        Column("reviews", "Reviews in it, summed over the arm's runs", unit="reviews",
               form="count"),
        Column("probability", "Their mean probability", form="share"),
        Column("positive", "Share of them that is positive", form="share"),
    )  # fmt: skip
    rows = []
    read = _evaluated(records)
    pooled = {
        arm: np.concatenate([row for name, _, row in read if name == arm])
        for arm in dict.fromkeys(name for name, _, _ in read)
    }
    temperature = temperature_of(records.runs, "winner")
    if temperature is not None and "winner" in pooled:
        pooled[CALIBRATED] = tempered(pooled["winner"], temperature)
    for arm, probabilities in pooled.items():
        truth = np.asarray(records.test_labels)
        labels = np.tile(truth, len(probabilities) // len(truth))
        rows += [
            cells_of(entry, columns, arm=arm, reviews=entry.documents)
            for entry in metrics.reliability(labels, probabilities, bins=BINS)
        ]
    return table("calibration", "One bin of one arm's reliability diagram", columns, rows)
