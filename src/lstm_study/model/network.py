"""The one builder of the network, for search, baseline and winner alike."""

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


def build_network(configuration: Configuration, *, seed: int, masked: bool = False) -> keras.Model:
    """Builds the documented network, not compiled.

    `Embedding → LSTM(dropout, recurrent_dropout) → Dense(1, sigmoid)`, with every initialiser at
    Keras's default and seeded. The LSTM is Keras's own, with a faster loop over time: see
    `model/lstm/layer.py`.

    Args:
        configuration: The hyperparameters.
        seed: Seed of weights and dropout; no global random state is read.
        masked: Whether padding is masked, so that the LSTM holds its state over it. The documented
            baseline reads its padding.

    Returns:
        A model from token ids, int32 [batch, maxlen], to probabilities of the positive label,
        float32 [batch, 1]. With a mask the ids may be of any length.
    """
    initializers = keras.initializers
    inputs = keras.Input(
        shape=(None if masked else configuration.maxlen,), dtype="int32", name="token_ids"
    )
    outputs = keras.layers.Embedding(
        configuration.vocabulary_size,
        configuration.embedding_dim,
        embeddings_initializer=initializers.RandomUniform(
            -0.05, 0.05, seed=derive(seed, "weights", "embedding")
        ),
        mask_zero=masked,
        name="embedding",
    )(inputs)
    for layer in range(configuration.lstm_layers):
        outputs = LSTM(
            configuration.lstm_units,
            dropout=configuration.dropout,
            recurrent_dropout=configuration.recurrent_dropout,
            return_sequences=layer + 1 < configuration.lstm_layers,
            kernel_initializer=initializers.GlorotUniform(
                seed=derive(seed, "weights", "kernel", layer)
            ),
            recurrent_initializer=initializers.Orthogonal(
                seed=derive(seed, "weights", "recurrent kernel", layer)
            ),
            seed=derive(seed, "dropout", layer),
            name=f"lstm_{layer + 1}" if configuration.lstm_layers > 1 else "lstm",
        )(outputs)
    outputs = keras.layers.Dense(
        1,
        activation="sigmoid",
        kernel_initializer=initializers.GlorotUniform(seed=derive(seed, "weights", "output")),
        name="probability",
    )(outputs)
    return keras.Model(inputs, outputs, name="sentiment_lstm")


def build_model(
    configuration: Configuration, *, protocol: ProtocolTable, seed: int, masked: bool = False
) -> Any:
    """Builds and compiles the documented network: binary cross-entropy and accuracy.

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
