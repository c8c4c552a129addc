"""A member of a population as a Keras model's checkpoint has it, and back.

A checkpoint holds a network's own arrays in Keras's order and shapes; a population holds them
padded with zeros to its shape class, gate by gate. So a training may begin alone and continue in a
population, or the other way round.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_study.configuration import Configuration
from lstm_study.errors import RecordError
from lstm_study.model.population.arrays import (
    GATES,
    POOLINGS,
    PopulationState,
    PopulationWeights,
    Seeds,
)
from lstm_study.model.shape_classes import ShapeClass

Arrays = tuple[NDArray[Any], ...]


def padded_state(
    variables: Sequence[NDArray[Any]],
    configuration: Configuration,
    shape: ShapeClass,
    *,
    where: str,
) -> PopulationState:
    """Returns a checkpoint's arrays as one member's state, without `PopulationState`'s first axis.

    Args:
        variables: As `training/checkpoint.py: training_state` returns them, of a network with Adam.
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
    slots = list(_slots(configuration))
    network = list(zip(slots, variables[: len(slots)], strict=True))
    moments = variables[len(slots) + len(_scalars(configuration)) :]
    learned = [array for slot, array in network if not slot.is_seed]
    seeds = {slot.name: array for slot, array in network if slot.is_seed}
    weights, momentums, velocities = (
        padded_weights(arrays, configuration, shape)
        for arrays in (learned, moments[0::2], moments[1::2])
    )
    none = np.zeros(2, np.uint32)
    of_lstm = [array for name, array in seeds.items() if name.startswith("lstm")]
    return PopulationState(
        weights=weights,
        momentums=momentums,
        velocities=velocities,
        iterations=np.asarray(variables[len(slots)], np.int32),
        seeds=Seeds(
            lstm=np.stack(of_lstm)
            .astype(np.uint32)
            .reshape(configuration.lstm_layers, configuration.directions, 2),
            embedding=np.asarray(seeds.get("embedding dropout", none), np.uint32),
            output=np.asarray(seeds.get("output dropout", none), np.uint32),
        ),
    )


def own_variables(
    state: PopulationState, configuration: Configuration, *, learning_rate: float
) -> Arrays:
    """Returns one member's state, without the axis of members, as a checkpoint's arrays.

    The reverse of `padded_state`. Keras keeps a constant learning rate beside the step count.
    """
    weights, momentums, velocities = (
        list(_own(part, configuration))
        for part in (state.weights, state.momentums, state.velocities)
    )
    learned = iter(weights)
    of_lstm = iter(state.seeds.lstm.reshape(-1, 2))
    seeds = {"embedding dropout": state.seeds.embedding, "output dropout": state.seeds.output}
    variables = []
    for slot in _slots(configuration):
        if not slot.is_seed:
            variables.append(next(learned))
        else:
            variables.append(seeds[slot.name] if slot.name in seeds else next(of_lstm))
    scalars = (state.iterations, np.array(learning_rate, np.float32))
    variables += scalars[: len(_scalars(configuration))]
    for pair in zip(momentums, velocities, strict=True):
        variables += pair
    return tuple(np.array(array) for array in variables)


def own_weights(variables: Arrays, configuration: Configuration) -> Arrays:
    """Returns the weights among a checkpoint's arrays, as `keras.Model.get_weights` does."""
    slots = list(_slots(configuration))
    return tuple(
        array
        for slot, array in zip(slots, variables[: len(slots)], strict=True)
        if not slot.is_seed
    )


def padded_weights(
    weights: Sequence[NDArray[Any]], configuration: Configuration, shape: ShapeClass
) -> PopulationWeights:
    """Returns what `own_weights` returned as one member's weights, padded to a class."""
    units, directions = shape.lstm_units, configuration.directions
    parts = (np.asarray(array) for array in weights)
    width = shape.embedding_dim
    embedding = _fill(next(parts), shape.vocabulary_size, width)
    pair_embedding = None
    if shape.pair_rows:
        pairs = next(parts) if configuration.pair_rows else np.zeros((0, 0))
        pair_embedding = _fill(pairs, shape.pair_rows, width)
    kernels, recurrent_kernels, biases = [], [], []
    for layer in range(configuration.lstm_layers):
        own = [[next(parts) for _ in range(3)] for _ in range(directions)]
        # What comes from the layer below is side by side, direction by direction.
        blocks = directions if layer else 1
        kernels.append(np.stack([_kernel(each[0], blocks, width // blocks, units) for each in own]))
        recurrent_kernels.append(np.stack([_kernel(each[1], 1, units, units) for each in own]))
        biases.append(np.stack([_fill(each[2].reshape(GATES, -1), GATES, units) for each in own]))
        width = directions * units
    output_kernel, output_bias = parts
    kinds = _kinds(configuration)
    by_kind = output_kernel.reshape(len(kinds), directions, -1)
    filled = np.zeros((len(POOLINGS) if shape.pools else 1, directions, units), np.float32)
    filled[kinds, :, : by_kind.shape[-1]] = by_kind
    return PopulationWeights(
        embedding=embedding,
        pair_embedding=pair_embedding,
        kernels=tuple(kernels),
        recurrent_kernels=tuple(recurrent_kernels),
        biases=tuple(biases),
        output_kernel=filled,
        output_bias=output_bias[0],
    )


def checkpoint_shapes(configuration: Configuration) -> list[tuple[int, ...]]:
    """Returns the shapes of a checkpoint's arrays, in order."""
    slots = list(_slots(configuration))
    weights = [slot.shape for slot in slots if not slot.is_seed]
    moments = [shape for shape in weights for _ in range(2)]
    return [slot.shape for slot in slots] + _scalars(configuration) + moments


class _Slot(NamedTuple):
    """One array of a Keras network: a weight, or the state of a seed generator."""

    name: str
    shape: tuple[int, ...]
    is_seed: bool = False


def _slots(configuration: Configuration) -> Iterator[_Slot]:
    """Yields a network's arrays in the order of `keras.Model.variables`."""
    units, width = configuration.lstm_units, configuration.embedding_dim
    directions = configuration.directions
    yield _Slot("embedding", (configuration.vocabulary_size, width))
    if configuration.pair_rows:
        yield _Slot("pair embedding", (configuration.pair_rows, width))
    if configuration.embedding_dropout:
        yield _Slot("embedding dropout", (2,), is_seed=True)
    for layer in range(configuration.lstm_layers):
        for direction in range(directions):
            name = f"lstm {layer} {direction}"
            yield _Slot(f"{name} kernel", (width, GATES * units))
            yield _Slot(f"{name} recurrent kernel", (units, GATES * units))
            yield _Slot(f"{name} bias", (GATES * units,))
            yield _Slot(f"{name} seed", (2,), is_seed=True)
        width = directions * units
    if configuration.output_dropout:
        yield _Slot("output dropout", (2,), is_seed=True)
    yield _Slot("output kernel", (len(_kinds(configuration)) * width, 1))
    yield _Slot("output bias", (1,))


def _scalars(configuration: Configuration) -> list[tuple[int, ...]]:
    """The shapes of what the optimizer keeps before its moments: step count, constant rate."""
    return [()] if configuration.learning_rate_schedule == "linear" else [(), ()]


def _kinds(configuration: Configuration) -> list[int]:
    """Places of a network's kinds of pooling among `POOLINGS`."""
    if configuration.pooling == "all":
        return list(range(len(POOLINGS)))
    return [POOLINGS.index(configuration.pooling)]


def _own(weights: PopulationWeights, configuration: Configuration) -> Iterator[NDArray[Any]]:
    units, width = configuration.lstm_units, configuration.embedding_dim
    yield weights.embedding[: configuration.vocabulary_size, :width]
    if configuration.pair_rows:
        yield weights.pair_embedding[: configuration.pair_rows, :width]
    blocks = 1
    for kernel, recurrent, bias in zip(
        weights.kernels, weights.recurrent_kernels, weights.biases, strict=True
    ):
        for direction in range(configuration.directions):
            yield _side_by_side(kernel[direction], blocks, width, units)
            yield _side_by_side(recurrent[direction], 1, units, units)
            yield bias[direction, :, :units].reshape(-1)
        blocks, width = configuration.directions, units
    yield weights.output_kernel[_kinds(configuration), :, :units].reshape(-1, 1)
    yield weights.output_bias[None]


def _kernel(own: NDArray[Any], blocks: int, rows: int, units: int) -> NDArray[np.float32]:
    """[blocks · n, 4 · u] to [4, blocks · rows, units], each block padded by itself."""
    parts = own.reshape(blocks, len(own) // blocks, GATES, -1)
    filled = _fill(np.moveaxis(parts, 2, 0), GATES, blocks, rows, units)
    return filled.reshape(GATES, blocks * rows, units)


def _side_by_side(kernel: NDArray[Any], blocks: int, rows: int, units: int) -> NDArray[Any]:
    """The reverse of `_kernel`: cuts a member's own rows and units out of each block."""
    parts = kernel.reshape(GATES, blocks, -1, kernel.shape[-1])[:, :, :rows, :units]
    return np.moveaxis(parts, 0, 2).reshape(blocks * rows, GATES * units)


def _fill(array: NDArray[Any], *sizes: int) -> NDArray[np.float32]:
    filled = np.zeros(sizes, np.float32)
    filled[tuple(slice(size) for size in array.shape)] = array
    return filled
