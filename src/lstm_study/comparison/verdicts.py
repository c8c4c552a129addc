"""The study's verdict with all that belongs to it: looks, near-duplicates, own epochs."""

from collections.abc import Mapping
from dataclasses import replace

from lstm_study.analysis.answer.ablation import MASKED_BASELINE
from lstm_study.analysis.answer.arms import CONTROL, Arm, arms_from_records, without
from lstm_study.analysis.answer.backends import mixed_backends
from lstm_study.analysis.answer.planned_arms import PRIMARY, RECIPE_BASELINE, ended_runs
from lstm_study.analysis.answer.questions import OWN_EPOCH_SUFFIX, control_question, paired_question
from lstm_study.analysis.answer.verdict import Verdict, judge
from lstm_study.analysis.answer.wording import NOTHING_BETTER, between, points
from lstm_study.analysis.search.optimism import search_optimism
from lstm_study.comparison import looks
from lstm_study.comparison.looks import Standing
from lstm_study.records import StudyRecords
from lstm_study.spec import StudySpec
from lstm_study.store import Store


def judge_study(
    records: StudyRecords,
    *,
    spec: StudySpec,
    store: Store,
    at: Standing,
    without: Verdict | None,
    is_noted: bool = True,
) -> Verdict:
    """Judges winner against baseline, records the look, and adds notes.

    `at` is from `looks.standing`, `without` from `judge_without_near_duplicates`. A look at kept
    records is not noted.
    """
    verdict = judge(records, looks=at.looks, level=at.level, kept=at.kept)
    if is_noted and verdict.difference is not None:
        looks.note(records, spec, store, kind=verdict.kind)
    arms = arms_from_records(records)
    sentences = (
        _of_one_configuration(records),
        verdict.sentence,
        _of_equal_training(records, arms, level=at.level),
        _of_control(arms, level=at.level),
    )
    notes = (
        _of_what_is_left(records, verdict, planned=spec.compare.seeds + looks.added_seeds(store)),
        *verdict.notes,
        mixed_backends(records),
        _of_near_duplicates(records, verdict, without),
        *_of_own_epochs(records),
        _of_validation(records),
        *looks.in_words(spec, store),
    )
    return replace(
        verdict, sentence=" ".join(filter(None, sentences)), notes=tuple(filter(None, notes))
    )


def judge_without_near_duplicates(records: StudyRecords, *, at: Standing) -> Verdict | None:
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
        if name in PRIMARY
    }
    return judge(arms, looks=at.looks, level=at.level)


def _of_what_is_left(records: StudyRecords, verdict: Verdict, *, planned: int) -> str:
    """Says that not all planned seeds have been run."""
    if not records.runs:
        return ""
    ended = {arm: ended_runs(records.runs, arm) for arm in PRIMARY}
    if min(ended.values()) >= planned:
        return ""
    counts = " and ".join(f"{count} of {planned} runs of the {arm}" for arm, count in ended.items())
    look = ""
    if verdict.difference is not None:
        look = (
            " This verdict counts as a look at the test reviews, and all looks together err in 5%."
        )
    return f"The comparison is not finished: {counts} have ended.{look}"


def _of_equal_training(records: StudyRecords, arms: Mapping[str, Arm], *, level: float) -> str:
    """Says what the winner is worth beside the baseline trained as the winner is."""
    has_recipe = RECIPE_BASELINE in arms
    reference = RECIPE_BASELINE if has_recipe else MASKED_BASELINE
    found = paired_question(arms, reference, level=level)
    if found is None:
        return ""
    if found.difference is None:
        return f"Against {reference}: {found.sentence}"
    rest = "in hyperparameters of text and network" if has_recipe else "in hyperparameters"
    if len({run.protocol_epochs for run in records.runs if run.arm in ("winner", reference)}) > 1:
        rest += " and in epochs"
    runs = found.arms[0].seeds
    return (
        f"Against {reference}, on the {runs} seeds that both have, the difference is "
        f"{between(found.difference)}: it differs from the winner {rest} alone."
    )


def _of_control(arms: Mapping[str, Arm], *, level: float) -> str:
    """Says how the simplest alternative compares."""
    found = control_question(arms, level=level)
    if found is None or found.difference is None:
        return ""
    over = ""
    if found.difference.components.reference.deterministic:
        over = ", over other test reviews but not over other seeds"
    return (
        f"The classical control classifies {arms[CONTROL].accuracy:.2%} correctly; its difference "
        f"to the winner's runs is {between(found.difference)}{over}."
    )


def _of_validation(records: StudyRecords) -> str:
    """Says how far validation is from test, and why it may be."""
    row = next((row for row in search_optimism(records) if row.arm == "winner"), None)
    if row is None or row.fresh_validation is None or row.on_test is None:
        return ""
    by = f"{points(row.fresh_validation - row.on_test)} points"
    if row.measure != "accuracy":
        by = f"{row.fresh_validation - row.on_test:+.3f} in loss"
    group = records.spec["data"].get("group_column")
    if group:
        why = f"The splits keep the reviews of one {group} together."
    else:
        why = (
            "The splits don't group the reviews, of one product or author for example, so "
            "validation may be optimistic."
        )
    return (
        f"{why} Here the winner's validation runs are {by} from its runs on test, which are "
        "trained on more reviews."
    )


def _of_one_configuration(records: StudyRecords) -> str:
    runs = [run for run in records.runs if run.arm in PRIMARY]
    if {run.arm for run in runs} < {*PRIMARY} or len({run.configuration for run in runs}) > 1:
        return ""
    same = "is the baseline itself, and the two arms are the same trainings"
    if len({run.masked for run in runs}) > 1:
        same = "has the baseline's own values, and the two differ in masking alone"
    return f"{NOTHING_BETTER}: its winner {same}."


def _of_near_duplicates(records: StudyRecords, verdict: Verdict, without: Verdict | None) -> str:
    found = records.near_duplicates
    if found is None:
        return ""
    if without is None:
        every = found.positions and len(found.positions) == found.test_reviews
        many = "Every" if every else "No"
        return f"{many} test review is a near-duplicate of a training review."
    many = (
        "One test review is a near-duplicate of a training review"
        if len(found.positions) == 1
        else f"{len(found.positions):,} test reviews are near-duplicates of training reviews"
    )
    result = f"Without them: {without.sentence}"
    if without.difference is not None:
        changed = "the same" if without.kind == verdict.kind else f"another, {without.kind}"
        result = (
            f"Without them the difference is {between(without.difference)}, "
            f"and the verdict is {changed}."
        )
    return f"{many} ({found.exact:,} word for word). {result}"


def _of_own_epochs(records: StudyRecords) -> list[str]:
    notes = []
    for arm in PRIMARY:
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
