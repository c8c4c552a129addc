"""Kinds of failure that end a training."""

import pytest

from lstm_study.errors import BuilderError, DivergedError
from lstm_study.training.failures import classify, is_device_lost, is_kernel_too_large


def test_divergence_out_of_memory_and_bugs_are_distinguished():
    assert classify(DivergedError("the loss became nan")).kind == "diverged"
    assert classify(MemoryError()).kind == "out_of_memory"
    assert classify(RuntimeError("RESOURCE_EXHAUSTED: OOM when allocating")).kind == "out_of_memory"
    # CUDA's own word, of a program that found no room: TensorFlow issue 60607.
    cubin = "Failed to load in-memory CUBIN: CUDA_ERROR_OUT_OF_MEMORY: out of memory"
    assert classify(RuntimeError(cubin)).kind == "out_of_memory"
    # All that XLA says where cuBLAS found no room: JAX issues 13504 and 7118.
    for words in (
        "Attempting to perform BLAS operation using StreamExecutor without BLAS support",
        "custom call 'xla.gpu.conv.forward' failed: CUDNN_STATUS_ALLOC_FAILED",
        "failed to create cublas handle: CUBLAS_STATUS_NOT_INITIALIZED",
    ):
        assert classify(RuntimeError(words)).kind == "out_of_memory"
    bug = classify(KeyError("x"))
    assert (bug.kind, bug.message) == ("bug", "KeyError: 'x'")
    assert "KeyError" in bug.traceback
    assert "MemoryError" in classify(MemoryError()).traceback
    # What the user's own code did wrong is told without the class of our error.
    assert classify(BuilderError("net.py: no layer")).message == "net.py: no layer"


@pytest.mark.parametrize("error", [ValueError, MemoryError])
def test_a_failures_message_is_the_first_line_of_the_errors_and_the_traceback_has_the_rest(error):
    found = classify(error("the first\nthe second"))
    assert found.message == f"{error.__name__}: the first"
    assert "the second" in found.traceback
    assert len(classify(error("a" * 1_000)).message) == 300


def test_a_kernel_too_large_for_the_chip_is_told_from_memory_that_runs_out():
    too_large = RuntimeError("RESOURCE_EXHAUSTED: Shared memory size limit exceeded: requested 9")
    assert is_kernel_too_large(too_large)
    assert not is_kernel_too_large(RuntimeError("RESOURCE_EXHAUSTED: OOM when allocating"))


@pytest.mark.parametrize(
    ("message", "is_lost"),
    [
        # JAX issue 25002.
        ("CUDA error: Could not synchronize CUDA stream: CUDA_ERROR_ILLEGAL_ADDRESS: an", True),
        ("INTERNAL: CUDA error: : CUDA_ERROR_UNKNOWN: unknown error", True),
        ("Failed to load in-memory CUBIN: CUDA_ERROR_OUT_OF_MEMORY: out of memory", False),
    ],
)
def test_a_lost_gpu_is_told_from_one_without_memory(message, is_lost):
    assert is_device_lost(RuntimeError(message)) == is_lost
