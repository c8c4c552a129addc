"""Seeds added after a verdict, and how often the test reviews were looked at for one.

Adding seeds until a difference is significant finds one sooner or later, even where there is none.
So each addition is written down, each verdict on more seeds than the last counts as another look,
and the verdict's interval gets wider with every look.
"""

from collections.abc import Mapping, Sequence

from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.comparison.arms import VALIDATED
from lstm_study.provenance import now
from lstm_study.records import StudyRecords
from lstm_study.records.state import AddedSeeds, Look, SeedsState, VerdictsState
from lstm_study.spec import StudySpec
from lstm_study.store import Store

_LEAST = 2


def added_seeds(store: Store) -> int:
    """Returns how many seeds were added to `compare.seeds`."""
    return (store.read_state(SeedsState) or SeedsState()).count


def add_seeds(spec: StudySpec, store: Store, seeds: int, command: str) -> str:
    """Plans more seeds for every arm, and says in words what it did.

    While seeds added earlier are not all run, none are added: the same command goes on with them.

    Args:
        spec: The study.
        store: Its folder; held by this process.
        seeds: How many to add, >= 1.
        command: The command line at work.
    """
    earlier = store.read_state(SeedsState) or SeedsState()
    planned = spec.compare.seeds + earlier.count
    if earlier.added and not _are_run(store, planned):
        last = earlier.added[-1]
        return (
            f"seeds added at {last.added_at} ({last.seeds}) are not all run: "
            "resuming them, and none are added"
        )
    looks = _looks(store)
    after = looks[-1].kind if looks else ""
    added = AddedSeeds(seeds=seeds, added_at=now(), command=command, after=after)
    store.write_state(SeedsState(added=(*earlier.added, added)))
    many = "1 seed is" if seeds == 1 else f"{seeds} seeds are"
    return f"{many} added to {planned} for every arm, and recorded"


def look(records: StudyRecords, store: Store) -> int:
    """Counts the looks at the test reviews, this one included.

    A verdict on the seeds that the last one had is the same look; one on more seeds of either arm
    is another, to be written down by `note`. A verdict that can't be said yet is none.
    """
    looks = _looks(store)
    seeds = _seeds_of(records)
    if seeds is None or not _is_another(seeds, looks):
        return max(1, len(looks))
    return len(looks) + 1


def note(records: StudyRecords, store: Store, *, kind: str) -> None:
    """Writes down a verdict, if it is another look.

    Args:
        records: What it was given on.
        store: The study's folder.
        kind: The verdict's.
    """
    looks = _looks(store)
    seeds = _seeds_of(records)
    if seeds is not None and _is_another(seeds, looks):
        store.write_state(VerdictsState(looks=(*looks, Look(at=now(), seeds=seeds, kind=kind))))


def in_words(spec: StudySpec, store: Store) -> list[str]:
    """Says of seeds that were added what a reader of the verdict must know."""
    found = []
    total = spec.compare.seeds
    for each in (store.read_state(SeedsState) or SeedsState()).added:
        after = f", after the verdict was {each.after!r}" if each.after else ""
        found.append(
            f"Seeds were added at {each.added_at}: {each.seeds} to {total} per arm{after}."
        )
        total += each.seeds
    looks = _looks(store)
    if len(looks) > 1:
        counts = ", ".join(
            " and ".join(f"{count} of the {arm}" for arm, count in each.seeds.items())
            for each in looks
        )
        found.append(
            f"The test reviews were looked at {len(looks)} times, with these runs: {counts}. "
            "The interval is wider for it."
        )
    return found


def _looks(store: Store) -> tuple[Look, ...]:
    return (store.read_state(VerdictsState) or VerdictsState()).looks


def _is_another(seeds: Mapping[str, int], looks: Sequence[Look]) -> bool:
    return not looks or any(count > looks[-1].seeds.get(arm, 0) for arm, count in seeds.items())


def _seeds_of(records: StudyRecords) -> dict[str, int] | None:
    """Returns the usable runs of the two arms; None where they are too few for a verdict."""
    arms = arms_from_records(records)
    seeds = {arm: arms[arm].seeds if arm in arms else 0 for arm in VALIDATED}
    return seeds if min(seeds.values()) >= _LEAST else None


def _are_run(store: Store, planned: int) -> bool:
    ended = [run for run in store.read_runs() if run.status in ("completed", "failed")]
    return all(sum(run.arm == arm for run in ended) >= planned for arm in VALIDATED)
