"""Memory of a training process: the allocator, the garbage collector, models no longer used."""

import ctypes
import gc
import logging
import os
import subprocess
import sys

log = logging.getLogger(__name__)

_ASK_SECONDS = 60.0
# mallopt: one arena for all threads, no mapping per array, no trimming, 64 MiB per request to the
# system.
_MALLOPT = {-8: 1, -4: 0, -1: 2**31 - 1, -2: 2**26}


def keep_freed_memory() -> None:
    """Makes the C library keep freed memory for the next allocation, if it is glibc.

    A training step allocates and frees arrays of many megabytes. Returned to the system each time,
    they cost a page fault for every 4 KiB.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is not None and hasattr(library, "gnu_get_libc_version"):
        for option, value in _MALLOPT.items():
            library.mallopt(option, value)


def allocate_gpu_memory_as_needed() -> None:
    """Has TensorFlow and JAX take no more of a GPU than they use; call before either starts.

    By default they take most of it at once, which leaves none for another process.
    """
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


def free_gpu_memory() -> int | None:
    """Asks the driver for the memory in bytes that nobody uses of this process's GPU.

    None where it can't be asked: without `nvidia-smi`, of a MIG slice, of a GPU that
    CUDA_VISIBLE_DEVICES does not name by its UUID, as a worker's is; and where JAX has already
    taken its share, since XLA_PYTHON_CLIENT_PREALLOCATE is set.
    """
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    if not gpu.startswith("GPU-") or os.environ.get("XLA_PYTHON_CLIENT_PREALLOCATE") != "false":
        return None
    query = [
        "nvidia-smi",
        f"--id={gpu}",
        "--query-gpu=memory.free",
        "--format=csv,noheader,nounits",
    ]
    try:
        said = subprocess.run(  # noqa: S603 - its own id, which the driver gave
            query, capture_output=True, text=True, timeout=_ASK_SECONDS, check=True
        ).stdout
        return int(said) * 2**20
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def freeze_loaded_objects() -> None:
    """Excludes all objects that exist now from garbage collection.

    The collector otherwise visits half a million objects of TensorFlow, a quarter of a second each
    time, several times for each model that is traced.
    """
    gc.collect()
    gc.freeze()


def release_models() -> None:
    """Frees models that are no longer referenced.

    `tf.custom_gradient` registers each gradient that it traces under a new name, for good. The
    entry holds the graph it was traced in, and so the model's variables: 100 MB for each trial of
    50,000 words × 128. A gradient is looked up only while its own graph is traced, so models in use
    lose nothing. The rest are reference cycles.
    """
    if "tensorflow" in sys.modules:
        _unregister_gradients()
    gc.collect()


def _unregister_gradients() -> None:
    from tensorflow.python.framework import ops

    # Not public; tests/keras/training/test_memory.py fails if it moves.
    registry = getattr(getattr(ops, "gradient_registry", None), "_registry", None)
    if not isinstance(registry, dict):
        log.warning(
            "This TensorFlow keeps gradients elsewhere: memory will grow from trial to trial."
        )
        return
    for name in [name for name in registry if name.startswith("CustomGradient-")]:
        del registry[name]
