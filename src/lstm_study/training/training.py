"""Trains one configuration with one seed, from scratch or from a checkpoint."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lstm_study.clock import seconds_running
from lstm_study.configuration import Configuration
from lstm_study.corpus.batches import epoch_order
from lstm_study.corpus.buckets import (
    bucket_length,
    epoch_buckets,
    evaluation_buckets,
    kept_lengths,
)
from lstm_study.corpus.types import Split
from lstm_study.model.lstm.cpu.threads import uses_cpu_kernels
from lstm_study.model.network import build_model, is_masked
from lstm_study.records import Epoch
from lstm_study.seeds import derive
from lstm_study.spec import ModelTable, ProtocolTable
from lstm_study.training.checkpoint import Checkpoint, set_state, training_state, write_checkpoint
from lstm_study.training.epochs import RunningEpoch, Step
from lstm_study.training.inputs import as_input, inputs_of
from lstm_study.training.memory import release_models

EVALUATION_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class Training:
    """What to train.

    Attributes:
        configuration: The hyperparameters.
        protocol: Batch size, optimizer and learning rate.
        seed: Seeds of weights, dropout and shuffling are derived from it.
        epochs: Total epochs, including those of the checkpoint it starts from.
        masked: Whether padding is masked and batches hold reviews of similar length.
        keeps: Epochs whose weights later checkpoints hold, too.
        schedule_epochs: Epochs after which a falling learning rate is at zero; None for `epochs`.
        builder: What builds the network in the place of the LSTM; None for the LSTM.
    """

    configuration: Configuration
    protocol: ProtocolTable
    seed: int
    epochs: int
    masked: bool = False
    keeps: tuple[int, ...] = ()
    schedule_epochs: int | None = None
    builder: ModelTable | None = None

    @property
    def batch_size(self) -> int:
        """Reviews per step: the configuration's, or else the protocol's."""
        return self.configuration.batch_size or self.protocol.batch_size

    @property
    def learning_rate(self) -> float:
        """The configuration's, or else the protocol's."""
        return self.configuration.learning_rate or self.protocol.learning_rate

    def steps(self, reviews: int) -> int:
        """Training steps on so many reviews until a falling learning rate is at zero."""
        return -(-reviews // self.batch_size) * (self.schedule_epochs or self.epochs)


def train(
    training: Training,
    *,
    reviews: Split,
    validation: Split | None,
    start: Checkpoint | None,
    save: Path,
    where: str,
    on_step: Callable[[Step], None],
    on_epoch: Callable[[Checkpoint], None],
) -> Any:
    """Trains until `training.epochs`, saving a checkpoint after each epoch.

    A training that was interrupted and resumed from its last checkpoint gives the same bits as one
    that was not, on the CPU: all random numbers of an epoch depend on the seed, the epoch and the
    checkpoint alone.

    Args:
        training: What to train.
        reviews: Training reviews.
        validation: Validation reviews, evaluated after each epoch; None for a retraining on all.
        start: The checkpoint to resume from; None to start from scratch.
        save: Path of the checkpoint.
        where: The name of `start` in error messages.
        on_step: Called after every training step.
        on_epoch: Called after every epoch, once its checkpoint is safe.

    Returns:
        The trained Keras model.

    Raises:
        DivergedError: The loss is NaN or infinite; raised in that step.
        RecordError: `start` is not a checkpoint of this configuration.
        StoreError: The checkpoint can't be written.
    """
    release_models()
    model = _model_of(training, len(reviews))
    epochs: tuple[Epoch, ...] = ()
    if start is not None:
        set_state(model, start.variables, where=where)
        epochs = start.epochs
    earlier = start.earlier if start is not None else ()
    for number in range(len(epochs) + 1, training.epochs + 1):
        if number - 1 in training.keeps:
            earlier = (*earlier, tuple(model.get_weights()))
        epoch = _train_epoch(model, training, number, reviews, validation, on_step=on_step)
        epochs = (*epochs, epoch)
        checkpoint = Checkpoint(epochs=epochs, variables=training_state(model), earlier=earlier)
        write_checkpoint(save, checkpoint)
        on_epoch(checkpoint)
    return model


def traced_model(
    configuration: Configuration,
    *,
    protocol: ProtocolTable,
    seed: int,
    masked: bool = False,
    steps: int,
) -> Any:
    """Builds a model as `train` trains it; see `build_model` for the arguments."""
    model = build_model(configuration, protocol=protocol, seed=seed, masked=masked, steps=steps)
    _trace_once(model)
    return model


def _model_of(training: Training, reviews: int) -> Any:
    """Builds a training's network, compiled and traced."""
    if training.builder is None:
        return traced_model(
            training.configuration,
            protocol=training.protocol,
            seed=training.seed,
            masked=training.masked,
            steps=training.steps(reviews),
        )
    from lstm_study.model.builder import build_own

    model = build_own(
        training.builder, training.configuration, protocol=training.protocol, seed=training.seed
    )
    _trace_once(model)
    return model


def predict_earlier(
    model: Any,
    earlier: Sequence[Sequence[NDArray[Any]]],
    reviews: Split,
    configuration: Configuration,
) -> list[NDArray[np.float32]]:
    """Predicts with the weights of a `Checkpoint.earlier`; the model keeps its own."""
    own = model.get_weights()
    found = []
    for weights in earlier:
        model.set_weights(weights)
        found.append(predict(model, reviews, configuration))
    model.set_weights(own)
    return found


def _trace_once(model: Any) -> None:
    """Traces a training step and a prediction once each, for batches of any shape, on TensorFlow.

    Keras traces them again for new shapes: three times with masked batches, at half a second each.
    """
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    # A step that creates variables, as the first does for optimizer and metrics, is traced twice.
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    model.compute_metrics(None, tf.zeros((1, 1)), tf.zeros((1, 1)))
    # A subclass of Keras's model has no inputs; it takes token ids alone.
    shapes = [each.shape[1:] for each in getattr(model, "inputs", None) or ()] or [(None,)]
    inputs = tuple(tf.TensorSpec((None, *shape), tf.int32) for shape in shapes)
    labels = tf.TensorSpec((None, 1), tf.float32)

    @tf.function(input_signature=(inputs, labels), autograph=False)  # type: ignore[untyped-decorator]
    def training_step(inputs: Any, labels: Any) -> Any:
        return model.train_step((as_input(inputs), labels))

    @tf.function(input_signature=(inputs,), autograph=False)  # type: ignore[untyped-decorator]
    def prediction(inputs: Any) -> Any:
        return model(as_input(inputs), training=False)

    def tensors(given: Any) -> tuple[Any, ...]:
        return tuple(given) if isinstance(given, list | tuple) else (given,)

    # Keras calls these with an iterable of one batch: (x, y, weights), and (x,).
    def train_function(batches: Any) -> Any:
        given, labels = next(iter(batches))[:2]
        return training_step(tensors(given), labels)

    model.train_function = train_function
    model.predict_function = lambda batches: prediction(tensors(next(iter(batches))[0]))


def _train_epoch(
    model: Any,
    training: Training,
    number: int,
    reviews: Split,
    validation: Split | None,
    *,
    on_step: Callable[[Step], None],
) -> Epoch:
    began = seconds_running()
    batches = with_lengths(
        epoch_batches(training, number, reviews),
        reviews,
        maxlen=training.configuration.maxlen,
        masked=training.masked,
    )
    # train_on_batch resets Keras's metrics: the epoch's means are computed here.
    running = RunningEpoch(number=number, steps=len(batches))
    for step, (chosen, length) in enumerate(batches):
        inputs = inputs_of(
            reviews,
            chosen,
            training.configuration,
            length=length,
            dropout_seed=derive(training.seed, "word dropout", number, step),
        )
        labels = reviews.labels[chosen].astype(np.float32)[:, None]
        logs = model.train_on_batch(as_input(inputs), labels, return_dict=True)
        rows = len(chosen)
        running.add(loss=float(logs["loss"]), correct=float(logs["accuracy"]) * rows, reviews=rows)
        on_step(running.progress)
    trained = seconds_running()
    found = predict(model, validation, training.configuration) if validation is not None else None
    return running.ended(
        validation,
        found,
        train_seconds=trained - began,
        validation_seconds=seconds_running() - trained,
    )


def epoch_batches(training: Training, number: int, reviews: Split) -> list[NDArray[np.int64]]:
    """Returns an epoch's batches, each as positions in the split."""
    size = training.batch_size
    seed = derive(training.seed, "shuffle", number)
    if training.masked:
        lengths = kept_lengths(reviews, maxlen=training.configuration.maxlen)
        return epoch_buckets(lengths, batch_size=size, seed=seed)
    order = epoch_order(len(reviews), seed)
    return [order[first : first + size] for first in range(0, len(order), size)]


def with_lengths(
    batches: list[NDArray[np.int64]], reviews: Split, *, maxlen: int, masked: bool
) -> list[tuple[NDArray[np.int64], int]]:
    """Returns each batch with the length that its reviews are cut or padded to."""
    if not masked:
        return [(chosen, maxlen) for chosen in batches]
    lengths = kept_lengths(reviews, maxlen=maxlen)
    # On other devices each length would compile a program of its own.
    any_length = uses_cpu_kernels()
    longest = [max(1, int(lengths[chosen].max())) for chosen in batches]
    return [
        (chosen, length if any_length else bucket_length(length, maxlen=maxlen))
        for chosen, length in zip(batches, longest, strict=True)
    ]


def predict(
    model: Any,
    reviews: Split,
    configuration: Configuration,
    *,
    batch_size: int = EVALUATION_BATCH,
) -> NDArray[np.float32]:
    """Returns the probability of the positive label for each review, float32 [reviews].

    The network is as from `build_network`; one with a mask is given batches of similar length.
    """
    maxlen = configuration.maxlen
    masked = configuration.own is None and is_masked(model)
    found = np.empty(len(reviews), dtype=np.float32)
    # Where all are of one length, the reviews stay in their order.
    lengths = kept_lengths(reviews, maxlen=maxlen) if masked else np.zeros(len(reviews), np.int64)
    batches = evaluation_buckets(lengths, batch_size=batch_size)
    for chosen, length in with_lengths(batches, reviews, maxlen=maxlen, masked=masked):
        inputs = inputs_of(reviews, chosen, configuration, length=length)
        # All batches have equally many rows: another number would compile another program.
        padding = ((0, batch_size - len(chosen)), (0, 0))
        outputs = model.predict_on_batch(as_input(tuple(np.pad(x, padding) for x in inputs)))
        found[chosen] = np.asarray(outputs)[: len(chosen), 0]
    return found
