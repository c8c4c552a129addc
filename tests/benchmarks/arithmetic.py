"""The arithmetic limit of a training step: its matrix products, at this machine's rate.

A step of the LSTM with batch B, T time steps, D inputs and U units computes these products, written
(rows × inner × columns):

- forward: inputs times kernel, (B·T × D × 4U) once; state times recurrent kernel, (B × U × 4U) T
  times, because each depends on the one before;
- backward, the same twice, once for each operand: (B·T × 4U × D) and (D × B·T × 4U) once,
  (B × 4U × U) T times, and (U × B·T × 4U) once.

Together 3 · 2 · B · T · 4U · (D + U) operations, a multiplication and an addition counting two:
17.5 · 10⁹ for 500 steps of 128/100 with batches of 64. Embedding, output and Adam are left out.

>>> operations(products(embedding_dim=128, lstm_units=100, batch=64, steps=500))
17510400000
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from typing import Any

_LEAST_SECONDS = 0.05
_REPEATS = 5


@dataclass(frozen=True)
class Product:
    """A matrix product (rows × inner) · (inner × columns), computed `count` times in a step."""

    rows: int
    inner: int
    columns: int
    count: int = 1

    @property
    def operations(self) -> int:
        """Multiplications and additions of one product."""
        return 2 * self.rows * self.inner * self.columns


def products(
    *, embedding_dim: int, lstm_units: int, batch: int, steps: int, directions: int = 1
) -> list[Product]:
    """Returns the products of one training step; see the module."""
    tokens, gates = batch * steps, 4 * lstm_units
    return directions * [
        Product(tokens, embedding_dim, gates),
        Product(batch, lstm_units, gates, steps),
        Product(tokens, gates, embedding_dim),
        Product(embedding_dim, tokens, gates),
        Product(batch, gates, lstm_units, steps),
        Product(lstm_units, tokens, gates),
    ]


def operations(computed: Iterable[Product]) -> int:
    """Returns the operations of all products."""
    return sum(product.count * product.operations for product in computed)


def limit(**shape: int) -> dict[str, Any]:
    """Measures every product of a step on the CPU; runs in another process.

    Each is timed alone with operands in memory and one thread, by NumPy, the backend and
    `model/lstm/cpu/matmul.py`, and the fastest is taken.

    Args:
        **shape: That of `products`.

    Returns:
        "seconds" that the products of a step need, "operations", and the "gflops" of both.
    """
    from lstm_study.training.runtime import configure

    configure(threads=1)
    needed = products(**shape)
    makers = _makers()
    seconds = sum(
        product.count * min(_time(make(product)) for make in makers) for product in needed
    )
    done = operations(needed)
    return {"seconds": seconds, "operations": done, "gflops": done / seconds / 1e9}


def _makers() -> list[Callable[[Product], Callable[[], Any]]]:
    import keras
    import numpy as np

    random = np.random.default_rng(1)

    def operands(product: Product) -> tuple[Any, Any]:
        rows, inner, columns, _ = astuple(product)
        return (
            random.standard_normal((rows, inner), dtype=np.float32),
            random.standard_normal((inner, columns), dtype=np.float32),
        )

    def by_numpy(product: Product) -> Callable[[], Any]:
        left, right = operands(product)
        out = np.empty((product.rows, product.columns), np.float32)
        return lambda: np.matmul(left, right, out=out)

    def by_numba(product: Product) -> Callable[[], Any]:
        from lstm_study.model.lstm.cpu.matmul import matmul, whole_vectors

        # Its columns are whole vectors: of the result, or of its transpose.
        rows, columns = product.rows, product.columns
        if whole_vectors(columns) != columns:
            rows, columns = columns, rows
        weights, inputs = operands(Product(rows, product.inner, whole_vectors(columns)))
        out = np.empty((rows, inputs.shape[1]), np.float32)
        return lambda: matmul(out, weights.T, inputs, False)

    if keras.backend.backend() == "jax":
        import jax

        multiply = jax.jit(lambda left, right: left @ right)

        def by_jax(product: Product) -> Callable[[], Any]:
            left, right = (jax.device_put(operand) for operand in operands(product))
            return lambda: multiply(left, right).block_until_ready()

        return [by_numpy, by_numba, by_jax]
    import tensorflow as tf

    def by_tensorflow(product: Product) -> Callable[[], Any]:
        left, right = (tf.constant(operand) for operand in operands(product))
        return lambda: tf.matmul(left, right)

    return [by_numpy, by_numba, by_tensorflow]


def _time(work: Callable[[], Any]) -> float:
    """Returns the seconds of one call: the least of several means."""
    work()
    calls, best = 1, float("inf")
    for _ in range(_REPEATS):
        took = 0.0
        while True:
            began = time.perf_counter()
            for _ in range(calls):
                work()
            took = time.perf_counter() - began
            if took >= _LEAST_SECONDS:
                break
            calls *= 2
        best = min(best, took / calls)
    return best
