"""Messages between machines that share no folder: the files that a message names go with it."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.engine.jobs import Job, JobResult
from lstm_study.files import replacing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parcel:
    """A message with the contents of the files that it names, as bytes."""

    message: Any
    files: Mapping[Path, NDArray[np.uint8]]


def packed(message: Any) -> Parcel:
    """Returns a message with the contents of the files that it names."""
    return Parcel(
        message=message,
        files={path: np.fromfile(path, dtype=np.uint8) for path in _paths_of(message)},
    )


def unpacked(parcel: Parcel, folder: Path) -> Any:
    """Writes a message's files to a folder, and returns the message that names them there."""
    moved = {}
    for path, contents in parcel.files.items():
        moved[path] = folder / f"{secrets.token_hex(4)}-{path.name}"
        with replacing(moved[path]) as temporary:
            temporary.write_bytes(contents.data)
    return _renamed(parcel.message, moved)


def _paths_of(message: Any) -> list[Path]:
    if isinstance(message, JobResult):
        weights = message.evaluation.weights if message.evaluation is not None else None
        return [path for path in (message.checkpoint, weights) if path is not None]
    if isinstance(message, Sequence):
        return [path for job in message if isinstance(job, Job) for path in job.starts]
    return []


def _renamed(message: Any, moved: Mapping[Path, Path]) -> Any:
    if isinstance(message, JobResult):
        checkpoint, evaluation = message.checkpoint, message.evaluation
        if evaluation is not None:
            evaluation = replace(evaluation, weights=moved[evaluation.weights])
        if checkpoint is not None:
            checkpoint = moved[checkpoint]
        return replace(message, checkpoint=checkpoint, evaluation=evaluation)
    if isinstance(message, Sequence):
        return [
            replace(job, starts=tuple(moved[path] for path in job.starts))
            if isinstance(job, Job)
            else job
            for job in message
        ]
    return message
