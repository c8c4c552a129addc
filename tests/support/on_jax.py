"""Tests that need Keras on JAX: skipped in a process on another backend, and run in one of JAX's.

Each test of such a file is marked `needs_jax`, but for one, marked `starts_jax`, that calls
`run_on_jax(__file__)`.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

ON_JAX = os.environ.get("KERAS_BACKEND") == "jax"
needs_jax = pytest.mark.skipif(not ON_JAX, reason="runs in a process of its own, on JAX")
starts_jax = pytest.mark.skipif(ON_JAX, reason="this is that process")
WHOLE_FILE_SECONDS = 1800
"""Of a test that runs a file: pytest's usual limit is for one of the file's tests."""
# Trainings that differ in their seeds are one program, which is compiled once for all files.
_PROGRAMS = tempfile.TemporaryDirectory(prefix="jax-")
# For programs that run for milliseconds: most of the time would be LLVM's, to make them faster.
QUICKLY = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_parallel_codegen_split_count=1"
)
# JAX 0.11 does not have it any more, and ends at a flag that it does not know.
if find_spec("jax") is not None and version("jax").startswith("0.10."):
    QUICKLY += " --xla_cpu_use_fusion_emitters=false"


def run_on_jax(file: str, *options: str) -> None:
    """Runs a file's tests in a process with KERAS_BACKEND=jax on the CPU, with pytest's options."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", file, *options],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
            "JAX_COMPILATION_CACHE_DIR": _PROGRAMS.name,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
        },
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]


@contextmanager
def as_if_on_a_card() -> Iterator[None]:
    """Lets kernels lower for CUDA without one: from 0.11 on JAX wants to know for which card."""
    from jax.sharding import AbstractDevice, AbstractMesh, use_abstract_mesh

    card = AbstractDevice(device_kind="NVIDIA H100", num_cores=132, platform="gpu")
    with use_abstract_mesh(AbstractMesh((), (), abstract_device=card)):
        yield
