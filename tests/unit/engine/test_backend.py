"""The backend is chosen without being asked for, and a study keeps the one it began with."""

import os

import pytest

from lstm_study.engine import backend as module
from lstm_study.engine.backend import Backend, choose_backend, in_force, using


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Says whether a GPU is visible, and whether JAX can use it; by default neither."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    monkeypatch.delenv("JAX_PLATFORM_NAME", raising=False)

    def have(*, gpus=(), cuda=False):
        monkeypatch.setattr(module, "visible_gpus", lambda: gpus)
        monkeypatch.setattr(module, "usable_gpus", lambda backend: gpus if cuda else ())

    have()
    return have


def test_without_a_gpu_it_is_tensorflow():
    assert choose_backend() == Backend(name="tensorflow", reason="no GPU is visible")


def test_with_a_gpu_that_jax_can_use_it_is_jax(machine):
    machine(gpus=("GPU-1",), cuda=True)
    assert choose_backend().name == "jax"


def test_with_a_gpu_alone_it_is_tensorflow_and_says_what_to_install(machine):
    machine(gpus=("GPU-1",))
    found = choose_backend()
    assert found.name == "tensorflow"
    assert "pip install 'lstm-study[gpu]'" in found.reason


@pytest.mark.parametrize("name", ["JAX_PLATFORMS", "JAX_PLATFORM_NAME"])
def test_where_a_variable_keeps_jax_from_the_gpu_it_is_named(machine, monkeypatch, name):
    machine(gpus=("GPU-1",))
    monkeypatch.setenv(name, "cpu")
    assert choose_backend().reason.endswith(f"has no CUDA here. Unset {name}=cpu")


def test_a_study_keeps_the_backend_it_began_with(machine):
    machine(gpus=("GPU-1",), cuda=True)
    assert choose_backend("tensorflow") == Backend(
        name="tensorflow", reason="the study began on it"
    )


def test_the_environment_decides_and_a_change_is_said(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert choose_backend("jax").reason == "KERAS_BACKEND is set"
    assert choose_backend("tensorflow") == Backend(
        name="jax",
        reason="KERAS_BACKEND is set, though the study began on tensorflow: results differ beyond "
        "rounding",
        is_another=True,
    )


def test_a_command_leaves_the_environment_as_it_was(monkeypatch):
    chosen = Backend(name="jax", reason="a test")
    with using(chosen):
        assert (os.environ["KERAS_BACKEND"], in_force()) == ("jax", chosen)
    assert "KERAS_BACKEND" not in os.environ
    assert in_force().reason == "no GPU is visible"
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    with using(chosen):
        pass
    assert os.environ["KERAS_BACKEND"] == "tensorflow"
