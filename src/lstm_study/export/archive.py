"""Whether a stranger's `.keras` file can be read at all: sizes first, before anything is built."""

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
_ALLOWED = {
    "Functional", "InputLayer", "Embedding", "LSTM", "Dense", "Average", "Add", "Bidirectional",
    "Concatenate", "Dropout", "SpatialDropout1D", "GlobalMaxPooling1D", "GlobalAveragePooling1D",
    "ReLU", "Rescaling", "Reshape",
}  # fmt: skip


def check_archive(path: Path, configuration: Configuration, *, members: int = 1) -> None:
    """Refuses a network whose file could not hold what it describes, or describes anything else.

    Loading it afterwards takes no more memory than its file's size allows, reads no other file and
    knows no layer but those of this package's networks.

    Args:
        path: The `.keras` file.
        configuration: The hyperparameters that the bundle describes.
        members: How many networks it holds.

    Raises:
        ExportError: It is not such a file.
    """
    size = path.stat().st_size
    least = configuration.parameter_count * members * _BYTES_PER_NUMBER
    if not least <= size <= _MOST_FILE_BYTES:
        raise ExportError(
            f"{path}: must have the {configuration.parameter_count:,} numbers that "
            f"configuration.json describes. Received: a file of {size:,} bytes. "
            "Export the model again."
        )
    try:
        reason = "; ".join(_problems(path, size, configuration, members))
    except Exception as error:  # noqa: BLE001 - a hostile file may raise anything
        reason = f"{type(error).__name__}: {error}"
    if reason:
        raise ExportError(
            f"{path}: is not a network that lstm-study exported ({reason[:200]}). "
            "Export the model again, and do not trust this file."
        )


def _problems(path: Path, size: int, configuration: Configuration, members: int) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
            yield "its parts must not be compressed"
        elif sum(info.file_size for info in archive.infolist()) > size:
            yield "its parts are larger than the file"
        elif archive.getinfo("config.json").file_size > _MOST_CONFIG_BYTES:
            yield "its description is too large"
        else:
            yield from _of_layers(json.loads(archive.read("config.json")), configuration, members)
            yield from _of_weights(archive.read("model.weights.h5"), size)


def _of_layers(config: Any, configuration: Configuration, members: int) -> Iterator[str]:
    most = {
        "input_dim": max(configuration.vocabulary_size, configuration.pair_rows),
        "output_dim": configuration.embedding_dim,
        "units": configuration.lstm_units,
    }
    layers = [node for node in _nodes(config) if isinstance(node.get("class_name"), str)]
    known = [node for node in layers if node.get("module") in ("keras", "keras.layers", None)]
    if len(layers) > 40 * members * (configuration.lstm_layers + 2):
        yield f"it has {len(layers)} parts"
    for node in layers:
        name, module = node["class_name"], str(node.get("module"))
        if module.startswith("keras.layers") and name not in _ALLOWED:
            yield f"it has a layer {name}"
    for node in known:
        settings = node.get("config")
        for key in _SIZES:
            value = settings.get(key) if isinstance(settings, Mapping) else None
            if value is not None and not (isinstance(value, int) and 0 < value <= most[key]):
                yield f"{key} is {value}"


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        for item in value.values():
            yield from _nodes(item)
    elif isinstance(value, list):
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
