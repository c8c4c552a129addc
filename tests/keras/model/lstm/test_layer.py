"""The fast LSTM against `keras.layers.LSTM`, on the backend that KERAS_BACKEND names.

On TensorFlow both loops are tested, the Numba kernels and the XLA loop, which a GPU would run.
Where JAX is installed, the whole file runs once more on JAX, in another process.
"""

import importlib.util
import math
import os
import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from lstm_study.model.lstm import layer as lstm
from lstm_study.model.lstm import xla
from lstm_study.model.lstm.cpu import function as cpu_function
from lstm_study.model.lstm.layer import LSTM
from lstm_study.model.lstm.xla import capacity
from lstm_study.model.lstm.xla_sweeps import CHUNK
from tests.support.on_jax import WHOLE_FILE_SECONDS, run_on_jax

# Keras 3.15 reads its variables with NumPy's older protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
BACKEND = keras.backend.backend()
SOURCE = Path(__file__).parents[4] / "src"
LOOPS = {"tensorflow": ["cpu", "xla"], "jax": ["xla"]}[BACKEND]
# The loop in XLA is compiled for each example.
EXAMPLES = {"tensorflow": 4, "jax": 3}[BACKEND]


@pytest.fixture(params=LOOPS, scope="module", autouse=True)
def loop(request):
    """Makes the layer run one of its loops."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "xla":
            patch.setattr(lstm, "uses_cpu_kernels", lambda dtype: False)
        yield request.param


def run_in_a_process(code: str, **environment: str) -> str:
    """Returns what the code prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": str(SOURCE), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def twins(
    *, units: int, features: int, bidirectional: bool = False, **options: Any
) -> tuple[keras.Layer, keras.Layer]:
    """Keras's layer and the fast one, with equal weights and seeds."""
    layers = keras.layers.LSTM(units, seed=3, **options), LSTM(units, seed=3, **options)
    if bidirectional:
        layers = tuple(keras.layers.Bidirectional(layer) for layer in layers)
    for layer in layers:
        layer.build((None, None, features))
    generator = np.random.default_rng(7)
    layers[0].set_weights([generator.normal(0, 0.5, w.shape) for w in layers[0].get_weights()])
    layers[1].set_weights(layers[0].get_weights())
    return layers


def outputs_and_gradients(layer: Any, inputs: list[Any], **call: Any) -> list[np.ndarray]:
    """What the layer returns, and the gradient of a fixed random sum of it.

    Args:
        layer: A built layer.
        inputs: Sequences, and perhaps output and carry before the first step.
        call: Mask and training.
    """
    state = {"initial_state": inputs[1:]} if len(inputs) > 1 else {}

    def weighted(results: Any) -> tuple[Any, list[Any]]:
        results = list(results) if isinstance(results, list | tuple) else [results]
        generator = np.random.default_rng(1)
        return (
            sum(ops.sum(r * generator.normal(size=r.shape).astype("float32")) for r in results),
            results,
        )

    if BACKEND == "tensorflow":
        import tensorflow as tf

        inputs = [tf.constant(x) for x in inputs]
        state = {"initial_state": inputs[1:]} if len(inputs) > 1 else {}
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total, results = weighted(layer(inputs[0], **state, **call))
        gradients = tape.gradient(total, [*inputs, *(w.value for w in layer.trainable_weights)])
    else:
        import jax

        def total_of(inputs: Any, weights: Any) -> Any:
            state = {"initial_state": inputs[1:]} if len(inputs) > 1 else {}
            others = [v.value for v in layer.non_trainable_variables]
            results, _ = layer.stateless_call(weights, others, inputs[0], **state, **call)
            return weighted(results)

        weights = [w.value for w in layer.trainable_weights]
        (_, results), parts = jax.value_and_grad(total_of, argnums=(0, 1), has_aux=True)(
            inputs, weights
        )
        gradients = [*parts[0], *parts[1]]
    return [ops.convert_to_numpy(x) for x in (*results, *gradients)]


def assert_equal_twins(pair: Any, inputs: list[np.ndarray], **call: Any) -> None:
    keras_results, our_results = (outputs_and_gradients(x, inputs, **call) for x in pair)
    assert len(keras_results) == len(our_results)
    for expected, received in zip(keras_results, our_results, strict=True):
        np.testing.assert_allclose(received, expected, rtol=1e-5, atol=1e-5)


def sentiment_model(
    layer_class: Any, *, maxlen: int | None = 20, stacked: bool = False, pooled: bool = False
) -> keras.Model:
    """Embedding with a mask, one layer, two, or two directions with pooling, output; all seeded."""
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [keras.Input((maxlen,), dtype="int32"), keras.layers.Embedding(50, 6, mask_zero=True)]
    )
    if stacked:
        model.add(layer_class(7, dropout=0.2, recurrent_dropout=0.3, return_sequences=True, seed=1))
    last = layer_class(
        5, dropout=0.3, recurrent_dropout=0.2, seed=2, name="last", return_sequences=pooled
    )
    model.add(keras.layers.Bidirectional(last) if pooled else last)
    if pooled:
        model.add(keras.layers.GlobalAveragePooling1D())
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy")
    return model


def batch_of_reviews(seed: int, *, batch: int = 8, time: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Token ids padded at the front with 0, and labels."""
    generator = np.random.default_rng(seed)
    token_ids = generator.integers(1, 50, (batch, time)).astype("int32")
    for row, start in enumerate(generator.integers(0, time, batch)):
        token_ids[row, :start] = 0
    return token_ids, generator.integers(0, 2, (batch, 1)).astype("float32")


def test_two_steps_of_one_unit_are_what_the_formula_gives():
    layer = LSTM(1)
    layer.build((None, None, 1))
    weights = [[0.5, -0.3, 0.8, 0.2]], [[0.1, 0.4, -0.6, 0.7]], [0.0, 1.0, 0.1, -0.2]
    layer.set_weights([np.array(w) for w in weights])

    def sigmoid(z: float) -> float:
        return 1 / (1 + math.exp(-z))

    h = c = 0.0
    for x in (1.5, -2.0):
        i, f = sigmoid(0.5 * x + 0.1 * h), sigmoid(-0.3 * x + 0.4 * h + 1.0)
        g, o = math.tanh(0.8 * x - 0.6 * h + 0.1), sigmoid(0.2 * x + 0.7 * h - 0.2)
        c = f * c + i * g
        h = o * math.tanh(c)

    received = layer(np.array([[[1.5], [-2.0]]], "float32"))

    assert float(received[0, 0]) == pytest.approx(h, abs=1e-6)


@settings(max_examples=EXAMPLES, derandomize=True)
@given(data=st.data())
def test_outputs_and_all_gradients_are_those_of_keras(data):
    batch, features, units = (data.draw(st.integers(1, 6), label=n) for n in ("batch", "in", "out"))
    time = data.draw(st.integers(1, 3 * CHUNK), label="time")
    rates = st.sampled_from([0.0, 0.2, 0.7])
    pair = twins(
        units=units,
        features=features,
        dropout=data.draw(rates, label="dropout"),
        recurrent_dropout=data.draw(rates, label="recurrent dropout"),
        return_sequences=data.draw(st.booleans(), label="return_sequences"),
        go_backwards=data.draw(st.booleans(), label="go_backwards"),
    )
    generator = np.random.default_rng(data.draw(st.integers(0, 99), label="seed"))
    mask = {
        "none": None,
        "front": np.arange(time) >= generator.integers(0, time, (batch, 1)),
        "back": np.arange(time) < generator.integers(1, time + 1, (batch, 1)),
        "any": generator.random((batch, time)) > 0.4,
    }[data.draw(st.sampled_from(["none", "front", "back", "any"]), label="mask")]
    sequences = generator.normal(size=(batch, time, features)).astype("float32")

    assert_equal_twins(
        pair, [sequences], mask=mask, training=data.draw(st.booleans(), label="training")
    )


@pytest.mark.parametrize("time", [1, CHUNK, CHUNK + 1])
def test_lengths_at_the_edge_of_a_chunk_give_the_results_of_keras(time):
    pair = twins(units=3, features=4, dropout=0.4, recurrent_dropout=0.4, return_sequences=True)
    sequences = np.random.default_rng(0).normal(size=(5, time, 4)).astype("float32")

    assert_equal_twins(pair, [sequences], training=True)


@settings(max_examples=EXAMPLES, derandomize=True)
@given(data=st.data())
def test_two_directions_with_all_outputs_are_those_of_keras_values_and_gradients(data):
    batch, features, units = (data.draw(st.integers(1, 5), label=n) for n in ("batch", "in", "out"))
    time = data.draw(st.integers(1, 3 * CHUNK), label="time")
    pair = twins(
        units=units,
        features=features,
        bidirectional=True,
        dropout=data.draw(st.sampled_from([0.0, 0.4]), label="dropout"),
        recurrent_dropout=data.draw(st.sampled_from([0.0, 0.4]), label="recurrent dropout"),
        return_sequences=data.draw(st.booleans(), label="return_sequences"),
    )
    generator = np.random.default_rng(data.draw(st.integers(0, 99), label="seed"))
    # Time steps that are padding in the whole batch, at either end, are skipped.
    first, last = sorted(generator.integers(0, time, 2))
    alive = generator.random((batch, time)) > 0.3
    alive[:, :first] = alive[:, last + 1 :] = False
    mask = data.draw(st.sampled_from([None, alive]), label="mask")
    sequences = generator.normal(size=(batch, time, features)).astype("float32")

    assert_equal_twins(
        pair, [sequences], mask=mask, training=data.draw(st.booleans(), label="training")
    )


def test_both_directions_run_in_the_fast_loop(monkeypatch, loop):
    module = {"cpu": cpu_function, "xla": xla}[loop]
    loops = []
    name = {"cpu": "cpu_lstm", "xla": "xla_lstm"}[loop]
    function = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *given: loops.append(given[2]) or function(*given))
    layer = keras.layers.Bidirectional(LSTM(3, recurrent_dropout=0.2, return_sequences=True))
    sequences, mask = np.ones((2, 6, 4), "float32"), np.arange(6) >= np.array([[0], [3]])

    layer(sequences, mask=mask, training=True)

    assert [steps.go_backwards for steps in loops] == [False, True]
    assert all(steps.zero_held_outputs and steps.return_outputs for steps in loops)


def test_a_given_initial_state_and_the_final_state_have_their_gradients():
    pair = twins(units=3, features=4, recurrent_dropout=0.2, return_state=True)
    generator = np.random.default_rng(0)
    inputs = [generator.normal(size=s).astype("float32") for s in ((2, 9, 4), (2, 3), (2, 3))]

    assert_equal_twins(pair, inputs, training=True)


def test_the_output_for_a_review_of_nothing_but_padding_is_zero():
    layer = LSTM(3)
    output = layer(np.ones((2, 5, 4), "float32"), mask=np.array([[False] * 5, [True] * 5]))

    assert not np.any(output[0])
    assert np.all(output[1])


def test_what_the_fast_loops_do_not_cover_runs_in_the_loop_of_keras():
    for options in (
        {"unroll": True},
        {"activation": "relu"},
        {"recurrent_activation": "tanh"},
        {"use_bias": False},
        {"zero_output_for_mask": True},
    ):
        pair = twins(units=3, features=4, **options)
        sequences = np.random.default_rng(0).normal(size=(2, 6, 4)).astype("float32")
        mask = np.array([[False, True, True, True, False, True]] * 2)

        assert_equal_twins(pair, [sequences], mask=mask)


def trained_step_by_step(layer_class: Any) -> tuple[list[float], list[np.ndarray]]:
    """The losses of four steps, each on its batch and then on another one, and the weights."""
    model = sentiment_model(layer_class, stacked=True)
    losses = []
    for step in range(4):
        losses += [model.train_on_batch(*batch_of_reviews(step))]
        losses += [model.test_on_batch(*batch_of_reviews(99))]
    return losses, model.get_weights()


def losses_of_batches(layer_class: Any, pooled: bool) -> list[float]:
    """The losses of two steps on batches of other lengths and sizes."""
    model = sentiment_model(layer_class, maxlen=None, pooled=pooled)
    return [
        model.train_on_batch(*batch_of_reviews(step, batch=batch, time=time))
        for step, (batch, time) in enumerate([(8, 20), (3, 30)])
    ]


@cache
def by_keras(function: Any, *given: Any) -> Any:
    """What the function gives for Keras's layer: the same for each loop of the fast one."""
    return function(keras.layers.LSTM, *given)


def test_training_from_equal_seeds_follows_keras_step_by_step():
    losses, weights = trained_step_by_step(LSTM)

    expected_losses, expected_weights = by_keras(trained_step_by_step)
    assert losses == pytest.approx(expected_losses, abs=1e-5)
    for expected, received in zip(expected_weights, weights, strict=True):
        np.testing.assert_allclose(received, expected, atol=1e-5)


@pytest.mark.parametrize("pooled", [False, True])
def test_batches_of_any_length_and_size_follow_keras(pooled):
    losses = losses_of_batches(LSTM, pooled)

    assert losses == pytest.approx(by_keras(losses_of_batches, pooled), abs=1e-5)


def test_equal_seeds_give_equal_bits_with_op_determinism_on():
    if BACKEND == "tensorflow":
        from tensorflow.python.framework.config import is_op_determinism_enabled

        assert is_op_determinism_enabled(), "conftest.py turns it on, as every worker does"
    trained = []
    for _ in range(2):
        model = sentiment_model(LSTM)
        for step in range(3):
            model.train_on_batch(*batch_of_reviews(step))
        trained.append(b"".join(w.tobytes() for w in model.get_weights()))

    assert trained[0] == trained[1]


@pytest.mark.skipif(BACKEND != "tensorflow", reason="JAX compiles a step for each length anyway")
@pytest.mark.parametrize("loop", ["xla"], indirect=True)
def test_a_new_length_of_known_capacity_compiles_nothing(tmp_path):
    counts = run_in_a_process(
        f"""
        import pathlib, keras, numpy as np
        from lstm_study.model.lstm import layer as lstm
        from lstm_study.model.lstm.layer import LSTM
        lstm.uses_cpu_kernels = lambda dtype: False
        model = keras.Sequential([
            keras.Input((None, 3)), LSTM(2, recurrent_dropout=0.2, seed=1), keras.layers.Dense(1)])
        model.compile("adam", "mse")
        for length in (70, 120, 100, 65, 128):
            model.train_on_batch(np.zeros((4, length, 3)), np.zeros((4, 1)))
            print(len(list(pathlib.Path({str(tmp_path)!r}).glob("*sweep*after_optimizations.txt"))))
        """,
        XLA_FLAGS=f"--xla_dump_to={tmp_path} --xla_dump_hlo_as_text",
    ).split()

    first, second, *later = map(int, counts)
    # The first length is compiled with its shapes fixed, the second with open ones.
    assert 0 < first < second
    assert later == [second] * 3


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_in_half_precision_outputs_equal_those_of_keras_within_it(policy):
    pair = twins(
        units=4, features=3, dtype=policy, dropout=0.2, recurrent_dropout=0.2, return_sequences=True
    )
    sequences = np.random.default_rng(0).normal(size=(3, 10, 3)).astype("float32")
    tolerance = {"mixed_float16": 1e-2, "mixed_bfloat16": 5e-2}[policy]

    expected, received = (layer(sequences, training=True) for layer in pair)

    assert expected.dtype == received.dtype
    np.testing.assert_allclose(
        *(ops.convert_to_numpy(x).astype("float32") for x in (received, expected)),
        atol=tolerance,
    )


def test_a_model_in_half_precision_trains():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = sentiment_model(LSTM)
    finally:
        keras.config.set_dtype_policy("float32")
    losses = [model.train_on_batch(*batch_of_reviews(0)) for _ in range(12)]

    assert losses[-1] < losses[0]
    assert all(w.dtype == np.float32 for w in model.get_weights())


def test_the_configuration_is_that_of_the_layer_of_keras():
    ours, plain = (kind(4, dropout=0.1, seed=2, name="x") for kind in (LSTM, keras.layers.LSTM))

    assert ours.get_config() == plain.get_config()


def test_capacities_are_powers_of_two_from_64():
    assert [capacity(time) for time in (1, 64, 65, 128, 500)] == [64, 64, 128, 128, 512]


@pytest.mark.timeout(WHOLE_FILE_SECONDS)
@pytest.mark.skipif(BACKEND != "tensorflow", reason="already on another backend")
@pytest.mark.parametrize("loop", ["xla"], indirect=True)
def test_the_whole_file_passes_on_jax():
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed: the fast LSTM is NOT tested on JAX")
    run_on_jax(__file__)
