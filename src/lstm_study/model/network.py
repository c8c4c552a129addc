"""The one builder of the network: for search, comparison and the exported model alike."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from lstm_study.configuration import Configuration
from lstm_study.model.lstm.layer import LSTM
from lstm_study.model.optimizer import make_optimizer
from lstm_study.seeds import derive
from lstm_study.spec import ProtocolTable

TOKEN_IDS, PAIR_IDS = "token_ids", "pair_ids"
_OUT_OF_SIGHT = 1e9


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

    Word dropout is not part of it: that is done to the token ids, see `training/inputs.py`.

    Args:
        configuration: The hyperparameters.
        seed: Seed of weights and dropout; no global random state is read.
        masked: Whether padding is masked, so that the LSTM holds its state over it and pooling
            passes over it. The documented baseline reads its padding.
        plain: Whether to build it from layers that every Keras has, for an exported file: with
            `keras.layers.LSTM` in place of the one with the faster loop, and for `maxlen` tokens
            exactly. Weights and their order are the same.
        use_cudnn: Of a plain network's LSTM; False for a graph that must run on any device. Masked
            networks never use cuDNN, which takes padding at the end alone.

    Returns:
        A model from token ids, int32 [batch, maxlen], to probabilities of the positive label,
        float32 [batch, 1]. With pairs its inputs are token ids and pair ids, of equal shape. With
        a mask, and not plain, the ids may be of any length.
    """
    length = None if masked and not plain else configuration.maxlen
    token_ids = keras.Input(shape=(length,), dtype="int32", name=TOKEN_IDS)
    inputs = [token_ids]
    outputs = _embedding(configuration, seed=seed)(token_ids)
    if configuration.pair_rows:
        inputs.append(keras.Input(shape=(length,), dtype="int32", name=PAIR_IDS))
        pairs = _embedding(configuration, seed=seed, pairs=True)(inputs[1])
        outputs = layers.Add(name="words_and_pairs")([outputs, pairs])
    if configuration.embedding_dropout:
        # One mask for all steps of a review, as the LSTM's own dropout has.
        outputs = layers.SpatialDropout1D(
            configuration.embedding_dropout,
            seed=derive(seed, "dropout", "embedding"),
            name="embedding_dropout",
        )(outputs)
    keep = _keep(token_ids) if masked else None
    options = {"use_cudnn": False if masked else use_cudnn} if plain else None
    outputs = _recurrent(configuration, outputs, keep, seed=seed, plain=options)
    if configuration.output_dropout:
        outputs = layers.Dropout(
            configuration.output_dropout,
            seed=derive(seed, "dropout", "output"),
            name="output_dropout",
        )(outputs)
    outputs = layers.Dense(
        1,
        activation="sigmoid",
        kernel_initializer=keras.initializers.GlorotUniform(seed=derive(seed, "weights", "output")),
        name="probability",
    )(outputs)
    return keras.Model(inputs if len(inputs) > 1 else token_ids, outputs, name="sentiment_lstm")


def _embedding(
    configuration: Configuration, *, seed: int, pairs: bool = False
) -> keras.layers.Embedding:
    name = "pair_embedding" if pairs else "embedding"
    return layers.Embedding(
        configuration.pair_rows if pairs else configuration.vocabulary_size,
        configuration.embedding_dim,
        embeddings_initializer=keras.initializers.RandomUniform(
            -0.05, 0.05, seed=derive(seed, "weights", name.replace("_", " "))
        ),
        name=name,
    )


def _keep(token_ids: Any) -> Any:
    """Returns the mask, float32 [batch, time]: 1 for a token and 0 for padding.

    Of layers that have neither weights nor comparisons, so that it is saved in every file format:
    what `mask_zero` adds to a network, Keras 3.15 can't load back from HDF5.
    """
    numbers = layers.Rescaling(1.0, name="numbers")(token_ids)
    return layers.ReLU(max_value=1.0, name="keep")(numbers)


def _recurrent(
    configuration: Configuration,
    outputs: Any,
    keep: Any,
    *,
    seed: int,
    plain: dict[str, Any] | None,
) -> Any:
    """Applies the LSTM layers and the pooling: [batch, time, n] to [batch, features]."""
    pooling, top = configuration.pooling, configuration.lstm_layers - 1
    states: list[Any] = []
    for layer in range(configuration.lstm_layers):
        returns = {
            "return_sequences": layer < top or pooling != "last",
            "return_state": layer == top and pooling == "all",
        }
        lstm = _lstm(configuration, layer, seed=seed, returns=returns, plain=plain)
        outputs = lstm(outputs, mask=keep)
        if returns["return_state"]:
            outputs, *states = outputs
    if pooling == "last":
        return outputs
    features = states[::2] if pooling == "all" else []  # the outputs; between them are the carries
    if pooling in ("mean", "all"):
        features.append(layers.GlobalAveragePooling1D(name="mean")(outputs, mask=keep))
    if pooling in ("max", "all"):
        if keep is not None:
            penalty = layers.Rescaling(_OUT_OF_SIGHT, offset=-_OUT_OF_SIGHT, name="penalty")(keep)
            penalty = layers.Reshape((-1, 1), name="penalties")(penalty)
            outputs = layers.Add(name="tokens_alone")([outputs, penalty])
        features.append(layers.GlobalMaxPooling1D(name="max")(outputs))
    return layers.Concatenate(name="features")(features) if len(features) > 1 else features[0]


def _lstm(
    configuration: Configuration,
    layer: int,
    *,
    seed: int,
    returns: dict[str, bool],
    plain: dict[str, Any] | None,
) -> keras.layers.Layer:
    kind = LSTM if plain is None else keras.layers.LSTM
    name = f"lstm_{layer + 1}" if configuration.lstm_layers > 1 else "lstm"

    def one(*place: int | str, **options: Any) -> keras.layers.LSTM:
        return kind(
            configuration.lstm_units,
            dropout=configuration.dropout,
            recurrent_dropout=configuration.recurrent_dropout,
            kernel_initializer=keras.initializers.GlorotUniform(
                seed=derive(seed, "weights", "kernel", *place)
            ),
            recurrent_initializer=keras.initializers.Orthogonal(
                seed=derive(seed, "weights", "recurrent kernel", *place)
            ),
            seed=derive(seed, "dropout", *place),
            **options,
            **returns,
            **(plain or {}),
        )

    if not configuration.bidirectional:
        return one(layer, name=name)
    # The wrapper makes its own copy of the first from its configuration.
    with keras.saving.custom_object_scope({LSTM.__name__: kind}):
        return layers.Bidirectional(
            one(layer, name=name),
            backward_layer=one(layer, "backward", name=f"backward_{name}", go_backwards=True),
            name=f"{name}_both_directions",
        )


def ensemble_of(members: Sequence[keras.Model]) -> keras.Model:
    """Joins networks into one whose probability is the mean of theirs.

    Args:
        members: Networks of equal inputs, two or more; they are renamed. Their weights follow each
            other, member by member.
    """
    inputs = [
        keras.Input(shape=each.shape[1:], dtype="int32", name=each.name)
        for each in members[0].inputs
    ]
    given = inputs if len(inputs) > 1 else inputs[0]
    probabilities = []
    for number, member in enumerate(members, start=1):
        member.name = f"member_{number}"
        probabilities.append(member(given))
    outputs = layers.Average(name="probability")(probabilities)
    return keras.Model(given, outputs, name="sentiment_lstm_ensemble")


def build_model(
    configuration: Configuration,
    *,
    protocol: ProtocolTable,
    seed: int,
    masked: bool = False,
    steps: int = 0,
) -> Any:
    """Builds and compiles the network of a configuration: binary cross-entropy and accuracy.

    `masked` is as in `build_network`: `protocol.masked` is the study's, not the baseline's. A
    linear schedule is at zero after so many training steps.
    """
    model = build_network(configuration, seed=seed, masked=masked)
    model.compile(
        optimizer=make_optimizer(configuration, protocol=protocol, steps=steps),
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )
    return model


def is_masked(model: keras.Model) -> bool:
    """Whether a network as from `build_network` for training masks its padding."""
    return model.inputs[0].shape[1] is None
