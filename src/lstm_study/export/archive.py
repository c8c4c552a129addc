"""Checks a `.keras` file of unknown origin: its sizes, before anything is built from it."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lstm_study.configuration import Configuration
from lstm_study.errors import ExportError

_BYTES_PER_NUMBER = 4
_MOST_CONFIG_BYTES = 4_000_000
_MOST_FILE_BYTES = 2**34
_SIZES = ("input_dim", "output_dim", "units")


def check_size(path: Path, configuration: Configuration, *, members: int = 1) -> None:
    """Refuses a network if its file is too small for what the bundle says it holds.

    Building the network that a bundle describes then takes no more memory than its file's size.

    Raises:
        ExportError: It is too small, or too large for any study.
    """
    size = path.stat().st_size
    least = configuration.parameter_count * members * _BYTES_PER_NUMBER
    if not least <= size <= _MOST_FILE_BYTES:
        raise ExportError(
            f"{path}: must have the {configuration.parameter_count:,} numbers that "
            f"configuration.json describes. Received: a file of {size:,} bytes. "
            "Export the model again."
        )


def check_archive(path: Path, expected: Any) -> None:
    """Refuses a file that describes anything but a network like the one expected.

    Loading it afterwards takes no more memory than that network, reads no other file, and knows no
    other layers.

    Raises:
        ExportError: It is not such a file.
    """
    _refuse_for(_problems(path, expected), path)


def _refuse_for(problems: Iterator[str], path: Path) -> None:
    try:
        reason = "; ".join(problems)
    except Exception as error:  # noqa: BLE001 - a hostile file may raise anything
        reason = f"{type(error).__name__}: {error}"
    if reason:
        raise ExportError(
            f"{path}: is not a network that lstm-study exported ({reason[:200]}). "
            "Export the model again, and do not trust this file."
        )


def _problems(path: Path, expected: Any) -> Iterator[str]:
    import keras

    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        if problem := _of_parts(archive, size):
            yield problem
        else:
            found = json.loads(archive.read("config.json"))
            yield from _of_layers(found, keras.saving.serialize_keras_object(expected))
            yield from _of_weights(archive.read("model.weights.h5"), size)


def check_own_archive(path: Path) -> None:
    """Refuses a file that describes more than layers of Keras's own, or more than it holds.

    Args:
        path: The `.keras` file of a network whose architecture nothing else describes.

    Raises:
        ExportError: It is not such a file.
    """
    _refuse_for(_own_problems(path), path)


def _own_problems(path: Path) -> Iterator[str]:
    size = path.stat().st_size
    if size > _MOST_FILE_BYTES:
        yield "it is too large"
        return
    with zipfile.ZipFile(path) as archive:
        if problem := _of_parts(archive, size):
            yield problem
            return
        found = json.loads(archive.read("config.json"))
        for node in _nodes(found):
            module = node.get("module")
            if isinstance(module, str) and module.partition(".")[0] not in ("keras", "builtins"):
                yield f"it has a part of {module}"
            rows, columns, units, filters = (
                max(1.0, _number(node.get(key))) for key in (*_SIZES, "filters")
            )
            # No array of a layer is larger than the file that holds its numbers.
            if max(rows * columns, units, filters) * _BYTES_PER_NUMBER > size:
                yield "its layers are larger than the file"
        yield from _of_weights(archive.read("model.weights.h5"), size)


def _of_parts(archive: zipfile.ZipFile, size: int) -> str:
    """Says what is wrong with the parts of a file; "" if nothing is."""
    if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
        return "its parts must not be compressed"
    if sum(info.file_size for info in archive.infolist()) > size:
        return "its parts are larger than the file"
    if archive.getinfo("config.json").file_size > _MOST_CONFIG_BYTES:
        return "its description is too large"
    return ""


def _of_layers(found: Any, expected: Any) -> Iterator[str]:
    nodes, known = list(_nodes(found)), list(_nodes(expected))
    if len(nodes) > 2 * len(known):
        yield f"it has {len(nodes)} parts, where {len(known)} are expected"
    names = {node.get("class_name") for node in known}
    for name in sorted({str(node["class_name"]) for node in nodes if "class_name" in node}):
        if name not in names:
            yield f"it has a part {name}"
    for key in _SIZES:
        most = max((_number(node.get(key)) for node in known), default=0)
        largest = max((_number(node.get(key)) for node in nodes), default=0)
        if largest > most:
            yield f"{key} is {largest}, where {most} is expected"


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 0


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        for item in value.values():
            yield from _nodes(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _nodes(item)


def _of_weights(data: bytes, size: int) -> Iterator[str]:
    import h5py

    with h5py.File(io.BytesIO(data), "r") as file:
        pending, numbers = [file], 0
        while pending:
            group = pending.pop()
            for name in group:
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    yield f"{name} is a link"
                    return
                item = group[name]
                if isinstance(item, h5py.Group):
                    pending.append(item)
                elif item.is_virtual or item.external or item.compression is not None:
                    yield f"{name} is not plain numbers"
                    return
                else:
                    numbers += item.nbytes
                if len(pending) > 10_000 or numbers > size:
                    yield "its weights are larger than the file"
                    return
