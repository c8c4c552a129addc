"""A custom builder: runs its file, builds a network with it, and says what is wrong with it.

The file's text comes from the study's records, so every worker trains the same text. It is run as a
module without a path: it can import what is installed, but nothing that lies beside it, for the
digest of the one file identifies the study's networks.
"""

import linecache
import re
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import keras
import keras_tuner
import numpy as np

from lstm_study.configuration import BASELINE, Configuration
from lstm_study.errors import BuilderError
from lstm_study.model.optimizer import make_optimizer
from lstm_study.seeds import derive
from lstm_study.spec import ModelTable, ProtocolTable

MODULE = "lstm_study_builder"
"""What the file's module is called while it is run."""

_HIGHEST_SEED = 2**32
_ROWS = 2
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def build_own(
    model: ModelTable,
    configuration: Configuration,
    *,
    protocol: ProtocolTable,
    seed: int,
) -> Any:
    """Builds the network of a configuration with a custom builder, compiled for training.

    What the builder compiles is kept: its optimizer and its loss; else they are the protocol's and
    binary cross-entropy. Accuracy is the only metric: the study measures its own.

    Args:
        model: The builder, explored.
        configuration: The values of what it declares.
        protocol: Optimizer and learning rate, where the builder compiles nothing.
        seed: Of Keras's global random state while the builder runs, from which its layers draw
            their seeds.

    Raises:
        BuilderError: The builder fails, or what it builds is no network for token ids.
    """
    network, _ = call(model, configuration.as_dict(), seed=seed)
    if not network.compiled:
        network.compile(
            optimizer=make_optimizer(configuration, protocol=protocol),
            loss="binary_crossentropy",
            metrics=["accuracy"],
        )
    else:
        network.compile(
            optimizer=network.optimizer,
            loss=network.loss,
            metrics=["accuracy"],
            run_eagerly=network.run_eagerly,
            jit_compile=network.jit_compile,
        )
    return network


def call(
    model: ModelTable, values: Mapping[str, Any], *, seed: int
) -> tuple[Any, keras_tuner.HyperParameters]:
    """Calls a builder.

    Args:
        model: The builder; once it is explored, it may only ask for what it declared.
        values: Of its hyperparameters; what is missing takes its default.
        seed: Of Keras's global random state.

    Returns:
        The Keras model, with its weights, and Keras Tuner's hyperparameters as they were asked for.

    Raises:
        BuilderError: It fails, or does not return a Keras model from token ids to a probability.
    """
    function = _function_of(model.file, model.source, model.function)
    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    keras.utils.set_random_seed(derive(seed, "builder") % _HIGHEST_SEED)
    with builder_errors(model, f"{model.function}(hp)"):
        network = function(hp)
    if not isinstance(network, keras.Model):
        raise BuilderError(
            f"{_at(model, function)}: {model.function} must return a Keras model. Received: "
            f"{type(network).__name__}. End the function with `return model`."
        )
    _check_names(model, function, hp)
    maxlen = hp.values.get("maxlen", BASELINE.maxlen)
    # Another type is refused with what the builder declares.
    if isinstance(maxlen, int):
        _check_shape(model, function, network, maxlen=maxlen)
    return network, hp


@contextmanager
def builder_errors(model: ModelTable, what: str) -> Iterator[None]:
    """Turns what is raised within a builder into one sentence with the line it was raised at."""
    try:
        yield
    except BuilderError:
        raise
    except Exception as error:
        step = "Fix the file and run again."
        if isinstance(error, ModuleNotFoundError):
            step = (
                "A builder may import installed packages, and no file beside it: the study and the "
                "model keep this file alone. Install the module, or move its code into the file."
            )
        raise BuilderError(
            f"{_line_of(model.file, error)}: {what} must run without an error. Received: "
            f"{type(error).__name__}: {_first_line(error)}. {step}"
        ) from error


@cache
def _function_of(file: str, source: str, name: str) -> Callable[[Any], Any]:
    """Runs a builder's file as a module, and returns the function."""
    model = ModelTable(builder=f"{file}:{name}", source=source)
    # Tracebacks show the text that ran, whatever the file holds now.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    module = types.ModuleType(MODULE)
    module.__file__ = file
    sys.modules[MODULE] = module
    with builder_errors(model, "importing the file"):
        exec(compile(source, file, "exec"), module.__dict__)  # noqa: S102 - the user's own code
    function = getattr(module, name, None)
    if not callable(function):
        raise BuilderError(
            f"{file}: must define the function {name}(hp) that model.builder names. Received: "
            f"{_defined(module)}. Define it, or name another one."
        )
    found: Callable[[Any], Any] = function
    return found


def _defined(module: types.ModuleType) -> str:
    names = [
        name
        for name, value in vars(module).items()
        if isinstance(value, types.FunctionType) and value.__module__ == MODULE
    ]
    return ", ".join(names) or "no function"


def _check_names(
    model: ModelTable, function: Callable[..., Any], hp: keras_tuner.HyperParameters
) -> None:
    """Refuses a builder that asks for what it did not declare when it was explored."""
    if model.hyperparameters is None:
        return
    for parameter in hp.space:
        declared = model.hyperparameters.get(parameter.name)
        conditions = (declared.dimension.when or {}) if declared else {}
        is_known = declared is not None and all(
            hp.values.get(parent) in on for parent, on in conditions.items()
        )
        if hp.is_active(parameter) and not is_known:
            asked = ", ".join(f"{parent} is {hp.values.get(parent)!r}" for parent in conditions)
            raise BuilderError(
                f"{_at(model, function)}: {model.function} asks for {parameter.name!r}"
                + (f" where {asked}" if asked else "")
                + ", which it did not when the study began. Declare it for every value, or in "
                "hp.conditional_scope(...) with the values that it depends on, in a new study."
            )


def _check_shape(
    model: ModelTable, function: Callable[..., Any], network: Any, *, maxlen: int
) -> None:
    """Refuses a network that is not one from token ids to a probability; gives it its weights."""
    with builder_errors(
        model, f"the network of {model.function} on token ids (int32 [batch, {maxlen}])"
    ):
        shape = tuple(network(np.zeros((_ROWS, maxlen), np.int32), training=False).shape)
    if shape != (_ROWS, 1):
        raise BuilderError(
            f"{_at(model, function)}: the network of {model.function} must give one probability a "
            f"review, (batch, 1). Received: the shape {('batch', *shape[1:])}. End it with "
            "Dense(1, activation='sigmoid')."
        )


def _at(model: ModelTable, function: Callable[..., Any]) -> str:
    """Returns a function's place: file and line."""
    code = getattr(function, "__code__", None)
    return f"{model.file}, line {code.co_firstlineno}" if code is not None else model.file


def _line_of(file: str, error: Exception) -> str:
    """Returns the last line of the file that an error went through."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return f"{file}, line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if frame.filename == file]  # fmt: skip
    return f"{file}, line {lines[-1]}" if lines else file


def _first_line(error: Exception) -> str:
    plain = _COLOURS.sub("", str(error))
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].startswith("Exception encountered when calling"):
        del lines[0]  # Keras names the layer first, and says what is wrong below.
    return lines[0].rstrip(".")[:300] if lines else "no message"
