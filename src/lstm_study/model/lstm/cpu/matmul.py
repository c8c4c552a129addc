"""A matrix product for the small matrices of an LSTM's step.

A step's products are small (32 × 228 × 400 and the like), and a batch has thousands of them. BLAS
libraries pack both matrices for each product; this one packs nothing and keeps its sums in
registers. `tests/benchmarks/arithmetic.py` compares its speed with NumPy's and TensorFlow's.

The sums of a tile, up to six rows of up to four vectors of 16 numbers, stay in registers during the
loop over `inner`: enough independent sums to hide the latency of a multiply-add, and every loaded
number is used six or four times. Numba compiles the loops over tiles; within a tile the speed
depends on register allocation, so `_tile` emits LLVM instructions directly.

Matrices are views: transposing or slicing one costs nothing.

Sources: Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication"; Heinecke et
al. 2016, "LIBXSMM", for products specialised to their shape.
"""

from typing import Any, NamedTuple

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.core.cgutils import unpack_tuple
from numba.extending import intrinsic
from numpy.typing import NDArray

from lstm_study.model.lstm.cpu.compiled import compiled

Array = NDArray[Any]

LANES = 16
"""Numbers in a vector: one register with AVX-512, two with AVX2, four with NEON."""
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
    """Emits instructions at the builder's position. Addresses are integers."""

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
        """Returns a vector of 16 copies of the number at the address."""
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
        """A loop variable (phi node), with its value before the first iteration."""
        value = self.builder.phi(start.type)
        value.add_incoming(start, before)
        return value


def _zeros(module: Any) -> Any:
    """Returns the address of a row of zeros as wide as a tile."""
    kind = ir.ArrayType(_NUMBER, _VECTORS * LANES)
    zeros = ir.GlobalVariable(module, kind, module.get_unique_name("zeros"))
    zeros.linkage, zeros.global_constant = "internal", True
    zeros.initializer = ir.Constant(kind, None)
    return zeros.ptrtoint(_INTEGER)


class _Matrix(NamedTuple):
    """A matrix of float32 in memory; strides count numbers."""

    address: int
    row_stride: int
    column_stride: int


@intrinsic  # type: ignore[untyped-decorator]  # Numba is untyped
def _tile(typing: Any, size: Any, out: Any, weights: Any, inputs: Any, accumulate: Any) -> Any:
    """Computes one tile of `matmul`.

    `size` holds its rows (1 to 6), its vectors of columns (1 to 4) and the inner size (>= 1); the
    other arguments are matrices that start at the tile, and whether it adds to `out`.
    """
    signature = types.void(size, out, weights, inputs, accumulate)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        size, out, weights, inputs = (unpack_tuple(builder, each, 3) for each in arguments[:4])
        rows, vectors, inner = size
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
                _write_tile(
                    write, (n_rows, n_vectors, inner), zeros,
                    _Matrix(*out), _Matrix(*weights), _Matrix(*inputs), arguments[4],
                )  # fmt: skip
                builder.branch(end)
        builder.position_at_end(end)
        return context.get_dummy_value()

    return signature, generate


def _write_tile(
    write: _Writer, size: tuple[int, int, Any], zeros: Any, out: _Matrix, weights: _Matrix,
    inputs: _Matrix, accumulate: Any,
) -> None:  # fmt: skip
    builder = write.builder
    rows, vectors, inner = size
    accumulates = builder.icmp_signed("!=", accumulate, accumulate.type(0))
    start = builder.select(accumulates, out.address, zeros)
    start_stride = builder.select(accumulates, out.row_stride, _integer(0))
    tile = [(row, vector) for row in range(rows) for vector in range(vectors)]

    def places(address: Any, stride: Any) -> list[Any]:
        firsts = [builder.add(address, write.times(stride, row * _BYTES)) for row in range(rows)]
        return [write.plus(firsts[row], vector) for row, vector in tile]

    sums = [write.load(place) for place in places(start, start_stride)]
    to_rows = [write.times(weights.column_stride, row * _BYTES) for row in range(rows)]
    weight_step = write.times(weights.row_stride, _BYTES)
    input_step = write.times(inputs.row_stride, _BYTES)

    before = builder.block
    loop = builder.append_basic_block("loop")
    builder.branch(loop)
    builder.position_at_end(loop)
    k, weight_at, inputs_at = (
        write.carried(value, before) for value in (_integer(0), weights.address, inputs.address)
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
    for value, place in zip(sums, places(out.address, out.row_stride), strict=True):
        write.store(value, place)


@compiled
def matmul(out: Array, weights: Array, inputs: Array, accumulate: bool) -> None:
    """Computes `weights.T @ inputs`, of float32.

    Args:
        out: [rows, columns], the result. A row is contiguous, and `columns` a multiple of 16.
        weights: [inner, rows], with any strides; inner >= 1.
        inputs: [inner, columns]; a row is contiguous.
        accumulate: Whether the product is added to `out` or replaces it.
    """
    # One compilation serves all kinds of views.
    _matmul(
        _matrix(out), _matrix(weights), _matrix(inputs),
        inputs.shape[0], out.shape[0], out.shape[1], accumulate,
    )  # fmt: skip


@compiled
def _matrix(array: Array) -> _Matrix:
    row_stride, column_stride = array.strides
    return _Matrix(np.int64(array.ctypes.data), row_stride // _BYTES, column_stride // _BYTES)  # type: ignore[arg-type]


@compiled
def _moved(matrix: _Matrix, row: int, column: int) -> _Matrix:
    distance = row * matrix.row_stride + column * matrix.column_stride
    return _Matrix(matrix.address + _BYTES * distance, matrix.row_stride, matrix.column_stride)


@compiled
def _matmul(
    out: _Matrix, weights: _Matrix, inputs: _Matrix, inner: int, rows: int, columns: int,
    accumulate: bool,
) -> None:  # fmt: skip
    column = 0
    while column < columns:
        vectors = min(_VECTORS, (columns - column) // LANES)
        row = 0
        while row < rows:
            _tile(
                (min(_ROWS, rows - row), vectors, inner),
                _moved(out, row, column), _moved(weights, 0, row), _moved(inputs, 0, column),
                accumulate,
            )  # fmt: skip
            row += _ROWS
        column += vectors * LANES


@compiled
def whole_vectors(size: int) -> int:
    """Rounds up to a multiple of 16."""
    return -(-size // LANES) * LANES
