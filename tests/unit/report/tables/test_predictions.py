"""Tests of predictions as CSV, and of the metrics of arms."""

import csv
import gzip
import io

import numpy as np
import pytest

from lstm_study.analysis.statistics.calibration import tempered
from lstm_study.metrics import log_loss
from lstm_study.records import StudyRecords
from lstm_study.report.tables.predictions import predictions_columns, predictions_csv_gz
from tests.support.fake_study import completed_study, empty_study


def _read(study: StudyRecords) -> dict[str, np.ndarray]:
    packed = predictions_csv_gz(study)
    assert packed is not None
    header, *rows = csv.reader(io.StringIO(gzip.decompress(packed).decode()))
    return dict(zip(header, np.array(rows, dtype=float).T, strict=True))


def test_predictions_hold_the_label_and_every_run_of_each_review() -> None:
    study = completed_study()
    # Rounded to 0.5 the first would still be negative, the second no longer positive.
    study.predictions["baseline-s1"][1:3] = np.float32(0.4999999), np.float32(0.5000001)
    packed = predictions_csv_gz(study)
    assert packed is not None
    lines = gzip.decompress(packed).decode().splitlines()
    assert lines[0] == "review,label," + ",".join(sorted(study.predictions))
    assert len(lines) == 1 + len(study.predictions["baseline-s1"])
    first = lines[1].split(",")
    assert first[:2] == ["0", "0"]
    written = [float(line.split(",")[2]) for line in lines[1:]]
    assert written == pytest.approx(study.predictions["baseline-s1"].tolist(), rel=5.1e-3)
    assert [each > 0.5 for each in written] == (study.predictions["baseline-s1"] > 0.5).tolist()


def test_predictions_are_the_same_bytes_at_every_writing() -> None:
    assert predictions_csv_gz(completed_study()) == predictions_csv_gz(completed_study())


def test_without_predictions_there_is_no_predictions_file() -> None:
    assert predictions_csv_gz(empty_study()) is None


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.0001234, "0.000123"),
        (0.25, "0.25"),
        (0.87654, "0.877"),
        (0.9998766, "0.999877"),
        (0.99999994, "0.9999999404"),
        (0.9996, "0.9996"),
        (1.0, "1"),
        (0.0, "0"),
        (0.5, "0.5"),
    ],
)
def test_a_prediction_has_three_digits_of_its_distance_from_the_nearer_end(
    probability: float, text: str
) -> None:
    study = completed_study()
    study.predictions["baseline-s1"][0] = np.float32(probability)
    packed = predictions_csv_gz(study)
    assert packed is not None
    assert gzip.decompress(packed).decode().splitlines()[1].split(",")[2] == text


def test_each_arms_log_loss_follows_from_the_written_predictions_to_four_digits() -> None:
    study = completed_study()
    for run_id, row in study.predictions.items():
        # As sure as networks are after some epochs: with three decimals, a fifth would be 1.
        study.predictions[run_id][:] = tempered(row, 0.15 if run_id.startswith("winner") else 0.4)
    written = _read(study)
    assert np.array_equal(written["label"], study.test_labels)
    for arm in ("baseline", "winner"):
        ids = [run_id for run_id in study.predictions if run_id.startswith(arm)]
        expected = np.mean([log_loss(study.test_labels, study.predictions[i]) for i in ids])
        found = np.mean([log_loss(study.test_labels, written[i]) for i in ids])
        assert found == pytest.approx(expected, abs=5e-5)


def test_the_columns_of_predictions_are_explained_as_they_are_written() -> None:
    study = completed_study()
    explained = predictions_columns(study)
    assert explained is not None
    assert explained.path == "tables/predictions.csv.gz"
    assert [column.name for column in explained.columns] == list(_read(study))
    assert predictions_columns(empty_study()) is None
