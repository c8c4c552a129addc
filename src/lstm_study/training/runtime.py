"""Global state of a training process: backend, threads, determinism, memory, devices.

The only module that changes any of these. `configure` comes before the first import of Keras.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lstm_study.errors import DependencyError

# CUDA itself takes some hundred megabytes for each process.
_GPU_MEMORY_SHARE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What a process trains with."""

    backend: str
    devices: tuple[str, ...]


def configure(*, threads: int, gpu: str | None = None, workers_on_gpu: int = 1) -> Runtime:
    """Prepares this process for training.

    Op determinism is on, so that equal seeds give equal bits on the CPU. GPU memory is taken as
    needed rather than whole; on JAX, which never gives any back, no more than an equal share.

    Args:
        threads: Threads for one operation, >= 1.
        gpu: The one GPU to use, as CUDA_VISIBLE_DEVICES names it; None to leave that as it is.
        workers_on_gpu: Processes that share it.

    Returns:
        Backend and devices found.

    Raises:
        DependencyError: The backend that KERAS_BACKEND names is not installed.
    """
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    if workers_on_gpu > 1:
        share = _GPU_MEMORY_SHARE / workers_on_gpu
        os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", f"{share:.3f}")
    try:
        if backend == "tensorflow":
            return _configure_tensorflow(threads)
        if backend == "jax":
            return _configure_jax(threads)
    except ModuleNotFoundError as error:
        raise DependencyError(
            f"KERAS_BACKEND={backend}: {error.name} is not installed. "
            f"Install it (pip install {error.name}), "
            "or unset KERAS_BACKEND."
        ) from error
    raise DependencyError(
        f"KERAS_BACKEND must be tensorflow or jax. Received: {backend!r}. Unset it for TensorFlow."
    )


def _configure_tensorflow(threads: int) -> Runtime:
    import tensorflow as tf

    if "keras" not in sys.modules:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1 if threads == 1 else 2)
    tf.config.experimental.enable_op_determinism()
    devices = tuple(
        tf.config.experimental.get_device_details(device).get("device_name", device.name)
        for device in tf.config.list_physical_devices("GPU")
    )
    return Runtime(backend="tensorflow", devices=devices or ("CPU",))


def _configure_jax(threads: int) -> Runtime:
    flags = os.environ.get("XLA_FLAGS", "")
    if threads == 1 and "intra_op_parallelism" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    import jax

    return Runtime(backend="jax", devices=tuple(device.device_kind for device in jax.devices()))


def keep_quiet() -> None:
    """Has TensorFlow log nothing but what ends it, where answers go to the terminal.

    Comes before its first import, what it prints on which is for `output_to`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextmanager
def output_to(path: Path) -> Iterator[None]:
    """Sends what this process prints, C++ libraries included, to the end of a file for a while.

    TensorFlow logs to the file descriptors themselves, before it can be told not to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    with path.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for target, source in enumerate(kept, start=1):
            os.dup2(source, target)
            os.close(source)
