"""Where our own machine code computes, and what it needs: aligned memory and threads."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lstm_study.provenance import usable_cpus

_ALIGNMENT = 64


def runs_on_host(dtype: str = "float32") -> bool:
    """Whether LSTM and Adam are our own machine code, so that no length costs compiling.

    They are on TensorFlow without a GPU, in single precision.
    """
    on_tensorflow = keras.backend.backend() == "tensorflow"
    return on_tensorflow and not has_gpu() and dtype == "float32"


@cache
def has_gpu() -> bool:
    """Whether the backend has a GPU to compute on."""
    if keras.backend.backend() == "jax":
        import jax

        return bool(jax.default_backend() == "gpu")
    import tensorflow as tf

    return bool(tf.config.list_logical_devices("GPU"))


def empty(*shape: int) -> NDArray[np.float32]:
    """Memory that begins where a vector, a line of the cache and a tensor of TensorFlow's do.

    TensorFlow takes such an array over as it is, and copies any other.
    """
    size, spare = int(np.prod(shape)), _ALIGNMENT // 4
    memory = np.empty(size + spare, np.float32)
    first = (-memory.ctypes.data % _ALIGNMENT) // memory.itemsize
    return memory[first : first + size].reshape(shape)


def zeros(*shape: int) -> NDArray[np.float32]:
    """The same, filled with zeros."""
    array = empty(*shape)
    array[...] = 0.0
    return array


@dataclass
class _Threads:
    count: Callable[[], int]


_threads = _Threads(usable_cpus)


def take_threads(count: Callable[[], int]) -> None:
    """Sets whom `thread_count` asks: `training/runtime.py` does, for a whole process."""
    _threads.count = count


def thread_count() -> int:
    """Threads that our own machine code may use now, >= 1.

    It may change from one call to the next, and no result depends on it.
    """
    return max(1, _threads.count())


def for_each(work: Callable[[Any], None], parts: Sequence[Any], *, threads: int) -> None:
    """Calls `work`, which lets go of the interpreter's lock, with each part.

    Args:
        work: What to do; in any order, on any thread.
        parts: What to do it with.
        threads: How many to use, >= 1.
    """
    shares = max(1, min(threads, len(parts)))

    def do(share: int) -> None:
        for part in parts[share::shares]:
            work(part)

    others = [_pool().submit(do, share) for share in range(1, shares)]
    do(0)
    for other in others:
        other.result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="lstm-study")
