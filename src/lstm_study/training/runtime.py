"""Global state of a training process: backend, threads, determinism, memory, devices.

The only module that changes any of these. `configure` comes before the first import of Keras.
"""

import ctypes
import gc
import hashlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from lstm_study import model
from lstm_study.corpus.cache import cache_folder
from lstm_study.errors import DependencyError

log = logging.getLogger(__name__)

# CUDA itself takes some hundred megabytes for each process.
_GPU_MEMORY_SHARE = 0.9
_LEAST_SECONDS_KEPT = 0.3
# What a program needs beside its members, and more members than this gain nothing.
_POPULATION_SHARE = 0.7
_MOST_MEMBERS = 64
# Keras and TensorFlow import these where they find them, to serve who uses both.
_NOT_NEEDED = ("jax", "matplotlib", "PIL", "sklearn")
# mallopt's options: one arena for all threads, no mapping for a single array, nothing trimmed, and
# 64 MiB at a time from the system.
_KEPT_MEMORY = {-8: 1, -4: 0, -1: 2**31 - 1, -2: 2**26}


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What a process trains with."""

    backend: str
    devices: tuple[str, ...]


def configure(
    *,
    threads: int,
    gpu: str | None = None,
    workers_on_gpu: int = 1,
    share: Callable[[], int] | None = None,
) -> Runtime:
    """Prepares this process for training.

    Op determinism is on, so that equal seeds give equal bits on the CPU. GPU memory is taken as
    needed rather than whole; on JAX, which never gives any back, no more than an equal share. JAX
    keeps compiled programs in the cache folder, unless JAX_COMPILATION_CACHE_DIR names another, and
    Numba its machine code, unless NUMBA_CACHE_DIR does. Freed memory is kept for the next step.

    TensorFlow without a GPU has one thread: what takes long there is our own machine code, whose
    results, unlike TensorFlow's, do not depend on its threads.

    Args:
        threads: Threads for one operation, >= 1.
        gpu: The one GPU to use, as CUDA_VISIBLE_DEVICES names it; None to leave that as it is.
        workers_on_gpu: Processes that share it.
        share: Says, at any moment, how many threads our own machine code may use; None for
            `threads`.

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
    # NumPy has been imported long before.
    threadpool_limits(threads)
    os.environ.setdefault("NUMBA_CACHE_DIR", str(machine_code_folder()))
    _keep_freed_memory()
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    memory = _GPU_MEMORY_SHARE / max(1, workers_on_gpu)
    os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", f"{memory:.3f}")
    try:
        if backend == "tensorflow":
            return _configure_tensorflow(threads, share or (lambda: threads))
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


def _configure_tensorflow(threads: int, share: Callable[[], int]) -> Runtime:
    # TensorFlow imports Keras, so look first. One that already computes keeps its threads.
    begun = "tensorflow" in sys.modules
    with lean_imports():
        import tensorflow as tf

        from lstm_study.model.lstm.cpu.threads import take_threads

    devices = tuple(
        tf.config.experimental.get_device_details(device).get("device_name", device.name)
        for device in tf.config.list_physical_devices("GPU")
    )
    if not begun:
        tf.config.threading.set_intra_op_parallelism_threads(threads if devices else 1)
        tf.config.threading.set_inter_op_parallelism_threads(2 if devices and threads > 1 else 1)
    tf.config.experimental.enable_op_determinism()
    take_threads(share)
    return Runtime(backend="tensorflow", devices=devices or ("CPU",))


def _configure_jax(threads: int) -> Runtime:
    flags = os.environ.get("XLA_FLAGS", "")
    if threads == 1 and "intra_op_parallelism" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    import jax

    with lean_imports():
        import keras  # noqa: F401 - imported for its side effects
    _keep_programs(jax)
    return Runtime(backend="jax", devices=tuple(device.device_kind for device in jax.devices()))


def population_limit(asked: int | None, *, member_bytes: int) -> int:
    """Says how many networks this process, on JAX, trains at once.

    Args:
        asked: At most so many; None for what the device holds, and one without a GPU.
        member_bytes: Memory of one, about.
    """
    import jax

    device = jax.devices()[0]
    if device.platform != "gpu":
        return asked or 1
    # This process's share of it, where several have the GPU.
    memory = (device.memory_stats() or {}).get("bytes_limit", 0)
    fitting = int(_POPULATION_SHARE * memory / member_bytes)
    return max(1, min(asked or _MOST_MEMBERS, fitting))


@contextmanager
def lean_imports(*needed: str) -> Iterator[None]:
    """Hides from Keras and TensorFlow, while they are imported, libraries that nothing here needs.

    Keras brings scikit-learn's interface, plots and image files, TensorFlow a converter of JAX's
    models, each behind a `try`: a third of the time of their import, and memory. Whoever imports
    one of these later gets it.

    Args:
        *needed: What is not to be hidden, beside the backend and what is imported already.
    """
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    kept = {backend, *needed, *sys.modules}
    hidden = [name for name in _NOT_NEEDED if name not in kept]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not to be had
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def keep_what_is_loaded() -> None:
    """Takes all that is loaded by now out of the garbage collector's sight.

    It looks through some half a million objects of TensorFlow's otherwise, for a quarter of a
    second, several times for each model that is traced.
    """
    gc.collect()
    gc.freeze()


def machine_code_folder() -> Path:
    """Where Numba keeps what it compiled: a folder of its own for each version of its source.

    By itself Numba would go on with what it kept of one file when another, whose functions are
    part of it, has changed.
    """
    files = sorted(Path(model.__file__).parent.rglob("*.py"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return cache_folder(None) / "machine-code" / digest[:16]


def is_machine_code_made() -> bool:
    """Whether an earlier training on this machine left its machine code."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR", machine_code_folder()))
    return any(folder.rglob("*.nbc"))


def _keep_freed_memory() -> None:
    """Has the C library keep what is freed for the next allocation, where it is glibc.

    A training step takes and frees arrays of many megabytes. Given back to the system each time and
    taken anew, they cost a page fault for every 4 KiB.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is not None and hasattr(library, "gnu_get_libc_version"):
        for option, value in _KEPT_MEMORY.items():
            library.mallopt(option, value)


def keep_quiet() -> None:
    """Has TensorFlow log nothing but what ends it, where answers go to the terminal.

    Comes before its first import, what it prints on which is for `output_to`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _keep_programs(jax: Any) -> None:
    """Lets JAX keep compiled programs beside the encoded reviews, and find them there.

    JAX compiles a whole training step anew for each model. Programs of equal shape and rates then
    come from disk: those of a promotion, of a comparison's seeds, of another worker, of yesterday.
    """
    if jax.config.jax_compilation_cache_dir is None:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder(None) / "jax"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _LEAST_SECONDS_KEPT)


def release_models() -> None:
    """Frees the models that nobody holds any more, which nothing else does.

    `tf.custom_gradient` enters each gradient that it traces in a registry of TensorFlow's, under a
    new name, and never takes it out. The entry holds the graph it was traced in, and so the
    variables of its model: 100 MB for each trial of 50,000 words × 128. A gradient is looked up
    while its own graph is traced and not afterwards, so no model in use loses anything. What then
    remains are reference cycles.
    """
    if "tensorflow" in sys.modules:
        _forget_gradients()
    gc.collect()


def _forget_gradients() -> None:
    from tensorflow.python.framework import ops

    # Not public; tests/keras/test_runtime.py notices when it moves.
    registry = getattr(getattr(ops, "gradient_registry", None), "_registry", None)
    if not isinstance(registry, dict):
        log.warning(
            "This TensorFlow keeps gradients elsewhere: memory will grow from trial to trial."
        )
        return
    for name in [name for name in registry if name.startswith("CustomGradient-")]:
        del registry[name]


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
