"""Our Adam against Keras's: weights and slots after several steps, on TensorFlow."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lstm_study.model import adam
from lstm_study.model.adam import Adam

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
ROWS, COLUMNS = 37, 6


def trained(optimizer: keras.Optimizer, *, slices: bool, steps: int = 6) -> list[np.ndarray]:
    """Weights, and all that the optimizer keeps, after steps on fixed gradients."""
    random = np.random.default_rng(0)
    table = keras.Variable(random.normal(size=(ROWS, COLUMNS)).astype("float32"))
    bias = keras.Variable(random.normal(size=COLUMNS).astype("float32"))
    optimizer.build([table, bias])

    @tf.function
    def step(indices, values, dense):
        gradient = tf.IndexedSlices(values, indices, dense_shape=(ROWS, COLUMNS))
        of_table = gradient if slices else tf.convert_to_tensor(gradient)
        optimizer.apply([of_table, dense], [table, bias])

    for _ in range(steps):
        # Some tokens occur many times in a batch, and most words not at all.
        indices = np.minimum(random.geometric(0.3, 40), ROWS - 1).astype("int32")
        values = random.normal(0, 2, size=(40, COLUMNS)).astype("float32")
        step(indices, values, random.normal(size=COLUMNS).astype("float32"))
    return [np.asarray(v) for v in (table, bias, *optimizer.variables)]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("slices", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"learning_rate": 0.05, "beta_1": 0.7, "beta_2": 0.95, "epsilon": 1e-3},
        {"amsgrad": True},
        {"weight_decay": 0.01, "clipnorm": 1.0},
    ],
    ids=str,
)
def test_steps_are_those_of_keras(options, slices, threads, monkeypatch):
    monkeypatch.setattr(adam, "thread_count", lambda: threads)
    expected = trained(keras.optimizers.Adam(**options), slices=slices)
    received = trained(Adam(**options), slices=slices)

    assert len(received) == len(expected)
    for mine, keras_has in zip(received, expected, strict=True):
        np.testing.assert_allclose(mine, keras_has, rtol=2e-5, atol=1e-6)


def test_repeated_tokens_are_squared_one_by_one_as_keras_does():
    """With the square of the sum these two slices would cancel out, and the moment stay at zero."""
    table = keras.Variable(np.zeros((3, 2), "float32"))
    optimizer = Adam()
    optimizer.build([table])
    slices = tf.IndexedSlices(tf.constant([[1.0, 2.0], [-1.0, -2.0]]), [1, 1], dense_shape=(3, 2))

    optimizer.apply([slices], [table])

    velocity = np.asarray(optimizer._velocities[0])
    np.testing.assert_allclose(velocity, [[0, 0], [0.002, 0.008], [0, 0]], rtol=1e-5)
    np.testing.assert_allclose(np.asarray(table), np.zeros((3, 2)), atol=1e-7)


def test_equal_steps_give_equal_bits():
    first, second = (trained(Adam(), slices=True) for _ in range(2))

    assert [x.tobytes() for x in first] == [x.tobytes() for x in second]
