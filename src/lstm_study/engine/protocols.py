"""What the dispatcher asks of an engine, which runs workers, and of a stage, which has jobs."""

from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from lstm_study.corpus.types import Corpus
from lstm_study.engine.devices import Workers
from lstm_study.engine.jobs import JobResult, Work
from lstm_study.engine.messages import Message, Reply
from lstm_study.spec import StudySpec


class Engine(Protocol):
    """Runs workers, and replaces those it loses."""

    @property
    def output(self) -> str:
        """Where what its workers print is found, in words."""

    @property
    def names(self) -> Sequence[str]:
        """The present workers, ready or not."""

    @property
    def size(self) -> Workers:
        """How many workers it has or wants, and their threads."""

    def set_up(self, spec: StudySpec, corpus: Corpus) -> None:
        """Tells every worker, present and future, what to work on; comes before a stage's jobs."""

    def poll(self, timeout_seconds: float) -> list[tuple[str, Message]]:
        """Returns messages with their workers' names, after waiting for one at most so long."""

    def send(self, name: str, message: Sequence[Work] | Reply) -> None:
        """Sends a worker jobs or a reply."""

    def grant(self, corpus: Corpus, log: Callable[[], None]) -> Reply:
        """Logs an opening of the test reviews, and returns the reply that grants it."""

    def kill(self, name: str) -> None:
        """Ends a worker by force; `poll` reports it as lost."""

    def close(self) -> None:
        """Ends all workers; may be called again."""


class Stage(Protocol):
    """Says which jobs are due, and takes their results; the one writer of their records."""

    @property
    def name(self) -> str:
        """What sessions call it: "search" or "compare"."""

    @property
    def backlog(self) -> int:
        """How many jobs are due now."""

    def due(self, worker: str, limit: int, *, like: Hashable = None) -> Sequence[Work]:
        """Hands out jobs to a worker that is idle, or has room for more.

        Args:
            worker: Its name.
            limit: How many it takes at most, >= 1; all of one shape class.
            like: That class; None for any.

        Returns:
            Nothing while no job is due; if none is in progress either, the stage has ended.
        """

    def take(self, result: JobResult, *, worker: str) -> None:
        """Records a job's result; moves its files from scratch."""

    def take_back(self, name: str) -> None:
        """Takes back a job whose worker was lost; it is due again."""

    def tick(self, seconds: float) -> bool:
        """Reports progress, a few times a second; returns whether to continue.

        Args:
            seconds: Time worked since this command's work began.
        """
