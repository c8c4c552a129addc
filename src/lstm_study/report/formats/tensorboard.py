"""The study as TensorBoard event files: scalars per epoch, and the HParams tab.

Each trial and each run is a folder with one event file, so that TensorBoard shows it as a run.
Needs neither TensorFlow nor TensorBoard. Equal records give equal bytes.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from lstm_study.configuration import HYPERPARAMETERS
from lstm_study.errors import ReportError
from lstm_study.files import replacing_folder
from lstm_study.records import Epoch, Run, StudyRecords, Trial
from lstm_study.report.formats.event_file import framed, message
from lstm_study.report.write import CHOOSE_ANOTHER

FOLDER_NAME = "tensorboard"
_MEASURES = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy",
             "train_seconds")  # fmt: skip
_METRICS = ("score", "validation_accuracy", "validation_loss", "test_accuracy", "test_loss")
# Of HParams: success and failure. One that runs, or will go on, has not ended.
_STATUS = {"completed": 1, "failed": 2}
_FLOAT64 = 3


def write_tensorboard(records: StudyRecords, *, folder: Path) -> Path:
    """Writes event files of all trials and runs, replacing earlier ones.

    Args:
        records: The study.
        folder: Where the folder `tensorboard` goes.

    Returns:
        That folder, for `tensorboard --logdir`.

    Raises:
        ReportError: The folder can't be written to.
    """
    target = folder / FOLDER_NAME
    with replacing_folder(
        target, durable=False, error=ReportError, next_step=CHOOSE_ANOTHER
    ) as made:
        for path, data in event_files(records).items():
            (made / path).parent.mkdir(parents=True, exist_ok=True)
            (made / path).write_bytes(data)
    return target


def event_files(records: StudyRecords) -> dict[str, bytes]:
    """Renders every event file: path within the folder → bytes."""
    files = dict([experiment_file(records.name, began=_began(records))])
    trainings: list[Trial | Run] = [*records.trials, *records.runs]
    return files | dict(event_file(training) for training in trainings)


def experiment_file(name: str, *, began: str) -> tuple[str, bytes]:
    """Renders what names the hyperparameters and metrics of the HParams tab: path and bytes.

    Args:
        name: The study's.
        began: When, ISO 8601; "" where nothing has begun.
    """
    experiment = message(
        "Experiment",
        hparam_infos=[
            message("HParamInfo", name=name, display_name=name, type=_FLOAT64)
            for name in (*HYPERPARAMETERS, "budget_epochs")
        ],
        metric_infos=[
            message("MetricInfo", name=message("MetricName", tag=tag), display_name=tag)
            for tag in _METRICS
        ],
    )
    event = _hparams_event("_hparams_/experiment", _seconds(began), experiment=experiment)
    return f"events.out.tfevents.0.{name}", framed([event])


def event_file(training: Trial | Run) -> tuple[str, bytes]:
    """Renders the event file of a trial or run: path within the folder, and bytes.

    A later record of the same training renders to the same bytes and more: so a file can be brought
    up to date by appending.
    """
    if isinstance(training, Trial):
        stage = group = "control" if training.role == "control" else "search"
        name = training.trial_id
    else:
        stage, group, name = "runs", training.arm, training.run_id
    path = f"{stage}/{name}/events.out.tfevents.0.{name}"
    return path, framed(_events(training, name, group))


def _began(records: StudyRecords) -> str:
    return min((item.started_at for item in records.sessions), default="")


def _events(training: Trial | Run, name: str, group: str) -> list[Any]:
    began = _seconds(training.started_at)
    budget = training.budget_epochs if isinstance(training, Trial) else training.protocol_epochs
    given = training.configuration.as_dict() | {"budget_epochs": budget}
    start = message(
        "SessionStart",
        hparams=[
            message("Entry", key=key, value=message("Scalar", number_value=float(value)))
            for key, value in given.items()
        ]
        + [message("Entry", key="stage", value=message("Scalar", string_value=group))],
        group_name=name,
        start_time_secs=began,
    )
    events = [_hparams_event("_hparams_/session_start_info", began, session_start_info=start)]
    clock = began
    for epoch in training.epochs:
        clock += epoch.train_seconds + epoch.validation_seconds
        events.append(_scalars(clock, epoch.epoch, _of_epoch(epoch)))
    if training.status not in _STATUS:
        return events
    last = training.epochs[-1].epoch if training.epochs else 0
    ended = _seconds(training.ended_at) or clock
    events.append(_scalars(ended, last, _of_training(training)))
    end = message("SessionEnd", status=_STATUS[training.status], end_time_secs=ended)
    events.append(_hparams_event("_hparams_/session_end_info", ended, session_end_info=end))
    return events


def _of_epoch(epoch: Epoch) -> dict[str, float | None]:
    return {name: getattr(epoch, name) for name in _MEASURES}


def _of_training(training: Trial | Run) -> dict[str, float | None]:
    if isinstance(training, Trial):
        return {"score": training.score, "seconds": training.seconds}
    return {
        "test_accuracy": training.test_accuracy,
        "test_loss": training.test_loss,
        "seconds": training.seconds,
    }


def _scalars(moment: float, step: int, values: Mapping[str, float | None]) -> Any:
    known = [
        message("Value", tag=tag, simple_value=value)
        for tag, value in values.items()
        if value is not None
    ]
    return message("Event", wall_time=moment, step=step, summary=message("Summary", value=known))


def _hparams_event(tag: str, moment: float, **data: Any) -> Any:
    content = message("HParamsPluginData", version=0, **data).SerializeToString()
    plugin = message("PluginData", plugin_name="hparams", content=content)
    value = message("Value", tag=tag, metadata=message("SummaryMetadata", plugin_data=plugin))
    return message("Event", wall_time=moment, summary=message("Summary", value=[value]))


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() if moment else 0.0
