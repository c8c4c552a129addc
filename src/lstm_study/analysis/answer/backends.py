"""Which backend each training ran on: the one of the session in which its epochs ended."""

from collections import Counter
from collections.abc import Iterable, Sequence

from lstm_study.records import Run, Session, StudyRecords, Trial


def backends_of(training: Trial | Run, sessions: Sequence[Session]) -> tuple[str, ...]:
    """Returns the backends that a training's epochs ran on, in order of their names.

    Args:
        training: With its own epochs.
        sessions: Of the study, in order of time.
    """
    found = (_backend_at(epoch.ended_at, sessions) for epoch in training.epochs)
    return tuple(sorted({each for each in found if each}))


def first_backend(trainings: Iterable[Trial | Run], sessions: Sequence[Session]) -> str:
    """Returns the backend that a study's first epoch ran on; "" before one has ended."""
    moments = (epoch.ended_at for training in trainings for epoch in training.epochs)
    return next((name for at in sorted(moments) if (name := _backend_at(at, sessions))), "")


def mixed_backends(records: StudyRecords) -> str:
    """Says that runs which are compared were trained on different backends; "" where none were."""
    by_arm: dict[str, Counter[str]] = {}
    for run in records.runs:
        if run.trained_on == "training" and not run.trained_as:
            found = backends_of(run, records.sessions)
            if found:
                by_arm.setdefault(run.arm, Counter())[" and ".join(found)] += 1
    if len({name for counts in by_arm.values() for name in counts}) < 2:
        return ""
    arms = "; ".join(
        f"{arm} {', '.join(f'{count} on {name}' for name, count in sorted(counts.items()))}"
        for arm, counts in by_arm.items()
    )
    return (
        f"The runs were not all trained on one backend ({arms}), and backends differ by more than "
        "rounding: a difference between runs of two backends may come from that."
    )


def _backend_at(moment: str, sessions: Sequence[Session]) -> str:
    """Returns the backend of the last session that had begun by a moment; "" if none is known."""
    begun = [each for each in sessions if each.started_at <= moment and each.machine.backend]
    return begun[-1].machine.backend if begun else ""
