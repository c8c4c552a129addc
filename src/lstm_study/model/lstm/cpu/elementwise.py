"""The element-wise passes between two matrix products of the fast LSTM, compiled by Numba.

Arrays are float32 and C-contiguous. A `mask` of size 0 stands for no dropout, an `alive` of size 0
for no padding.

The sigmoid is computed with tanh, `σ(z) = (1 + tanh(z / 2)) / 2`; callers pass z / 2, the half
being part of the weights.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.model.lstm.cpu.compiled import compiled

Array = NDArray[Any]

_ONE, _HALF = np.float32(1.0), np.float32(0.5)

# tanh(x) ≈ x · p(x²) / q(x²), the coefficients by weighted least squares: the relative error is at
# most 2.1e-8 on 0 < |x| <= 9, beyond which tanh is 1 in single precision. Evaluated in single
# precision it is at most 4e-7: tests/keras/model/lstm/cpu/test_elementwise.py.
_LIMIT = np.float32(9.0)
_P1, _P2 = np.float32(0.13381025195121765), np.float32(0.003495587036013603)
_P3, _P4 = np.float32(2.0609068087651394e-05), np.float32(1.3354643613183725e-08)
_Q1, _Q2 = np.float32(0.4671434164047241), np.float32(0.025876978412270546)
_Q3, _Q4 = np.float32(0.00032856332836672664), np.float32(7.776550319249509e-07)


@compiled
def copy(out: Array, values: Array) -> None:
    """Copies [n]."""
    for k in range(out.size):
        out[k] = values[k]


@compiled
def apply_mask(out: Array, values: Array, mask: Array) -> None:
    """Writes values times mask, [n]."""
    if mask.size:
        for k in range(out.size):
            out[k] = values[k] * mask[k]
    else:
        copy(out, values)


@compiled
def add_masked(out: Array, values: Array, mask: Array) -> None:
    """Adds values times mask, [n]."""
    if mask.size:
        for k in range(out.size):
            out[k] += values[k] * mask[k]
    else:
        for k in range(out.size):
            out[k] += values[k]


@compiled
def transpose(out: Array, values: Array) -> None:
    """Writes the transpose of `values` [m, >= n] to `out` [n, >= m]."""
    for row in range(values.shape[0]):
        for column in range(out.shape[0]):
            out[column, row] = values[row, column]


@compiled
def _tanh(x: Any) -> Any:
    x = _LIMIT if x > _LIMIT else x  # NaN compares False, and stays NaN
    x = -_LIMIT if x < -_LIMIT else x
    s = x * x
    p = _ONE + s * (_P1 + s * (_P2 + s * (_P3 + s * _P4)))
    q = _ONE + s * (_Q1 + s * (_Q2 + s * (_Q3 + s * _Q4)))
    return x * p / q


@compiled
def tanh(out: Array, values: Array) -> None:
    """Writes the hyperbolic tangent, [n]."""
    for k in range(out.size):
        out[k] = _tanh(values[k])


@compiled
def activate(gates: Array, carry: Array, new_carry: Array, new_output: Array) -> None:
    """Applies the gates' activations in place, and writes the new state.

    Args:
        gates: [4, n]; before activation, and after it on return.
        carry: [n], of the step before.
        new_carry: [n], written.
        new_output: [n], written.
    """
    i_, f_, g_, o_ = gates[0], gates[1], gates[2], gates[3]
    # LLVM vectorises because the gates' distance is this bound: it sees that none overlaps.
    for k in range(gates.shape[1]):
        i = _HALF * _tanh(i_[k]) + _HALF
        f = _HALF * _tanh(f_[k]) + _HALF
        g = _tanh(g_[k])
        o = _HALF * _tanh(o_[k]) + _HALF
        i_[k], f_[k], g_[k], o_[k] = i, f, g, o
        both = f * carry[k] + i * g
        new_carry[k] = both
        new_output[k] = o * _tanh(both)


@compiled
def activate_gradient(
    d_z: Array, gates: Array, carry: Array, new_carry: Array, d_output: Array, d_carry: Array
) -> None:
    """Takes the gradient of the new state back through `activate`.

    Args:
        d_z: [4, n], written: with respect to the gates before activation.
        gates: [4, n], after activation.
        carry: [n], of the step before.
        new_carry: [n].
        d_output: [n], with respect to the new output.
        d_carry: [n], with respect to the new carry; to the carry of the step before on return.
    """
    i_, f_, g_, o_ = gates[0], gates[1], gates[2], gates[3]
    d_i, d_f, d_g, d_o = d_z[0], d_z[1], d_z[2], d_z[3]
    for k in range(d_z.shape[1]):
        i, f, g, o = i_[k], f_[k], g_[k], o_[k]
        squashed, of_output = _tanh(new_carry[k]), d_output[k]
        # σ' = σ (1 - σ), tanh' = 1 - tanh².
        through = d_carry[k] + of_output * o * (_ONE - squashed * squashed)
        d_i[k] = through * g * i * (_ONE - i)
        d_f[k] = through * carry[k] * f * (_ONE - f)
        d_g[k] = through * i * (_ONE - g * g)
        d_o[k] = of_output * squashed * o * (_ONE - o)
        d_carry[k] = through * f


@compiled
def count_held(alive: Array, t: int) -> int:
    """Returns the number of rows whose state is held at step t; `alive` is [rows, time]."""
    if not alive.size:
        return 0
    held = 0
    for row in range(alive.shape[0]):
        held += alive[row, t] == 0
    return held


@compiled
def copy_held(out: Array, values: Array, alive: Array, t: int) -> None:
    """Copies the lanes of [n, lanes] whose row's state is held at step t."""
    for row in range(alive.shape[0]):
        if alive[row, t] == 0:
            for unit in range(out.shape[0]):
                out[unit, row] = values[unit, row]


@compiled
def clear_held(out: Array, alive: Array, t: int) -> None:
    """Writes zeros to the lanes of [n, lanes] whose row's state is held at step t."""
    for row in range(alive.shape[0]):
        if alive[row, t] == 0:
            for unit in range(out.shape[0]):
                out[unit, row] = np.float32(0.0)
