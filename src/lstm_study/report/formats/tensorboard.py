"""The study as TensorBoard event files: scalars per epoch, and the HParams tab.

Each trial and each run is a folder with one event file, so that TensorBoard shows it as a run.
The messages are tensorboardX's (extra `tensorboard`); TensorFlow is not needed. Equal records give
equal bytes.

While a study runs, `LiveTensorBoard` keeps the files up to date. TensorBoard follows a growing
file, and a later record of the same training renders to the same bytes followed by more: so an
update appends the new bytes, and after a kill, even midway of a write, the missing ones.
"""

import shutil
import struct
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_study.configuration import HYPERPARAMETERS
from lstm_study.errors import DependencyError, ReportError
from lstm_study.files import step_after
from lstm_study.folders import replacing_folder
from lstm_study.objectives import EPOCH_MEASURES, METRICS, OBJECTIVES
from lstm_study.records import Run, StudyRecords, Trial
from lstm_study.report.write import CHOOSE_ANOTHER

if TYPE_CHECKING:
    from tensorboardX.proto.event_pb2 import Event

FOLDER_NAME = "tensorboard"
_STAGES = ("search", "control", "runs")
_MEASURES = (*EPOCH_MEASURES, "train_seconds")
_ON_TEST = tuple(metric.on_test for metric in METRICS)
_METRICS = ("score", *OBJECTIVES, *_ON_TEST)
# One that is running, or will be resumed, has not ended.
_STATUS = {"completed": "STATUS_SUCCESS", "failed": "STATUS_FAILURE"}


def write_tensorboard(records: StudyRecords, *, folder: Path) -> Path:
    """Writes event files of all trials and runs, replacing earlier ones.

    Returns:
        That folder, for `tensorboard --logdir`.

    Raises:
        DependencyError: tensorboardX is not installed.
        ReportError: The folder can't be written to.
    """
    require_tensorboardx()
    target = folder / FOLDER_NAME
    with replacing_folder(
        target, durable=False, error=ReportError, next_step=CHOOSE_ANOTHER
    ) as made:
        for path, data in event_files(records).items():
            (made / path).parent.mkdir(parents=True, exist_ok=True)
            (made / path).write_bytes(data)
    return target


def require_tensorboardx() -> None:
    """Checks that event files can be written.

    Raises:
        DependencyError: tensorboardX is not installed.
    """
    try:
        import tensorboardX  # noqa: F401
    except ModuleNotFoundError as error:
        raise DependencyError(
            "TensorBoard event files are written with tensorboardX, which is not installed. "
            "Install it with: pip install 'lstm-study[tensorboard]'"
        ) from error


def event_files(records: StudyRecords) -> dict[str, bytes]:
    """Renders every event file: path within the folder → bytes."""
    began = min((session.started_at for session in records.sessions), default="")
    trainings: list[Trial | Run] = [*records.trials, *records.runs]
    files = dict([experiment_file(records.name, trainings, began=began)])
    return files | dict(event_file(training) for training in trainings)


def experiment_file(
    name: str, trainings: Sequence[Trial | Run], *, began: str
) -> tuple[str, bytes]:
    """Renders the file with hyperparameters and metrics of the HParams tab: path and bytes.

    Args:
        name: The study's.
        trainings: Its trials and runs.
        began: Start of the study, ISO 8601; "" if it has not started.
    """
    from tensorboardX.proto import api_pb2 as api
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

    experiment = api.Experiment(
        hparam_infos=[
            api.HParamInfo(name=name, display_name=name, type=getattr(api, f"DATA_TYPE_{kind}"))
            for name, kind in _hparams(trainings)
        ],
        metric_infos=[
            api.MetricInfo(name=api.MetricName(tag=tag), display_name=tag) for tag in _METRICS
        ],
    )
    data = HParamsPluginData(version=0, experiment=experiment)
    event = _hparams_event("_hparams_/experiment", _seconds(began), data)
    return f"events.out.tfevents.0.{name}", _framed([event])


def _hparams(trainings: Sequence[Trial | Run]) -> list[tuple[str, str]]:
    """Returns the names of the HParams tab's columns, and which of its data types each has."""
    if trainings and trainings[0].configuration.own is not None:
        values = trainings[0].configuration.as_dict().items()
        columns = [(k, "STRING" if isinstance(v, str) else "FLOAT64") for k, v in values]
        return [*columns, ("budget_epochs", "FLOAT64")]
    kinds = {"choice": "STRING"}
    columns = [(name, kinds.get(row.kind, "FLOAT64")) for name, row in HYPERPARAMETERS.items()]
    return [*columns, ("budget_epochs", "FLOAT64")]


def event_file(training: Trial | Run) -> tuple[str, bytes]:
    """Renders the event file of a trial or run: path within the folder, and bytes.

    A later record of the same training renders to the same bytes followed by more, so that a file
    can be updated by appending.
    """
    if isinstance(training, Trial):
        stage = group = "control" if training.role == "control" else "search"
        name = training.trial_id
    else:
        stage, group, name = "runs", training.arm, training.run_id
    path = f"{stage}/{name}/events.out.tfevents.0.{name}"
    return path, _framed(_events(training, name, group))


def _events(training: Trial | Run, name: str, group: str) -> "list[Event]":
    from tensorboardX.proto import api_pb2 as api
    from tensorboardX.proto.plugin_hparams_pb2 import (
        HParamsPluginData,
        SessionEndInfo,
        SessionStartInfo,
    )

    began = _seconds(training.started_at)
    start = SessionStartInfo(group_name=name, start_time_secs=began)
    for key, value in (
        training.configuration.as_dict() | {"budget_epochs": training.last_epoch}
    ).items():
        if isinstance(value, str):
            start.hparams[key].string_value = value
        elif value is not None:  # given by the protocol
            start.hparams[key].number_value = float(value)
    start.hparams["stage"].string_value = group
    data = HParamsPluginData(version=0, session_start_info=start)
    events = [_hparams_event("_hparams_/session_start_info", began, data)]
    clock = began
    for epoch in training.epochs:
        clock += epoch.seconds
        measured = {name: getattr(epoch, name) for name in _MEASURES}
        events.append(_scalars(clock, epoch.epoch, measured))
    if training.status not in _STATUS:
        return events
    last = training.epochs[-1].epoch if training.epochs else 0
    ended = _seconds(training.ended_at) or clock
    names = ("score",) if isinstance(training, Trial) else _ON_TEST
    measured = {name: getattr(training, name) for name in (*names, "seconds")}
    events.append(_scalars(ended, last, measured))
    end = SessionEndInfo(status=api.Status.Value(_STATUS[training.status]), end_time_secs=ended)
    data = HParamsPluginData(version=0, session_end_info=end)
    events.append(_hparams_event("_hparams_/session_end_info", ended, data))
    return events


def _scalars(moment: float, step: int, values: Mapping[str, float | None]) -> "Event":
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary

    known = [
        Summary.Value(tag=tag, simple_value=value)
        for tag, value in values.items()
        if value is not None
    ]
    return Event(wall_time=moment, step=step, summary=Summary(value=known))


def _hparams_event(tag: str, moment: float, data: Any) -> "Event":
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata

    # Maps are written in no order of their own unless it is asked for.
    content = data.SerializeToString(deterministic=True)
    plugin = SummaryMetadata.PluginData(plugin_name="hparams", content=content)
    value = Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=plugin))
    return Event(wall_time=moment, summary=Summary(value=[value]))


def _framed(events: "list[Event]") -> bytes:
    """Frames events as an event file: each with its length and checksums, the version first.

    tensorboardX's own writer stamps the version with the present time, so that equal records would
    not give equal bytes.

    Source: tensorflow/core/lib/io/record_writer.h.
    """
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.record_writer import masked_crc32c

    found = bytearray()
    for event in (Event(wall_time=events[0].wall_time, file_version="brain.Event:2"), *events):
        data = event.SerializeToString()
        length = struct.pack("<Q", len(data))
        found += length + struct.pack("<I", masked_crc32c(length))
        found += data + struct.pack("<I", masked_crc32c(data))
    return bytes(found)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() if moment else 0.0


class LiveTensorBoard:
    """A study's event files.

    Files of another search in the folder `tensorboard` are deleted.

    Raises:
        DependencyError: tensorboardX is not installed.
    """

    def __init__(self, name: str, *, folder: Path) -> None:
        require_tensorboardx()
        self.folder = folder / FOLDER_NAME
        self._name = name
        self._written: dict[str, Trial | Run] = {}
        self._is_swept = False

    def update(self, trainings: Sequence[Trial | Run]) -> None:
        """Brings the files up to date; a training that has not started is left out.

        Raises:
            ReportError: The folder can't be written to.
        """
        begun = [training for training in trainings if training.started_at]
        try:
            if not self._is_swept:
                self._sweep({event_file(training)[0] for training in begun})
            if begun:
                first = min(training.started_at for training in begun)
                self._bring_up_to_date(*experiment_file(self._name, begun, began=first))
            for training in begun:
                key = _key(training)
                if self._written.get(key) != training:
                    self._bring_up_to_date(*event_file(training))
                    self._written[key] = training
        except OSError as error:
            step = (
                "Free space, or leave out --tensorboard: "
                "`lstm-study report --format tensorboard` writes the same files later."
            )
            raise ReportError(
                f"{self.folder}: cannot be written ({error.strerror or error}). "
                f"{step_after(error, otherwise=step)}"
            ) from error

    def _sweep(self, known: set[str]) -> None:
        """Deletes the folders of trainings that this study does not have."""
        folders = {(self.folder / path).parent for path in known}
        for stage in _STAGES:
            for path in (self.folder / stage).glob("*"):
                if path not in folders:
                    shutil.rmtree(path)
        self._is_swept = True

    def _bring_up_to_date(self, path: str, data: bytes) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        there = file.read_bytes() if file.is_file() else b""
        if not data.startswith(there):
            file.unlink()
            there = b""
        if len(there) < len(data):
            with file.open("ab") as appended:
                appended.write(data[len(there) :])


def _key(training: Trial | Run) -> str:
    return training.trial_id if isinstance(training, Trial) else f"run {training.run_id}"
