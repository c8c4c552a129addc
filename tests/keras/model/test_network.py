"""Networks of the open space against the textbook and plain Keras layers: values and gradients."""

import itertools

import keras
import numpy as np
import pytest

from lstm_study.configuration import BASELINE, HYPERPARAMETERS
from lstm_study.model.network import build_network

SMALL = BASELINE.with_values(
    vocabulary_size=40, maxlen=7, embedding_dim=5, lstm_units=4, dropout=0.0, recurrent_dropout=0.0
)
LABELS = np.array([0, 1, 1, 0, 1, 0], np.float32)[:, None]


def inputs(configuration, *, rows: int = 6, padded: bool = True):
    random = np.random.default_rng(3)
    ids = random.integers(3, configuration.vocabulary_size, (rows, configuration.maxlen))
    if padded:
        for row, length in enumerate((0, 1, 3, 6, 2, 0)[:rows]):
            ids[row, :length] = 0
    pairs = random.integers(2, max(3, configuration.pair_rows), ids.shape)
    pairs[ids == 0] = 0
    ids, pairs = ids.astype(np.int32), pairs.astype(np.int32)
    return [ids, pairs] if configuration.pair_rows else ids


def by_hand(configuration, weights, given, *, masked: bool):
    """The network's probabilities by the textbook's equations, float64 [rows, 1]."""
    ids, pairs = given if isinstance(given, list) else (given, None)
    weights = [np.asarray(each, np.float64) for each in weights]
    sequences = weights.pop(0)[ids]
    if pairs is not None:
        sequences = sequences + weights.pop(0)[pairs]
    keep = (ids > 0) | (not masked)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def lstm(x, kernel, recurrent, bias, *, backwards):
        h = c = np.zeros((len(x), recurrent.shape[0]))
        outputs = np.zeros((*x.shape[:2], recurrent.shape[0]))
        steps = range(x.shape[1])
        for t in reversed(steps) if backwards else steps:
            i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent + bias, 4, axis=1)
            new_c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            new_h = sigmoid(o) * np.tanh(new_c)
            alive = keep[:, t, None]
            h, c = np.where(alive, new_h, h), np.where(alive, new_c, c)
            outputs[:, t] = h
        return outputs, h

    for _ in range(configuration.lstm_layers):
        found = []
        for direction in range(configuration.directions):
            found.append(lstm(sequences, *weights[:3], backwards=direction == 1))
            del weights[:3]
        sequences = np.concatenate([outputs for outputs, _ in found], axis=-1)
        last = np.concatenate([h for _, h in found], axis=-1)
    alive = keep[:, :, None]
    mean = np.where(alive, sequences, 0).sum(1) / alive.sum(1)
    features = {
        "last": [last],
        "mean": [mean],
        "max": [np.where(alive, sequences, -np.inf).max(1)],
    }
    features["all"] = [*features["last"], *features["mean"], *features["max"]]
    output, bias = weights
    return sigmoid(np.concatenate(features[configuration.pooling], axis=-1) @ output + bias)


@pytest.mark.parametrize(
    ("pooling", "bidirectional", "layers", "pairs", "masked"),
    [
        *itertools.product(("last", "mean", "max", "all"), (False, True), (1,), (0,), (True,)),
        ("all", True, 2, 9, True), ("all", True, 2, 9, False), ("last", True, 2, 0, True),
        ("max", False, 1, 9, False),
    ],
)  # fmt: skip
def test_values_are_the_textbooks_and_gradients_those_of_keras_own_layers(
    pooling, bidirectional, layers, pairs, masked
):
    configuration = SMALL.with_values(
        pooling=pooling, bidirectional=bidirectional, lstm_layers=layers, pair_vocabulary_size=pairs
    )
    built = build_network(configuration, seed=4, masked=masked)
    plain = build_network(configuration, seed=4, masked=masked, plain=True)
    assert built.count_params() == configuration.parameter_count == plain.count_params()
    for ours, theirs in zip(built.get_weights(), plain.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    given = inputs(configuration)
    expected = by_hand(configuration, built.get_weights(), given, masked=masked)
    assert np.allclose(built.predict(given, verbose=0), expected, atol=1e-5)
    assert np.allclose(plain.predict(given, verbose=0), expected, atol=1e-5)
    for ours, theirs in zip(gradients(built, given), gradients(plain, given), strict=True):
        assert np.allclose(ours, theirs, atol=1e-5), ours.shape


def gradients(model, given):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        found = model(given, training=True)
        loss = keras.losses.binary_crossentropy(LABELS, found)
    slices = tape.gradient(loss, [each.value for each in model.trainable_variables])
    return [tf.convert_to_tensor(each).numpy() for each in slices]


def test_the_same_dropout_is_drawn_by_the_fast_network_and_the_plain_one():
    configuration = SMALL.with_values(
        dropout=0.2, recurrent_dropout=0.3, embedding_dropout=0.4, output_dropout=0.5,
        pooling="all", bidirectional=True,
    )  # fmt: skip
    given = inputs(configuration)
    fast, plain = (
        build_network(configuration, seed=4, masked=True, plain=p) for p in (False, True)
    )
    outputs = [np.asarray(network(given, training=True)) for network in (fast, plain)]
    assert np.allclose(*outputs, atol=1e-6)
    silent = build_network(configuration, seed=4, masked=True)(given, training=False)
    assert not np.allclose(outputs[0], np.asarray(silent), atol=1e-4)


def test_a_masked_review_gives_the_same_in_a_batch_that_is_cut_shorter():
    configuration = SMALL.with_values(
        pooling="all", bidirectional=True, lstm_layers=2, pair_vocabulary_size=9
    )
    network = build_network(configuration, seed=4, masked=True)
    ids, pairs = inputs(configuration)
    whole = network.predict([ids, pairs], verbose=0)[[1, 2, 4]]
    cut = network.predict([ids[[1, 2, 4], 1:], pairs[[1, 2, 4], 1:]], verbose=0)
    assert np.allclose(whole, cut, atol=1e-6)


def test_every_row_that_says_so_adds_parameters_and_no_other():
    for name, row in HYPERPARAMETERS.items():
        more = {"integer": 2, "share": 0.3, "number": 0.5, "switch": True, "choice": "all"}[
            row.kind
        ]
        if row.kind == "integer" and row.documented is not None:
            more = getattr(SMALL, name) + more
        if name == "learning_rate_schedule":
            more = "linear"
        other = SMALL.with_values(**{name: more})
        grew = other.parameter_count > SMALL.parameter_count
        assert grew == ("parameters" in row.grows), name
        assert build_network(other, seed=1).count_params() == other.parameter_count, name
