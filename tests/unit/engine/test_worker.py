"""What a worker does with its jobs, and on which device."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lstm_study.engine import worker
from lstm_study.engine.jobs import Call
from lstm_study.engine.messages import Device
from lstm_study.engine.worker import Worker, check_gpu
from lstm_study.errors import DataError, DependencyError, StoreError
from lstm_study.training.runtime import Runtime

OTHER = "CUDA_ERROR_NOT_SUPPORTED: on the device"
LOST = """
import logging
from lstm_study.engine.jobs import Call
from lstm_study.engine.worker import Worker

class Link:
    def send(self, message):
        print(message.name, message.failure.message if message.failure else "done", flush=True)

def fails(reviews, tell):
    raise RuntimeError("INTERNAL: %s")

logging.basicConfig()
jobs = [Call(name="first", function=lambda reviews, tell: 1), Call(name="second", function=fails)]
Worker(Link(), reviews=None, scratch=None).do([*jobs, Call(name="third", function=fails)])
"""


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        ("CUDA_ERROR_ILLEGAL_ADDRESS: on the device", 1, "first done\n"),
        (
            OTHER,
            0,
            "first done\n"
            + "".join(f"{each} RuntimeError: INTERNAL: {OTHER}\n" for each in ("second", "third")),
        ),
    ],
)
def test_a_worker_that_lost_its_gpu_ends_and_blames_no_job(error, code, told):
    done = subprocess.run(
        [sys.executable, "-c", LOST % error], capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (code, told)
    assert ("this process ends" in done.stderr) == bool(code)


def _given(gpu: str | None, *, workers_on_gpu: int) -> Device:
    return Device(worker="w1", threads=1, gpu=gpu, workers_on_gpu=workers_on_gpu, scratch=Path())


def test_a_worker_trains_on_the_gpu_it_was_given_or_on_the_cpu_without_one():
    on_gpu, on_cpu = Runtime(backend="jax", devices=("NVIDIA H100",)), ("cpu", "CPU")
    check_gpu(_given("GPU-1", workers_on_gpu=1), on_gpu)
    check_gpu(_given(None, workers_on_gpu=2), on_gpu)
    for device in on_cpu:
        check_gpu(_given(None, workers_on_gpu=0), Runtime(backend="jax", devices=(device,)))


@pytest.mark.parametrize("device", ["cpu", "CPU"])
@pytest.mark.parametrize(
    ("gpu", "says"),
    [
        ("GPU-1", r"jax does not use GPU-1 on .*the study's log.*CUDA_VISIBLE_DEVICES to"),
        # As an actor of Ray's.
        (None, r"jax does not use its GPU on .*logs that Ray keeps.*Ray with --num-gpus 0"),
    ],
)
def test_a_worker_does_not_train_on_the_cpu_where_it_was_given_a_gpu(gpu, device, says):
    with pytest.raises(DependencyError, match=says):
        check_gpu(_given(gpu, workers_on_gpu=1), Runtime(backend="jax", devices=(device,)))


@pytest.mark.parametrize("error", [StoreError, DataError])
def test_an_error_that_is_not_the_jobs_fault_is_no_result_of_it(error):
    def fails(reviews, tell):
        raise error("the test reviews are gone")

    worker = Worker(SimpleNamespace(send=print), reviews=None, scratch=Path())
    with pytest.raises(error):
        worker.do([Call(name="test-reviews", function=fails)])


@pytest.mark.parametrize(
    ("backend", "classes", "trained"), [("jax", 2, 30), ("jax", 0, 1), ("tensorflow", 2, 1)]
)
def test_only_on_jax_networks_of_known_shapes_train_at_once(monkeypatch, backend, classes, trained):
    shapes = [SimpleNamespace(member_bytes=number) for number in (10, 30)][:classes]
    monkeypatch.setattr(worker, "population_limit", lambda asked, *, member_bytes: member_bytes)
    device = _given(None, workers_on_gpu=0)
    assert worker._capacity(backend, device, SimpleNamespace(classes=shapes)) == trained
