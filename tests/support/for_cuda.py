"""Compiles for NVIDIA GPUs that are not there, with the compiler in `.venv/cuda`.

Lowering shows that a program can be written down for a card; compiling shows that it fits: XLA
refuses a kernel that needs more shared memory than a block has. Nothing is run.

    python -m tests.support.for_cuda kernels 8.6 128 256
    python -m tests.support.for_cuda programs 9.0
    python -m tests.support.for_cuda step 9.0 14 128 128

The last one prints what a training step of 14 members of 128/128 reads and writes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.benchmarks.populations import OPENED, made_up, with_pairs
from tests.support.on_jax import as_if_on_a_card
from tests.support.program_bytes import bytes_of_a_step

COMPILER = Path(sys.prefix) / "cuda"
needs_compiler = pytest.mark.skipif(
    not (COMPILER / "jax_plugins").is_dir(),
    reason="the compiler for CUDA is not in .venv/cuda; `make test` puts it there on Linux",
)
# An H100's, but for what a test is about.
# Source: CUDA C++ Programming Guide, technical specifications per compute capability.
_CARD = """
gpu_device_info {{
  threads_per_block_limit: 1024
  threads_per_warp: 32
  shared_memory_per_block: 49152
  shared_memory_per_core: {per_core}
  threads_per_core_limit: 1536
  core_count: 132
  fpus_per_core: 128
  block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535
  block_dim_limit_z: 65535
  memory_bandwidth: 3352320000000
  l2_cache_size: 52428800
  clock_rate_ghz: 1.98
  device_memory_size: 84942979072
  shared_memory_per_block_optin: {per_block}
  cuda_compute_capability {{ major: {major} minor: {minor} }}
  registers_per_core_limit: 65536
  registers_per_block_limit: 65536
}}
runtime_version {{ major: 12 minor: 9 }}
platform_name: "CUDA"
dnn_version_info {{ major: 9 minor: 10 }}
device_description_str: "compute capability {major}.{minor}"
"""
_MEMBERS = 2


def compiled(what: str, capability: str, *sizes: int | str) -> list[dict[str, Any]]:
    """Compiles in a process of its own; see `kernels`, `programs` and `step`."""
    done = subprocess.run(
        [sys.executable, "-m", __name__, what, capability, *map(str, sizes)],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
            "JAX_SKIP_CUDA_CONSTRAINTS_CHECK": "1",
            "PYTHONPATH": os.pathsep.join(["src", os.environ.get("PYTHONPATH", "")]),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "XLA_FLAGS": "",  # Optimized as for users: the tests of Keras compile quickly.
        },
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def kernels(capability: str, on_card: Any, *sizes: str) -> Iterator[dict[str, Any]]:
    """Compiles the LSTM's loop as training and reading use it, for so many units."""
    import jax
    import jax.numpy as jnp

    from lstm_study.model.lstm.members import PALLAS, SCAN, lstm, sweeps_for

    for units in map(int, sizes):
        sweeps, why = sweeps_for(units, _card(capability))
        if sweeps is SCAN:
            yield {"units": units, "why_not": why}
            continue
        inputs, weights, bias, masks = (
            on_card(shape, jnp.float32)
            for shape in (
                (_MEMBERS, 64, 500, 4, units),
                (_MEMBERS, 4, units, units),
                (_MEMBERS, 4, units),
                (_MEMBERS, 4, 64, units),
            )
        )
        first = on_card((_MEMBERS, 64), jnp.int32)

        def total(*given: Any, every_step: bool, sweeps: Any = sweeps) -> Any:
            return jnp.sum(lstm(*given, every_step, sweeps))

        for every_step in (True, False):
            reads = jax.jit(total, static_argnames="every_step")
            reads.lower(inputs, weights, bias, None, first, every_step=every_step).compile()
        learns = jax.jit(jax.grad(total, (0, 1, 2)), static_argnames="every_step")
        learns.lower(inputs, weights, bias, masks, first, every_step=False).compile()
        yield {"units": units, "resident": sweeps is PALLAS}


def programs(capability: str, on_card: Any) -> Iterator[dict[str, Any]]:
    """Compiles whole training steps and readings; says what memory a member takes, and may take."""
    for opened in ({}, OPENED):
        shape, lowered = _programs(
            capability, on_card, _MEMBERS, 128, 64 if opened else 128, opened=opened
        )
        for name, each in lowered.items():
            program = each.compile()
            memory = program.memory_analysis()
            taken = memory.argument_size_in_bytes + memory.temp_size_in_bytes
            yield {
                "program": name,
                "is_open": bool(opened),
                "member_bytes": taken / _MEMBERS,
                "expected_bytes": shape.member_bytes,
                "has_kernels": "triton" in program.as_text(),
                "has_atomics": "scatter(" in program.as_text(),
                "step_bytes": bytes_of_a_step(program.as_text()) / _MEMBERS,
            }


def step(capability: str, on_card: Any, *sizes: str) -> Iterator[dict[str, Any]]:
    """Compiles a training step of so many members, embedding's columns and units; "open" is more.

    Says what a step reads and writes.
    """
    opened = OPENED if "open" in sizes else {}
    members, embedding_dim, units = map(int, sizes[:3])
    _, lowered = _programs(capability, on_card, members, embedding_dim, units, opened=opened)
    text = lowered["train"].compile().as_text()
    yield {"step_gigabytes": round(bytes_of_a_step(text) / 1e9, 2)}


def _programs(
    capability: str,
    on_card: Any,
    members: int,
    embedding_dim: int,
    units: int,
    *,
    opened: Mapping[str, Any],
) -> tuple[Any, dict[str, Any]]:
    """Lowers training steps and readings of 500 tokens of 50,000 words, in batches of 64."""
    import jax
    import numpy as np

    from lstm_study.configuration import Configuration
    from lstm_study.model.lstm.members import sweeps_for
    from lstm_study.model.population.steps import read_batches, train_steps
    from lstm_study.model.shape_classes import READ_ROWS, ShapeClass
    from lstm_study.training.on_device import (
        STEPS_AT_ONCE,
        empty_state,
        reviews_of,
        settings_of,
    )

    split = made_up(400)
    if opened:
        split = with_pairs(split)
    configuration = Configuration(
        vocabulary_size=50_000, maxlen=500, embedding_dim=embedding_dim, lstm_units=units,
        dropout=0.2, recurrent_dropout=0.2, **opened,
    )  # fmt: skip
    shape = ShapeClass.of(configuration, batch_size=64)
    sweeps, _ = sweeps_for(shape.lstm_units, _card(capability))
    state = jax.eval_shape(lambda: empty_state(shape, members))
    settings = settings_of([None] * members, shape, reviews=len(split))
    state, reviews, settings = jax.tree.map(
        lambda each: on_card(np.shape(each), each.dtype),
        (state, reviews_of(split, shape), settings),
    )
    count = on_card((), np.int32)
    fixed = {"maxlen": shape.maxlen, "sweeps": sweeps}
    positions = on_card((STEPS_AT_ONCE, members, 64), np.int32)
    dropped = on_card((STEPS_AT_ONCE, members, 64, shape.maxlen), bool) if opened else None
    rows = on_card((8, READ_ROWS), np.int32)
    return shape, {
        "train": train_steps.lower(state, reviews, settings, positions, dropped, count, **fixed),
        "read": read_batches.lower(state.weights, reviews, settings, rows, count, **fixed),
    }


def _card(capability: str) -> SimpleNamespace:
    """Returns what `sweeps_for` asks of a device."""
    return SimpleNamespace(platform="gpu", device_kind="a card", compute_capability=capability)


def _main(what: str, capability: str, *sizes: str) -> None:
    sys.path.append(str(COMPILER))
    import jax
    from jax.experimental import topologies

    from lstm_study.model.lstm import gpu_limits

    jax.devices()  # Finds the compiler, too.
    major, minor = capability.split(".")
    per_block = gpu_limits.shared_memory(capability) * 1024
    card = _CARD.format(major=major, minor=minor, per_block=per_block, per_core=per_block + 1024)
    there = topologies.get_topology_desc("", "cuda", target_config=card, topology="1x1x1")
    mesh = topologies.make_mesh(there, (1,), ("cards",))
    whole = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())

    def on_card(shape: tuple[int, ...], dtype: Any) -> Any:
        return jax.ShapeDtypeStruct(shape, dtype, sharding=whole)

    with as_if_on_a_card():
        made = {"kernels": kernels, "programs": programs, "step": step}[what]
        for found in made(capability, on_card, *sizes):
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
