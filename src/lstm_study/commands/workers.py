"""Workers for a stage: processes of this machine, or actors of a Ray cluster."""

from dataclasses import replace
from typing import TYPE_CHECKING

from lstm_study.commands.opened import OpenStudy
from lstm_study.engine.backend import in_force
from lstm_study.engine.devices import choose_workers, require_address_space
from lstm_study.engine.processes import Processes

if TYPE_CHECKING:
    from lstm_study.engine.ray_cluster import RayCluster


def start_engine(study: OpenStudy, jobs: int) -> "Processes | RayCluster":
    """Starts workers for so many jobs, at most: on this machine, or on a Ray cluster.

    They load for some seconds.

    Raises:
        DependencyError: Ray is not installed.
        SearchError: The cluster can't be reached, or `ulimit -v` allows too little memory.
    """
    if study.cluster:
        from lstm_study.engine.ray_cluster import RayCluster

        return RayCluster(
            study.cluster,
            workers=study.workers,
            workers_per_gpu=study.workers_per_gpu,
            population=study.population,
            jobs=jobs,
        )
    require_address_space()
    size = choose_workers(
        study.workers,
        jobs=jobs,
        backend=in_force().name,
        workers_per_gpu=study.workers_per_gpu,
    )
    size = replace(size, population=study.population)
    return Processes(size, log_path=study.store.log_path, scratch=study.store.scratch)
