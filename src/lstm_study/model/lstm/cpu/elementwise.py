"""The passes over memory between two products of the fast LSTM, as machine code made by Numba.

Arrays are addresses here, of numbers of single precision, and sizes count numbers.

A sigmoid is a tangent, `σ(z) = (1 + tanh(z / 2)) / 2`; whoever calls has halved z, in the weights.
"""

from typing import Any

import numpy as np
from numba import carray, types
from numba.extending import intrinsic

from lstm_study.model.lstm.arrays import GATES
from lstm_study.model.lstm.cpu.compiled import compiled

_BYTES = 4
_NUMBER = np.float32
_ONE, _HALF = np.float32(1.0), np.float32(0.5)

# tanh(x) ≈ x · p(x²) / q(x²): the least relative error of this form on 0 < |x| <= 9, 2.1e-8, found
# by weighted least squares; beyond, tanh is 1 in single precision. With the rounding of single
# precision it errs by 4e-7 at most: tests/keras/test_lstm_native.py.
_FARTHEST = np.float32(9.0)
_P1, _P2 = np.float32(0.13381025195121765), np.float32(0.003495587036013603)
_P3, _P4 = np.float32(2.0609068087651394e-05), np.float32(1.3354643613183725e-08)
_Q1, _Q2 = np.float32(0.4671434164047241), np.float32(0.025876978412270546)
_Q3, _Q4 = np.float32(0.00032856332836672664), np.float32(7.776550319249509e-07)


@intrinsic  # type: ignore[untyped-decorator]  # Numba is untyped
def _pointer(typing: Any, address: Any) -> Any:
    """The address as what `carray` takes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), generate


@compiled
def numbers(address: int, size: int) -> Any:
    """The array that lies there."""
    return carray(_pointer(address), (size,), _NUMBER)


@compiled
def _four(address: int, size: int) -> Any:
    """Four arrays that lie one behind the other: LLVM then has few that could overlap."""
    whole = numbers(address, GATES * size)
    return (
        whole[:size],
        whole[size : 2 * size],
        whole[2 * size : 3 * size],
        whole[3 * size :],
    )


@compiled
def after(address: int, count: int) -> int:
    """The address so many numbers on."""
    return address + _BYTES * count


@compiled
def copy(out: int, values: int, size: int) -> None:
    """Writes the values."""
    target, source = numbers(out, size), numbers(values, size)
    for k in range(size):
        target[k] = source[k]


@compiled
def multiply(out: int, left: int, right: int, size: int) -> None:
    """Writes the product of two arrays."""
    target, a, b = numbers(out, size), numbers(left, size), numbers(right, size)
    for k in range(size):
        target[k] = a[k] * b[k]


@compiled
def add(out: int, values: int, size: int) -> None:
    """Adds the values to what is there."""
    target, source = numbers(out, size), numbers(values, size)
    for k in range(size):
        target[k] += source[k]


@compiled
def add_product(out: int, left: int, right: int, size: int) -> None:
    """Adds the product of two arrays to what is there."""
    target, a, b = numbers(out, size), numbers(left, size), numbers(right, size)
    for k in range(size):
        target[k] += a[k] * b[k]


@compiled
def dropped(out: int, values: int, mask: int, size: int) -> None:
    """Values times the mask, where there is one."""
    if mask:
        multiply(out, values, mask, size)
    else:
        copy(out, values, size)


@compiled
def turn(out: int, out_stride: int, values: int, stride: int, rows: int, columns: int) -> None:
    """Writes [rows, columns] as [columns, rows], each with its stride."""
    target = numbers(out, columns * out_stride)
    source = numbers(values, rows * stride)
    for row in range(rows):
        for column in range(columns):
            target[column * out_stride + row] = source[row * stride + column]


@compiled
def _tanh(x: Any) -> Any:
    x = _FARTHEST if x > _FARTHEST else x  # which is False of a NaN, and leaves it one
    x = -_FARTHEST if x < -_FARTHEST else x
    s = x * x
    p = _ONE + s * (_P1 + s * (_P2 + s * (_P3 + s * _P4)))
    q = _ONE + s * (_Q1 + s * (_Q2 + s * (_Q3 + s * _Q4)))
    return x * p / q


@compiled
def tanh(out: int, values: int, size: int) -> None:
    """The hyperbolic tangent of `size` numbers."""
    target, source = numbers(out, size), numbers(values, size)
    for k in range(size):
        target[k] = _tanh(source[k])


@compiled
def activate(gates: int, carry: int, new_carry: int, new_output: int, size: int) -> None:
    """From the gates before activation, [4, size], to those after it, and to the new state."""
    i_, f_, g_, o_ = _four(gates, size)
    c, new_c, new_h = numbers(carry, size), numbers(new_carry, size), numbers(new_output, size)
    for k in range(size):
        i = _HALF * _tanh(i_[k]) + _HALF
        f = _HALF * _tanh(f_[k]) + _HALF
        g = _tanh(g_[k])
        o = _HALF * _tanh(o_[k]) + _HALF
        i_[k], f_[k], g_[k], o_[k] = i, f, g, o
        both = f * c[k] + i * g
        new_c[k] = both
        new_h[k] = o * _tanh(both)


@compiled
def deactivate(
    d_z: int, gates: int, carry: int, new_carry: int, d_output: int, d_carry: int, size: int
) -> None:
    """From the gradients of the new state to those of gates, before activation, and old carry."""
    i_, f_, g_, o_ = _four(gates, size)
    d_i, d_f, d_g, d_o = _four(d_z, size)
    c, new_c = numbers(carry, size), numbers(new_carry, size)
    d_h, d_c = numbers(d_output, size), numbers(d_carry, size)
    for k in range(size):
        i, f, g, o = i_[k], f_[k], g_[k], o_[k]
        squashed, of_output = _tanh(new_c[k]), d_h[k]
        # σ' = σ (1 - σ), tanh' = 1 - tanh².
        through = d_c[k] + of_output * o * (_ONE - squashed * squashed)
        d_i[k] = through * g * i * (_ONE - i)
        d_f[k] = through * c[k] * f * (_ONE - f)
        d_g[k] = through * i * (_ONE - g * g)
        d_o[k] = of_output * squashed * o * (_ONE - o)
        d_c[k] = through * f


@compiled
def held_rows(live: int, t: int, rows: int, time: int) -> int:
    """How many rows hold their state at step t."""
    if not live:
        return 0
    alive = carray(_pointer(live), (rows * time,), np.uint8)
    held = 0
    for row in range(rows):
        held += alive[row * time + t] == 0
    return held


@compiled
def put_held(
    out: int, values: int, live: int, t: int, rows: int, lanes: int, time: int, columns: int
) -> None:
    """Writes the values, [columns, lanes], over those of the rows that hold their state.

    Zeros where no values are given.
    """
    alive = carray(_pointer(live), (rows * time,), np.uint8)
    target = numbers(out, columns * lanes)
    source = numbers(values if values else out, columns * lanes)
    for row in range(rows):
        if alive[row * time + t] == 0:
            for column in range(columns):
                at = column * lanes + row
                target[at] = source[at] if values else np.float32(0.0)
