"""GPUs are found by asking the driver: here a fake one on the PATH."""

from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from lstm_study.engine import cuda as cuda_module
from lstm_study.engine import devices
from lstm_study.engine.cuda import _has_cudnn
from lstm_study.engine.devices import (
    Workers,
    _listed,
    choose_workers,
    require_address_space,
    require_gpus,
    usable_gpus,
    visible_gpus,
)
from lstm_study.errors import DependencyError, SearchError
from lstm_study.provenance import machine

TWO = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa-1)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-bbbb-2)
"""
SLICED = """\
GPU 0: NVIDIA H100 (UUID: GPU-aaaa-1)
  MIG 1g.10gb     Device  0: (UUID: MIG-cccc-3)
  MIG 1g.10gb     Device  1: (UUID: MIG-dddd-4)
GPU 1: NVIDIA H100 (UUID: GPU-bbbb-2)
"""


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Puts a driver on the PATH that lists what it is given."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "_DEVICE_NODES", tmp_path)
    _listed.cache_clear()

    def install(listing: str, *, code: int = 0) -> None:
        lines = [f"echo '{line}'" for line in listing.splitlines()]
        program = tmp_path / "nvidia-smi"
        program.write_text("\n".join(["#!/bin/sh", *lines, f"exit {code}\n"]))
        program.chmod(0o755)
        _listed.cache_clear()

    yield install
    _listed.cache_clear()


@pytest.fixture
def cuda(tmp_path, monkeypatch):
    """Says which backends find what they need of CUDA; by default none."""
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    monkeypatch.delenv("JAX_PLATFORM_NAME", raising=False)
    monkeypatch.setattr(cuda_module, "_python_folders", lambda: [str(tmp_path)])
    plugins = str(tmp_path / "jax_plugins")
    monkeypatch.setattr(cuda_module, "_jax_plugin_folders", lambda: [plugins])
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: ())
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)

    def have(*, cudnn: bool = False, jax: bool = False) -> None:
        if jax:
            (tmp_path / "jax_plugins" / "xla_cuda13").mkdir(parents=True)
        monkeypatch.setenv("LD_LIBRARY_PATH", f"/nowhere:{tmp_path / 'cuda'}")
        if cudnn:
            (tmp_path / "cuda").mkdir()
            (tmp_path / "cuda" / "libcudnn.so.9").touch()
        _has_cudnn.cache_clear()

    have()
    yield have
    _has_cudnn.cache_clear()


def test_without_a_driver_or_with_a_broken_one_there_is_no_gpu(driver):
    assert visible_gpus() == ()
    driver("NVIDIA-SMI has failed", code=9)
    assert visible_gpus() == ()


def test_every_gpu_that_the_driver_lists_is_one_to_use(driver):
    driver(TWO)
    assert visible_gpus() == ("GPU-aaaa-1", "GPU-bbbb-2")


def test_a_gpu_cut_into_slices_counts_as_its_slices(driver, monkeypatch):
    driver(SLICED)
    assert visible_gpus() == ("MIG-cccc-3", "MIG-dddd-4", "GPU-bbbb-2")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-dddd-4")
    assert visible_gpus() == ("MIG-dddd-4",)


@pytest.mark.parametrize(
    ("chosen", "gpus"),
    [
        ("", ()),
        ("-1", ()),
        ("1", ("GPU-bbbb-2",)),
        ("1,0", ("GPU-bbbb-2", "GPU-aaaa-1")),
        ("GPU-bbbb", ("GPU-bbbb-2",)),
        ("1,7,0", ("GPU-bbbb-2",)),
        ("1,1", ("GPU-bbbb-2",)),
    ],
)
def test_cuda_visible_devices_chooses_among_them_as_cuda_reads_it(
    driver, monkeypatch, chosen, gpus
):
    driver(TWO)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert visible_gpus() == gpus


def test_gpus_of_a_container_without_nvidia_smi_are_counted(driver, tmp_path, monkeypatch):
    for name in ("nvidia3", "nvidia5", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert visible_gpus() == ("0", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert visible_gpus() == ("1",)
    driver("", code=9)  # A driver that does not work says so.
    assert visible_gpus() == ()


def test_workers_per_gpu_is_refused_in_a_line_where_there_is_none(driver, monkeypatch):
    require_gpus(None)
    with pytest.raises(DependencyError, match=r"--workers-per-gpu 2: no GPU .*nvidia-smi.*CPU"):
        require_gpus(2)
    driver(TWO)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    with pytest.raises(DependencyError, match="CUDA_VISIBLE_DEVICES=-1"):
        choose_workers(None, jobs=9, backend="jax", workers_per_gpu=1)


def test_auto_is_workers_per_gpu_times_gpus_and_no_more_than_processors(driver, cuda, monkeypatch):
    driver(TWO)
    cuda(jax=True)
    monkeypatch.setattr(devices, "usable_cpus", lambda: 16)
    assert choose_workers(None, jobs=99, backend="jax").count == 2
    size = choose_workers(None, jobs=99, backend="jax", workers_per_gpu=1)
    assert (size.count, size.threads, size.on_a_gpu) == (2, 8, 1)
    assert choose_workers(None, jobs=99, backend="jax", workers_per_gpu=3).count == 6
    assert choose_workers(None, jobs=5, backend="jax", workers_per_gpu=3).count == 5
    monkeypatch.setattr(devices, "usable_cpus", lambda: 3)
    assert choose_workers(None, jobs=99, backend="jax", workers_per_gpu=4).count == 3


def test_more_workers_than_the_gpus_are_to_carry_are_refused(driver, cuda):
    driver(TWO)
    cuda(jax=True)
    with pytest.raises(SearchError, match="2 GPUs with 2 workers each hold 4"):
        choose_workers(5, jobs=99, backend="jax", workers_per_gpu=2)
    assert choose_workers(4, jobs=99, backend="jax", workers_per_gpu=2).count == 4


@pytest.mark.parametrize(
    ("gib", "workers"), [(7, 3), (1, 1), pytest.param(0, 8, id="it is not known")]
)
def test_workers_are_no_more_than_the_memory_holds_unless_asked_for(
    driver, monkeypatch, gib, workers
):
    monkeypatch.setattr(devices, "usable_cpus", lambda: 8)
    here = replace(machine(), memory_bytes=gib * 2**30)
    monkeypatch.setattr(devices, "machine", lambda: here)
    size = choose_workers(None, jobs=99, backend="tensorflow")
    assert (size.count, size.threads) == (workers, 8 // workers)
    assert choose_workers(4, jobs=99, backend="tensorflow").count == 4


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_gpus_that_the_backend_cannot_use_are_not_what_workers_are_counted_by(
    driver, cuda, monkeypatch, backend
):
    driver(TWO)
    monkeypatch.setattr(devices, "usable_cpus", lambda: 3)

    size = choose_workers(None, jobs=99, backend=backend)

    assert (size.count, size.threads, size.gpus) == (3, 1, ())
    with pytest.raises(DependencyError, match=f"--workers-per-gpu 2: {backend} has no CUDA here"):
        choose_workers(None, jobs=99, backend=backend, workers_per_gpu=2)


@pytest.mark.parametrize(
    ("backend", "platforms", "says"),
    [
        # A study that began on TensorFlow does not change to JAX by itself.
        ("tensorflow", "", "gpu-tensorflow.* train with JAX .*KERAS_BACKEND=jax"),
        ("jax", "", r"Install it \(pip install 'lstm-study\[gpu\]'\)"),
        ("jax", "cpu", "Unset JAX_PLATFORMS=cpu, or"),
    ],
)
def test_what_to_do_for_gpus_that_cannot_be_used_helps(
    driver, cuda, monkeypatch, backend, platforms, says
):
    driver(TWO)
    monkeypatch.setenv("JAX_PLATFORMS", platforms)
    with pytest.raises(DependencyError, match=says):
        choose_workers(None, jobs=9, backend=backend, workers_per_gpu=1)


def test_a_backend_uses_the_gpus_where_what_it_needs_of_cuda_is_installed(
    driver, cuda, monkeypatch
):
    driver(TWO)
    cuda(cudnn=True)
    assert usable_gpus("tensorflow") == visible_gpus()
    assert usable_gpus("jax") == ()
    cuda(jax=True)
    assert usable_gpus("jax") == visible_gpus()
    monkeypatch.setenv("JAX_PLATFORMS", "cuda, cpu")
    assert usable_gpus("jax") == visible_gpus()
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert usable_gpus("jax") == ()
    monkeypatch.delenv("JAX_PLATFORMS")
    monkeypatch.setenv("JAX_PLATFORM_NAME", "gpu")
    assert usable_gpus("jax") == visible_gpus()
    monkeypatch.setenv("JAX_PLATFORM_NAME", "cpu")
    assert usable_gpus("jax") == ()


def test_a_plugin_of_jax_that_is_an_entry_point_alone_is_found(driver, cuda, monkeypatch):
    driver(TWO)
    assert usable_gpus("jax") == ()
    plugin = EntryPoint("xla_cuda12", "jax_plugins.xla_cuda12", "jax_plugins")
    monkeypatch.setattr("importlib.metadata.entry_points", EntryPoints([plugin]).select)
    assert usable_gpus("jax") == visible_gpus()


def test_workers_take_turns_on_the_gpus():
    size = Workers(count=3, threads=1, gpus=("a", "b"))
    assert [size.gpu_of(index) for index in range(3)] == ["a", "b", "a"]
    assert size.on_a_gpu == 2
    assert Workers(count=3, threads=1).gpu_of(0) is None


def test_a_limit_of_memory_that_no_worker_fits_is_refused_before_one_starts(monkeypatch):
    # Trainings failed with "diverged" and with errors of operations.
    monkeypatch.setattr("resource.getrlimit", lambda _: (1_950_000 * 1024, -1))
    with pytest.raises(SearchError, match=r"limited to 2\.0 GB here \(`ulimit -v`\)"):
        require_address_space()
    for enough in (4_000_000 * 1024, -1):
        monkeypatch.setattr("resource.getrlimit", lambda _, most=enough: (most, -1))
        require_address_space()
