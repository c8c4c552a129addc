"""The exported network of a custom builder: what of it can be written, and reading it back.

Writing runs the builder's file, as training does. Reading does not: a `.keras` file of Keras's own
layers needs no code, and one with other layers is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from numpy.typing import NDArray

from lstm_study.configuration import Configuration
from lstm_study.errors import ExportError
from lstm_study.export.archive import check_own_archive
from lstm_study.export.layout import BUILDER, ENSEMBLE, NETWORK, NETWORK_H5, ONNX, TEXT_MODEL
from lstm_study.export.network import read_network, save_network, save_onnx, set_weights
from lstm_study.export.settings import BundleFacts
from lstm_study.export.text_model import write_text_model
from lstm_study.records import Run
from lstm_study.spec import ModelTable

_OF_KERAS = "keras"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnExport:
    """A network of a builder, and what of it can't be exported.

    Attributes:
        builder: The builder.
        configuration: The values it is called with.
        layers: Classes of its layers that are not Keras's own.
        no_temperature: Why its logits can't be divided by a temperature; "" if they can.
        is_compiled: Whether the builder compiles it, as it may do for some configurations alone.
    """

    builder: ModelTable
    configuration: Configuration
    layers: tuple[str, ...]
    no_temperature: str
    is_compiled: bool

    @classmethod
    def of(cls, builder: ModelTable, configuration: Configuration) -> Self:
        """Builds a network to see what can be exported of it.

        Raises:
            BuilderError: The builder fails.
        """
        network = _built(builder, configuration)
        return cls(
            builder=builder,
            configuration=configuration,
            layers=tuple(sorted(_layers_of_its_own(network))),
            no_temperature=_why_no_temperature(network),
            is_compiled=bool(network.compiled),
        )

    def facts(self, facts: BundleFacts) -> BundleFacts:
        """Adds to what a bundle says of itself what this network changes."""
        facts = replace(
            facts, builder=self.builder, own_layers=self.layers, is_compiled=self.is_compiled
        )
        if facts.temperature is None or not self.no_temperature:
            return facts
        return replace(facts, temperature=None, no_temperature=self.no_temperature)


def write_own_networks(
    folder: Path,
    own: OwnExport,
    facts: BundleFacts,
    *,
    weights: Sequence[NDArray[Any]],
    members: Sequence[tuple[Run, Sequence[NDArray[Any]]]],
) -> BundleFacts:
    """Writes a network in every format that can hold it, and the builder's text.

    Returns:
        What the bundle says of itself, with why a format is left out.

    Raises:
        ExportError: Keras can't save it in its own format, or the weights are another network's.
    """
    (folder / BUILDER).write_text(own.builder.source, encoding="utf-8", newline="\n")
    network = _with_weights(own, weights, where=facts.run.run_id)
    reason = _attempt(folder / NETWORK, lambda: save_network(network, folder / NETWORK))
    if reason:
        raise ExportError(
            f"{own.builder.builder}: its network must be one that Keras can save ({reason}). Give "
            "its layers a get_config(), and export again."
        )
    path = folder / NETWORK_H5
    facts = replace(facts, no_h5=_attempt(path, lambda: save_network(network, path)))
    if not facts.no_onnx:
        reason = _attempt(folder / ONNX, lambda: save_onnx(network, folder / ONNX))
        facts = replace(facts, no_onnx=reason)
    words = facts.vocabulary
    if words is not None and not facts.no_text_model:
        text = folder / TEXT_MODEL
        reason = _attempt(
            text,
            lambda: write_text_model(
                text, network=network, configuration=own.configuration, vocabulary=words
            ),
        )
        facts = replace(facts, no_text_model=reason)
    if members:
        path_of_all = folder / ENSEMBLE
        reason = _attempt(path_of_all, lambda: save_network(_mean(own, members), path_of_all))
        if reason:
            facts = replace(facts, no_ensemble=reason, ensemble=())
    return facts


def load_own_network(path: Path, *, own_layers: Sequence[str]) -> Any:
    """Loads the saved network of a builder, of Keras's own layers; nothing in the file is run.

    Args:
        path: The file.
        own_layers: Classes of its layers that are not Keras's own, as the bundle says.

    Raises:
        ExportError: It has such layers, Keras can't read it, or it gives no probability.
    """
    if own_layers:
        raise ExportError(
            f"{path}: has layers of its builder's own ({', '.join(own_layers)}), which lstm-study "
            "does not run to predict. Load it with keras.models.load_model(..., custom_objects=...)"
            " and the classes of builder.py beside it, or use text-model/."
        )
    check_own_archive(path)
    network = read_network(path)
    shape = getattr(network, "output_shape", None)
    if shape != (None, 1):
        raise ExportError(
            f"{path}: must give one probability a review. Received: a network of shape {shape}. "
            "Export the model again."
        )
    return network


def _built(builder: ModelTable, configuration: Configuration) -> Any:
    from lstm_study.model.builder import call

    # The seed does not matter: all weights are set, and prediction drops nothing.
    network, _ = call(builder, configuration.as_dict(), seed=1)
    return network


def _with_weights(own: OwnExport, weights: Sequence[NDArray[Any]], *, where: str) -> Any:
    network = _built(own.builder, own.configuration)
    set_weights(network, weights, where=where)
    return network


def _mean(own: OwnExport, members: Sequence[tuple[Run, Sequence[NDArray[Any]]]]) -> Any:
    from lstm_study.model.network import ensemble_of

    return ensemble_of([_with_weights(own, each, where=run.run_id) for run, each in members])


def _attempt(path: Path, write: Callable[[], None]) -> str:
    """Writes a file or folder; returns why its format can't hold the network, "" if it can.

    Raises:
        OSError: The disk is full, or the folder can't be written to.
    """
    import shutil

    try:
        write()
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - layers of anyone's own may fail in any way
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        text = " ".join(str(error).split())[:200].rstrip(".")
        return f"{type(error).__name__}: {text}"
    return ""


def _layers_of_its_own(network: Any) -> set[str]:
    return {
        type(layer).__name__
        for layer in network._flatten_layers()  # as Keras's own exporters walk over layers
        if type(layer).__module__.partition(".")[0] != _OF_KERAS
    }


def _why_no_temperature(network: Any) -> str:
    """Says why a temperature can't be worked into the last layer; "" if it can."""
    import keras

    last = network.layers[-1]
    is_logistic = (
        isinstance(last, keras.layers.Dense)
        and last.activation is keras.activations.sigmoid
        and last.use_bias
        and [id(weight) for weight in network.weights[-2:]] == [id(w) for w in last.weights]
    )
    if is_logistic:
        return ""
    return "its last layer is not Dense(1, activation='sigmoid') with a bias"
