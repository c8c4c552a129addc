"""What errors of Ray mean for a study."""

import re

import pytest

from lstm_study.engine.messages import Lost, Stopped
from lstm_study.engine.ray_errors import ended_with
from lstm_study.errors import SearchError, StoreError, StudyError


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
