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


def mixed_backends(records: StudyRecords) -> tuple[str, ...]:
    """Returns caveats on trainings that are compared though different backends trained them.

    One on the search, whose trials are ranked; one on the validation runs, which give own epochs
    and the ablation; one on the runs of the arms. None where each has one backend.
    """
    sessions = records.sessions
    runs = [run for run in records.runs if not run.trained_as]
    by_arm = {
        arm: _counted([run for run in runs if run.arm == arm], sessions)
        for arm in dict.fromkeys(run.arm for run in runs if run.trained_on == "training")
    }
    trials = _counted(records.trials, sessions)
    validation = _counted([run for run in runs if run.trained_on == "train"], sessions)
    caveats = []
    if len(trials) > 1:
        caveats.append(
            f"The search's trials were not all trained on one backend ({_in_words(trials)}), and "
            "backends differ by more than rounding: a trial's rank, and with it the winner, may "
            "come from that."
        )
    if len(validation) > 1:
        caveats.append(
            f"The validation runs were not all trained on one backend ({_in_words(validation)}): "
            "a difference between them, as own epochs and the ablation use it, may come from that."
        )
    if len({name for counts in by_arm.values() for name in counts}) > 1:
        arms = "; ".join(f"{arm} {_in_words(counts)}" for arm, counts in by_arm.items() if counts)
        caveats.append(
            f"The runs were not all trained on one backend ({arms}), and backends differ by more "
            "than rounding: a difference between runs of two backends may come from that."
        )
    return tuple(caveats)


def _counted(trainings: Sequence[Trial | Run], sessions: Sequence[Session]) -> Counter[str]:
    """Counts trainings by the names of their backends; those without an epoch are left out."""
    found = (backends_of(training, sessions) for training in trainings)
    return Counter(" and ".join(names) for names in found if names)


def _in_words(counts: Counter[str]) -> str:
    return ", ".join(f"{count} on {name}" for name, count in sorted(counts.items()))


def _backend_at(moment: str, sessions: Sequence[Session]) -> str:
    """Returns the backend of the last session that had begun by a moment; "" if none is known."""
    begun = [each for each in sessions if each.started_at <= moment and each.machine.backend]
    return begun[-1].machine.backend if begun else ""
