"""What a process takes of a GPU that it shares with a study, or that is hidden."""

import os

import pytest

from lstm_study.commands.predict import load_model_quietly
from lstm_study.errors import ExportError
from lstm_study.training.memory import allocate_gpu_memory_as_needed, free_gpu_memory

NAMES = ("TF_FORCE_GPU_ALLOW_GROWTH", "XLA_PYTHON_CLIENT_PREALLOCATE")


def test_loading_a_model_takes_no_more_of_a_gpu_than_it_uses(tmp_path, monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ExportError):
        load_model_quietly(tmp_path, ensemble=False)
    assert [os.environ[name] for name in NAMES] == ["true", "false"]


@pytest.mark.parametrize(
    ("visible", "asked", "platforms"),
    [("", "", "cpu"), ("-1", "", "cpu"), ("-1", "cuda", "cuda"), ("0", "", "")],
)
def test_a_model_is_loaded_without_cuda_where_all_gpus_are_hidden(
    tmp_path, monkeypatch, visible, asked, platforms
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setenv("JAX_PLATFORMS", asked)
    with pytest.raises(ExportError):
        load_model_quietly(tmp_path, ensemble=False)
    assert os.environ["JAX_PLATFORMS"] == platforms


@pytest.mark.parametrize(
    ("gpu", "takes_all", "answer", "free"),
    [
        ("GPU-1", "false", "echo 2048", 2**31), ("GPU-1", "true", "echo 2048", None),
        ("0", "false", "echo 2048", None), ("GPU-1", "false", "echo [N/A]", None),
        ("GPU-1", "false", "echo 7; exit 6", None),
    ],
)  # fmt: skip
def test_the_driver_is_asked_for_what_others_leave_free(
    tmp_path, monkeypatch, gpu, takes_all, answer, free
):
    driver = tmp_path / "nvidia-smi"
    driver.write_text(f"#!/bin/sh\n[ $1 = --id=GPU-1 ] || exit 6\n{answer}\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpu)
    monkeypatch.setenv(NAMES[1], takes_all)
    assert free_gpu_memory() == free


def test_without_a_driver_to_ask_what_is_free_is_not_known(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-1")
    monkeypatch.setenv(NAMES[1], "false")
    assert free_gpu_memory() is None


def test_who_wants_all_of_it_says_so(monkeypatch):
    monkeypatch.setenv(NAMES[1], "true")
    allocate_gpu_memory_as_needed()
    assert os.environ[NAMES[1]] == "true"
