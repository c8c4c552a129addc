"""The exported network in its file formats: `.keras`, `.h5` and ONNX; written, read and checked."""

import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from lstm_study.configuration import Configuration
from lstm_study.errors import ExportError
from lstm_study.export.archive import check_archive, check_size


def set_weights(network: Any, weights: Sequence[NDArray[Any]], *, where: str) -> None:
    """Sets a network's weights, those of the finished run that `where` names in errors.

    Raises:
        ExportError: They are another network's.
    """
    needed = [tuple(weight.shape) for weight in network.weights]
    received = [tuple(array.shape) for array in weights]
    if needed != received:
        raise ExportError(
            f"{where}: its weights must have the shapes {needed}, as its configuration says. "
            f"Received: {received}. Start the study over with `lstm-study run STUDY.toml --fresh`."
        )
    network.set_weights(list(weights))


def save_network(network: Any, path: Path) -> None:
    """Saves a network; the file's suffix says how: `.keras`, or `.h5` for Keras's older format.

    Keras's warning that HDF5 is legacy is dropped: the format is written on purpose, beside the
    newer one.

    Raises:
        OSError: The file can't be written.
    """
    with quietly():
        network.save(path)


def why_no_onnx() -> str:
    """Says why Keras can't export to ONNX here; "" if it can."""
    import keras

    backend = keras.backend.backend()
    if backend != "tensorflow":
        return f"it was made with Keras on {backend}; the exporter used here is TensorFlow's"
    missing = [name for name in ("tf2onnx", "onnx") if find_spec(name) is None]
    if missing:
        return (
            f"Keras's exporter needs {' and '.join(missing)}, which this package does not "
            "install; `pip install tf2onnx onnx` and export again"
        )
    return ""


def save_onnx(network: Any, path: Path) -> None:
    """Saves a network in the ONNX format, by Keras's own exporter.

    The network is built with `use_cudnn=False`.
    """
    import numpy as np

    # The exporter refuses a network that was never called.
    given = [np.zeros((1, each.shape[1]), dtype=np.int32) for each in network.inputs]
    network(given if len(given) > 1 else given[0])
    with quietly():
        network.export(path, format="onnx", verbose=False)


def plain_network(
    configuration: Configuration,
    *,
    masked: bool = False,
    members: int = 1,
    use_cudnn: bool | str = "auto",
) -> Any:
    """Builds a network of layers that every Keras has; its weights are random: set them.

    Of several members its probability is the mean of theirs. The rest is as in `build_network`.
    """
    from lstm_study.model.network import build_network, ensemble_of

    if members == 1:
        return build_network(configuration, seed=1, masked=masked, plain=True, use_cudnn=use_cudnn)
    return ensemble_of(
        [build_network(configuration, seed=1, masked=masked, plain=True) for _ in range(members)]
    )


def load_network(
    path: Path, configuration: Configuration, *, masked: bool = False, members: int = 1
) -> Any:
    """Loads a saved network and makes sure that it is the one that the configuration describes.

    Raises:
        ExportError: Keras can't read it, or it is another network.
    """
    check_size(path, configuration, members=members)
    expected = plain_network(configuration, masked=masked, members=members)
    check_archive(path, expected)
    network = read_network(path)
    if _structure(network) != _structure(expected):
        raise ExportError(
            f"{path}: must be the network that configuration.json describes, {configuration.label} "
            f"for {configuration.maxlen} tokens of {configuration.vocabulary_size:,} ids. "
            "Received: another network. Export the model again."
        )
    return network


def read_network(path: Path) -> Any:
    """Reads a saved network; nothing in the file is run: Keras's safe mode is on.

    Raises:
        ExportError: Keras can't read it.
    """
    import keras

    try:
        with quietly():
            return keras.models.load_model(path, compile=False, safe_mode=True)
    except MemoryError:
        raise
    except Exception as error:  # Layers raise errors of many kinds.
        reason = str(error).partition("\n")[0][:200]
        raise ExportError(
            f"{path}: Keras {keras.__version__} cannot read it ({reason}). "
            "Install the Keras that configuration.json names, or export the model again."
        ) from error


def fast_networks(
    saved: Any, configuration: Configuration, *, masked: bool = False, members: int = 1
) -> tuple[Any, ...]:
    """Builds a saved network's members again with the LSTM that they were trained with.

    Files hold plain Keras layers, which every Keras loads. These networks have the faster loop over
    time and, with a mask, take batches of any length.

    Returns:
        Keras models as `build_network` gives them for training, one for each member.
    """
    from lstm_study.model.network import build_network

    weights = saved.get_weights()
    each = len(weights) // members
    found = []
    for member in range(members):
        # The seed does not matter: all weights are set, and prediction drops nothing.
        network = build_network(configuration, seed=1, masked=masked)
        network.set_weights(weights[member * each : (member + 1) * each])
        found.append(network)
    return tuple(found)


def _structure(network: Any) -> str:
    """Returns all that decides what a network computes but its weights, as comparable text."""
    return json.dumps(network.get_config() | {"name": ""}, sort_keys=True, default=str)


@contextmanager
def quietly() -> Iterator[None]:
    """Saves without remarks that are not for users, and keeps absl from setting logging up.

    absl gives the root logger a handler that prints, if it has none, before a filter is asked.
    In a notebook TensorFlow logs what it does, too.
    """

    def wanted(record: logging.LogRecord) -> bool:
        is_told = record.name == "tensorflow" and record.levelno < logging.WARNING
        return not is_told and "saving your model as an HDF5 file" not in record.getMessage()

    loggers, placeholder = [*map(logging.getLogger, ("absl", "tensorflow"))], logging.NullHandler()
    for logger in loggers:
        logger.addFilter(wanted)
    logging.root.addHandler(placeholder)
    try:
        with warnings.catch_warnings():
            # Keras 3.15 saves its variables by np.array, which NumPy 2 warns about.
            warnings.filterwarnings(
                "ignore", message="__array__ implementation", category=DeprecationWarning
            )
            # Its exporter asks NumPy for a name that NumPy dropped.
            warnings.filterwarnings("ignore", message="In the future `np", category=FutureWarning)
            yield
    finally:
        logging.root.removeHandler(placeholder)
        for logger in loggers:
            logger.removeFilter(wanted)
