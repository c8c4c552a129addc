"""Tables of what runs predict on test: metrics, ROC, calibration, predictions."""

import gzip
import io
from typing import Any

from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.statistics import metrics
from lstm_study.records import StudyRecords
from lstm_study.report.tables.columns import ARM, RUN_ID
from lstm_study.report.tables.table import Column, Table, safe_cell, table

ROC_POINTS = 100
BINS = 10


def prediction_tables(records: StudyRecords) -> list[Table]:
    """Builds every table of the predictions but the predictions themselves."""
    found = _metrics(records)
    return [found, _confusion(found), _roc(records), _calibration(records)]


def predictions_csv_gz(records: StudyRecords) -> bytes | None:
    """Writes every run's test probabilities beside the label, gzipped; None without predictions.

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
        Column(name="accuracy", meaning="Share of test reviews classified correctly", unit="share",
               form="percent"),
        Column(name="balanced_accuracy", unit="share", form="percent",
               meaning="Mean of the shares of positive and negative reviews classified correctly"),
        Column(name="majority_share", unit="share", form="percent",
               meaning="Share of the more frequent label: the accuracy of always answering it"),
        Column(name="log_loss", meaning="Binary cross-entropy, probabilities clipped at 1e-7",
               unit="nats", form="loss"),
        Column(name="roc_auc", meaning="Area under the ROC curve",
               form="loss"),
        Column(name="f1", meaning="F1 of the positive label", form="loss"),
        Column(name="brier_score", meaning="Mean squared error of the probability",
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
    for arm, run_id, probabilities in _evaluated(records):
        found = metrics.measure(records.test_labels, probabilities)  # type: ignore[arg-type]
        rows.append(
            {"arm": arm, "run_id": run_id}
            | {name.name: getattr(found, name.name) for name in columns[2:10]}
            | {name.name: getattr(found.confusion, name.name) for name in columns[10:]}
        )
    return table("metrics", "Metrics of one run on test", columns, rows)


def _confusion(runs: Table) -> Table:
    """Averages the confusion counts of each arm's runs."""
    columns = (
        ARM,
        Column(name="runs", meaning="Completed runs in the mean", unit="runs", form="count"),
        *(
            Column(name=column.name, meaning=f"{column.meaning}, mean over runs",
                   unit="reviews", form="count")
            for column in runs.columns[-4:]
        ),
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for arm in dict.fromkeys(runs.column("arm")):
        mine = [row for row in runs.records() if row["arm"] == arm]
        means = {
            column.name: sum(float(row[column.name] or 0) for row in mine) / len(mine)
            for column in columns[2:]
        }
        rows.append({"arm": arm, "runs": len(mine), **means})
    return table("confusion", "Confusion matrix of one arm", columns, rows)


def _roc(records: StudyRecords) -> Table:
    """Thins each curve to at most 101 points, spaced evenly over the reviews."""
    import numpy as np

    columns = (
        ARM,
        RUN_ID,
        Column(name="false_positive_rate", meaning="Negative reviews classified as positive",
               unit="share", form="share"),
        Column(name="true_positive_rate", meaning="Positive reviews classified as positive",
               unit="share", form="share"),
    )  # fmt: skip
    rows = []
    for arm, run_id, probabilities in _evaluated(records):
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
                "arm": arm,
                "run_id": run_id,
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
        Column(name="positive", meaning="Share of them that is positive", unit="share",
               form="share"),
    )  # fmt: skip
    import numpy as np

    rows = []
    read = _evaluated(records)
    for arm in dict.fromkeys(name for name, _, _ in read):
        rows_of_arm = [row for name, _, row in read if name == arm]
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
