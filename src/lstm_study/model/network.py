"""The one builder of the network: for search, comparison and the exported model alike."""

from collections.abc import Sequence
from typing import Any

import keras

from lstm_study.configuration import Configuration
from lstm_study.model.lstm.cpu.threads import uses_cpu_kernels
from lstm_study.model.lstm.layer import LSTM
from lstm_study.seeds import derive
from lstm_study.spec import ProtocolTable

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


def build_network(
    configuration: Configuration,
    *,
    seed: int,
    masked: bool = False,
    plain: bool = False,
    use_cudnn: bool | str = "auto",
) -> keras.Model:
    """Builds the network of a configuration, not compiled.

    With the documented values it is `Embedding → LSTM(dropout, recurrent_dropout) → Dense(1,
    sigmoid)`. Every initialiser is Keras's default, and seeded.

    Args:
        configuration: The hyperparameters.
        seed: Seed of weights and dropout; no global random state is read.
        masked: Whether padding is masked, so that the LSTM holds its state over it. The documented
            baseline reads its padding.
        plain: Whether to build it from layers that every Keras has, for an exported file: with
            `keras.layers.LSTM` in place of the one with the faster loop, and for `maxlen` tokens
            exactly. Weights and their order are the same.
        use_cudnn: Of a plain network's LSTM; False for a graph that must run on any device. Masked
            networks never use cuDNN, which takes padding at the end alone.

    Returns:
        A model from token ids, int32 [batch, maxlen], to probabilities of the positive label,
        float32 [batch, 1]. With a mask, and not plain, the ids may be of any length.
    """
    length = None if masked and not plain else configuration.maxlen
    token_ids = keras.Input(shape=(length,), dtype="int32", name="token_ids")
    outputs = keras.layers.Embedding(
        configuration.vocabulary_size,
        configuration.embedding_dim,
        embeddings_initializer=keras.initializers.RandomUniform(
            -0.05, 0.05, seed=derive(seed, "weights", "embedding")
        ),
        mask_zero=masked,
        name="embedding",
    )(token_ids)
    for layer in range(configuration.lstm_layers):
        outputs = _lstm(
            configuration,
            layer,
            seed=seed,
            plain={"use_cudnn": False if masked else use_cudnn} if plain else None,
        )(outputs)
    outputs = keras.layers.Dense(
        1,
        activation="sigmoid",
        kernel_initializer=keras.initializers.GlorotUniform(seed=derive(seed, "weights", "output")),
        name="probability",
    )(outputs)
    return keras.Model(token_ids, outputs, name="sentiment_lstm")


def _lstm(
    configuration: Configuration, layer: int, *, seed: int, plain: dict[str, Any] | None
) -> keras.layers.LSTM:
    kind = LSTM if plain is None else keras.layers.LSTM
    return kind(
        configuration.lstm_units,
        dropout=configuration.dropout,
        recurrent_dropout=configuration.recurrent_dropout,
        return_sequences=layer + 1 < configuration.lstm_layers,
        kernel_initializer=keras.initializers.GlorotUniform(
            seed=derive(seed, "weights", "kernel", layer)
        ),
        recurrent_initializer=keras.initializers.Orthogonal(
            seed=derive(seed, "weights", "recurrent kernel", layer)
        ),
        seed=derive(seed, "dropout", layer),
        name=f"lstm_{layer + 1}" if configuration.lstm_layers > 1 else "lstm",
        **(plain or {}),
    )


def mean_of(members: Sequence[keras.Model]) -> keras.Model:
    """Joins networks into one whose probability is the mean of theirs.

    Args:
        members: Networks of equal input, two or more; they are renamed. Their weights follow each
            other, member by member.
    """
    token_ids = keras.Input(shape=members[0].inputs[0].shape[1:], dtype="int32", name="token_ids")
    probabilities = []
    for number, member in enumerate(members, start=1):
        member.name = f"member_{number}"
        probabilities.append(member(token_ids))
    outputs = keras.layers.Average(name="probability")(probabilities)
    return keras.Model(token_ids, outputs, name="sentiment_lstm_ensemble")


def build_model(
    configuration: Configuration, *, protocol: ProtocolTable, seed: int, masked: bool = False
) -> Any:
    """Builds and compiles the network of a configuration: binary cross-entropy and accuracy.

    Args:
        configuration: The hyperparameters.
        protocol: Optimizer and learning rate; batch size and epochs are the training's.
        seed: Seed of weights and dropout.
        masked: As in `build_network`; `protocol.masked` is the study's, not the baseline's.
    """
    model = build_network(configuration, seed=seed, masked=masked)
    model.compile(
        optimizer=_optimizer(protocol),
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )
    return model


def _optimizer(protocol: ProtocolTable) -> Any:
    if protocol.optimizer == "adam" and uses_cpu_kernels():
        from lstm_study.model.adam import Adam

        return Adam(learning_rate=protocol.learning_rate)
    return OPTIMIZERS[protocol.optimizer](learning_rate=protocol.learning_rate)


def is_masked(model: keras.Model) -> bool:
    """Whether a network as from `build_network` masks its padding."""
    return bool(model.get_layer("embedding").mask_zero)
