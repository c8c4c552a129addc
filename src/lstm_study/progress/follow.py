"""Turns records and live files into progress: what has ended and what is running."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lstm_study.arm_names import CONTROL, TEST_REVIEWS
from lstm_study.configuration import Configuration
from lstm_study.objectives import OBJECTIVES
from lstm_study.progress.values import EndedTraining, Progress, Running
from lstm_study.records import Epoch, Run, Trial
from lstm_study.records.state import Live
from lstm_study.spec.quantities import duration_in_words
from lstm_study.store import Store

CALLS = {
    CONTROL: "logistic regression over words and pairs of words",
    TEST_REVIEWS: "near-duplicates, lengths and unknown words of the test reviews",
}
"""What workers do beside trainings, by name."""
_SILENT_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One training that has begun: what trials and runs have in common.

    Attributes:
        training_id: The trial or run.
        configuration: Its hyperparameters.
        epochs: Those that ended.
        score: Its score in words, or the kind of failure; "" before it ended.
        failed: Whether it failed.
    """

    training_id: str
    configuration: Configuration
    epochs: tuple[Epoch, ...]
    score: str
    failed: bool

    @property
    def ended(self) -> bool:
        """Whether it completed or failed."""
        return self.score != ""


def item_of(record: Trial | Run, *, score: Callable[[Any], str]) -> Item:
    """Returns a record as an item; `score` formats that of a completed one."""
    text = ""
    if record.failure is not None:
        text = record.failure.kind.replace("_", " ")
    elif record.status == "completed":
        text = score(record)
    return Item(
        training_id=record.training_id,
        configuration=record.configuration,
        epochs=record.epochs,
        score=text,
        failed=record.failure is not None,
    )


class Follower:
    """Follows one stage of one study: "search" or "compare" to sessions, its title to displays.

    `items` are the trainings that had begun when this command began.
    """

    def __init__(
        self,
        store: Store,
        *,
        stage: str,
        title: str,
        items: Iterable[Item],
    ) -> None:
        self._store, self._title = store, title
        self._ended_before = {item.training_id for item in items if item.ended}
        self._order: list[str] = []
        self._seconds_before = sum(
            session.seconds for session in store.read_sessions() if session.stage == stage
        )

    def progress(
        self,
        seconds: float,
        *,
        items: Sequence[Item],
        total: int,
        best: str,
    ) -> Progress:
        """Returns where the stage stands, without an estimate of the time left.

        Args:
            seconds: Time since this command's work began.
            items: Every training that began.
            total: Trainings planned.
            best: The best score so far in words.
        """
        by_id = {item.training_id: item for item in items}
        known = self._ended_before.union(self._order)
        self._order += [name for name, item in by_id.items() if item.ended and name not in known]
        live = self._store.read_live()
        return Progress(
            stage=self._title,
            done=sum(item.ended for item in items),
            total=max(total, len(items)),
            failed=sum(item.failed for item in items),
            running=tuple(running_of(items, live)),
            ended=tuple(
                EndedTraining(
                    training_id=training_id,
                    detail=by_id[training_id].configuration.description,
                    score=by_id[training_id].score,
                    failed=by_id[training_id].failed,
                )
                for training_id in self._order
            ),
            best=best,
            elapsed_seconds=self._seconds_before + seconds,
        )


def score_in_words(trial: Trial, *, objective: str) -> str:
    """Formats a completed trial's score: an accuracy in percent, a loss in four digits."""
    assert trial.score is not None
    return format(trial.score, ".2%" if OBJECTIVES[objective].is_share else ".4f")


def running_of(items: Iterable[Item], live: Mapping[str, Live]) -> Iterable[Running]:
    """Yields what workers do, in order of their names."""
    by_id = {item.training_id: item for item in items if not item.ended}
    for worker, at in sorted(live.items()):
        item = by_id.get(at.training_id)
        if item is None and at.training_id not in CALLS:
            continue
        yield Running(
            worker=worker,
            training_id=at.training_id,
            detail=CALLS[at.training_id] if item is None else item.configuration.description,
            epoch=at.epoch,
            epochs=at.epochs,
            step=at.step,
            steps=at.steps,
            silent_seconds=silent_seconds(at),
        )


def silent_seconds(at: Live) -> float:
    """Returns how long a worker has sent nothing."""
    return max(0.0, time.time() - at.at) if at.at else 0.0


def silence_in_words(seconds: float) -> str:
    """Returns a remark on a worker that has sent nothing for long; "" for others."""
    if seconds < _SILENT_SECONDS:
        return ""
    return f"silent for {duration_in_words(seconds)}; replaced if it stays so"
