"""Workers for the stages of a command: processes of this machine, or actors of a Ray cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from lstm_study.commands.open_study import OpenStudy
from lstm_study.engine.backend import in_force
from lstm_study.engine.devices import choose_workers, require_address_space
from lstm_study.engine.processes import Processes
from lstm_study.engine.protocols import Engine

if TYPE_CHECKING:
    from lstm_study.engine.ray_cluster import RayCluster


class StageWorkers:
    """The workers of one command on a study, kept from stage to stage: they load for seconds.

    Those of this machine are replaced if a stage has work for more of them, or if the last stage
    left some at work. A cluster's are started for each stage, since others may be
    waiting for their places.
    """

    def __init__(self, study: OpenStudy) -> None:
        self._study = study
        self._kept: Processes | None = None

    @contextmanager
    def engine(self, jobs: int) -> Iterator[Engine]:
        """Gives a stage workers for so many jobs, at most.

        Raises:
            DependencyError: Ray is not installed.
            SearchError: The cluster can't be reached, or `ulimit -v` allows too little memory.
        """
        if self._study.cluster:
            with self._actors(jobs) as actors:
                yield actors
            return
        yield self._processes(jobs)

    def close(self) -> None:
        """Ends the workers that are kept."""
        if self._kept is not None:
            self._kept.close()
        self._kept = None

    def _actors(self, jobs: int) -> "RayCluster":
        from lstm_study.engine.ray_cluster import RayCluster

        study = self._study
        return RayCluster(
            study.cluster,
            workers=study.workers,
            workers_per_gpu=study.workers_per_gpu,
            population=study.population,
            jobs=jobs,
        )

    def _processes(self, jobs: int) -> Processes:
        study = self._study
        size = choose_workers(
            study.workers,
            jobs=jobs,
            backend=in_force().name,
            workers_per_gpu=study.workers_per_gpu,
        )
        if self._kept is not None and (self._kept.is_closed or self._kept.size.count < size.count):
            self.close()
        if self._kept is None:
            require_address_space()
            size = replace(size, population=study.population)
            log_path, scratch = study.store.log_path, study.store.scratch
            self._kept = Processes(size, log_path=log_path, scratch=scratch)
        return self._kept


@contextmanager
def stage_workers(study: OpenStudy, given: StageWorkers | None = None) -> Iterator[StageWorkers]:
    """Yields the workers given, or others that end with the block."""
    if given is not None:
        yield given
        return
    workers = StageWorkers(study)
    try:
        yield workers
    finally:
        workers.close()
