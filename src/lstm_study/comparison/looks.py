"""Looks at the verdict: seeds added later, levels of the interval, and when to stop.

Adding seeds until a difference is significant finds one sooner or later, even where there is none.
So each addition is recorded, each verdict on more seeds than the last counts as another look, and
all looks together are wrong in 5% (`analysis.statistics.looks`).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.answer.planned_arms import ended_runs
from lstm_study.analysis.answer.verdict import Verdict, judge
from lstm_study.analysis.statistics.intervals import LEVEL
from lstm_study.analysis.statistics.looks import FUTILE, conditional_power, levels
from lstm_study.analysis.statistics.power import LEAST_SEEDS
from lstm_study.arm_names import PRIMARY
from lstm_study.provenance import now
from lstm_study.records import Run, StudyRecords
from lstm_study.records.state import AddedSeeds, Look, SeedsState, VerdictKind, VerdictsState
from lstm_study.spec import StudySpec
from lstm_study.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a verdict is to be given now.

    Attributes:
        looks: How many looks there are, this one included.
        fraction: Seeds run as a share of the maximum; 1 beyond it.
        level: The interval's.
        kept: The kind of the last planned look, beyond the maximum; None within it.
    """

    looks: int = 1
    fraction: float = 1.0
    level: float = LEVEL
    kept: VerdictKind | None = None


def added_seeds(store: Store) -> int:
    """Returns how many seeds were added to `compare.seeds`."""
    return (store.read_state(SeedsState) or SeedsState()).count


def most_seeds(spec: StudySpec) -> int:
    """Returns the declared maximum of seeds per arm."""
    return spec.compare.most_seeds or spec.compare.seeds


def add_seeds(spec: StudySpec, store: Store, seeds: int, command: str) -> str:
    """Plans more seeds for every arm, and says in words what it did.

    While seeds that were added earlier have runs left, none are added: the same command resumes
    those.
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
    beyond = ""
    if planned + seeds > most_seeds(spec):
        beyond = (
            f"; beyond the maximum of {most_seeds(spec)} (compare.most_seeds) they narrow the "
            "interval, and the verdict stays that of the last planned look"
        )
    return f"{many} added to {planned} for every arm, and recorded{beyond}"


def standing(records: StudyRecords, spec: StudySpec, store: Store) -> Standing:
    """Says which look at the test reviews a verdict is now, and at which level.

    A verdict on the seeds that the last one had is the same look; one on more seeds of either arm
    is another, to be recorded by `note`. Where no verdict can be given yet, it is no look.
    """
    looks = _looks(store)
    seeds = _seeds_of(records)
    if seeds is None:
        return Standing(looks=max(1, len(looks)))
    is_another = _is_another(seeds, looks)
    earlier = looks if is_another else looks[:-1]
    most = most_seeds(spec)
    before = [_fraction(each, most) for each in earlier]
    now_at = _fraction(looks[-1], most) if not is_another else _ended(records.runs) / most
    number = len(earlier) + 1
    if before and (now_at > 1 or before[-1] >= 1):
        planned = [each.kind for each, share in zip(earlier, before, strict=True) if share <= 1]
        kept: VerdictKind = planned[-1] if planned else "no difference shown"
        return Standing(looks=number, kept=kept)
    fraction = min(1.0, max([now_at, *before]))
    shares = sorted({share for share in before if share < fraction})
    return Standing(looks=number, fraction=fraction, level=levels([*shares, fraction])[-1])


def judge_now(records: StudyRecords, spec: StudySpec, store: Store) -> Verdict:
    """Judges winner against baseline as this look is to be judged; notes nothing."""
    return judge_at(records, standing(records, spec, store))


def judge_at(records: StudyRecords, at: Standing) -> Verdict:
    """Judges winner against baseline at a look."""
    return judge(records, looks=at.looks, level=at.level, kept=at.kept)


def note(records: StudyRecords, spec: StudySpec, store: Store, *, kind: VerdictKind) -> None:
    """Records a verdict, if it is another look, and if the user may write the study's files."""
    looks = _looks(store)
    seeds = _seeds_of(records)
    if seeds is not None and _is_another(seeds, looks):
        if store.is_read_only:
            log.warning("%s: is read-only: this look at the verdict is not noted.", store.folder)
            return
        fraction = _ended(records.runs) / most_seeds(spec)
        look = Look(at=now(), seeds=seeds, kind=kind, fraction=fraction)
        store.write_state(VerdictsState(looks=(*looks, look)))


def seeds_to_add(spec: StudySpec, store: Store, *, is_noted: bool = True) -> int:
    """Returns how many seeds to add now, with `compare.stop = "when settled"`; 0 for none.

    Reading the verdict for this is itself a look, and is recorded unless `is_noted` is False.
    """
    planned = spec.compare.seeds + added_seeds(store)
    left = most_seeds(spec) - planned
    if spec.compare.stop != "when settled" or left <= 0 or not _are_run(store, planned):
        return 0
    records = store.read_all()
    at = standing(records, spec, store)
    verdict = judge(records, looks=at.looks, level=at.level)
    if verdict.difference is not None:
        if is_noted:
            note(records, spec, store, kind=verdict.kind)
        if is_settled(
            verdict.kind, verdict.difference.p_value, fraction=planned / most_seeds(spec)
        ):
            return 0
    return min(spec.compare.seeds, left)


def is_settled(kind: str, p_value: float, *, fraction: float) -> bool:
    """Whether more seeds, up to the maximum, would hardly change a verdict."""
    from scipy.special import ndtri

    if kind != "no difference shown" or fraction >= 1:
        return True
    statistic = -float(ndtri(max(p_value, 1e-300) / 2))
    return conditional_power(statistic, fraction) < FUTILE


def added_seeds_in_words(spec: StudySpec, store: Store) -> list[str]:
    """Says of seeds that were added what a reader of the verdict must know."""
    found = []
    total = spec.compare.seeds
    for each in (store.read_state(SeedsState) or SeedsState()).added:
        after = f", after the verdict “{each.after}”" if each.after else ""
        seeds = "1 seed per arm was" if each.seeds == 1 else f"{each.seeds} seeds per arm were"
        found.append(f"{seeds} added to {total} on {each.added_at[:10]}{after}.")
        total += each.seeds
    looks = _looks(store)
    if len(looks) > 1:
        counts = ", ".join(
            " and ".join(f"{count} of the {arm}" for arm, count in each.seeds.items())
            for each in looks
        )
        found.append(
            f"The test reviews were looked at {len(looks)} times, with these runs: {counts}. "
            "All looks together are wrong in at most 5% of studies."
        )
    if looks and total > most_seeds(spec):
        found.append(
            f"Seeds beyond the maximum of {most_seeds(spec)} (compare.most_seeds) narrow the "
            "interval; the verdict is that of the last planned look."
        )
    return found


def _looks(store: Store) -> tuple[Look, ...]:
    return (store.read_state(VerdictsState) or VerdictsState()).looks


def _fraction(look: Look, most: int) -> float:
    return min(look.seeds.values()) / most if look.fraction is None else look.fraction


def _is_another(seeds: Mapping[str, int], looks: Sequence[Look]) -> bool:
    return not looks or any(count > looks[-1].seeds.get(arm, 0) for arm, count in seeds.items())


def _seeds_of(records: StudyRecords) -> dict[str, int] | None:
    """Returns the usable runs of the two arms; None where they are too few for a verdict."""
    arms = arms_from_records(records)
    seeds = {arm: arms[arm].seeds if arm in arms else 0 for arm in PRIMARY}
    return seeds if min(seeds.values()) >= LEAST_SEEDS else None


def _ended(runs: Sequence[Run]) -> int:
    """Counts the seeds of the arm that has fewer ended runs."""
    return min(ended_runs(runs, arm) for arm in PRIMARY)


def _are_run(store: Store, planned: int) -> bool:
    return _ended(store.read_runs()) >= planned
