"""The processes of the benchmarks' populations: what they tell, and which errors they excuse."""

import jax
import pytest

from tests.benchmarks.populations import _excused, baseline_seeds, population_steps
from tests.benchmarks.processes import fresh


def test_a_process_times_steps_of_populations_on_jax():
    found = fresh(
        population_steps, backend="jax", quick=True, is_open=True, cases=[(1, 0.2)],
        more=[(2, 0.2)],
    )  # fmt: skip

    for members in (1, 2):
        assert all(found[f"{members} 0.2 {key}"] > 0 for key in ("ms", "draw_ms", "compile_s"))
    assert found["2 0.2 sweeps"] == "XLA loop: cpu is not a GPU"


def test_a_process_trains_the_seeds_of_a_baseline_on_jax():
    found = fresh(baseline_seeds, backend="jax", path="", seeds=2, epochs=2, quick=True)

    first, second = found["ended_s"]
    assert 0 < first < second < found["wall_s"]
    assert 0 <= found["accuracy"] <= 100


def test_an_option_that_this_jax_does_not_know_is_said_and_no_failure():
    with pytest.raises(jax.errors.JaxRuntimeError) as refused:
        jax.jit(lambda x: x + 1, compiler_options={"xla_gpu_nonesuch": True})(1.0)
    why = _excused(refused.value, is_more=False, kind="bug")
    assert why.startswith("this JAX does not know the option") and "xla_gpu_nonesuch" in why


def test_too_little_memory_excuses_what_may_be_left_out_alone():
    error = RuntimeError("RESOURCE_EXHAUSTED: Out of memory")
    assert _excused(error, is_more=True, kind="out_of_memory") == "memory does not hold them"
    assert _excused(error, is_more=False, kind="out_of_memory") == ""
