"""The complete state of a training after an epoch: weights, optimizer, random state, history.

A checkpoint is one `.npz` file of plain arrays, the same for every backend, replaced atomically.
"""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.errors import RecordError
from lstm_study.files import array_from, digest_of, replacing
from lstm_study.records import Epoch, Run
from lstm_study.records.consistency import of_weights


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The state of a training after an epoch.

    Attributes:
        epochs: The history, from the configuration's first training step.
        variables: Weights, optimizer slots and step count, seed generators' states.
        earlier: The weights alone after the epochs just before, the oldest first, where the mean of
            several epochs' predictions is wanted.
    """

    epochs: tuple[Epoch, ...]
    variables: tuple[NDArray[Any], ...]
    earlier: tuple[tuple[NDArray[Any], ...], ...] = ()


def training_state(model: Any) -> tuple[NDArray[Any], ...]:
    """Copies all variables that training changes in a model and its optimizer, in a fixed order."""
    return tuple(np.asarray(variable) for variable in _variables(model))


def set_state(model: Any, variables: Sequence[NDArray[Any]], *, where: str) -> None:
    """Restores variables that `training_state` copied.

    Raises:
        RecordError: The arrays do not have this model's shapes.
    """
    targets = _variables(model)
    if [tuple(target.shape) for target in targets] != [array.shape for array in variables]:
        raise RecordError(
            f"{where}: holds another network's weights. Delete it to train from the start."
        )
    for target, array in zip(targets, variables, strict=True):
        target.assign(array)


def write_checkpoint(path: Path, checkpoint: Checkpoint, *, durable: bool = True) -> None:
    """Writes a checkpoint, replacing the earlier one whole.

    Args:
        path: Its file.
        checkpoint: What to write.
        durable: Whether to wait until the bytes are on the disk. Without, a power failure may tear
            the file, which its digest tells; the death of the process does not.

    Raises:
        StoreError: The disk is full, or the folder can't be written to.
    """
    epochs = [asdict(epoch) for epoch in checkpoint.epochs]
    parts = [*checkpoint.variables, *(each for set_ in checkpoint.earlier for each in set_)]
    header: dict[str, Any] = {"epochs": epochs, "sha256": _digest(epochs, parts)}
    if checkpoint.earlier:
        header["earlier"] = [len(weights) for weights in checkpoint.earlier]
    text = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    arrays = {f"v{index:04d}": array for index, array in enumerate(parts)}
    with replacing(path, durable=durable) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, header=text, **arrays)


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Reads a checkpoint; returns None if the file does not exist.

    Raises:
        RecordError: It is damaged, in whatever way: the archive's and NumPy's readers raise errors
            of many kinds for a single wrong bit.
    """
    if not path.is_file():
        return None
    try:
        arrays = _read_arrays(path)
        header = json.loads(arrays.pop("header.npy").tobytes())
        parts = tuple(arrays[name] for name in sorted(arrays))
        # Checkpoints of earlier versions have none.
        if header.get("sha256", "") not in ("", _digest(header["epochs"], parts)):
            raise ValueError("its digest does not match")
        epochs = tuple(Epoch(**epoch) for epoch in header["epochs"])
        earlier: list[tuple[NDArray[Any], ...]] = []
        for count in reversed(header.get("earlier", [])):
            earlier.insert(0, parts[len(parts) - count :])
            parts = parts[: len(parts) - count]
        return Checkpoint(epochs=epochs, variables=parts, earlier=tuple(earlier))
    except Exception as error:
        raise RecordError(f"{path}: is damaged ({error}).") from error


def read_weights(path: Path, run: Run) -> tuple[NDArray[Any], ...] | None:
    """Reads the weights that a run was evaluated with; returns None if the file does not exist.

    Raises:
        RecordError: They are damaged, or another training's.
    """
    found = read_checkpoint(path)
    if found is None:
        return None
    check_weights(path, found, run)
    return found.variables


def check_weights(path: Path, weights: Checkpoint, run: Run) -> None:
    """Checks that weights are those of a run.

    Raises:
        RecordError: They are another training's.
    """
    if reason := of_weights(weights.epochs, run):
        raise RecordError(f"{path}: {reason}.")


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Reads the arrays of an archive whose parts are not compressed, nor larger than itself."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        is_plain = all(part.compress_type == zipfile.ZIP_STORED for part in parts)
        if not is_plain or sum(part.file_size for part in parts) > path.stat().st_size:
            raise ValueError("its parts are compressed, or larger than the file")
        return {part.filename: array_from(archive.read(part)) for part in parts}


def _digest(epochs: list[dict[str, Any]], variables: Sequence[NDArray[Any]]) -> str:
    text = json.dumps(epochs) + "".join(map(digest_of, variables))
    return hashlib.sha256(text.encode()).hexdigest()


def _variables(model: Any) -> list[Any]:
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]
