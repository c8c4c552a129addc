"""The dispatcher's end of a cluster, without one: `end_to_end/test_cluster.py` has one."""

import pytest

from lstm_study.engine import ray_cluster
from lstm_study.engine.messages import Stopped
from lstm_study.engine.ray_cluster import RayCluster


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

    monkeypatch.setattr(ray_cluster, "connect", lambda _: Ray())
    monkeypatch.setattr(Ray, "cluster_resources", lambda _: {}, raising=False)
    cluster = RayCluster("head:6379", workers=1, workers_per_gpu=None, jobs=1)
    cluster._read("w1", Actor())
    (_, stopped) = cluster.poll(0.0)[-1]
    assert isinstance(stopped, Stopped)
    assert isinstance(stopped.error, AttributeError)


def test_a_client_whose_cluster_is_gone_asks_it_for_nothing_more(monkeypatch):
    class Ray:
        is_shut_down = False

        def cluster_resources(self) -> dict[str, float]:
            return {}

        def is_initialized(self) -> bool:
            return False

        def shutdown(self) -> None:
            self.is_shut_down = True

    class Actor:
        @property
        def end(self) -> None:
            raise Exception("Ray Client is not connected.")  # as Ray 2.60 does

    ray = Ray()
    monkeypatch.setattr(ray_cluster, "connect", lambda _: ray)
    with RayCluster("ray://head:10001", workers=1, workers_per_gpu=None, jobs=1) as cluster:
        cluster._actors["w1"] = Actor()
        cluster._started.add("w1")
    assert ray.is_shut_down
