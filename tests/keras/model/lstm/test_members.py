"""The LSTM of a population on JAX's CPU: kernels, plain loop and Keras's layer against each other.

Kernels run interpreted, and are lowered for CUDA, which needs no card and finds what interpreting
does not. Only the test against Keras's layer needs Keras on JAX.
"""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_study.model.lstm import gpu, gpu_limits
from lstm_study.model.lstm.members import (
    INTERPRETED,
    PALLAS,
    PALLAS_RELOADING,
    SCAN,
    kernels,
    lstm,
    sweeps_for,
)
from lstm_study.model.population.steps import _SAME_BITS
from tests.support.on_jax import (
    WHOLE_FILE_SECONDS,
    as_if_on_a_card,
    needs_jax,
    run_on_jax,
    starts_jax,
)

IMPLEMENTATIONS = {"kernels": INTERPRETED, "loop": SCAN}


def case(*, members, time, batch, units, masked, seed):
    """Random arguments of `lstm`; the first review is all padding, the second has none."""
    generator = np.random.default_rng(seed)
    draw = lambda *shape: generator.normal(size=shape).astype("float32")  # noqa: E731
    first = generator.integers(0, time, (members, batch)).astype("int32")
    first[:, 0], first[:, 1] = time, 0
    masks = (generator.random((members, 4, batch, units)) < 0.7) / 0.7
    return (
        draw(members, batch, time, 4, units),
        draw(members, 4, units, units) * 0.3,
        draw(members, 4, units),
        masks.astype("float32") if masked else None,
        first,
    )


def value_and_gradients(arguments, weighing, *, every_step, sweeps):
    """The outputs, and the gradients of their weighed sum by inputs, weights and bias.

    Compiled as programs of populations are: else each call may time and choose other products.
    """

    def total(inputs, weights, bias):
        outputs = lstm(inputs, weights, bias, *arguments[3:], every_step, sweeps)
        return jnp.sum(outputs * (weighing if every_step else weighing[:, :, -1])), outputs

    compiled = jax.jit(
        jax.value_and_grad(total, (0, 1, 2), has_aux=True), compiler_options=_SAME_BITS
    )
    (_, outputs), gradients = compiled(*arguments[:3])
    return [outputs, *gradients]


def states_of_a_plain_loop(inputs, weights, bias, masks, first):
    """The outputs of every step, as the formula says, without a gradient by hand."""
    members, batch, time, _, units = inputs.shape
    h = c = jnp.zeros((members, batch, units))
    found = []
    for t in range(time):
        states = h[:, None] * (1.0 if masks is None else masks)
        states = jnp.broadcast_to(states, (members, 4, batch, units))
        z = inputs[:, :, t] + bias[:, None] + jnp.einsum("pgbu,pguv->pbgv", states, weights)
        i, f, o = (jax.nn.sigmoid(z[:, :, gate]) for gate in (0, 1, 3))
        new_c = f * c + i * jnp.tanh(z[:, :, 2])
        alive = (t >= first)[..., None]
        c, h = jnp.where(alive, new_c, c), jnp.where(alive, o * jnp.tanh(new_c), h)
        found.append(h)
    return jnp.stack(found, axis=2)


@settings(max_examples=5, derandomize=True)
@given(data=st.data())
def test_kernels_and_loop_give_the_values_and_gradients_of_the_formula(data):
    sizes = {
        "members": data.draw(st.integers(1, 3), label="members"),
        "time": data.draw(st.integers(1, 9), label="time"),
        "batch": gpu.BLOCK * data.draw(st.integers(1, 2), label="blocks"),
        "units": data.draw(st.sampled_from([16, 32, 128]), label="units"),
        "masked": data.draw(st.booleans(), label="masked"),
    }
    every_step = data.draw(st.booleans(), label="every step")
    arguments = case(**sizes, seed=data.draw(st.integers(0, 99), label="seed"))
    weighing = np.random.default_rng(1).normal(
        size=(sizes["members"], sizes["batch"], sizes["time"], sizes["units"])
    )

    def total(inputs, weights, bias):
        outputs = states_of_a_plain_loop(inputs, weights, bias, *arguments[3:])
        outputs = outputs if every_step else outputs[:, :, -1]
        return jnp.sum(outputs * (weighing if every_step else weighing[:, :, -1])), outputs

    (_, outputs), gradients = jax.value_and_grad(total, (0, 1, 2), has_aux=True)(*arguments[:3])

    for sweeps in IMPLEMENTATIONS.values():
        received = value_and_gradients(arguments, weighing, every_step=every_step, sweeps=sweeps)
        for expected, found in zip([outputs, *gradients], received, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("every_step", [True, False])
def test_inference_gives_what_training_gives(name, every_step):
    arguments = case(members=2, time=7, batch=16, units=16, masked=False, seed=4)
    sweeps = IMPLEMENTATIONS[name]

    kept, *_ = value_and_gradients(
        arguments, np.ones((2, 16, 7, 16)), every_step=every_step, sweeps=sweeps
    )

    np.testing.assert_array_equal(lstm(*arguments, every_step, sweeps), kept)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_a_member_has_the_same_bits_alone_and_among_others(name):
    arguments = case(members=3, time=6, batch=16, units=16, masked=True, seed=2)
    weighing = np.random.default_rng(1).normal(size=(3, 16, 6, 16))
    alone = tuple(each[1:2] for each in arguments)

    together, single = (
        value_and_gradients(each, weight, every_step=True, sweeps=IMPLEMENTATIONS[name])
        for each, weight in ((arguments, weighing), (alone, weighing[1:2]))
    )

    for expected, received in zip(together[:2], single[:2], strict=True):
        np.testing.assert_array_equal(received[0], expected[1])


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_padding_gets_no_gradient_and_padded_units_stay_zero(name):
    inputs, weights, bias, masks, first = case(
        members=2, time=6, batch=16, units=32, masked=True, seed=3
    )
    inputs[..., 20:], weights[..., 20:, :], weights[..., 20:], bias[..., 20:] = 0, 0, 0, 0
    weighing = np.random.default_rng(1).normal(size=(2, 16, 6, 32))
    weighing[..., 20:] = 0

    outputs, d_inputs, d_weights, d_bias = value_and_gradients(
        (inputs, weights, bias, masks, first),
        weighing,
        every_step=True,
        sweeps=IMPLEMENTATIONS[name],
    )

    before = np.arange(6) < first[..., None]
    assert not np.asarray(d_inputs)[before].any()
    assert not np.asarray(outputs)[..., 20:].any()
    assert not np.asarray(d_inputs)[..., 20:].any()
    assert not np.asarray(d_bias)[..., 20:].any()
    assert not np.asarray(d_weights)[..., 20:].any() | np.asarray(d_weights)[..., 20:, :].any()


@pytest.mark.parametrize(("every_step", "loss"), [(True, 1e-8), (False, 1.0), (True, 1e6)])
def test_factors_of_half_precision_cost_no_more_than_tf32_does(every_step, loss):
    """Also where gradients are far below and above half precision's range, 6e-8 to 65,504."""
    inputs, weights, *others = case(members=2, time=30, batch=16, units=64, masked=True, seed=5)
    arguments = (inputs, weights / 2, *others)
    weighing = loss * np.random.default_rng(1).normal(size=(2, 16, 30, 64))
    halves = kernels("halves", interpret=True)

    received, expected = (
        value_and_gradients(arguments, weighing, every_step=every_step, sweeps=sweeps)
        for sweeps in (halves, SCAN)
    )

    for found, exact in zip(received, expected, strict=True):
        error = np.linalg.norm(np.asarray(found) - exact) / np.linalg.norm(exact)
        assert 0 < error < 1e-3


def test_factors_are_exact_where_that_is_asked_for():
    arguments = case(members=1, time=9, batch=16, units=16, masked=True, seed=5)
    weighing = np.ones((1, 16, 9, 16))

    with jax.default_matmul_precision("highest"):
        received, expected = (
            value_and_gradients(arguments, weighing, every_step=True, sweeps=sweeps)
            for sweeps in (kernels("halves", interpret=True), SCAN)
        )

    for found, exact in zip(received, expected, strict=True):
        np.testing.assert_allclose(found, exact, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("units", "capability", "expected"),
    [(128, "9.0", PALLAS), (128, "8.6", PALLAS_RELOADING), (256, "9.0", PALLAS_RELOADING),
     (256, "8.6", SCAN)],
)  # fmt: skip
def test_the_kernels_are_those_that_the_card_has_room_for(units, capability, expected):
    card = SimpleNamespace(platform="gpu", device_kind="card", compute_capability=capability)

    sweeps, why = sweeps_for(units, card)

    assert sweeps is expected
    assert (why == f"{units} units fit card") == (expected is not SCAN)


@needs_jax
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@settings(max_examples=5, derandomize=True)
@given(data=st.data())
def test_outputs_and_gradients_are_those_of_the_layer_of_keras(data):
    import keras

    time = data.draw(st.integers(1, 8), label="time")
    every_step = data.draw(st.booleans(), label="every step")
    units, features = 16, 5
    generator = np.random.default_rng(data.draw(st.integers(0, 99), label="seed"))
    layer = keras.layers.LSTM(units, return_sequences=every_step)
    layer.build((None, None, features))
    weights = [generator.normal(0, 0.5, w.shape).astype("float32") for w in layer.get_weights()]
    sequences = generator.normal(size=(16, time, features)).astype("float32")
    first = generator.integers(0, time + 1, 16).astype("int32")
    mask = np.arange(time) >= first[:, None]
    weighing = generator.normal(size=(16, time, units) if every_step else (16, units))

    def of_keras(sequences, weights):
        others = [v.value for v in layer.non_trainable_variables]
        outputs, _ = layer.stateless_call(weights, others, sequences, mask=mask)
        return jnp.sum(outputs * weighing), outputs

    def ours(sequences, weights, sweeps):
        kernel, recurrent, bias = weights
        projected = (sequences @ kernel).reshape(16, time, 4, units)
        by_gate = jnp.moveaxis(recurrent.reshape(units, 4, units), 1, 0)
        bias = bias.reshape(1, 4, units)
        arguments = projected[None], by_gate[None], bias, None, first[None]
        (outputs,) = lstm(*arguments, every_step, sweeps)
        return jnp.sum(outputs * weighing), outputs

    expected = jax.value_and_grad(of_keras, (0, 1), has_aux=True)(sequences, weights)
    for sweeps in IMPLEMENTATIONS.values():
        received = jax.value_and_grad(ours, (0, 1), has_aux=True)(sequences, weights, sweeps)
        for a, b in zip(jax.tree.leaves(expected), jax.tree.leaves(received), strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("units", "every_step", "masked"),
    [(units, each, each) for units in (16, 64, 256) for each in (True, False)],
)
@as_if_on_a_card()
def test_every_class_of_imdb_toml_lowers_for_cuda(units, every_step, masked):
    shapes = [(2, 64, 500, 4, units), (2, 4, units, units), (2, 4, units), (2, 4, 64, units)]
    inputs, weights, bias, masks = (jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes)
    first = jax.ShapeDtypeStruct((2, 64), jnp.int32)

    def total(inputs, weights, bias, masks, first):
        return jnp.sum(lstm(inputs, weights, bias, masks, first, every_step, PALLAS))

    for function in (total, jax.grad(total, (0, 1, 2))):
        traced = jax.jit(function).trace(inputs, weights, bias, masks if masked else None, first)
        text = traced.lower(lowering_platforms=("cuda",)).as_text()
        assert "triton" in text


@pytest.mark.skipif(jax.default_backend() != "gpu", reason="there is no GPU here")
@pytest.mark.parametrize(
    ("units", "every_step", "masked"),
    [(units, each, each) for units in (16, 64, 128, 256) for each in (True, False)],
)
def test_the_kernels_on_this_card_give_what_the_loop_gives(units, every_step, masked):
    sizes = {"members": 3, "time": 200, "batch": 64, "units": units, "masked": masked}
    inputs, weights, *others = case(**sizes, seed=1)
    arguments = (inputs, weights / np.sqrt(units / 16), *others)
    weighing = np.random.default_rng(1).normal(size=(3, 64, 200, units))
    found = [
        value_and_gradients(arguments, weighing, every_step=every_step, sweeps=sweeps_for(units)[0])
        for _ in range(2)
    ]
    with jax.default_matmul_precision("highest"):
        exact = value_and_gradients(arguments, weighing, every_step=every_step, sweeps=SCAN)

    for first, second, expected in zip(*found, exact, strict=True):
        np.testing.assert_array_equal(first, second)
        error = np.linalg.norm(np.asarray(first) - expected) / np.linalg.norm(expected)
        assert error < 2e-3, "TF32 is good for some 3e-4"


@pytest.mark.parametrize(
    ("units", "capability", "says"),
    [
        (128, "9.0", ""),
        (64, "8.9", ""),
        (256, "9.0", ""),
        (256, "8.9", "256 units need 152 KB of shared memory a block, it has 99"),
        (100, "9.0", "100 units are not a power of two >= 16"),
        (64, "7.5", "the kernels need compute capability 8.0, it has 7.5"),
        (64, "", "its compute capability, '', is unknown"),
    ],
)
def test_the_kernels_run_where_the_card_has_room_for_them(units, capability, says):
    assert gpu_limits.why_not(units, compute_capability=capability) == says


def test_a_processor_runs_the_loop():
    sweeps, why = sweeps_for(64)

    assert sweeps is SCAN
    assert why == "cpu is not a GPU"


@pytest.mark.timeout(WHOLE_FILE_SECONDS)
@starts_jax
def test_it_is_the_layer_of_keras_in_a_process_on_jax():
    # The others do not import Keras, and have run here.
    run_on_jax(__file__, "-k", "layer_of_keras")
