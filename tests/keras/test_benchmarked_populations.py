"""What the processes of the benchmarks' populations do about an option that XLA does not know."""

import jax
import pytest

from tests.benchmarks.populations import _excused


def test_an_option_that_this_jax_does_not_know_is_said_and_no_failure():
    with pytest.raises(jax.errors.JaxRuntimeError) as refused:
        jax.jit(lambda x: x + 1, compiler_options={"xla_gpu_nonesuch": True})(1.0)
    why = _excused(refused.value, is_more=False, kind="bug")
    assert why.startswith("this JAX does not know the option") and "xla_gpu_nonesuch" in why


def test_too_little_memory_excuses_what_may_be_left_out_alone():
    error = RuntimeError("RESOURCE_EXHAUSTED: Out of memory")
    assert _excused(error, is_more=True, kind="out_of_memory") == "memory does not hold them"
    assert _excused(error, is_more=False, kind="out_of_memory") == ""
