"""What travels to a cluster and back, without one: `end_to_end/test_cluster.py` has one."""

import pickle
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm_study.engine import ray_cluster
from lstm_study.engine.jobs import Call, Evaluation, JobResult, Lost, Reply, Stopped
from lstm_study.engine.ray_cluster import ActorLink, RayCluster
from lstm_study.engine.ray_errors import ended_with, in_a_line
from lstm_study.errors import DependencyError, SearchError, StoreError, StudyError
from tests.unit.engine.test_dispatch import job

SOURCE = Path(ray_cluster.__file__).parents[1]


def evaluation(weights: Path) -> Evaluation:
    return Evaluation(
        run_id="winner-s1", probabilities=np.ones(3, dtype=np.float32),
        labels=np.ones(3, dtype=np.int8), weights=weights, test_seconds=1.0,
        predict_1000_seconds=1.0,
    )  # fmt: skip


def travelled(message, folder: Path):
    """Packs a message on one machine, and unpacks it on another."""
    parcel = pickle.loads(pickle.dumps(ray_cluster._packed(message)))
    return ray_cluster._unpacked(parcel, folder)


def test_an_answers_files_arrive_with_it_under_names_of_the_other_machine(tmp_path):
    checkpoint, weights = tmp_path / "here" / "a.npz", tmp_path / "here" / "w.npz"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"checkpoint")
    weights.write_bytes(b"weights")
    result = JobResult(name="a", checkpoint=checkpoint, evaluation=evaluation(weights))
    found = travelled(result, tmp_path / "there")
    assert found.checkpoint.read_bytes() == b"checkpoint"
    assert found.evaluation.weights.read_bytes() == b"weights"
    assert {found.checkpoint.parent, found.evaluation.weights.parent} == {tmp_path / "there"}


def test_jobs_take_their_checkpoints_along_and_keep_their_order(tmp_path):
    own, parents = tmp_path / "own.npz", tmp_path / "parents.npz"
    own.write_bytes(b"own")
    parents.write_bytes(b"parents")
    sent = [replace(job("a"), starts=(own, parents)), Call(name="c", function=len)]
    first, second = travelled(sent, tmp_path / "there")
    assert [path.read_bytes() for path in first.starts] == [b"own", b"parents"]
    assert second == sent[1]


def test_what_names_no_file_travels_as_it_is(tmp_path):
    assert travelled(Reply(), tmp_path).test is None
    assert travelled([job("a")], tmp_path) == [job("a")]


def test_a_node_keeps_no_file_that_it_sent(tmp_path):
    link = ActorLink(tmp_path / "received")
    checkpoint = tmp_path / "a.npz"
    checkpoint.write_bytes(b"checkpoint")
    link.send(JobResult(name="a", checkpoint=checkpoint))
    assert not checkpoint.exists()
    (parcel,) = link.collect(0.0)
    assert bytes(parcel.files[checkpoint]) == b"checkpoint"
    assert link.collect(0.0) == []


def test_a_node_keeps_a_jobs_checkpoints_until_the_job_ends(tmp_path):
    link, own = ActorLink(tmp_path / "received"), tmp_path / "own.npz"
    own.write_bytes(b"own")
    link.deliver(ray_cluster._packed([replace(job("a"), starts=(own,))]))
    (received,) = link.receive()
    link.deliver(ray_cluster._packed(Reply()))
    link.receive()
    (start,) = received.starts
    assert start.read_bytes() == b"own"
    link.send(JobResult(name="a", is_last=True))
    assert not start.exists()


def test_without_ray_the_option_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(DependencyError, match=r"--cluster needs Ray.*pip install"):
        RayCluster("auto", workers=None, workers_per_gpu=None, jobs=3)


def test_no_other_module_imports_ray():
    for path in SOURCE.rglob("*.py"):
        if re.search(r"^\s*(?:import|from) ray\b", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert path == SOURCE / "engine" / "ray_cluster.py"


class FakeRay:
    """Ray's `init`, as it fails where the head node's client server is not ready in time."""

    def __init__(self, failures: int) -> None:
        self.failures, self.calls = failures, 0

    def init(self, **_: object) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionAbortedError(
                "Initialization failure from server:\nTraceback (most recent call last):\n"
                '  File "proxier.py", line 780\nRuntimeError: Proxy failed to Connect to backend!'
            )


def test_a_busy_head_node_is_asked_again(caplog):
    ray = FakeRay(failures=2)
    ray_cluster._initialise(ray, "ray://head:10001")
    assert ray.calls == 3
    assert "ray://head:10001 is not ready, trying again: RuntimeError: Proxy failed" in caplog.text


def test_a_head_node_that_never_gets_ready_is_given_up_with_its_reason():
    ray = FakeRay(failures=9)
    with pytest.raises(ConnectionAbortedError) as error:
        ray_cluster._initialise(ray, "ray://head:10001")
    assert ray.calls == 4
    assert in_a_line(error.value).startswith("RuntimeError: Proxy failed")


def task_error(cause: Exception) -> Exception:
    """What `ray.get` raises where an actor's method raised something."""
    exceptions = pytest.importorskip("ray.exceptions")
    found: Exception = exceptions.RayTaskError(
        "collect", "Traceback (most recent call last):\nValueError: of ours", cause,
        proctitle="ray", pid=1, ip="127.0.0.1",
    ).as_instanceof_cause()  # fmt: skip
    return found


def message_of(error: Exception) -> Lost | Stopped:
    exceptions = pytest.importorskip("ray.exceptions")
    return ended_with(error, exceptions, address="head:6379")


@pytest.mark.parametrize(
    ("name", "is_killed"),
    [
        ("ActorDiedError", False),
        ("NodeDiedError", False),
        ("ObjectLostError", False),
        ("WorkerCrashedError", False),
        ("OutOfMemoryError", True),
    ],
)
def test_rays_errors_of_lost_actors_nodes_and_objects_are_a_lost_worker(name, is_killed):
    kind = getattr(pytest.importorskip("ray.exceptions"), name)
    arguments = {"ActorDiedError": (), "ObjectLostError": ("a" * 56, "", "")}
    found = message_of(kind(*arguments.get(name, ("gone",))))
    assert isinstance(found, Lost)
    assert found.is_killed is is_killed


def test_a_lost_object_that_an_actor_was_to_be_given_is_a_lost_worker():
    exceptions = pytest.importorskip("ray.exceptions")
    assert isinstance(message_of(task_error(exceptions.NodeDiedError("gone"))), Lost)


def test_a_bug_on_either_side_is_raised_as_it_is():
    here, there = KeyError("of ours"), task_error(ValueError("of ours"))
    for error in (here, there):
        found = message_of(error)
        assert isinstance(found, Stopped)
        assert found.error is error
        assert not isinstance(error, StudyError)


@pytest.mark.parametrize("name", ["OutOfDiskError", "ObjectStoreFullError"])
def test_a_full_disk_of_the_cluster_is_said_in_a_line(name):
    found = message_of(getattr(pytest.importorskip("ray.exceptions"), name)("no room"))
    assert isinstance(found, Stopped)
    assert isinstance(found.error, StoreError)
    assert re.search(r"--cluster head:6379: .* is full .*Free space there", str(found.error))
    assert "\n" not in str(found.error)


def test_a_full_disk_here_is_the_stores_own_sentence():
    error = StoreError("a.npz: cannot be written (No space left on device).")
    found = message_of(error)
    assert isinstance(found, Stopped)
    assert found.error is error


@pytest.mark.parametrize("name", ["RaySystemError", "RpcError", "LocalRayletDiedError"])
def test_a_cluster_that_is_gone_is_said_in_a_line(name):
    kind = getattr(pytest.importorskip("ray.exceptions"), name)
    for error in (kind("GCS failed"), ConnectionError("Client is shutting down")):
        found = message_of(error)
        assert isinstance(found, Stopped)
        assert isinstance(found.error, SearchError)
        assert "All finished epochs are saved" in str(found.error)


def test_what_a_reader_can_not_unpack_ends_the_command_and_is_no_lost_worker(tmp_path, monkeypatch):
    exceptions = pytest.importorskip("ray.exceptions")

    class Ray:
        def __init__(self) -> None:
            self.exceptions, self.answers = exceptions, iter([None, ["no parcel"]])

        def get(self, _: object) -> object:
            return next(self.answers)

    class Method:
        def remote(self) -> None: ...

    class Actor:
        start = collect = Method()

    monkeypatch.setattr(ray_cluster, "_connected", lambda _: Ray())
    monkeypatch.setattr(Ray, "cluster_resources", lambda _: {}, raising=False)
    cluster = RayCluster("head:6379", workers=1, workers_per_gpu=None, jobs=1)
    cluster._read("w1", Actor())
    (_, stopped) = cluster.poll(0.0)[-1]
    assert isinstance(stopped, Stopped)
    assert isinstance(stopped.error, AttributeError)
