"""The optimizer's recipe: summed gradients, clipping, weight decay and the schedule."""

import keras
import numpy as np
import pytest

from lstm_study.configuration import BASELINE
from lstm_study.model.optimizer import make_optimizer
from lstm_study.spec import ProtocolTable


def dense_adam_steps(gradients, *, rate, decay=0.0, clip=0.0):
    """Adam with decoupled decay on dense gradients, by its paper: one weight array, some steps."""
    weights = np.zeros_like(gradients[0]) + 0.5
    first = second = np.zeros_like(weights)
    for step, whole in enumerate(gradients, start=1):
        norm = np.sqrt((whole**2).sum())
        gradient = whole * (min(1.0, clip / norm) if clip else 1.0)
        weights = weights - rate(step - 1) * decay * weights
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        correction = np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        weights = weights - rate(step - 1) * correction * first / (np.sqrt(second) + 1e-7)
    return weights


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(("decay", "clip", "schedule"), [
    (0.0, 0.0, "constant"), (0.0, 0.5, "constant"), (0.3, 0.0, "linear"), (0.3, 0.5, "linear"),
])  # fmt: skip
def test_summed_adam_is_adam_on_the_dense_gradient(monkeypatch, fast, decay, clip, schedule):
    import tensorflow as tf

    monkeypatch.setattr("lstm_study.model.optimizer.uses_cpu_kernels", lambda: fast)
    configuration = BASELINE.with_values(
        summed_gradients=True, clip_norm=clip, weight_decay=decay, learning_rate=0.01,
        learning_rate_schedule=schedule,
    )  # fmt: skip
    optimizer = make_optimizer(configuration, protocol=ProtocolTable(), steps=4)
    random = np.random.default_rng(1)
    variable = keras.Variable(np.full((6, 3), 0.5, np.float32))
    dense = []
    for _ in range(3):
        rows = np.array([1, 4, 1, 1, 5])
        slices = random.normal(size=(5, 3)).astype(np.float32)
        whole = np.zeros((6, 3))
        np.add.at(whole, rows, slices)
        dense.append(whole)
        optimizer.apply_gradients([(tf.IndexedSlices(slices, rows, (6, 3)), variable)])
    expected = dense_adam_steps(
        dense,
        rate=lambda step: 0.01 * (1 - step / 4 if schedule == "linear" else 1.0),
        decay=decay,
        clip=clip,
    )
    assert np.allclose(variable.numpy(), expected, atol=1e-6)


def test_clipping_alone_is_by_the_norm_of_the_summed_gradient():
    import tensorflow as tf

    configuration = BASELINE.with_values(clip_norm=1.0, learning_rate=1.0)
    optimizer = make_optimizer(configuration, protocol=ProtocolTable(optimizer="sgd"))
    table, vector = keras.Variable(np.zeros((3, 1))), keras.Variable(np.zeros(1))
    # Row 1 sums to 3, and with the vector's 4 the norm is 5.
    slices = tf.IndexedSlices(tf.constant([[1.0], [2.0]]), tf.constant([1, 1]), (3, 1))
    optimizer.apply_gradients([(slices, table), (tf.constant([4.0]), vector)])
    assert np.allclose(table.numpy()[:, 0], [0, -0.6, 0])
    assert np.allclose(vector.numpy(), [-0.8])


def test_the_documented_recipe_is_the_optimizer_it_always_was():
    optimizer = make_optimizer(BASELINE, protocol=ProtocolTable())
    assert type(optimizer).__name__ == "Adam"
    assert optimizer.weight_decay is None
    assert float(optimizer.learning_rate.numpy()) == pytest.approx(0.001)
    with pytest.raises(ValueError, match="linear schedule needs steps"):
        make_optimizer(
            BASELINE.with_values(learning_rate_schedule="linear"), protocol=ProtocolTable()
        )
