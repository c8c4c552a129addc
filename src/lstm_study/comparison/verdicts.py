"""The study's verdict with all that belongs to it: looks, near-duplicates, own epochs."""

from dataclasses import replace

from lstm_study.analysis.answer.ablation import MASKED_BASELINE
from lstm_study.analysis.answer.arms import arms_from_records, without
from lstm_study.analysis.answer.verdict import Verdict, judge, judged_without
from lstm_study.analysis.answer.wording import between
from lstm_study.comparison import looks as seeds
from lstm_study.comparison.arms import OWN_EPOCH_SUFFIX, VALIDATED
from lstm_study.records import StudyRecords
from lstm_study.spec import StudySpec
from lstm_study.store import Store


def judge_study(
    records: StudyRecords,
    *,
    spec: StudySpec,
    store: Store,
    looks: int,
    without: Verdict | None,
    is_noted: bool = True,
) -> Verdict:
    """Judges winner against baseline, records the look, and adds notes.

    Args:
        records: The study's.
        spec: The study.
        store: Its folder.
        looks: From `seeds.look`.
        without: From `judge_without_near_duplicates`.
        is_noted: Whether the look is recorded; not in kept records.
    """
    verdict = judge(records, seed=spec.study.seed, looks=looks)
    if is_noted and verdict.difference is not None:
        seeds.note(records, store, kind=verdict.kind)
    notes = (
        *_of_what_is_left(records, verdict, planned=spec.compare.seeds + seeds.added_seeds(store)),
        *verdict.notes,
        *_of_masking(records, seed=spec.study.seed, looks=looks),
        *_of_one_configuration(records),
        *_of_near_duplicates(records, verdict, without),
        *_of_own_epochs(records),
        *seeds.in_words(spec, store),
    )
    return replace(verdict, notes=notes)


def judge_without_near_duplicates(
    records: StudyRecords, *, spec: StudySpec, looks: int
) -> Verdict | None:
    """Judges on the test reviews that have no near-duplicate in training.

    Returns:
        None where all test reviews are such, or where none were counted.
    """
    found = records.near_duplicates
    if found is None or not found.positions or records.test_labels is None:
        return None
    if len(found.positions) == len(records.test_labels):
        return None
    arms = {
        name: without(arm, found.positions)
        for name, arm in arms_from_records(records).items()
        if name in VALIDATED
    }
    return judge(arms, seed=spec.study.seed, looks=looks)


def _of_what_is_left(records: StudyRecords, verdict: Verdict, *, planned: int) -> list[str]:
    """Says that not all planned seeds have been run."""
    if not records.runs:
        return []
    ended = {
        arm: sum(run.arm == arm and run.status in ("completed", "failed") for run in records.runs)
        for arm in VALIDATED
    }
    if min(ended.values()) >= planned:
        return []
    counts = " and ".join(f"{count} of {planned} runs of the {arm}" for arm, count in ended.items())
    look = ""
    if verdict.difference is not None:
        look = (
            " This verdict counts as a look at the test reviews: on more seeds the next one has a "
            "wider interval."
        )
    return [f"The comparison is not finished: {counts} have ended.{look}"]


def _of_masking(records: StudyRecords, *, seed: int, looks: int) -> list[str]:
    """Says what the winner is worth beside the baseline in the study's own batches."""
    arms = arms_from_records(records)
    if not {"winner", MASKED_BASELINE} <= set(arms):
        return []
    found = judge(arms, seed=seed, reference=MASKED_BASELINE, looks=looks).difference
    if found is None:
        return []
    sentence = (
        f"Against the arm {MASKED_BASELINE}, which differs from the winner in hyperparameters "
        f"alone, the winner's difference is {between(found)}."
    )
    return [sentence]


def _of_one_configuration(records: StudyRecords) -> list[str]:
    runs = [run for run in records.runs if run.arm in VALIDATED]
    if {run.arm for run in runs} < {*VALIDATED} or len({run.configuration for run in runs}) > 1:
        return []
    if len({run.masked for run in runs}) > 1:
        return [
            "The search's winner has the baseline's own values: the two differ in masking alone."
        ]
    return ["The search's winner is the baseline itself: the two arms are the same trainings."]


def _of_near_duplicates(
    records: StudyRecords, verdict: Verdict, without: Verdict | None
) -> list[str]:
    found = records.near_duplicates
    if found is None:
        return []
    if without is None:
        every = found.positions and len(found.positions) == found.test_reviews
        many = "Every" if every else "No"
        return [f"{many} test review is a near-duplicate of a training review."]
    many = (
        "One test review is a near-duplicate of a training review"
        if len(found.positions) == 1
        else f"{len(found.positions):,} test reviews are near-duplicates of training reviews"
    )
    return [f"{many} ({found.exact:,} word for word). {judged_without(verdict, without)}"]


def _of_own_epochs(records: StudyRecords) -> list[str]:
    notes = []
    for arm in VALIDATED:
        runs = [run for run in records.runs if run.arm == arm]
        epochs = {run.own_epoch for run in runs} - {None}
        if len(epochs) != 1:
            continue
        (epoch,) = epochs
        if all(run.own_epoch in (None, run.protocol_epochs) for run in runs):
            notes.append(
                f"Validation chose epoch {epoch} for the {arm}, the protocol's last: its runs are "
                "its runs at its own epoch, too."
            )
        else:
            notes.append(
                f"Validation chose epoch {epoch} for the {arm}: the arm {arm}{OWN_EPOCH_SUFFIX} is "
                "evaluated there, in the same trainings."
            )
    return notes
