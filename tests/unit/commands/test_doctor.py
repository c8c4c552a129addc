"""Doctor says why a study would use the workers and threads that it would."""

from lstm_study.commands.doctor import _why
from lstm_study.engine.devices import Workers
from lstm_study.records import Machine


def machine(*, processors: int, gib: int) -> Machine:
    return Machine(
        python="", platform="", processor="", cpu_count=processors, memory_bytes=gib * 2**30
    )


def test_with_enough_memory_the_processors_decide():
    why = _why(Workers(count=2, threads=1), machine(processors=2, gib=16))
    assert "a worker for each processor" in why
    assert "--only workers" in why


def test_with_little_memory_the_memory_decides():
    why = _why(Workers(count=2, threads=4), machine(processors=8, gib=4))
    assert why.startswith(
        "4.0 GiB hold 2 workers of 2.0 GiB; those that train share the 8 processors"
    )


def test_with_gpus_they_decide():
    size = Workers(count=1, threads=16, gpus=("GPU-1",))
    assert "--workers-per-gpu" in _why(size, machine(processors=16, gib=128))
