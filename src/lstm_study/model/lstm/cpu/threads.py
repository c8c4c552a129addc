"""Aligned buffers and the thread pool for the Numba kernels, and whether the kernels apply."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lstm_study.provenance import usable_cpus

_ALIGNMENT_BYTES = 64


def uses_cpu_kernels(dtype: str = "float32") -> bool:
    """Whether the Numba kernels run the LSTM and Adam: on TensorFlow without a GPU, in float32.

    They take batches of any length without compiling again.
    """
    on_tensorflow = keras.backend.backend() == "tensorflow"
    return on_tensorflow and not has_gpu() and dtype == "float32"


@cache
def has_gpu() -> bool:
    """Whether the backend sees a GPU."""
    if keras.backend.backend() == "jax":
        import jax

        return bool(jax.default_backend() == "gpu")
    import tensorflow as tf

    return bool(tf.config.list_logical_devices("GPU"))


def aligned_empty(*shape: int) -> NDArray[np.float32]:
    """Returns an uninitialised array aligned to 64 bytes: a cache line, an AVX-512 vector.

    TensorFlow takes over an array so aligned as a tensor's memory; it copies any other.
    """
    size, spare = int(np.prod(shape)), _ALIGNMENT_BYTES // 4
    memory = np.empty(size + spare, np.float32)
    first = (-memory.ctypes.data % _ALIGNMENT_BYTES) // memory.itemsize
    return memory[first : first + size].reshape(shape)


def aligned_zeros(*shape: int) -> NDArray[np.float32]:
    """Returns an array of zeros, aligned like those of `aligned_empty`."""
    array = aligned_empty(*shape)
    array[...] = 0.0
    return array


@dataclass
class _ThreadBudget:
    count: Callable[[], int]


_budget = _ThreadBudget(usable_cpus)


def set_thread_count(count: Callable[[], int]) -> None:
    """Sets the function that `thread_count` calls, for this process."""
    _budget.count = count


def thread_count() -> int:
    """Returns the number of threads that a kernel may use now, >= 1.

    It may change between calls; results do not depend on it.
    """
    return max(1, _budget.count())


def for_each(work: Callable[[Any], None], parts: Sequence[Any], *, threads: int) -> None:
    """Calls `work` with each part on several threads, and waits for all of them.

    Args:
        work: Called in any order, on any thread; it should release the GIL.
        parts: Its arguments.
        threads: Threads to use, >= 1.
    """
    shares = max(1, min(threads, len(parts)))

    def run_share(share: int) -> None:
        for part in parts[share::shares]:
            work(part)

    others = [_pool().submit(run_share, share) for share in range(1, shares)]
    run_share(0)
    for other in others:
        other.result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="lstm-study")
