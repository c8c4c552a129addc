"""This machine's GPUs, asked of the driver without a backend, and how many workers it gets."""

import functools
import os
import re
import resource
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lstm_study.engine.cuda import has_cuda, way_to_cuda
from lstm_study.errors import DependencyError, SearchError
from lstm_study.provenance import machine, usable_cpus
from lstm_study.spec.quantities import counted, size_in_words

BYTES_PER_WORKER = 2 * 1024**3
_LEAST_ADDRESS_SPACE = 2_400_000_000
"""Virtual memory of a worker that trains the smallest network: 2.1 GB were seen, on Linux with
TensorFlow. With less it aborts, or its operations fail in ways that look like errors of a training.
"""
_GPU = re.compile(r"GPU (?P<index>\d+):.*\(UUID: (?P<uuid>GPU-[^)]+)\)")
_SLICE = re.compile(r"\s+MIG .*\(UUID: (?P<uuid>MIG-[^)]+)\)")
_DEVICE_NODES = Path("/dev")
_NODE = re.compile(r"nvidia\d+")
# A server with eight idle GPUs takes half a minute to answer.
_LIST_SECONDS = 60


def visible_gpus() -> tuple[str, ...]:
    """Returns the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them.

    Those are the ones that `nvidia-smi -L` lists and CUDA_VISIBLE_DEVICES, where it is set, leaves
    visible, in its order; like CUDA, it ends at the first name that is no GPU's. A GPU cut into MIG
    slices counts as its slices. Empty where there is no driver.
    """
    listed = _listed()
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return tuple(device for _, slices in listed for device in slices)
    found: list[str] = []
    for name in chosen.split(","):
        devices = _named(name.strip(), listed)
        if not devices:
            break
        found += [device for device in devices if device not in found]
    return tuple(found)


def usable_gpus(backend: str) -> tuple[str, ...]:
    """Returns the visible GPUs, if a backend has what it needs to train on them; else none.

    Args:
        backend: "tensorflow" or "jax".
    """
    gpus = visible_gpus()
    return gpus if gpus and has_cuda(backend) else ()


def require_gpus(workers_per_gpu: int | None) -> None:
    """Refuses `--workers-per-gpu` where there is no GPU to share.

    Raises:
        DependencyError: No GPU is visible.
    """
    if workers_per_gpu is not None and not visible_gpus():
        chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
        why = "nvidia-smi lists none" if chosen is None else f"CUDA_VISIBLE_DEVICES={chosen}"
        raise DependencyError(
            f"--workers-per-gpu {workers_per_gpu}: no GPU is visible here ({why}). "
            "Leave it out to train on the CPU; --workers N chooses how many workers."
        )


def require_address_space() -> None:
    """Refuses to train where `ulimit -v` allows less than any worker takes.

    Raises:
        SearchError: It does.
    """
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY and most < _LEAST_ADDRESS_SPACE:
        raise SearchError(
            f"Memory is limited to {size_in_words(most)} here (`ulimit -v`), and training takes "
            f"{size_in_words(_LEAST_ADDRESS_SPACE)} at the least. Allow more, then run the same "
            "command again."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Worker processes, threads for each, and the GPUs they share.

    Attributes:
        count: Processes.
        threads: Of each, for one operation, while all are busy; see `engine/core_sharing.py`.
        gpus: As CUDA_VISIBLE_DEVICES names them; empty where training is on the CPU.
        population: How many networks a worker trains at once, at most; None to choose.
    """

    count: int
    threads: int
    gpus: tuple[str, ...] = ()
    population: int | None = None

    @property
    def on_a_gpu(self) -> int:
        """How many workers share the GPU that has the most; 0 without a GPU."""
        return -(-self.count // len(self.gpus)) if self.gpus else 0

    def gpu_of(self, index: int) -> str | None:
        """Names the GPU of a worker, counted from 0; they take turns. None without a GPU."""
        return self.gpus[index % len(self.gpus)] if self.gpus else None


def choose_workers(
    asked: int | None, *, jobs: int, backend: str, workers_per_gpu: int | None = None
) -> Workers:
    """Chooses how many workers this machine gets, and their threads.

    On a CPU several single-threaded workers finish more trainings an hour than one that uses all
    threads: the time loop of an LSTM is a chain of small products that threads share badly. Where
    there are GPUs that the backend can use, each gets one worker, or as many as are asked for.

    Args:
        asked: Workers asked for; None to choose.
        jobs: Trainings there are to share, >= 1.
        backend: What they train with.
        workers_per_gpu: Asked for; None to choose.

    Raises:
        DependencyError: Workers are to share GPUs, and none is visible or can be used.
        SearchError: More workers than the GPUs are to carry.
    """
    cpus, gpus = usable_cpus(), usable_gpus(backend)
    require_gpus(workers_per_gpu)
    if workers_per_gpu is not None and not gpus:
        raise DependencyError(
            f"--workers-per-gpu {workers_per_gpu}: {backend} has no CUDA here. "
            f"{way_to_cuda(backend)}, or leave the option out to train on the CPU."
        )
    if asked is None:
        memory = machine().memory_bytes
        fitting = memory // BYTES_PER_WORKER if memory else cpus
        most = len(gpus) * (workers_per_gpu or 1) if gpus else cpus
        asked = max(1, min(most, cpus, jobs, fitting))
    elif workers_per_gpu is not None and asked > len(gpus) * workers_per_gpu:
        raise SearchError(
            f"--workers {asked}: {counted(len(gpus), 'GPU')} with "
            f"{counted(workers_per_gpu, 'worker')} each hold "
            f"{len(gpus) * workers_per_gpu}. Raise --workers-per-gpu, or leave --workers out."
        )
    return Workers(count=asked, threads=max(1, cpus // asked), gpus=gpus)


@functools.cache
def _listed() -> list[tuple[int, Sequence[str]]]:
    """Asks the driver, once: without a process on the GPU it takes seconds to answer.

    Returns each GPU's index, and the names to use it by: its own UUID, or its slices'. A container
    may have the GPUs and no `nvidia-smi`: then their indices.
    """
    try:
        listing = subprocess.run(
            ["nvidia-smi", "-L"],  # noqa: S607 - wherever the driver put it
            capture_output=True,
            text=True,
            timeout=_LIST_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        nodes = [path for path in _DEVICE_NODES.glob("nvidia*") if _NODE.fullmatch(path.name)]
        return [(index, [str(index)]) for index in range(len(nodes))]
    found: list[tuple[int, str, list[str]]] = []
    for line in listing.stdout.splitlines() if listing.returncode == 0 else ():
        if gpu := _GPU.match(line):
            found.append((int(gpu["index"]), gpu["uuid"], []))
        elif found and (part := _SLICE.match(line)):
            found[-1][2].append(part["uuid"])
    return [(index, slices or [uuid]) for index, uuid, slices in found]


def _named(name: str, listed: Sequence[tuple[int, Sequence[str]]]) -> Sequence[str]:
    """Returns what one entry of CUDA_VISIBLE_DEVICES names: an index, or the start of a UUID."""
    if name.isdecimal():
        return next((slices for index, slices in listed if index == int(name)), ())
    if not name.startswith(("GPU-", "MIG-")):
        return ()
    return [device for _, slices in listed for device in slices if device.startswith(name)][:1]
