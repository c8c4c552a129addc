"""Configures a training process: backend, threads, determinism, devices, imports, caches.

`configure` comes before the first import of Keras; it is the only function that sets any of these.
"""

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
from lstm_study.training.memory import (
    allocate_gpu_memory_as_needed,
    free_gpu_memory,
    keep_freed_memory,
)
from lstm_study.training.program_cache import keep_programs_with_digests

log = logging.getLogger(__name__)

# CUDA itself takes some hundred megabytes for each process.
_GPU_MEMORY_SHARE = 0.9
# What a program needs beside its members, and more members than this gain nothing.
_POPULATION_SHARE = 0.7
_MOST_MEMBERS = 64
_MIN_JAX_COMPILE_SECONDS = 0.3
# All that XLA says where a GPU is there and CUDA can't begin on it, mostly for lack of memory.
_NO_ROOM_FOR_CUDA = "no supported devices found for platform CUDA"
# Values of CUDA_VISIBLE_DEVICES.
_HIDE_ALL_GPUS = ("", "-1")
# Keras and TensorFlow import these if they are installed, for interfaces that are not used here.
_OPTIONAL = ("jax", "matplotlib", "PIL", "sklearn")


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
    tells_why_no_gpu: bool = False,
) -> Runtime:
    """Prepares this process for training.

    Op determinism is on, so that equal seeds give equal bits on the CPU. GPU memory is allocated as
    needed; JAX, which never returns any, is limited to an equal share. Compiled programs are cached
    on disk. Freed memory is kept for the next step.

    TensorFlow without a GPU has one thread: most of the time goes into the Numba kernels, whose
    results, unlike TensorFlow's, do not depend on the number of threads.

    Args:
        threads: Threads for one operation, >= 1.
        gpu: The only GPU to use, as CUDA_VISIBLE_DEVICES names it; None to leave that as it is.
        workers_on_gpu: Processes that share it.
        share: Returns how many threads a Numba kernel may use now; None for `threads`.
        tells_why_no_gpu: Whether TensorFlow prints which of CUDA's libraries it does not find; it
            then prints much else, too.

    Returns:
        Backend and devices found.

    Raises:
        DependencyError: The backend that KERAS_BACKEND names is not installed, or does not start.
    """
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0" if tells_why_no_gpu else "2"
    allocate_gpu_memory_as_needed()
    os.environ["OMP_NUM_THREADS"] = str(threads)
    # NumPy is already imported and no longer reads the variable.
    threadpool_limits(threads)
    use_numba_cache()
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    keep_jax_from_hidden_gpus()
    memory = _GPU_MEMORY_SHARE / max(1, workers_on_gpu)
    # JAX refuses to start where both its old name for this and the new one are set.
    if "XLA_PYTHON_CLIENT_MEM_FRACTION" not in os.environ:
        os.environ.setdefault("XLA_CLIENT_MEM_FRACTION", f"{memory:.3f}")
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
    # Importing Keras imports TensorFlow. Threads can be set only before its first operation.
    keep_freed_memory()
    imported = "tensorflow" in sys.modules
    with skip_optional_imports():
        import tensorflow as tf

        from lstm_study.model.lstm.cpu.threads import set_thread_count

    devices = tuple(
        tf.config.experimental.get_device_details(device).get("device_name", device.name)
        for device in tf.config.list_physical_devices("GPU")
    )
    if not imported:
        tf.config.threading.set_intra_op_parallelism_threads(threads if devices else 1)
        tf.config.threading.set_inter_op_parallelism_threads(2 if devices and threads > 1 else 1)
    tf.config.experimental.enable_op_determinism()
    set_thread_count(share)
    return Runtime(backend="tensorflow", devices=devices or ("CPU",))


def _configure_jax(threads: int) -> Runtime:
    # Otherwise the thread that waits for the GPU keeps a core busy.
    os.environ.setdefault("TF_CUDA_PLATFORM_GPU_DEVICE_SCHEDULE", "blocking_sync")
    flags = os.environ.get("XLA_FLAGS", "")
    if threads == 1 and "intra_op_parallelism" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    import jax

    with skip_optional_imports():
        import keras  # noqa: F401 - imported for its side effects
    use_jax_cache(jax)
    try:
        devices = jax.devices()
    except (AssertionError, RuntimeError) as error:
        # JAX's words name the platform, and what to do about it; its assertion has none.
        said = str(error) or (
            f"JAX_PLATFORMS={jax.config.jax_platforms} names no device of this machine. Unset it "
            "to train on the CPU."
        )
        if _NO_ROOM_FOR_CUDA in said:
            said += " Other processes may use all of the GPU's memory: nvidia-smi lists them."
        raise DependencyError(f"JAX does not start: {said}") from error
    # With one arena the threads that compile for a GPU would wait for each other.
    if devices[0].platform == "cpu":
        keep_freed_memory()
    return Runtime(backend="jax", devices=tuple(device.device_kind for device in devices))


def keep_jax_from_hidden_gpus() -> None:
    """Has JAX use the CPU where CUDA_VISIBLE_DEVICES hides all GPUs; call before it is imported.

    Its plugin for CUDA does not start on a machine whose GPUs are all hidden, and JAX with it.
    """
    is_hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in _HIDE_ALL_GPUS
    if is_hidden and not os.environ.get("JAX_PLATFORMS"):
        os.environ["JAX_PLATFORMS"] = "cpu"


def population_limit(asked: int | None, *, member_bytes: int) -> int:
    """Returns how many networks of `member_bytes` each this process trains at once, on JAX.

    At most as many as are asked for; otherwise as many as the GPU holds beside what others keep on
    it, and one without a GPU. To be called before anything of this process is on it.
    """
    import jax

    device = jax.devices()[0]
    if device.platform != "gpu":
        return asked or 1
    most = asked or _MOST_MEMBERS
    # This process's share of it, where several have the GPU.
    memory = (device.memory_stats() or {}).get("bytes_limit")
    if memory is None:
        # Some of JAX's allocators do not say. A population that does not fit is halved.
        return most
    free = free_gpu_memory()
    if free is not None and free < memory:
        log.info("Others use the GPU: %.1f GB of it are free.", free / 1e9)
        memory = free
    return max(1, min(most, int(_POPULATION_SHARE * memory / member_bytes)))


@contextmanager
def skip_optional_imports(*needed: str) -> Iterator[None]:
    """Makes optional dependencies of Keras and TensorFlow unimportable in a `with` block.

    They serve a scikit-learn interface, plots, image files and a converter of JAX models, and take
    a third of the import's time. The backend, what is needed, and what was imported before stay
    importable. After the block they can be imported as usual.
    """
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    kept = {backend, *needed, *sys.modules}
    skipped = [name for name in _OPTIONAL if name not in kept]
    # None makes `import` raise ModuleNotFoundError.
    sys.modules.update(dict.fromkeys(skipped))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in skipped:
            del sys.modules[name]


def use_numba_cache() -> None:
    """Caches Numba's compilations in `numba_cache_folder`, unless NUMBA_CACHE_DIR names another."""
    os.environ.setdefault("NUMBA_CACHE_DIR", str(numba_cache_folder()))


def numba_cache_folder() -> Path:
    """Returns the folder of Numba's cache, another for each version of the compiled source.

    Numba by itself keeps using a cached function after a function that it calls has changed in
    another file.
    """
    files = sorted(Path(model.__file__).parent.rglob("*.py"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return cache_folder(None) / "numba" / digest[:16]


def is_numba_cache_filled() -> bool:
    """Whether an earlier training on this machine compiled the Numba kernels."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR", numba_cache_folder()))
    return any(folder.rglob("*.nbc"))


def use_jax_cache(jax: Any) -> None:
    """Caches JAX's programs beside the encoded reviews, unless JAX has another folder for them.

    JAX compiles the whole training step for each model. Programs of equal shapes and rates then
    come from disk: those of a promotion, of a comparison's seeds, of another worker.
    """
    if jax.config.jax_compilation_cache_dir is None:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder(None) / "jax"))
        if "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS" not in os.environ:
            least = _MIN_JAX_COMPILE_SECONDS
            jax.config.update("jax_persistent_cache_min_compile_time_secs", least)
        keep_programs_with_digests()
