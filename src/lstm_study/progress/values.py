"""Where a stage stands, as one frozen value: the input of a display."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What a worker does: one training, or a call, which has parts in place of epochs.

    Attributes:
        worker: The worker's name.
        training_id: The trial or run, or the call's name.
        detail: The configuration in a few words, or what the call does.
        epoch: The epoch it is in, from 1; 0 before the first step, and for a call.
        epochs: The epoch it ends after; 0 for a call.
        step: Training steps done in this epoch, or parts done.
        steps: Training steps of this epoch, or parts; 0 before the first.
        silent_seconds: Time since the worker last sent where it stands.
    """

    worker: str
    training_id: str
    detail: str
    epoch: int
    epochs: int
    step: int
    steps: int
    silent_seconds: float = 0.0

    @property
    def in_words(self) -> str:
        """Where it stands: its epoch or its part, of how many."""
        if not self.epochs:
            return f"part {min(self.step + 1, self.steps)} of {self.steps}"
        return f"epoch {self.epoch} of {self.epochs}"

    @property
    def share_done(self) -> float:
        """How much of it is done, in [0, 1]."""
        of_these = self.step / max(1, self.steps)
        before = max(0, self.epoch - 1)
        return (before + of_these) / self.epochs if self.epochs else of_these


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedTraining:
    """One training that ended: its id, its score in words, and whether it failed."""

    training_id: str
    detail: str
    score: str
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a stage stands.

    Attributes:
        stage: "Search" or "Comparison".
        done: Trainings ended.
        total: Trainings planned.
        failed: How many of those that ended failed.
        running: Trainings in progress.
        ended: Those that ended since this command began, in order.
        best: The best so far in words; "" before there is one.
        elapsed_seconds: Time worked on this stage, over restarts.
        remaining_seconds: The estimate of the stage's; None until steps were timed.
        study_seconds: The estimate of the whole study's; None where it is not known.
    """

    stage: str
    done: int
    total: int
    failed: int
    running: tuple[Running, ...]
    ended: tuple[EndedTraining, ...]
    best: str
    elapsed_seconds: float
    remaining_seconds: float | None = None
    study_seconds: float | None = None


Report = Callable[[Progress], None]


def ignore(_: Progress) -> None:
    """Shows nothing."""
