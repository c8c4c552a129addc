"""TensorBoard's event files, read back by TensorFlow, which checks every checksum."""

from pathlib import Path

import pytest

from lstm_study.report.formats.tensorboard import write_tensorboard
from tests.support.fake_study import failed_study

tf = pytest.importorskip("tensorflow")


def _events(path: Path) -> list:  # type: ignore[type-arg]
    from tensorflow.core.util import event_pb2

    return [
        event_pb2.Event.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(path))
    ]


def test_every_epoch_of_a_trial_is_read_back_with_its_scalars(tmp_path: Path) -> None:
    study = failed_study()
    folder = write_tensorboard(study, folder=tmp_path)
    for trial in (study.trials[0], study.trials[1]):
        (path,) = (folder / "search" / trial.trial_id).iterdir()
        version, start, *middle, last, end = _events(path)
        assert version.file_version == "brain.Event:2"
        assert start.summary.value[0].tag == "_hparams_/session_start_info"
        assert end.summary.value[0].metadata.plugin_data.plugin_name == "hparams"
        assert [event.step for event in middle] == [epoch.epoch for epoch in trial.epochs]
        for event, epoch in zip(middle, trial.epochs, strict=True):
            found = {value.tag: value.simple_value for value in event.summary.value}
            assert found["validation_accuracy"] == pytest.approx(epoch.validation_accuracy)
            assert found["train_loss"] == pytest.approx(epoch.train_loss)
        scores = {value.tag: value.simple_value for value in last.summary.value}
        assert scores.get("score") == (trial.score and pytest.approx(trial.score))


def test_a_run_holds_its_test_accuracy(tmp_path: Path) -> None:
    study = failed_study()
    folder = write_tensorboard(study, folder=tmp_path)
    (path,) = (folder / "runs" / "baseline-s1").iterdir()
    found = {
        value.tag: value.simple_value for event in _events(path) for value in event.summary.value
    }
    assert found["test_accuracy"] == pytest.approx(study.runs[0].test_accuracy)
