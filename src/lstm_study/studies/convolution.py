"""A small 1-D convolution over reviews, as Keras Tuner's users write it: see convolution.toml."""

import keras
import keras_tuner
from keras import layers


def build(hp: keras_tuner.HyperParameters) -> keras.Model:
    """Builds a network from token ids, int32 [batch, maxlen], to a probability [batch, 1].

    The study cuts reviews to `vocabulary_size` token ids and `maxlen` tokens. It compiles the
    network by `[protocol]`, unless it is compiled here.
    """
    vocabulary_size = hp.Fixed("vocabulary_size", 20_000)
    maxlen = hp.Fixed("maxlen", 200)
    filters = hp.Choice("filters", [32, 64, 128])
    kernel_size = hp.Int("kernel_size", 3, 7, step=2)

    tokens = keras.Input((maxlen,), dtype="int32")
    x = layers.Embedding(vocabulary_size, 32)(tokens)
    x = layers.Conv1D(filters, kernel_size, activation="relu")(x)
    if hp.Choice("pooling", ["max", "mean and max"]) == "max":
        x = layers.GlobalMaxPooling1D()(x)
    else:
        x = layers.Concatenate()(
            [layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)]
        )
    x = layers.Dropout(hp.Float("dropout", 0.0, 0.5, step=0.1))(x)
    return keras.Model(tokens, layers.Dense(1, activation="sigmoid")(x))
