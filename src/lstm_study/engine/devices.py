"""Which GPUs a machine lends to its workers, asked of the driver: no backend is imported."""

import os
import re
import subprocess
from collections.abc import Sequence

from lstm_study.errors import DependencyError

_GPU = re.compile(r"GPU (?P<index>\d+):.*\(UUID: (?P<uuid>GPU-[^)]+)\)")
_SLICE = re.compile(r"\s+MIG .*\(UUID: (?P<uuid>MIG-[^)]+)\)")
_LIST_SECONDS = 20


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


def _listed() -> list[tuple[int, Sequence[str]]]:
    """Returns each GPU's index, and the names to use it by: its own UUID, or its slices'."""
    try:
        listing = subprocess.run(
            ["nvidia-smi", "-L"],  # noqa: S607 - wherever the driver put it
            capture_output=True,
            text=True,
            timeout=_LIST_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
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
