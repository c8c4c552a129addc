"""Tables of what runs predict on test: ROC, calibration, and the predictions themselves."""

import gzip
import io
import math
from typing import Any

import numpy as np

from lstm_study import metrics
from lstm_study.analysis.statistics.calibration import temperature_of, tempered
from lstm_study.records import StudyRecords
from lstm_study.report.tables.columns import ARM
from lstm_study.report.tables.metrics import CALIBRATED, WINNER, evaluated, metric_tables
from lstm_study.report.tables.table import Column, Table, cells_of, safe_cell, table

BINS = 10


def prediction_tables(records: StudyRecords) -> list[Table]:
    """Builds every table of the predictions but the predictions themselves."""
    return [*metric_tables(records), _roc(records), _calibration(records)]


def predictions_csv_gz(records: StudyRecords) -> bytes | None:
    """Writes every run's test probabilities beside the label, gzipped; None without predictions.

    One row per test review, in the test half's own order. Three significant digits of the smaller
    of p and 1 - p are kept, which log losses depend on, and more where those would be 0.5, so that
    every label is the run's. Equal records give equal bytes.
    """
    if records.test_labels is None or not records.predictions:
        return None
    ids = sorted(records.predictions)
    columns = [
        [str(number) for number in range(len(records.test_labels))],
        [str(int(label)) for label in records.test_labels],
        *([_written(value) for value in records.predictions[run_id].tolist()] for run_id in ids),
    ]
    lines = [",".join(["review", "label", *(safe_cell(run_id) for run_id in ids)])]
    lines += [",".join(row) for row in zip(*columns, strict=True)]
    out = io.BytesIO()
    # Level 9 takes six times as long, and saves 3%.
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="", compresslevel=6) as file:
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


def _written(value: float) -> str:
    """0.0001234 → "0.000123", 0.9998766 → "0.999877", 0.5000001 → "0.500000119"."""
    rest = 1 - value
    if value <= 0.5 or not rest:
        text = f"{value:.3g}"
    else:
        places = 2 - math.floor(math.log10(rest))
        text = f"{value:.{places}f}".rstrip("0")
    return text if text != "0.5" else f"{value:.9g}"


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
    for arm, _, probabilities in evaluated(records):
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
    read = evaluated(records)
    pooled = {
        arm: np.concatenate([row for name, _, row in read if name == arm])
        for arm in dict.fromkeys(name for name, _, _ in read)
    }
    temperature = temperature_of(records.runs, WINNER)
    if temperature is not None and WINNER in pooled:
        pooled[CALIBRATED] = tempered(pooled[WINNER], temperature)
    for arm, probabilities in pooled.items():
        truth = np.asarray(records.test_labels)
        labels = np.tile(truth, len(probabilities) // len(truth))
        rows += [
            cells_of(entry, columns, arm=arm, reviews=entry.documents)
            for entry in metrics.reliability(labels, probabilities, bins=BINS)
        ]
    return table("calibration", "One bin of one arm's reliability diagram", columns, rows)
