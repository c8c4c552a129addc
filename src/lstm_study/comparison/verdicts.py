"""The study's verdict with all that belongs to it: looks, near-duplicates, own epochs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lstm_study.analysis.answer import wording
from lstm_study.analysis.answer.arms import Arm, arms_from_records, without
from lstm_study.analysis.answer.backends import mixed_backends
from lstm_study.analysis.answer.planned_arms import ended_runs
from lstm_study.analysis.answer.questions import (
    Comparison,
    control_question,
    own_epoch_question,
    paired_question,
    side_questions,
)
from lstm_study.analysis.answer.rule import is_fixed
from lstm_study.analysis.answer.verdict import Verdict, judge
from lstm_study.analysis.answer.wording import FIXED, beside_winner, between
from lstm_study.analysis.search.optimism import search_optimism
from lstm_study.analysis.search.summary import finalists, ties_of_winner
from lstm_study.analysis.statistics.failures import without_failed_runs, without_runs
from lstm_study.arm_names import CONTROL, MASKED_BASELINE, PRIMARY, RECIPE_BASELINE
from lstm_study.comparison import looks
from lstm_study.comparison.looks import Standing
from lstm_study.objectives import OBJECTIVES
from lstm_study.records import StudyRecords
from lstm_study.spec import StudySpec
from lstm_study.spec.quantities import counted
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
    verdict = looks.judge_at(records, at)
    if is_noted and verdict.difference is not None:
        looks.note(records, spec, store, kind=verdict.kind)
    arms = arms_from_records(records)
    questions = side_questions(arms, level=at.level)
    same = _of_one_configuration(records)
    headline = wording.headline(
        verdict.kind,
        names=(verdict.candidate, verdict.reference),
        difference=verdict.difference,
        failures=verdict.failures,
        learned=verdict.learned_nothing,
        lacking=verdict.lacking,
        beside=_control_beats_both(arms, questions),
        is_baseline=bool(same),
    )
    sentences = (
        same,
        verdict.details,
        _of_equal_training(records, arms, verdict, questions),
        _of_control(arms, level=at.level),
    )
    notes = (
        _of_what_is_left(records, verdict, planned=spec.compare.seeds + looks.added_seeds(store)),
        *verdict.notes,
        *mixed_backends(records),
        _of_near_duplicates(records, verdict, without),
        _of_own_epochs(records, arms, verdict),
        _of_ties(records, spec),
        _of_validation(records),
        *looks.added_seeds_in_words(spec, store),
        *store.lost_in_words(),
    )
    return replace(
        verdict,
        headline=headline,
        details=" ".join(filter(None, sentences)),
        notes=tuple(filter(None, notes)),
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
            " This verdict counts as a look at the test reviews, and all looks together have an "
            "error rate of 5%."
        )
    return f"The comparison is not finished: {counts} have ended.{look}"


def _control_beats_both(arms: Mapping[str, Arm], questions: Sequence[Comparison]) -> str:
    """Says that the classical control is better than winner and baseline, where both are shown."""
    answers = {
        each.verdict.reference: each for each in questions if each.verdict.candidate == CONTROL
    }
    if any(name not in answers or answers[name].kind != "better" for name in PRIMARY):
        return ""
    fixed = any(is_fixed(without_failed_runs(arms[name])) for name in PRIMARY)
    return f"a logistic regression beats {'these runs of ' if fixed else ''}both"


def _of_equal_training(
    records: StudyRecords,
    arms: Mapping[str, Arm],
    verdict: Verdict,
    questions: Sequence[Comparison],
) -> str:
    """Compares the winner with the baseline trained by the winner's recipe."""
    has_recipe = RECIPE_BASELINE in arms
    reference = RECIPE_BASELINE if has_recipe else MASKED_BASELINE
    found = paired_question(arms, reference, level=verdict.level)
    if found is None:
        return ""
    alike = "trained as the winner is" if has_recipe else "with padding masked, as for the winner"
    name = f"the baseline {alike} (arm {reference})"
    if found.difference is None:
        return (
            f"How the winner compares with {name} cannot be said: {_lacks(found)}."
            if verdict.difference is not None
            else ""
        )
    runs = [run for run in records.runs if run.arm in ("winner", reference)]
    rest = []
    if len({run.configuration for run in runs}) > 1:
        rest.append("hyperparameters of text and network" if has_recipe else "hyperparameters")
    if len({run.protocol_epochs for run in runs}) > 1:
        rest.append("epochs")
    differ = (
        f"They differ in {' and '.join(rest)} alone." if rest else "They are the same trainings."
    )
    beside = beside_winner(found.kind, found.difference, is_reference=True)
    failed = len(found.failures.runs) if found.failures is not None else 0
    without = f", without {counted(failed, 'run')} that failed" if failed else ""
    said = (
        f"{name[0].upper()}{name[1:]} classifies {_accuracy_in(arms, reference):.2%} correctly"
        f"{beside}, on the {counted(found.arms[0].seeds, 'seed')} that both have{without}. {differ}"
    )
    of_training = any(
        each.kind == "better"
        for each in questions
        if (each.verdict.candidate, each.verdict.reference) == (RECIPE_BASELINE, "baseline")
    )
    if found.kind != "better" or not of_training:
        return said
    return said + _of_two_parts(records, verdict, found)


def _of_two_parts(records: StudyRecords, verdict: Verdict, found: Verdict) -> str:
    """Splits the difference into the part of the training and that of the network, on equal seeds.

    The caller has checked that each part is shown. With a failed run, or fewer seeds of one arm,
    the two differences would not add up.
    """
    whole, rest = verdict.difference, found.difference
    assert rest is not None, "the caller has checked"
    if whole is None or verdict.kind != "better":
        return ""
    seeds = {
        arm: {run.seed_index for run in records.completed_runs(arm)}
        for arm in ("baseline", "winner", RECIPE_BASELINE)
    }
    failed = [each.failures.runs for each in (verdict, found) if each.failures is not None]
    first = whole.difference - rest.difference
    if any(failed) or len({frozenset(each) for each in seeds.values()}) > 1:
        return ""
    return f" So {wording.two_parts(whole.difference, first, rest.difference)}."


def _of_control(arms: Mapping[str, Arm], *, level: float) -> str:
    """Says how the simplest alternative compares."""
    found = control_question(arms, level=level)
    if found is None or found.difference is None:
        return ""
    over = ""
    if found.difference.components.reference.deterministic:
        over = f", {FIXED}"
    return (
        f"A logistic regression (the classical control) classifies {arms[CONTROL].accuracy:.2%} "
        f"correctly{beside_winner(found.kind, found.difference)}{over}."
    )


def _of_ties(records: StudyRecords, spec: StudySpec) -> str:
    """Says that the search scored other configurations as high as the winner."""
    if not records.runs:
        return ""
    found = ties_of_winner(
        records.trials,
        spec.study.direction,
        max_epochs=spec.search.max_epochs,
        runs=records.runs,
    )
    if not found:
        return ""
    form = ".2%" if OBJECTIVES[spec.study.objective].is_share else ".4f"
    means = {each.trial_id: each.mean for each in finalists(records.trials)}
    if (mean := means.get(found[0].trial_id)) is not None:
        others = "finalist has" if len(found) == 1 else "finalists have"
        shared = f"mean score ({mean:{form}})"
    else:
        others = f"{'trial' if len(found) == 1 else 'trials'} of the full budget"
        others += " has" if len(found) == 1 else " have"
        shared = f"score ({found[0].score:{form}})"
    return (
        f"{len(found)} other {others} the winner's {shared}: the search does not tell them apart. "
        "Ties go to fewer parameters, then to the lower trial id."
    )


def _of_validation(records: StudyRecords) -> str:
    """Says what the winner scores on validation and on test, and why they may differ."""
    row = next((row for row in search_optimism(records) if row.arm == "winner"), None)
    if row is None or row.fresh_validation is None or row.on_test is None:
        return ""
    scores = [row.fresh_validation, row.on_test]
    metric = OBJECTIVES[f"validation_{row.measure}"]
    form = ".2%" if metric.is_share else ".4f"
    validation, test = (format(score, form) for score in scores)
    what = "" if metric.is_share else f" ({metric.words})"
    group = records.spec["data"].get("group_column")
    if group:
        why = f"The splits keep the reviews of one {group} together."
    else:
        why = (
            "The splits don't group the reviews, of one product or author for example, so "
            "validation may be optimistic."
        )
    return (
        f"The winner scores {validation}{what} on validation and {test} on test, where it is "
        f"trained on more reviews. {why}"
    )


def _of_one_configuration(records: StudyRecords) -> str:
    runs = [run for run in records.runs if run.arm in PRIMARY]
    if {run.arm for run in runs} < {*PRIMARY} or len({run.configuration for run in runs}) > 1:
        return ""
    differ = [
        words
        for words, values in (
            ("masking", {run.masked for run in runs}),
            ("epochs", {run.protocol_epochs for run in runs}),
        )
        if len(values) > 1
    ]
    if differ:
        return (
            "The winner has the baseline's own values, and the two differ in "
            f"{' and '.join(differ)} alone."
        )
    return "The winner is the baseline itself, and the two arms are the same trainings."


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
    them = "it" if len(found.positions) == 1 else "them"
    result = ""
    if without.difference is None and verdict.difference is not None:
        result = f" Without {them} it cannot be said: {_lacks(without)}."
    if without.difference is not None:
        changed = "the same" if without.kind == verdict.kind else f"another, {without.kind}"
        result = (
            f" Without {them} the difference is {between(without.difference)}, "
            f"and the verdict is {changed}."
        )
    return f"{many} ({f'{found.exact:,}' if found.exact else 'none'} word for word).{result}"


def _of_own_epochs(records: StudyRecords, arms: Mapping[str, Arm], verdict: Verdict) -> str:
    """Says what winner against baseline is at the epochs that validation chose."""
    chosen = {}
    for arm in PRIMARY:
        runs = [run for run in records.runs if run.arm == arm]
        epochs = {run.own_epoch for run in runs} - {None}
        if len(epochs) == 1:
            (epoch,) = epochs
            is_last = all(run.own_epoch in (None, run.protocol_epochs) for run in runs)
            chosen[arm] = (
                f"{epoch}, the last, for the {arm}" if is_last else f"{epoch} for the {arm}"
            )
    if not chosen:
        return ""
    words = " and ".join(chosen.values())
    found = own_epoch_question(arms, level=verdict.level)
    if found is None:
        return f"Validation chose epoch {words}."
    if found.difference is None:
        return (
            f"Validation chose epoch {words}. What the difference is at these epochs cannot be "
            f"said: {_lacks(found)}."
        )
    same = "the same answer" if found.kind == verdict.kind else f"another answer, {found.kind}"
    return (
        f"At the epochs that validation chose ({words}), the difference is "
        f"{between(found.difference)}: {same}."
    )


def _lacks(found: Verdict) -> str:
    return "; ".join(each.words for each in found.lacking)


def _accuracy_in(arms: Mapping[str, Arm], reference: str) -> float:
    """Returns the accuracy of winner's reference on the seeds of both, without failed runs."""
    common = set(arms["winner"].seed_indices) & set(arms[reference].seed_indices)
    arm = without_runs(arms[reference], set(arms[reference].seed_indices) - common)
    assert arm is not None, "the two have been compared"
    return without_failed_runs(arm).accuracy
