"""Classifies the exception that ended a training."""

import re
import traceback

from lstm_study.errors import BuilderError, DataError, DivergedError, StoreError
from lstm_study.records import Failure

NOT_THE_JOBS_FAULT = (StoreError, DataError)
"""Errors that no training is at fault for: they end the command, and are kept in no record."""

# XLA's words where a kernel needs more than a multiprocessor has; also under RESOURCE_EXHAUSTED.
_KERNEL_TOO_LARGE = "Shared memory size limit exceeded"
# After these a process can no longer use its GPU, as CUDA documents for each; UNKNOWN is all it
# says where the GPU has disappeared, after the machine slept for example.
_DEVICE_LOST = re.compile(
    "CUDA_ERROR_(ILLEGAL_ADDRESS|LAUNCH_TIMEOUT|ASSERT|HARDWARE_STACK_ERROR|ILLEGAL_INSTRUCTION|"
    "MISALIGNED_ADDRESS|INVALID_ADDRESS_SPACE|INVALID_PC|LAUNCH_FAILED|ECC_UNCORRECTABLE|"
    "CONTAINED|EXTERNAL_DEVICE|UNKNOWN)"
)
# The last three are all that is said where CUDA's libraries lack memory to start. Source: JAX's
# FAQ, "Why do some CUDA libraries fail to load/initialize?".
_OUT_OF_MEMORY = (
    "RESOURCE_EXHAUSTED", "ResourceExhausted", "OOM when allocating", "Out of memory",
    "CUDA_ERROR_OUT_OF_MEMORY", "_STATUS_ALLOC_FAILED", "_STATUS_NOT_INITIALIZED", "BLAS support",
)  # fmt: skip


def is_kernel_too_large(error: Exception) -> bool:
    """Whether a compiled kernel does not fit the GPU's chip, whatever memory is free."""
    return _KERNEL_TOO_LARGE in str(error)


def is_device_lost(error: Exception) -> bool:
    """Whether this process can no longer use its GPU, so that only another process can continue.

    Source: the CUDA driver's reference, `CUresult`: errors that leave "the process in an
    inconsistent state", and uncorrectable errors of the GPU's memory.
    """
    return _DEVICE_LOST.search(str(error)) is not None


def classify(error: Exception) -> Failure:
    """Classifies an exception that ended a training.

    Not for the errors of `NOT_THE_JOBS_FAULT`.
    """
    if isinstance(error, DivergedError):
        return Failure(kind="diverged", message=str(error))
    text = str(error) if isinstance(error, BuilderError) else f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or any(phrase in text for phrase in _OUT_OF_MEMORY):
        first_line = text.splitlines()[0][:300]
        return Failure(kind="out_of_memory", message=first_line, traceback=_traceback(error))
    return Failure(kind="bug", message=text.splitlines()[0][:300], traceback=_traceback(error))


def _traceback(error: Exception) -> str:
    return "".join(traceback.format_exception(error))
