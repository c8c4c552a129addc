"""A worker process and its link to the process that started it."""

import subprocess
import sys
from multiprocessing import Pipe
from pathlib import Path

import pytest

from lstm_study.corpus.load import load
from lstm_study.engine.jobs import Call
from lstm_study.engine.messages import Device, SetUp
from lstm_study.engine.worker import Worker, _study_from, check_gpu
from lstm_study.errors import DataError, DependencyError, StoreError
from lstm_study.training.runtime import Runtime
from tests.support.fake_spec import fake_spec
from tests.support.reviews import made_up_reviews, write_csv

CODE = """
import sys, time
from lstm_study.engine.worker import SocketLink
SocketLink(int(sys.argv[1]))
time.sleep(600)
"""


def _started():
    ours, theirs = Pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(theirs.fileno())],
        pass_fds=[theirs.fileno()], stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    theirs.close()
    return ours, process


OTHER = "CUDA_ERROR_NOT_SUPPORTED: on the device"
LOST = """
import logging
from lstm_study.engine.jobs import Call
from lstm_study.engine.worker import Worker

class Link:
    def send(self, message):
        print(message.name, message.failure.message if message.failure else "done", flush=True)

def fails(reviews):
    raise RuntimeError("INTERNAL: %s")

logging.basicConfig()
jobs = [Call(name="first", function=lambda reviews: 1), Call(name="second", function=fails)]
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


def test_a_message_that_cannot_be_read_ends_the_worker_with_an_error():
    ours, process = _started()
    ours.send_bytes(b"cno_such_module\nnothing\n.")
    _, printed = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "A message could not be read" in printed
    assert "no_such_module" in printed
    ours.close()


def test_a_worker_ends_quietly_with_the_process_that_started_it():
    ours, process = _started()
    ours.close()
    _, printed = process.communicate(timeout=300)
    assert (process.returncode, printed) == (0, "")


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


class _Given:
    """A link that has one message for its worker."""

    def __init__(self, message):
        self.receive = lambda: message


def test_a_worker_refuses_reviews_that_were_replaced_since_the_command_read_them(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("LSTM_STUDY_CACHE", str(tmp_path / "cache"))
    file = write_csv(tmp_path / "reviews.csv", made_up_reviews(60))
    spec = fake_spec(data__source='"csv"', data__path=f'"{file}"')
    corpus = load(spec.data, seed=spec.study.seed)
    given = SetUp(spec=spec, data_digest=corpus.summary.digest)

    assert len(_study_from(_Given(given)).train) == len(corpus.train)

    write_csv(file, made_up_reviews(60, seed=2))
    with pytest.raises(DataError, match="not the reviews that the running command has read"):
        _study_from(_Given(given))


@pytest.mark.parametrize("error", [StoreError, DataError])
def test_an_error_that_is_not_the_jobs_fault_is_no_result_of_it(error):
    def fails(reviews):
        raise error("the test reviews are gone")

    worker = Worker(None, reviews=None, scratch=Path())
    with pytest.raises(error):
        worker.do([Call(name="test-reviews", function=fails)])
