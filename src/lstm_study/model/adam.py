"""Keras's Adam with two passes over an embedding in place of a dozen.

An embedding's gradient arrives as slices, one for each token of a batch. Keras makes a dense array
of them, twice, and passes over that, the weights and both moments with one operation after the
other. Here one pass decays both moments, the slices are added to their rows, and a second pass
updates the weights.
"""

import functools
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lstm_study.model.lstm.cpu.compiled import compiled
from lstm_study.model.lstm.cpu.threads import aligned_empty, for_each, thread_count

Array = NDArray[Any]


class Adam(keras.optimizers.Adam):  # type: ignore[misc]  # Keras is untyped
    """`keras.optimizers.Adam`: the same formula, options, slots and step count.

    Results are Keras's up to rounding: on TensorFlow every slice is squared by itself, so that the
    second moment of a token that occurs several times in a batch is the sum of squares.

    Source: Kingma & Ba 2015, algorithm 1 in the order of its section 2's end; Keras 3.15's
    `Adam.update_step`.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable and its slots; Keras calls this."""
        import tensorflow as tf

        fits = isinstance(gradient, tf.IndexedSlices) and variable.dtype == "float32"
        if not fits or self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        step = tf.cast(self.iterations + 1, tf.float32)
        rate = tf.cast(learning_rate, tf.float32)
        rate *= tf.sqrt(1.0 - tf.pow(self.beta_2, step)) / (1.0 - tf.pow(self.beta_1, step))
        index = self._get_variable_index(variable)
        slots = self._momentums[index], self._velocities[index]
        update = functools.partial(
            _update,
            tuple(np.float32(value) for value in (1 - self.beta_1, 1 - self.beta_2, self.epsilon)),
        )
        found = tf.numpy_function(
            update,
            [
                gradient.indices, gradient.values, rate,
                *(tf.convert_to_tensor(each) for each in (variable, *slots)),
            ],
            [tf.float32] * 3,
        )  # fmt: skip
        for target, value in zip((variable, *slots), found, strict=True):
            value.set_shape(variable.shape)
            self.assign(target, value)


def _update(
    constants: tuple[np.float32, ...],
    indices: Array,
    slices: Array,
    rate: np.float32,
    weights: Array,
    momentum: Array,
    velocity: Array,
) -> tuple[Array, ...]:
    """Computes weights and moments, float [rows, columns] each, after one step of Adam.

    Args:
        constants: 1 - beta 1, 1 - beta 2 and epsilon.
        indices: Rows of the weights, int [n].
        slices: Their gradients, float [n, columns]; those of one row are added.
        rate: The learning rate, corrected for the moments' start at zero.
        weights, momentum, velocity: Before the step.
    """
    one_less_beta_1, one_less_beta_2, epsilon = constants
    new_weights, new_momentum, new_velocity = (aligned_empty(*weights.shape) for _ in range(3))
    threads = thread_count()
    share = -(-len(weights) // threads)
    parts = [slice(first, first + share) for first in range(0, len(weights), share)]

    def decay(part: slice) -> None:
        _decay(_flat(new_momentum[part]), _flat(momentum[part]), one_less_beta_1)
        _decay(_flat(new_velocity[part]), _flat(velocity[part]), one_less_beta_2)

    def update_weights(part: slice) -> None:
        arrays = (new_weights, weights, new_momentum, new_velocity)
        new, old, first, second = (_flat(each[part]) for each in arrays)
        _update_weights(new, old, first, second, rate, epsilon)

    for_each(decay, parts, threads=threads)
    _add_slices(
        new_momentum, new_velocity, indices, slices.reshape(len(indices), -1),
        one_less_beta_1, one_less_beta_2,
    )  # fmt: skip
    for_each(update_weights, parts, threads=threads)
    return new_weights, new_momentum, new_velocity


def _flat(array: Array) -> Array:
    return np.ascontiguousarray(array).reshape(-1)


@compiled
def _decay(new: Array, old: Array, share: np.float32) -> None:
    for k in range(old.size):
        new[k] = old[k] - old[k] * share


@compiled
def _add_slices(
    momentum: Array,
    velocity: Array,
    indices: Array,
    slices: Array,
    of_momentum: np.float32,
    of_velocity: np.float32,
) -> None:
    count, columns = slices.shape
    for k in range(count):
        row = indices[k]
        for column in range(columns):
            momentum[row, column] += of_momentum * slices[k, column]
        for column in range(columns):
            velocity[row, column] += of_velocity * (slices[k, column] * slices[k, column])


@compiled
def _update_weights(
    new: Array, old: Array, momentum: Array, velocity: Array, rate: np.float32, epsilon: np.float32
) -> None:
    for k in range(old.size):
        new[k] = old[k] - momentum[k] * rate / (np.sqrt(velocity[k]) + epsilon)
