"""Doctor says why a study would use the workers and threads that it would."""

import re

from lstm_study.commands.doctor import _cache, _no_gpu, _place, _population, _why
from lstm_study.corpus.cache import CACHE_VARIABLE
from lstm_study.engine.devices import Workers
from lstm_study.records import Machine


def machine(*, processors: int, gib: int) -> Machine:
    return Machine(
        python="", platform="", processor="", cpu_count=processors, memory_bytes=gib * 2**30
    )


def test_with_enough_memory_the_cores_decide():
    why = _why(Workers(count=2, threads=1), machine(processors=2, gib=16))
    assert "one worker per core" in why
    assert "--only workers" in why


def test_with_little_memory_the_memory_decides():
    why = _why(Workers(count=2, threads=4), machine(processors=8, gib=4))
    assert why.startswith(
        "4.0 GiB of memory are enough for 2 workers of 2.0 GiB; busy workers share the 8 cores"
    )


def test_with_gpus_they_decide():
    size = Workers(count=1, threads=16, gpus=("GPU-1",))
    assert "--workers-per-gpu" in _why(size, machine(processors=16, gib=128))


def test_a_gpu_that_does_not_start_is_told_with_the_error_of_the_plugin():
    said = """ERROR: Jax plugin configuration error: Exception when calling initialize()
Traceback (most recent call last):
  File "jax_plugins/xla_cuda12/__init__.py", line 205, in _version_check
RuntimeError: Unable to load CUDA. Is it installed?
An NVIDIA GPU may be present on this machine. Falling back to cpu.
"""
    assert _no_gpu(said).endswith("either: RuntimeError: Unable to load CUDA. Is it installed?")
    said = """W0000 0:1 1 dso.cc:5] Could not load dynamic library 'libcublas.so.12'; dlerror: no
W0000 00:00:1 1 gpu_device.cc:2431] Cannot dlopen some GPU libraries. Please make sure
Skipping registering GPU devices...
"""
    assert _no_gpu(said).endswith("Could not load dynamic library 'libcublas.so.12'; dlerror: no")
    assert _no_gpu("Falling back to cpu.\n").endswith("either: Falling back to cpu.")
    assert _no_gpu("").endswith("either: no message")


def test_populations_are_told_with_what_runs_the_lstm():
    found = {"members": 43, "sweeps": "Pallas kernels (128 units fit NVIDIA H100)"}
    said = _population(found)
    assert said.startswith("43 networks of the baseline's size in a worker (--population N")
    assert said.endswith("the LSTM by Pallas kernels (128 units fit NVIDIA H100)")
    assert _population({"backend": "tensorflow"}) == ""


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    assert re.fullmatch(r".*/later/still/ \([\d.]+ GiB free\)", _place(tmp_path / "later/still"))
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path)  # root may write all
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    assert _cache().endswith("/cache/ (can't be written: set LSTM_STUDY_CACHE to another folder)")
