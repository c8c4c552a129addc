"""The loop over time of a population's LSTM as two Pallas kernels, for NVIDIA GPUs by Triton.

The grid is members × blocks of `BLOCK` reviews. A program takes its block through all steps, its
state in registers; what XLA's loop launches some hundred kernels for, twice, is one launch each
way. Padding that a whole block has in front is skipped by data, not by shape.

Up to `_RESIDENT_UNITS` units the recurrent weights stay in shared memory from the first step to the
last. Above, each gate's weights are read at its own product: all four at the head of a step spill
registers. What fits no block's shared memory is left to `scan.py`.

Letters, arguments and results are those of `scan.py`. Products are TF32 unless
`jax.default_matmul_precision` says otherwise, as elsewhere on these cards.
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
FEWEST_UNITS = 16
"""Triton's smallest matrix product; units are a power of two, and padded to one."""

_RESIDENT_UNITS = 64
_WARPS = 8
# Bytes of shared memory a block may use, by compute capability.
# Source: CUDA C++ Programming Guide, technical specifications per compute capability.
_SHARED_MEMORY = {
    "8.0": 163, "8.6": 99, "8.7": 163, "8.9": 99, "9.0": 227, "10.0": 227, "10.3": 227,
    "12.0": 99, "12.1": 99,
}  # fmt: skip
_LEAST_SHARED_MEMORY = 99
# Beside the weights: a product's other operand, and the exchange between layouts.
_OTHER_SHARED_MEMORY = 24


def why_not(units: int, *, compute_capability: str) -> str:
    """Says why the kernels do not run on a card; empty where they do.

    Args:
        units: U.
        compute_capability: As JAX's device names it, "9.0".
    """
    try:
        from jax.experimental.pallas import triton  # noqa: F401 - a later JAX removes it
    except ImportError:
        return f"JAX {jax.__version__} has no Triton for Pallas"
    try:
        version = tuple(int(part) for part in compute_capability.split("."))
    except ValueError:
        return f"its compute capability, {compute_capability!r}, is unknown"
    if version < (8, 0):
        return f"the kernels need compute capability 8.0, it has {compute_capability}"
    if units < FEWEST_UNITS or units & (units - 1):
        return f"{units} units are no power of two from {FEWEST_UNITS} on"
    kept = _SHARED_MEMORY.get(compute_capability, _LEAST_SHARED_MEMORY)
    gates = 4 if units <= _RESIDENT_UNITS else 1
    needed = gates * units * units * 4 // 1024 + _OTHER_SHARED_MEMORY
    if needed > kept:
        return f"{units} units need {needed} KB of shared memory a block, it has {kept}"
    return ""


class _Specs(NamedTuple):
    """Which part of each argument a program sees; "block" is `BLOCK` reviews."""

    gates: pl.BlockSpec  # [P, T, 4, B, U] → [T, 4, block, U]; projected inputs, gates
    states: pl.BlockSpec  # [P, T, B, U] → [T, block, U]; outputs, carries
    weights: pl.BlockSpec  # [P, 4, U, U] → [4, U, U]
    masks: pl.BlockSpec  # [P, 4, B, U] → [4, block, U]
    first: pl.BlockSpec  # [P, B] → [block]; the step each review begins at
    start: pl.BlockSpec  # [P, B / block] → [1]; the first of those
    last: pl.BlockSpec  # [P, B, U] → [block, U]; one step's output


def _specs(time: int, units: int) -> _Specs:
    return _Specs(
        gates=pl.BlockSpec((None, time, 4, BLOCK, units), lambda p, b: (p, 0, 0, b, 0)),
        states=pl.BlockSpec((None, time, BLOCK, units), lambda p, b: (p, 0, b, 0)),
        weights=pl.BlockSpec((None, 4, units, units), lambda p, b: (p, 0, 0, 0)),
        masks=pl.BlockSpec((None, 4, BLOCK, units), lambda p, b: (p, 0, b, 0)),
        first=pl.BlockSpec((None, BLOCK), lambda p, b: (p, b)),
        start=pl.BlockSpec((None, 1), lambda p, b: (p, b)),
        last=pl.BlockSpec((None, BLOCK, units), lambda p, b: (p, b, 0)),
    )


def sweep_forward(
    inputs: Array, weights: Array, masks: Array, first: Array, *, interpret: bool = False
) -> tuple[Array, Array, Array]:
    """As `scan.sweep_forward`; gates and carries of skipped steps are not written.

    Args:
        inputs: As there; B a multiple of `BLOCK`. Likewise the others.
        weights: See there.
        masks: See there.
        first: See there.
        interpret: Runs the kernel on the CPU, step by step, for tests.
    """
    members, time, _, batch, units = inputs.shape
    specs = _specs(time, units)
    states = _float32(members, time, batch, units)
    outputs, gates, carries = _call(
        functools.partial(_forward_kernel, keeps=True, every_step=True),
        starts := _starts(first),
        (inputs, specs.gates),
        (weights, specs.weights),
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
    masks: Array,
    first: Array,
    every_step: bool,
    *,
    interpret: bool = False,
) -> Array:
    """As `scan.sweep_outputs`; see `sweep_forward`."""
    members, time, _, batch, units = inputs.shape
    specs = _specs(time, units)
    shape = (members, time, batch, units) if every_step else (members, batch, units)
    (outputs,) = _call(
        functools.partial(_forward_kernel, keeps=False, every_step=every_step),
        starts := _starts(first),
        (inputs, specs.gates),
        (weights, specs.weights),
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
    interpret: bool = False,
) -> Array:
    """As `scan.sweep_backward`; the gradient of skipped steps is zero."""
    _, time, _, _, units = gates.shape
    specs = _specs(time, units)
    every_step = d_outputs.ndim == 4
    (d_inputs,) = _call(
        functools.partial(_backward_kernel, every_step=every_step),
        starts := _starts(first),
        (gates, specs.gates),
        (jnp.swapaxes(weights, 2, 3), specs.weights),
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
    masks: Any,
    first: Any,
    start: Any,
    *results: Any,
    keeps: bool,
    every_step: bool,
) -> None:
    """Writes outputs and, where it keeps them, gates and carries; see `sweep_forward`."""
    outputs, *kept = results
    time, _, block, units = inputs.shape
    begins, earliest = first[:], start[0]
    dropped = None if masks is None else [masks[gate, :, :] for gate in range(4)]
    resident = _resident(weights)
    zero = jnp.zeros((block, units), jnp.float32)

    def skip(t: Array, count: Array) -> Array:
        outputs[t, :, :] = zero
        return count

    def step(t: Array, state: Any) -> tuple[Array, Array]:
        output, carry = state
        z = [
            inputs[t, gate, :, :]
            + jnp.dot(
                output if dropped is None else output * dropped[gate],
                _weights_at(gate, resident, weights),
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
            outputs[t, :, :] = output
        if keeps:
            gates, carries = kept
            for gate, value in enumerate((i, f, g, o)):
                gates[t, gate, :, :] = value
            carries[t, :, :] = carry
        return output, carry

    if every_step:
        lax.fori_loop(0, earliest, skip, jnp.int32(0))
    output, _ = lax.fori_loop(earliest, time, step, (zero, zero))
    if not every_step:
        outputs[:, :] = output


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
) -> None:
    """Writes the gradient of the inputs; see `sweep_backward`. The weights come transposed."""
    time, _, block, units = gates.shape
    begins, earliest = first[:], start[0]
    dropped = None if masks is None else [masks[gate, :, :] for gate in range(4)]
    resident = _resident(transposed)
    zero = jnp.zeros((block, units), jnp.float32)

    def skip(t: Array, count: Array) -> Array:
        for gate in range(4):
            d_inputs[t, gate, :, :] = zero
        return count

    def step(back: Array, state: Any) -> tuple[Array, Array]:
        d_output, d_carry = state
        t = time - 1 - back
        if every_step:
            d_output = d_output + d_outputs[t, :, :]
        i, f, g, o = (gates[t, gate, :, :] for gate in range(4))
        tanh_carry = jnp.tanh(carries[t, :, :])
        alive = (t >= begins)[:, None]
        # What lies before the first step visited was never written.
        before = jnp.where((t > begins)[:, None], carries[jnp.maximum(t - 1, earliest), :, :], 0.0)
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
        for gate in range(4):
            d_inputs[t, gate, :, :] = d_gates[gate]
            d_state = jnp.dot(d_gates[gate], _weights_at(gate, resident, transposed))
            d_before = d_before + (d_state if dropped is None else d_state * dropped[gate])
        return (
            jnp.where(alive, d_before, d_output),
            jnp.where(alive, through_carry * f, d_carry),
        )

    lax.fori_loop(0, earliest, skip, jnp.int32(0))
    lax.fori_loop(0, time - earliest, step, (zero if every_step else d_outputs[:, :], zero))


def _resident(weights: Any) -> list[Array]:
    gates, units, _ = weights.shape
    return [weights[gate, :, :] for gate in range(gates)] if units <= _RESIDENT_UNITS else []


def _weights_at(gate: int, resident: Sequence[Array], weights: Any) -> Array:
    return resident[gate] if resident else weights[gate, :, :]


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

        options = {"compiler_params": triton.CompilerParams(num_warps=_WARPS, num_stages=1)}
    return pl.pallas_call(
        with_none,
        out_shape=out_shape,
        grid=starts.shape,
        in_specs=[spec for _, spec in passed],
        out_specs=out_specs,
        **options,
    )(*(array for array, _ in passed))
