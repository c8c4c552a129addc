"""What a backend needs to train on a GPU, beside the GPU: looked for without importing it."""

import ctypes.util
import functools
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# Those that JAX reads; the second is the older one.
_PLATFORM_VARIABLES = ("JAX_PLATFORMS", "JAX_PLATFORM_NAME")


def has_cuda(backend: str) -> bool:
    """Returns whether a backend, "tensorflow" or "jax", has what it needs of CUDA."""
    return _has_jax_with_cuda() if backend == "jax" else _has_cudnn()


def way_to_cuda(backend: str) -> str:
    """Says how to train on a GPU with a backend that has no CUDA here."""
    if backend != "jax":
        return (
            "Install it (pip install 'lstm-study[gpu-tensorflow]'), train with JAX "
            "(pip install 'lstm-study[gpu]', and set KERAS_BACKEND=jax)"
        )
    if excluded_by := _excluded_by():
        return f"Unset {excluded_by}"
    return "Install it (pip install 'lstm-study[gpu]')"


def _excluded_by() -> str:
    """Returns the variable, with its value, that keeps JAX from using GPUs; "" if none does."""
    for name in _PLATFORM_VARIABLES:
        platforms = os.environ.get(name, "")
        named = {each.strip().lower() for each in platforms.split(",")}
        if platforms and not {"cuda", "gpu"} & named:
            return f"{name}={platforms}"
    return ""


def _has_jax_with_cuda() -> bool:
    """Whether JAX and its plugin for CUDA are installed, and no variable excludes it."""
    if _excluded_by():
        return False
    plugins = [path.name for folder in _jax_plugin_folders() for path in Path(folder).glob("*")]
    # In an editable installation, as in NVIDIA's containers, there is only the entry point.
    plugins += [each.name for each in importlib.metadata.entry_points(group="jax_plugins")]
    has_plugin = any(name.startswith("xla_cuda") for name in plugins)
    return has_plugin and importlib.util.find_spec("jax") is not None


def _jax_plugin_folders() -> Sequence[str]:
    found = importlib.util.find_spec("jax_plugins")
    return (found and found.submodule_search_locations) or ()


@functools.cache
def _has_cudnn() -> bool:
    """Whether cuDNN, without which TensorFlow trains on the CPU, is installed.

    TensorFlow finds it among Python's packages, and where the system's loader does.
    """
    folders = [*_python_folders(), *os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)]
    if any(any(Path(folder).glob("libcudnn.so*")) for folder in folders if folder):
        return True
    return ctypes.util.find_library("cudnn") is not None


def _python_folders() -> list[str]:
    """Returns the folders in which pip's and conda's packages keep libraries."""
    packages = [str(Path(each) / "nvidia" / "cudnn" / "lib") for each in sys.path]
    return [*packages, str(Path(sys.prefix) / "lib")]
