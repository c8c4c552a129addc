"""Classifies the exception that ended a training."""

import traceback

from lstm_study.errors import BuilderError, DivergedError
from lstm_study.records import Failure

# XLA's words where a kernel asks for more than a multiprocessor has, under RESOURCE_EXHAUSTED too.
_KERNEL_TOO_LARGE = "Shared memory size limit exceeded"
_OUT_OF_MEMORY = ("RESOURCE_EXHAUSTED", "ResourceExhausted", "OOM when allocating", "Out of memory")


def is_kernel_too_large(error: Exception) -> bool:
    """Whether a compiled kernel does not fit the GPU's chip, whatever memory is free."""
    return _KERNEL_TOO_LARGE in str(error)


def classify(error: Exception) -> Failure:
    """Classifies an exception that ended a training.

    Not for `StoreError`, which is not the configuration's fault and ends the search.
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
