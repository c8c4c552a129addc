"""Which NVIDIA cards run the kernels of `gpu.py`, by their shared memory and the LSTM's units."""

import jax

from lstm_study.model.shape_classes import FEWEST_UNITS

# KB of shared memory a block may use, by compute capability.
# Source: CUDA C++ Programming Guide, technical specifications per compute capability.
_SHARED_MEMORY = {
    "8.0": 163, "8.6": 99, "8.7": 163, "8.9": 99, "9.0": 227, "10.0": 227, "10.3": 227,
    "12.0": 99, "12.1": 99,
}  # fmt: skip
_LEAST_SHARED_MEMORY = 99
# Beside the weights: a product's other operand, and the exchange between layouts.
_OTHER_SHARED_MEMORY = 24


def why_not(units: int, *, compute_capability: str) -> str:
    """Says why the kernels do not run on a card; empty where they do.

    Args:
        units: U.
        compute_capability: As JAX's device names it, "9.0".
    """
    try:
        from jax.experimental.pallas import triton  # noqa: F401 - a later JAX removes it
    except ImportError:
        return f"JAX {jax.__version__} has no Triton for Pallas"
    try:
        version = tuple(int(part) for part in compute_capability.split("."))
    except ValueError:
        return f"its compute capability, {compute_capability!r}, is unknown"
    if version < (8, 0):
        return f"the kernels need compute capability 8.0, it has {compute_capability}"
    if units < FEWEST_UNITS or units & (units - 1):
        return f"{units} units are not a power of two >= {FEWEST_UNITS}"
    kept, needed = shared_memory(compute_capability), _needed(units, gates=1)
    if needed > kept:
        return f"{units} units need {needed} KB of shared memory a block, it has {kept}"
    return ""


def are_resident(units: int, *, compute_capability: str) -> bool:
    """Says whether all weights stay in a card's shared memory; see `why_not`."""
    return _needed(units, gates=4) <= shared_memory(compute_capability)


def shared_memory(compute_capability: str) -> int:
    """Returns how many KB of shared memory a block may use."""
    return _SHARED_MEMORY.get(compute_capability, _LEAST_SHARED_MEMORY)


def _needed(units: int, *, gates: int) -> int:
    """Returns how many KB of shared memory a block needs for the weights of some gates."""
    return gates * units * units * 2 // 1024 + _OTHER_SHARED_MEMORY
