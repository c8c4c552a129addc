"""The optimizer of a training: Keras's own, with the recipe that the configuration asks for."""

import functools
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from lstm_study.configuration import Configuration
from lstm_study.model.lstm.cpu.threads import uses_cpu_kernels
from lstm_study.spec import ProtocolTable

_KINDS = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


def make_optimizer(
    configuration: Configuration, *, protocol: ProtocolTable, steps: int = 0
) -> keras.optimizers.Optimizer:
    """Makes the optimizer of one training.

    Weight decay is decoupled, as in AdamW: each step takes `weight_decay` times the learning rate
    off every weight. A linear schedule multiplies the rate of step n, from 0, by 1 - n / steps.

    The protocol says which optimizer, and its learning rate where the configuration has none.

    Raises:
        ValueError: The schedule is linear, and there are no steps.
    """
    rate: Any = configuration.learning_rate or protocol.learning_rate
    if configuration.learning_rate_schedule == "linear":
        if steps < 1:
            raise ValueError(f"a linear schedule needs steps >= 1. Received: {steps}")
        rate = keras.optimizers.schedules.PolynomialDecay(
            rate, decay_steps=steps, end_learning_rate=0.0
        )
    kind = _KINDS[protocol.optimizer]
    if protocol.optimizer == "adam" and uses_cpu_kernels():
        from lstm_study.model.adam import Adam

        kind = Adam
    recipe = {"summed": configuration.summed_gradients, "clip_norm": configuration.clip_norm}
    if not any(recipe.values()):
        return kind(learning_rate=rate, weight_decay=configuration.weight_decay or None)
    return _with_recipe(kind)(
        learning_rate=rate, weight_decay=configuration.weight_decay or None, **recipe
    )


@functools.cache
def _with_recipe(kind: type[Any]) -> type[Any]:
    """Returns a class of optimizers that prepare gradients before they are applied."""

    class Prepared(kind):  # type: ignore[misc]
        """Keras's optimizer on gradients that are summed and clipped first.

        Args:
            summed: Whether an embedding's gradient is summed over the batch's tokens. TensorFlow
                hands it over as one slice a token, and Adam squares slice by slice: a token that
                occurs 100 times in a batch takes a first step of 10 times the learning rate.
            clip_norm: Greatest norm of all gradients together, as they are once summed; 0 for none.
        """

        def __init__(self, *, summed: bool, clip_norm: float, **options: Any) -> None:
            super().__init__(name=kind.__name__.lower(), **options)
            self._summed, self._clip_norm = summed, clip_norm

        def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
            """Prepares the gradients and updates the variables; Keras calls this."""
            sums = [_sum_of_slices(each) for each in grads]
            kept = sums if self._summed else list(grads)
            if self._clip_norm:
                norm = ops.sqrt(sum(ops.sum(ops.square(_values(each))) for each in sums))
                scale = self._clip_norm / ops.maximum(norm, self._clip_norm)
                kept = [_scaled(each, scale) for each in kept]
            super().apply(kept, trainable_variables)

    return Prepared


def _sum_of_slices(gradient: Any) -> Any:
    """Returns a gradient with one slice for each row it touches; dense ones as they are."""
    if not _is_sliced(gradient):
        return gradient
    import tensorflow as tf

    rows, places = tf.unique(gradient.indices)
    sums = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
    return tf.IndexedSlices(sums, rows, gradient.dense_shape)


def _scaled(gradient: Any, scale: Any) -> Any:
    if not _is_sliced(gradient):
        return gradient * scale
    import tensorflow as tf

    return tf.IndexedSlices(gradient.values * scale, gradient.indices, gradient.dense_shape)


def _values(gradient: Any) -> Any:
    return gradient.values if _is_sliced(gradient) else gradient


def _is_sliced(gradient: Any) -> bool:
    return hasattr(gradient, "indices") and hasattr(gradient, "dense_shape")
