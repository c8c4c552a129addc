"""A member's arrays in its class, and as its checkpoint has them."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from lstm_study.configuration import Configuration
from lstm_study.errors import RecordError
from lstm_study.model.population.arrays import GATES
from lstm_study.model.shape_classes import ShapeClass
from lstm_study.training.member_state import (
    checkpoint_shapes,
    own_variables,
    own_weights,
    padded_state,
    padded_weights,
)

SMALL = Configuration(
    vocabulary_size=9, maxlen=4, embedding_dim=3, lstm_units=2, dropout=0.3, recurrent_dropout=0.2
)
LARGER = ShapeClass(
    vocabulary_size=11, maxlen=6, embedding_dim=5, lstm_units=4, lstm_layers=1, batch_size=16,
    pair_rows=8, pools=True,
)  # fmt: skip
KINDS = {
    "the six": {},
    "two directions": {"bidirectional": True, "pooling": "mean"},
    "three layers": {"lstm_layers": 3, "bidirectional": True},
    "pairs": {"pair_vocabulary_size": 4, "pooling": "all"},
    "dropout": {
        "embedding_dropout": 0.2, "output_dropout": 0.1, "learning_rate_schedule": "linear",
    },
}  # fmt: skip


def variables_of(configuration: Configuration) -> list[np.ndarray]:
    """Arrays of its shapes, in which no two numbers are equal and none is zero."""
    numbers = iter(range(1, 10_000))
    found = []
    for shape in checkpoint_shapes(configuration):
        count = int(np.prod(shape, dtype=int))
        found.append(np.array([next(numbers) for _ in range(count)], np.float32).reshape(shape))
    return found


def arrays_in(state) -> Iterator[np.ndarray]:
    for part in state:
        if isinstance(part, tuple):
            yield from arrays_in(part)
        elif part is not None:
            yield np.asarray(part)


@pytest.mark.parametrize("kind", KINDS)
def test_a_members_arrays_come_back_from_its_class_and_all_else_there_is_zero(kind):
    configuration = SMALL.with_values(**KINDS[kind])
    shape = replace(
        LARGER, lstm_layers=configuration.lstm_layers, directions=configuration.directions
    )
    variables = variables_of(configuration)
    state = padded_state(variables, configuration, shape, where="")
    is_constant = configuration.learning_rate_schedule == "constant"
    rate = next(each for each in variables[::-1] if each.shape == ()) if is_constant else 0.0
    again = own_variables(state, configuration, learning_rate=float(rate))
    assert len(again) == len(variables)
    for ours, theirs in zip(again, variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    layers, directions = configuration.lstm_layers, configuration.directions
    assert state.seeds.lstm.shape == (layers, directions, 2)
    numbers = np.concatenate([each.ravel() for each in arrays_in(state)])
    expected = np.concatenate([each.ravel() for each in variables])
    assert np.count_nonzero(numbers) == len(expected) - is_constant


def test_a_checkpoint_has_keras_arrays_in_keras_order_and_a_seed_for_each_layer_that_drops():
    seed, (kernel, recurrent, bias) = (2,), ((3, 8), (2, 8), (8,))
    weights = [(9, 3), kernel, recurrent, bias, (2, 1), (1,)]
    moments = [shape for shape in weights for _ in range(2)]
    assert checkpoint_shapes(SMALL) == [
        (9, 3), kernel, recurrent, bias, seed, (2, 1), (1,), (), (), *moments,
    ]  # fmt: skip
    assert checkpoint_shapes(SMALL.with_values(**KINDS["dropout"])) == [
        (9, 3), seed, kernel, recurrent, bias, seed, seed, (2, 1), (1,), (), *moments,
    ]  # fmt: skip


def test_a_class_without_pairs_and_pooling_has_no_room_for_them():
    shape = replace(LARGER, pair_rows=0, pools=False)
    state = padded_state(variables_of(SMALL), SMALL, shape, where="")
    assert state.weights.pair_embedding is None
    assert state.weights.output_kernel.shape == (1, 1, 4)
    assert state.weights.output_bias.shape == state.iterations.shape == ()
    assert [each.tolist() for each in (state.seeds.embedding, state.seeds.output)] == [[0, 0]] * 2


def test_a_gates_numbers_of_both_directions_are_side_by_side_in_keras_and_apart_in_a_class():
    configuration = SMALL.with_values(lstm_layers=2, bidirectional=True)
    shape = replace(LARGER, lstm_layers=2, directions=2)
    variables = tuple(variables_of(configuration))
    weights = own_weights(variables, configuration)
    padded = padded_weights(weights, configuration, shape)
    # Embedding; kernel, recurrent kernel and bias of two layers of two directions; the output's.
    assert [each.shape for each in weights] == [
        (9, 3), *[(3, 8), (2, 8), (8,)] * 2, *[(4, 8), (2, 8), (8,)] * 2, (4, 1), (1,),
    ]  # fmt: skip
    backwards, second = weights[4:7], weights[7]
    for gate in range(GATES):
        own = slice(2 * gate, 2 * gate + 2)
        np.testing.assert_array_equal(padded.kernels[0][1, gate, :3, :2], backwards[0][:, own])
        np.testing.assert_array_equal(
            padded.recurrent_kernels[0][1, gate, :2, :2], backwards[1][:, own]
        )
        np.testing.assert_array_equal(padded.biases[0][1, gate, :2], backwards[2][own])
        # Rows of a direction begin where its block of the class does.
        for direction, rows in enumerate((slice(0, 2), slice(4, 6))):
            np.testing.assert_array_equal(
                padded.kernels[1][0, gate, rows, :2],
                second[2 * direction : 2 * direction + 2, own],
            )
    np.testing.assert_array_equal(padded.output_kernel[0, :, :2].ravel(), weights[-2].ravel())
    assert padded.pair_embedding.shape == (8, 5)
    assert not padded.pair_embedding.any()


def test_a_kind_of_pooling_has_its_place_among_all_of_them():
    configuration = SMALL.with_values(pooling="max")
    weights = own_weights(tuple(variables_of(configuration)), configuration)
    padded = padded_weights(weights, configuration, LARGER)
    assert padded.output_kernel.shape == (3, 1, 4)
    assert padded.output_kernel.nonzero()[0].tolist() == [2, 2]


def test_another_networks_arrays_are_refused_with_the_place():
    with pytest.raises(RecordError, match=r"a\.npz: holds another network's weights"):
        padded_state(variables_of(SMALL.with_values(lstm_units=3)), SMALL, LARGER, where="a.npz")
