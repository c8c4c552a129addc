"""The loop over time of a population's LSTM as two Pallas kernels, for NVIDIA GPUs by Triton.

The grid is members × blocks of `BLOCK` reviews. A program takes its block through all steps, its
state in registers; what XLA's loop launches some hundred kernels for, twice, is one launch each
way. Padding that a whole block has in front is skipped by data, not by shape.

The recurrent products take their factors in half precision and sum in single. TF32, the default of
JAX, Keras and cuDNN on these cards, keeps the same ten bits of each factor, and needs twice the
room: halved, all four gates' weights of 128 units stay in shared memory from the first step to the
last. Half precision's range is smaller. Recurrent weights and states lie well inside it; gradients
do not, and each review's are divided by the largest of them first. Where
`jax.default_matmul_precision` asks for more, factors stay in single precision.

What does not stay is read at each gate's own product: all four at the head of a step spill
registers. What fits no block's shared memory is left to `scan.py`.

Letters, arguments and results are those of `scan.py`.
"""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental import pallas as pl

Array = Any
BLOCK = 16

_WARPS = 8
# With 8 for 256 units twice as many registers are spilled.
_WARPS_ABOVE_128_UNITS = 16
# The most bytes of a row of weights that stay in shared memory; four gates with longer rows fit no
# card.
_RESIDENT_BYTES = 256
# Of `jax.default_matmul_precision`: what is as exact as half precision's ten bits, or less.
_TEN_BITS = (None, "default", "fastest", "tensorfloat32", "bfloat16")
# Smaller gradients are treated as zero; the inverse of this is still finite.
_SMALLEST = 1e-37


class _Specs(NamedTuple):
    """Which part of each argument a program sees; "block" is `BLOCK` reviews."""

    gates: pl.BlockSpec  # [P, B, T, 4, U] → [block, T, 4, U]; projected inputs, gates
    states: pl.BlockSpec  # [P, B, T, U] → [block, T, U]; outputs, carries
    weights: pl.BlockSpec  # [P, 4, U, U] → [4, U, U]
    bias: pl.BlockSpec  # [P, 4, U] → [4, U]
    masks: pl.BlockSpec  # [P, 4, B, U] → [4, block, U]
    first: pl.BlockSpec  # [P, B] → [block]; the step each review begins at
    start: pl.BlockSpec  # [P, B / block] → [1]; the first of those
    last: pl.BlockSpec  # [P, B, U] → [block, U]; one step's output


def _specs(time: int, units: int) -> _Specs:
    return _Specs(
        gates=pl.BlockSpec((None, BLOCK, time, 4, units), lambda p, b: (p, b, 0, 0, 0)),
        states=pl.BlockSpec((None, BLOCK, time, units), lambda p, b: (p, b, 0, 0)),
        weights=pl.BlockSpec((None, 4, units, units), lambda p, b: (p, 0, 0, 0)),
        bias=pl.BlockSpec((None, 4, units), lambda p, b: (p, 0, 0)),
        masks=pl.BlockSpec((None, 4, BLOCK, units), lambda p, b: (p, 0, b, 0)),
        first=pl.BlockSpec((None, BLOCK), lambda p, b: (p, b)),
        start=pl.BlockSpec((None, 1), lambda p, b: (p, b)),
        last=pl.BlockSpec((None, BLOCK, units), lambda p, b: (p, b, 0)),
    )


def sweep_forward(
    inputs: Array,
    weights: Array,
    bias: Array,
    masks: Array,
    first: Array,
    *,
    resident: bool = True,
    halves: bool = True,
    interpret: bool = False,
) -> tuple[Array, Array, Array]:
    """As `scan.sweep_forward`; gates and carries of skipped steps are not written.

    Args:
        inputs: As there; B a multiple of `BLOCK`. Likewise the others.
        weights: See there.
        bias: See there.
        masks: See there.
        first: See there.
        resident: Whether weights stay in shared memory, as far as that can be.
        halves: Whether factors are in half precision, unless more is asked for.
        interpret: Runs the kernel on the CPU, step by step, for tests.
    """
    members, batch, time, _, units = inputs.shape
    specs = _specs(time, units)
    states = _float32(members, batch, time, units)
    outputs, gates, carries = _call(
        functools.partial(_forward_kernel, keeps=True, every_step=True, resident=resident),
        starts := _starts(first),
        (inputs, specs.gates),
        (_factors(weights, halves), specs.weights),
        (bias, specs.bias),
        (masks, specs.masks),
        (first, specs.first),
        (starts, specs.start),
        out_shape=[states, _float32(*inputs.shape), states],
        out_specs=[specs.states, specs.gates, specs.states],
        interpret=interpret,
    )
    return outputs, gates, carries


def sweep_outputs(
    inputs: Array,
    weights: Array,
    bias: Array,
    masks: Array,
    first: Array,
    every_step: bool,
    *,
    resident: bool = True,
    halves: bool = True,
    interpret: bool = False,
) -> Array:
    """As `scan.sweep_outputs`; see `sweep_forward`."""
    members, batch, time, _, units = inputs.shape
    specs = _specs(time, units)
    shape = (members, batch, time, units) if every_step else (members, batch, units)
    (outputs,) = _call(
        functools.partial(_forward_kernel, keeps=False, every_step=every_step, resident=resident),
        starts := _starts(first),
        (inputs, specs.gates),
        (_factors(weights, halves), specs.weights),
        (bias, specs.bias),
        (masks, specs.masks),
        (first, specs.first),
        (starts, specs.start),
        out_shape=[_float32(*shape)],
        out_specs=[specs.states if every_step else specs.last],
        interpret=interpret,
    )
    return outputs


def sweep_backward(
    gates: Array,
    carries: Array,
    weights: Array,
    masks: Array,
    first: Array,
    d_outputs: Array,
    *,
    resident: bool = True,
    halves: bool = True,
    interpret: bool = False,
) -> Array:
    """As `scan.sweep_backward`; the gradient of skipped steps is zero."""
    _, _, time, _, units = gates.shape
    specs = _specs(time, units)
    every_step = d_outputs.ndim == 4
    (d_inputs,) = _call(
        functools.partial(_backward_kernel, every_step=every_step, resident=resident),
        starts := _starts(first),
        (gates, specs.gates),
        (_factors(jnp.swapaxes(weights, 2, 3), halves), specs.weights),
        (masks, specs.masks),
        (first, specs.first),
        (starts, specs.start),
        (carries, specs.states),
        (d_outputs, specs.states if every_step else specs.last),
        out_shape=[_float32(*gates.shape)],
        out_specs=[specs.gates],
        interpret=interpret,
    )
    return d_inputs


def _forward_kernel(
    inputs: Any,
    weights: Any,
    bias: Any,
    masks: Any,
    first: Any,
    start: Any,
    *results: Any,
    keeps: bool,
    every_step: bool,
    resident: bool,
) -> None:
    """Writes outputs and, where it keeps them, gates and carries; see `sweep_forward`."""
    outputs, *kept = results
    block, time, _, units = inputs.shape
    begins, earliest = first[:], start[0]
    dropped = None if masks is None else [masks[gate, :, :] for gate in range(4)]
    staying = _staying(weights, resident)
    zero = jnp.zeros((block, units), jnp.float32)

    def skip(t: Array, count: Array) -> Array:
        outputs[:, t, :] = zero
        return count

    def step(t: Array, state: Any) -> tuple[Array, Array]:
        output, carry = state
        z = [
            inputs[:, t, gate, :]
            + bias[gate, :][None, :]
            + _product(
                output if dropped is None else output * dropped[gate],
                _weights_at(gate, staying, weights),
            )
            for gate in range(4)
        ]
        i, f, g, o = (
            jax.nn.sigmoid(z[0]), jax.nn.sigmoid(z[1]), jnp.tanh(z[2]), jax.nn.sigmoid(z[3])
        )  # fmt: skip
        new_carry = f * carry + i * g
        alive = (t >= begins)[:, None]
        carry = jnp.where(alive, new_carry, carry)
        output = jnp.where(alive, o * jnp.tanh(new_carry), output)
        if every_step:
            outputs[:, t, :] = output
        else:
            # At each step: without a write in the loop Triton moves the reading of all weights out
            # of it, and into more shared memory than there is.
            outputs[:, :] = output
        if keeps:
            gates, carries = kept
            for gate, value in enumerate((i, f, g, o)):
                gates[:, t, gate, :] = value
            carries[:, t, :] = carry
        return output, carry

    if every_step:
        lax.fori_loop(0, earliest, skip, jnp.int32(0))
    else:
        outputs[:, :] = zero
    lax.fori_loop(earliest, time, step, (zero, zero))


def _backward_kernel(
    gates: Any,
    transposed: Any,
    masks: Any,
    first: Any,
    start: Any,
    carries: Any,
    d_outputs: Any,
    d_inputs: Any,
    *,
    every_step: bool,
    resident: bool,
) -> None:
    """Writes the gradient of the inputs; see `sweep_backward`. The weights come transposed."""
    block, time, _, units = gates.shape
    begins, earliest = first[:], start[0]
    dropped = None if masks is None else [masks[gate, :, :] for gate in range(4)]
    staying = _staying(transposed, resident)
    halves = transposed.dtype == jnp.float16
    zero = jnp.zeros((block, units), jnp.float32)

    def skip(t: Array, count: Array) -> Array:
        for gate in range(4):
            d_inputs[:, t, gate, :] = zero
        return count

    def step(back: Array, state: Any) -> tuple[Array, Array]:
        d_output, d_carry = state
        t = time - 1 - back
        if every_step:
            d_output = d_output + d_outputs[:, t, :]
        i, f, g, o = (gates[:, t, gate, :] for gate in range(4))
        tanh_carry = jnp.tanh(carries[:, t, :])
        alive = (t >= begins)[:, None]
        # The steps before the first one visited were never written.
        before = jnp.where((t > begins)[:, None], carries[:, jnp.maximum(t - 1, earliest), :], 0.0)
        through_output = jnp.where(alive, d_output, 0.0)
        through_carry = jnp.where(alive, d_carry, 0.0) + through_output * o * (
            1 - tanh_carry * tanh_carry
        )
        d_gates = (
            through_carry * g * i * (1 - i),
            through_carry * before * f * (1 - f),
            through_carry * i * (1 - g * g),
            through_output * tanh_carry * o * (1 - o),
        )
        d_before = zero
        scale, unscale = _scales(d_gates) if halves else (1.0, 1.0)
        for gate in range(4):
            d_inputs[:, t, gate, :] = d_gates[gate]
            d_state = _product(d_gates[gate] * scale, _weights_at(gate, staying, transposed))
            d_before = d_before + (d_state if dropped is None else d_state * dropped[gate])
        d_before = d_before * unscale
        return (
            jnp.where(alive, d_before, d_output),
            jnp.where(alive, through_carry * f, d_carry),
        )

    lax.fori_loop(0, earliest, skip, jnp.int32(0))
    lax.fori_loop(0, time - earliest, step, (zero if every_step else d_outputs[:, :], zero))


def _factors(weights: Array, halves: bool) -> Array:
    asked = jax.config.jax_default_matmul_precision
    return weights.astype(jnp.float16) if halves and asked in _TEN_BITS else weights


def _product(states: Array, weights: Array) -> Array:
    return jnp.dot(states.astype(weights.dtype), weights, preferred_element_type=jnp.float32)


def _scales(d_gates: Sequence[Array]) -> tuple[Array, Array]:
    """Returns what brings each review's gradients to at most 1, and back, [block, 1]."""
    largest = functools.reduce(jnp.maximum, [jnp.abs(each) for each in d_gates])
    largest = jnp.maximum(jnp.max(largest, axis=1, keepdims=True), _SMALLEST)
    return 1.0 / largest, largest


def _staying(weights: Any, resident: bool) -> list[Array]:
    gates, units, _ = weights.shape
    stays = resident and units * weights.dtype.itemsize <= _RESIDENT_BYTES
    return [weights[gate, :, :] for gate in range(gates)] if stays else []


def _weights_at(gate: int, staying: Sequence[Array], weights: Any) -> Array:
    return staying[gate] if staying else weights[gate, :, :]


def _starts(first: Array) -> Array:
    members, batch = first.shape
    return first.reshape(members, batch // BLOCK, BLOCK).min(axis=-1)


def _float32(*shape: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def _call(
    kernel: Any,
    starts: Array,
    *arguments: tuple[Array, pl.BlockSpec],
    out_shape: list[jax.ShapeDtypeStruct],
    out_specs: list[pl.BlockSpec],
    interpret: bool,
) -> Any:
    """Calls a kernel for each member and block; an array that is None is None to the kernel."""
    given = [array is not None for array, _ in arguments]

    def with_none(*refs: Any) -> None:
        refs_left = iter(refs)
        kernel(*(next(refs_left) if there else None for there in given), *refs_left)

    passed = [argument for argument in arguments if argument[0] is not None]
    options: dict[str, Any] = {"interpret": True}
    if not interpret:
        from jax.experimental.pallas import triton

        units = arguments[0][0].shape[-1]
        warps = _WARPS if units <= 128 else _WARPS_ABOVE_128_UNITS
        options = {"compiler_params": triton.CompilerParams(num_warps=warps, num_stages=1)}
    return pl.pallas_call(
        with_none,
        out_shape=out_shape,
        grid=starts.shape,
        in_specs=[spec for _, spec in passed],
        out_specs=out_specs,
        **options,
    )(*(array for array, _ in passed))
