"""A member of a population as a Keras model's checkpoint has it, and back.

A checkpoint holds a network's own arrays in Keras's order and shapes; a population holds them
padded with zeros to its shape class, gate by gate. So a training may begin alone and continue in a
population, or the other way round.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.configuration import Configuration
from lstm_study.errors import RecordError
from lstm_study.model.population import GATES, State, Weights
from lstm_study.model.shape_classes import ShapeClass

Arrays = tuple[NDArray[Any], ...]


def padded_state(
    variables: Sequence[NDArray[Any]],
    configuration: Configuration,
    shape: ShapeClass,
    *,
    where: str,
) -> State:
    """Returns a checkpoint's arrays as one member's state: `State` without its first axis.

    Args:
        variables: As `training/checkpoint.py: state_of` returns them, of a network with Adam.
        configuration: The network's.
        shape: The class to pad to.
        where: What an error calls the checkpoint.

    Raises:
        RecordError: The arrays are not this network's.
    """
    expected = checkpoint_shapes(configuration)
    if [np.shape(array) for array in variables] != expected:
        raise RecordError(
            f"{where}: holds another network's weights. Delete it to train from the start."
        )
    layers = configuration.lstm_layers
    parts = iter(variables)
    learned, seeds = [next(parts)], []
    for _ in range(layers):
        learned += [next(parts) for _ in range(3)]
        seeds.append(next(parts))
    learned += [next(parts), next(parts)]
    iterations, _learning_rate = next(parts), next(parts)
    slots = list(parts)
    of_all = (learned, slots[0::2], slots[1::2])
    weights, momentums, velocities = (_padded(arrays, layers, shape) for arrays in of_all)
    return State(
        weights=weights,
        momentums=momentums,
        velocities=velocities,
        iterations=np.asarray(iterations, np.int32),
        seeds=np.stack(seeds).astype(np.uint32),
    )


def own_variables(state: State, configuration: Configuration, *, learning_rate: float) -> Arrays:
    """Returns one member's state, without the axis of members, as a checkpoint's arrays.

    The reverse of `padded_state`. Keras keeps the learning rate beside the step count.
    """
    weights, momentums, velocities = (
        list(_own(part, configuration))
        for part in (state.weights, state.momentums, state.velocities)
    )
    variables = [weights[0]]
    for layer in range(configuration.lstm_layers):
        variables += [*weights[1 + 3 * layer : 4 + 3 * layer], state.seeds[layer]]
    variables += [*weights[-2:], state.iterations, np.array(learning_rate, np.float32)]
    for pair in zip(momentums, velocities, strict=True):
        variables += pair
    return tuple(np.array(array) for array in variables)


def own_weights(variables: Arrays, configuration: Configuration) -> Arrays:
    """Returns the weights among a checkpoint's arrays, as `keras.Model.get_weights` does."""
    parts = iter(variables)
    found = [next(parts)]
    for _ in range(configuration.lstm_layers):
        found += [next(parts) for _ in range(3)]
        next(parts)
    return (*found, next(parts), next(parts))


def padded_weights(
    weights: Sequence[NDArray[Any]], configuration: Configuration, shape: ShapeClass
) -> Weights:
    """Returns what `own_weights` returned as one member's weights, padded to a class."""
    return _padded(weights, configuration.lstm_layers, shape)


def checkpoint_shapes(configuration: Configuration) -> list[tuple[int, ...]]:
    """Returns the shapes of a checkpoint's arrays, in order."""
    units, width = configuration.lstm_units, configuration.embedding_dim
    weights: list[tuple[int, ...]] = [(configuration.vocabulary_size, width)]
    variables = weights[:]
    for _ in range(configuration.lstm_layers):
        layer = [(width, GATES * units), (units, GATES * units), (GATES * units,)]
        weights += layer
        variables += [*layer, (2,)]
        width = units
    weights += [(units, 1), (1,)]
    variables += [(units, 1), (1,), (), ()]
    return variables + [shape for shape in weights for _ in range(2)]


def _padded(arrays: Sequence[NDArray[Any]], layers: int, shape: ShapeClass) -> Weights:
    units = shape.lstm_units
    embedding, *inner, output_kernel, output_bias = (np.asarray(array) for array in arrays)
    rows = [shape.embedding_dim, *(units,) * (layers - 1)]
    return Weights(
        embedding=_fill(embedding, shape.vocabulary_size, shape.embedding_dim),
        kernels=tuple(
            _fill(_by_gate(array), GATES, size, units)
            for array, size in zip(inner[0::3], rows, strict=True)
        ),
        recurrent_kernels=tuple(
            _fill(_by_gate(array), GATES, units, units) for array in inner[1::3]
        ),
        biases=tuple(_fill(array.reshape(GATES, -1), GATES, units) for array in inner[2::3]),
        output_kernel=_fill(output_kernel[:, 0], units),
        output_bias=output_bias[0],
    )


def _own(weights: Weights, configuration: Configuration) -> Iterator[NDArray[Any]]:
    units, width = configuration.lstm_units, configuration.embedding_dim
    yield weights.embedding[: configuration.vocabulary_size, :width]
    for kernel, recurrent, bias in zip(
        weights.kernels, weights.recurrent_kernels, weights.biases, strict=True
    ):
        yield _side_by_side(kernel[:, :width, :units])
        yield _side_by_side(recurrent[:, :units, :units])
        yield bias[:, :units].reshape(-1)
        width = units
    yield weights.output_kernel[:units, None]
    yield weights.output_bias[None]


def _by_gate(kernel: NDArray[Any]) -> NDArray[Any]:
    """[n, 4 · units] to [4, n, units]."""
    return np.moveaxis(kernel.reshape(len(kernel), GATES, -1), 1, 0)


def _side_by_side(kernel: NDArray[Any]) -> NDArray[Any]:
    """[4, n, units] to [n, 4 · units]."""
    return np.moveaxis(kernel, 0, 1).reshape(kernel.shape[1], -1)


def _fill(array: NDArray[Any], *sizes: int) -> NDArray[np.float32]:
    filled = np.zeros(sizes, np.float32)
    filled[tuple(slice(size) for size in array.shape)] = array
    return filled
