"""A matrix product for the small matrices of an LSTM's step, as machine code of its own.

A step's products are small (32 × 228 × 400 and the like), and there are thousands in a batch. A
library packs both matrices anew for each; written for the shape at hand, a product needs no packing
and keeps its sums in registers throughout. `tests/benchmarks/arithmetic.py` times it beside
NumPy's and TensorFlow's.

The sums of a tile, up to six rows of up to four vectors of 16 numbers, live in registers while
`inner` is passed over once: that many independent sums hide the latency of a multiply-add, and a
number that is loaded is used six or four times. Numba makes the loops around the tiles; for a tile
itself, where which register holds what decides, `_tile` writes LLVM's instructions directly.

Matrices are given by address and stride, so that a transposed one, or a part of one, costs nothing.

Sources: Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication"; Heinecke et
al. 2016, "LIBXSMM", for products made for their shape.
"""

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from lstm_study.model.lstm.cpu.compiled import compiled

LANES = 16
"""Numbers in a vector: AVX-512's; LLVM makes two registers of it on AVX2, and four on NEON."""
_ROWS = 6
# With AVX-512 24 sums, 4 vectors and a broadcast number fill 29 of 32 registers; with AVX2 12 sums
# of half a vector fill 15 of 16; with NEON 24 sums of a quarter fill 29 of 32.
_VECTORS = 4 if llvmlite.binding.get_host_cpu_features().get("avx512f") else 1

_INTEGER = ir.IntType(64)
_NUMBER = ir.FloatType()
_VECTOR = ir.VectorType(_NUMBER, LANES)
_POINTER = ir.PointerType()
_BYTES = 4


def _integer(value: int) -> Any:
    return ir.Constant(_INTEGER, value)


class _Writer:
    """Writes instructions at the builder's place. Addresses are integers."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        name = f"llvm.fmuladd.v{LANES}f32"  # one instruction where the processor has it
        known = builder.module.globals.get(name)
        self._multiply_add = known or ir.Function(builder.module, kind, name)

    def times(self, value: Any, factor: int) -> Any:
        return self.builder.mul(value, _integer(factor))

    def plus(self, address: Any, vectors: int) -> Any:
        return self.builder.add(address, _integer(vectors * LANES * _BYTES)) if vectors else address

    def load(self, address: Any, kind: Any = _VECTOR) -> Any:
        pointer = self.builder.inttoptr(address, _POINTER)
        return self.builder.load(pointer, align=_BYTES, typ=kind)

    def store(self, value: Any, address: Any) -> None:
        self.builder.store(value, self.builder.inttoptr(address, _POINTER), align=_BYTES)

    def broadcast(self, address: Any) -> Any:
        """A vector of 16 times the number at the address."""
        anything = ir.Constant(_VECTOR, ir.Undefined)
        lane = ir.IntType(32)
        first = self.builder.insert_element(
            anything, self.load(address, _NUMBER), ir.Constant(lane, 0)
        )
        zeros = ir.Constant(ir.VectorType(lane, LANES), [0] * LANES)
        return self.builder.shuffle_vector(first, anything, zeros)

    def multiply_add(self, left: Any, right: Any, total: Any) -> Any:
        return self.builder.call(self._multiply_add, [left, right, total])

    def carried(self, start: Any, before: Any) -> Any:
        """A value that the loop that begins here changes."""
        value = self.builder.phi(start.type)
        value.add_incoming(start, before)
        return value


def _zeros(module: Any) -> Any:
    """Where a tile's worth of zeros lies, as an address."""
    kind = ir.ArrayType(_NUMBER, _VECTORS * LANES)
    zeros = ir.GlobalVariable(module, kind, module.get_unique_name("zeros"))
    zeros.linkage, zeros.global_constant = "internal", True
    zeros.initializer = ir.Constant(kind, None)
    return zeros.ptrtoint(_INTEGER)


@intrinsic  # type: ignore[untyped-decorator]  # Numba is untyped
def _tile(
    typing: Any, rows: Any, vectors: Any, out: Any, out_stride: Any, weights: Any, along: Any,
    across: Any, inputs: Any, input_stride: Any, inner: Any, adds: Any,
) -> Any:  # fmt: skip
    """Makes one tile of `product`; see there. `rows` up to 6, `vectors` up to 4, `inner` >= 1."""
    signature = types.void(*[types.int64] * 11)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, vectors, *rest = arguments
        write = _Writer(builder)
        zeros = _zeros(builder.module)
        key = builder.add(write.times(rows, _VECTORS + 1), vectors)
        end = builder.append_basic_block("end")
        choice = builder.switch(key, end)
        for n_rows in range(1, _ROWS + 1):
            for n_vectors in range(1, _VECTORS + 1):
                block = builder.append_basic_block(f"tile{n_rows}x{n_vectors}")
                choice.add_case(_integer(n_rows * (_VECTORS + 1) + n_vectors), block)
                builder.position_at_end(block)
                _write_tile(write, n_rows, n_vectors, zeros, *rest)
                builder.branch(end)
        builder.position_at_end(end)
        return context.get_dummy_value()

    return signature, generate


def _write_tile(
    write: _Writer, rows: int, vectors: int, zeros: Any, out: Any, out_stride: Any, weights: Any,
    along: Any, across: Any, inputs: Any, input_stride: Any, inner: Any, adds: Any,
) -> None:  # fmt: skip
    builder = write.builder
    adds = builder.icmp_signed("!=", adds, _integer(0))
    start = builder.select(adds, out, zeros)
    start_stride = builder.select(adds, out_stride, _integer(0))
    tile = [(row, vector) for row in range(rows) for vector in range(vectors)]

    def places(address: Any, stride: Any) -> list[Any]:
        firsts = [builder.add(address, write.times(stride, row * _BYTES)) for row in range(rows)]
        return [write.plus(firsts[row], vector) for row, vector in tile]

    sums = [write.load(place) for place in places(start, start_stride)]
    to_rows = [write.times(across, row * _BYTES) for row in range(rows)]
    weight_step, input_step = write.times(along, _BYTES), write.times(input_stride, _BYTES)

    before = builder.block
    loop = builder.append_basic_block("loop")
    builder.branch(loop)
    builder.position_at_end(loop)
    k, weight_at, inputs_at = (
        write.carried(value, before) for value in (_integer(0), weights, inputs)
    )
    carried = [write.carried(value, before) for value in sums]
    read = [write.load(write.plus(inputs_at, vector)) for vector in range(vectors)]
    broadcast = [write.broadcast(builder.add(weight_at, to_row)) for to_row in to_rows]
    sums = [
        write.multiply_add(broadcast[row], read[vector], value)
        for (row, vector), value in zip(tile, carried, strict=True)
    ]
    following = [
        builder.add(k, _integer(1)),
        builder.add(weight_at, weight_step),
        builder.add(inputs_at, input_step),
    ]
    for value, new in zip([k, weight_at, inputs_at, *carried], [*following, *sums], strict=True):
        value.add_incoming(new, loop)
    after = builder.append_basic_block("after")
    builder.cbranch(builder.icmp_signed("<", following[0], inner), loop, after)
    builder.position_at_end(after)
    for value, place in zip(sums, places(out, out_stride), strict=True):
        write.store(value, place)


@compiled
def product(
    out: int, out_stride: int, weights: int, along: int, across: int, inputs: int,
    input_stride: int, inner: int, rows: int, columns: int, adds: int,
) -> None:  # fmt: skip
    """Makes `out[r, c] = sum over k of weights[k, r] * inputs[k, c]`, of single-precision numbers.

    Number (k, r) of the weights lies `k * along + r * across` numbers from their address; numbers
    of a row of inputs or result lie side by side.

    Args:
        out: Address of the result.
        out_stride: From one row to the next, in numbers; likewise the inputs'.
        weights: Their address.
        along: From one k to the next, in numbers.
        across: From one row of the result to the next, in numbers.
        inputs: Their address.
        input_stride: See above.
        inner: How many are summed, >= 1.
        rows: Of the result.
        columns: Of the result; a whole number of vectors of 16.
        adds: 1 to add to what the result holds, 0 to write over it.
    """
    column = 0
    while column < columns:
        vectors = min(_VECTORS, (columns - column) // LANES)
        row = 0
        while row < rows:
            _tile(
                min(_ROWS, rows - row), vectors,
                out + _BYTES * (row * out_stride + column), out_stride,
                weights + _BYTES * row * across, along, across,
                inputs + _BYTES * column, input_stride, inner, adds,
            )  # fmt: skip
            row += _ROWS
        column += vectors * LANES


@compiled
def whole_vectors(size: int) -> int:
    """Returns the next whole number of vectors, in numbers."""
    return -(-size // LANES) * LANES
