"""Seeds added later, and how often test was looked at: nothing of it is hidden."""

import re
from dataclasses import replace

import numpy as np
import pytest

from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.answer.rule import Lack
from lstm_study.analysis.answer.verdict import judge
from lstm_study.analysis.answer.wording import FIXED, between
from lstm_study.analysis.statistics.looks import levels
from lstm_study.comparison import looks
from lstm_study.comparison.looks import Standing
from lstm_study.comparison.verdicts import judge_study, judge_without_near_duplicates
from lstm_study.records import Failure, NearDuplicates, StudyRecords
from lstm_study.records.state import Look, SeedsState, VerdictsState
from lstm_study.store import Store
from tests.support.fake_reviews import fake_control
from tests.support.fake_spec import fake_spec
from tests.support.fake_study import (
    compared_study,
    completed_study,
    interrupted_study,
    on_backends,
    tied_study,
)
from tests.support.stored_study import leave

SPEC = fake_spec()


def verdict_of(study: StudyRecords, store: Store, spec=SPEC):
    at = looks.standing(study, spec, store)
    without = judge_without_near_duplicates(study, at=at)
    return judge_study(study, spec=spec, store=store, at=at, without=without)


def write_runs(study: StudyRecords, store: Store) -> None:
    for run in study.runs:
        store.write(run)


def near(*positions: int) -> NearDuplicates:
    return NearDuplicates(
        shingle_words=8, threshold=0.5, test_reviews=2_000, positions=positions, exact=1,
        other_label=0, seconds=1.0,
    )  # fmt: skip


def test_reading_a_verdict_again_is_the_same_look(tmp_path):
    store, study = Store(tmp_path), completed_study()
    assert verdict_of(study, store).looks == 1
    assert verdict_of(study, store).looks == 1
    assert len(store.read_state(VerdictsState).looks) == 1


def test_looks_on_fewer_seeds_than_one_before_are_put_in_order(tmp_path):
    """Runs of an earlier look may have been moved aside since."""
    store, spec = Store(tmp_path), fake_spec(compare__most_seeds="8")
    shares = (0.5, 0.25, 0.5)
    before = [Look(at="t", seeds={"winner": 1}, kind="better", fraction=each) for each in shares]
    store.write_state(VerdictsState(looks=tuple(before)))
    at = looks.standing(completed_study(seeds=8), spec, store)
    assert (at.looks, at.level) == (4, levels([0.25, 0.5, 1.0])[-1])


def test_a_verdict_on_more_seeds_is_another_look_at_its_level_and_says_so(tmp_path):
    store, spec = Store(tmp_path), fake_spec(compare__most_seeds="8")
    assert verdict_of(completed_study(seeds=4), store, spec).difference.level > 0.995
    more = verdict_of(completed_study(seeds=8), store, spec)
    assert more.looks == 2
    assert more.difference.level == pytest.approx(levels([0.5, 1.0])[1])
    assert "look 2 at the test reviews" in more.sentence
    assert any("looked at 2 times" in note and "8 of the winner" in note for note in more.notes)
    again = verdict_of(completed_study(seeds=8), store, spec)
    assert (again.looks, again.level) == (2, more.level)


def test_beyond_the_declared_maximum_the_verdict_stays_that_of_the_last_planned_look(tmp_path):
    store = Store(tmp_path)
    first = verdict_of(completed_study(seeds=4), store)
    assert first.level == 0.95
    for _ in range(2):
        more = verdict_of(completed_study(seeds=6), store)
        assert (more.looks, more.level, more.kind) == (2, 0.95, first.kind)
    assert len(store.read_state(VerdictsState).looks) == 2


def test_looks_from_before_there_was_a_maximum_are_read_from_their_seeds(tmp_path):
    store = Store(tmp_path)
    before = [
        Look(at="", seeds={"baseline": n, "winner": n}, kind=kind)
        for n, kind in ((4, "no difference shown"), (6, "better"))
    ]
    store.write_state(VerdictsState(looks=tuple(before)))
    for seeds in (6, 8):
        kept = looks.standing(completed_study(seeds=seeds), SPEC, store).kept
        assert kept == "no difference shown"
    many = fake_spec(compare__most_seeds="12")
    at = looks.standing(completed_study(seeds=6), many, store)
    assert (at.looks, at.kept, at.fraction) == (2, None, 0.5)
    assert at.level == pytest.approx(levels([1 / 3, 1 / 2])[1])


SETTLED = {"compare__most_seeds": "12", "compare__stop": '"when settled"'}


def test_a_comparison_that_stops_when_settled_adds_seeds_until_it_is(tmp_path):
    spec = fake_spec(**SETTLED)
    study = completed_study(seeds=4, **SETTLED)
    leave(study, tmp_path)
    store = Store(tmp_path / "study" / "runs" / study.name)
    verdict = judge(study, level=levels([1 / 3])[0])
    more = looks.seeds_to_add(spec, store)
    settled = looks.is_settled(verdict.kind, verdict.difference.p_value, fraction=1 / 3)
    assert more == (0 if settled else 4)
    assert len(store.read_state(VerdictsState).looks) == 1
    assert looks.seeds_to_add(fake_spec(compare__most_seeds="12"), store) == 0


def test_a_verdict_is_settled_once_shown_or_hopeless_or_at_the_maximum():
    assert looks.is_settled("better", 0.001, fraction=0.3)
    assert looks.is_settled("no difference shown", 0.04, fraction=1.0)
    assert looks.is_settled("no difference shown", 0.9, fraction=0.6)
    assert not looks.is_settled("no difference shown", 0.04, fraction=0.6)


def test_a_verdict_that_cannot_be_said_yet_is_no_look(tmp_path):
    store = Store(tmp_path)
    assert verdict_of(completed_study(seeds=1), store).kind == "cannot say"
    assert verdict_of(interrupted_study(), store).kind == "cannot say"
    assert store.read_state(VerdictsState) is None
    assert verdict_of(completed_study(seeds=3), store).kind == "cannot say"
    four = completed_study(seeds=4)
    constant = four.predictions | {"winner-s2": np.full(2_000, 0.5, dtype=np.float32)}
    assert verdict_of(replace(four, predictions=constant), store).kind == "cannot say"
    assert store.read_state(VerdictsState) is None
    assert verdict_of(completed_study(seeds=4), store).looks == 1


def test_added_seeds_are_written_down_with_command_and_the_verdict_they_follow(tmp_path):
    store, study = Store(tmp_path), completed_study()
    write_runs(study, store)
    verdict = verdict_of(study, store)
    assert looks.added_seeds_in_words(SPEC, store) == []
    words = looks.add_seeds(SPEC, store, 2, "lstm-study compare fake.toml --more-seeds 2")
    assert words.startswith("2 seeds are added to 4")
    (added,) = store.read_state(SeedsState).added
    assert (added.seeds, added.after) == (2, verdict.kind)
    assert "--more-seeds 2" in added.command
    assert looks.added_seeds(store) == 2
    assert "beyond the maximum of 4 (compare.most_seeds)" in words
    note, beyond = looks.added_seeds_in_words(SPEC, store)
    assert "2 seeds per arm were added to 4" in note
    assert verdict.kind in note
    assert "the verdict is that of the last planned look" in beyond


def test_seeds_that_are_not_all_run_are_gone_on_with_and_not_added_to(tmp_path):
    store = Store(tmp_path)
    write_runs(completed_study(seeds=4), store)
    looks.add_seeds(SPEC, store, 2, "")
    assert "none are added" in looks.add_seeds(SPEC, store, 2, "")
    assert looks.added_seeds(store) == 2
    write_runs(completed_study(seeds=6), store)
    looks.add_seeds(SPEC, store, 1, "")
    assert looks.added_seeds(store) == 3


def test_the_verdict_is_also_given_without_the_near_duplicates(tmp_path):
    study = replace(completed_study(), near_duplicates=near(0, 5, 7))
    verdict = verdict_of(study, Store(tmp_path))
    without = judge_without_near_duplicates(study, at=Standing())
    (note,) = (note for note in verdict.notes if "near-dup" in note)
    assert note.startswith("3 test reviews are near-duplicates of training reviews (1 word for")
    assert f"Without them the difference is {between(without.difference)}, " in note
    assert note.endswith("and the verdict is the same.")
    assert without.difference.components is not None
    assert verdict.difference == judge(study).difference


def test_a_verdict_that_the_near_duplicates_change_is_said_to_change(tmp_path):
    study, store = replace(completed_study(), near_duplicates=near(0, 1, 2)), Store(tmp_path)
    other = replace(judge_without_near_duplicates(study, at=Standing()), kind="cannot say")
    for without, end in (
        (other, "and the verdict is another, cannot say."),
        (
            replace(other, difference=None, lacking=(Lack("there is one test review"),)),
            "(1 word for word). Without them it cannot be said: there is one test review.",
        ),
    ):
        options = {"spec": fake_spec(), "store": store, "at": Standing(), "is_noted": False}
        notes = judge_study(study, without=without, **options).notes
        assert any(note.endswith(end) for note in notes)


def test_the_verdict_says_where_its_runs_were_trained_on_two_backends(tmp_path):
    one, two = on_backends("jax", "jax"), on_backends("jax", "jax", "tensorflow")
    begin = "The runs were not all trained on one backend"
    assert not any(note.startswith(begin) for note in verdict_of(one, Store(tmp_path)).notes)
    assert any(note.startswith(begin) for note in verdict_of(two, Store(tmp_path)).notes)


def test_no_near_duplicate_is_said_in_a_sentence(tmp_path):
    study = replace(completed_study(), near_duplicates=near())
    assert judge_without_near_duplicates(study, at=Standing()) is None
    notes = verdict_of(study, Store(tmp_path)).notes
    assert "No test review is a near-duplicate of a training review." in notes


def test_near_duplicates_everywhere_leave_nothing_to_judge(tmp_path):
    study = replace(completed_study(), near_duplicates=near(*range(2_000)))
    notes = verdict_of(study, Store(tmp_path)).notes
    assert "Every test review is a near-duplicate of a training review." in notes


def test_an_own_epoch_is_told_whether_it_is_the_protocols_or_another(tmp_path):
    study = completed_study()
    own = {"baseline": 5, "winner": 2}
    runs = tuple(replace(run, own_epoch=own[run.arm]) for run in study.runs)
    notes = verdict_of(replace(study, runs=runs), Store(tmp_path)).notes
    assert "Validation chose epoch 5, the last, for the baseline and 2 for the winner." in notes


@pytest.mark.parametrize(("reviews", "same"), [(0, True), (600, False)])
def test_the_answer_at_own_epochs_is_told_with_its_difference(tmp_path, reviews, same):
    study = completed_study()
    own = [
        replace(run, run_id=f"winner-own-epoch-s{run.seed_index}", arm="winner-own-epoch")
        for run in study.runs
        if run.arm == "winner"
    ]
    predictions = dict(study.predictions)
    for run in own:
        row = predictions[f"winner-s{run.seed_index}"].copy()
        row[:reviews] = study.test_labels[:reviews]
        predictions[run.run_id] = row
    runs = tuple(
        replace(run, own_epoch={"baseline": 5, "winner": 2}[run.arm]) for run in study.runs
    )
    verdict = verdict_of(
        replace(study, runs=(*runs, *own), predictions=predictions), Store(tmp_path)
    )
    (note,) = (each for each in verdict.notes if "validation chose" in each)
    assert "(5, the last, for the baseline and 2 for the winner), the difference is +" in note
    said = "the same answer." if same else "another answer, better."
    assert verdict.kind == "no difference shown"
    assert note.endswith(said)
    assert (between(verdict.difference) in note) == same


def test_a_winner_that_is_the_baseline_itself_is_told_and_shows_no_difference(tmp_path):
    study = completed_study()
    runs = [run for run in study.runs if run.arm == "baseline"]
    same = [replace(run, run_id=f"winner-s{run.seed_index}", arm="winner") for run in runs]
    predictions = {run.run_id: study.predictions[run.run_id] for run in runs}
    predictions |= {run.run_id: predictions[f"baseline-s{run.seed_index}"] for run in same}
    verdict = verdict_of(
        replace(study, runs=(*runs, *same), predictions=predictions), Store(tmp_path)
    )
    assert verdict.kind == "no difference shown"
    assert verdict.difference.difference == 0
    assert verdict.headline.startswith(
        "The search found nothing better than the baseline. No difference between"
    )
    assert "The winner is the baseline itself" in verdict.details
    masked = [replace(run, masked=True) for run in same]
    told = verdict_of(
        replace(study, runs=(*runs, *masked), predictions=predictions), Store(tmp_path / "masked")
    )
    assert "the two differ in masking alone" in told.sentence
    longer = [replace(run, protocol_epochs=run.protocol_epochs + 1) for run in masked]
    told = verdict_of(
        replace(study, runs=(*runs, *longer), predictions=predictions), Store(tmp_path / "longer")
    )
    assert "the two differ in masking and epochs alone" in told.sentence


def test_a_winner_with_the_baselines_values_differs_from_the_masked_one_in_epochs_alone(tmp_path):
    study = compared_study()
    values = next(run.configuration for run in study.runs if run.arm == "baseline-masked")
    for epochs, said in (
        (5, "seeds that both have. They are the same trainings."),
        (7, "seeds that both have. They differ in epochs alone."),
    ):
        runs = tuple(
            replace(run, configuration=values, protocol_epochs=epochs)
            if run.arm == "winner"
            else run
            for run in study.runs
        )
        assert said in verdict_of(replace(study, runs=runs), Store(tmp_path / str(epochs))).details


def test_a_verdict_that_cannot_be_said_is_not_said_again_in_every_sentence(tmp_path):
    study = compared_study()
    few = tuple(run for run in study.runs if run.seed_index == 1)
    few = tuple(replace(run, own_epoch={"baseline": 5, "winner": 2}.get(run.arm)) for run in few)
    verdict = verdict_of(replace(study, runs=few), Store(tmp_path))
    assert verdict.sentence.count("Too few seeds to say") == 1
    assert "baseline-masked" not in verdict.details
    (note,) = (note for note in verdict.notes if note.startswith("Validation chose"))
    assert note.endswith(
        "What the difference is at these epochs cannot be said: the arm winner-own-epoch has 1 "
        "run that did not fail; the baseline has 1 run that did not fail."
    )
    assert not any("Too few seeds" in note for note in verdict.notes)


def test_failed_runs_are_told_where_winner_and_masked_baseline_are_compared(tmp_path):
    study = completed_study(seeds=5)
    baseline = [run for run in study.runs if run.arm == "baseline"]
    names = {run.run_id: run.run_id.replace("baseline", "baseline-masked") for run in baseline}
    twins = [replace(run, arm="baseline-masked", run_id=names[run.run_id]) for run in baseline]
    predictions = {names[run.run_id]: study.predictions[run.run_id] for run in baseline}
    predictions["winner-s1"] = np.full_like(study.predictions["winner-s1"], 0.5)
    study = replace(
        study, runs=(*study.runs, *twins), predictions={**study.predictions, **predictions}
    )
    details = verdict_of(study, Store(tmp_path)).details
    assert "on the 5 seeds that both have, without 1 run that failed. They differ" in details


def test_a_masked_baseline_with_too_few_runs_is_told_beside_a_verdict(tmp_path):
    study = compared_study()
    runs = tuple(run for run in study.runs if run.arm != "baseline-masked" or run.seed_index == 1)
    details = verdict_of(replace(study, runs=runs), Store(tmp_path)).details
    assert (
        "How the winner compares with the baseline with padding masked, as for the winner (arm "
        "baseline-masked) cannot be said: the winner has 1 run that did not fail; the arm "
        "baseline-masked has 1 run that did not fail."
    ) in details


def test_equal_probabilities_everywhere_are_a_sentence_and_never_a_crash(tmp_path):
    study = completed_study()
    half = {run.run_id: np.full(2_000, 0.5, dtype=np.float32) for run in study.runs}
    verdict = verdict_of(replace(study, predictions=half), Store(tmp_path))
    assert verdict.kind == "cannot say"
    assert "nan" not in verdict.sentence.lower()
    assert "gives 100.0% of the test reviews the same label" in verdict.sentence
    assert verdict.failures.candidate.failed == 4


def test_an_arm_that_failed_is_a_sentence_and_never_a_crash(tmp_path):
    study = completed_study()
    runs = tuple(
        replace(run, status="failed") if run.arm == "winner" else run for run in study.runs
    )
    verdict = verdict_of(replace(study, runs=runs), Store(tmp_path))
    assert verdict.kind == "cannot say"
    assert "no completed run of the winner (4 of 4 runs are left out: 4 failed)" in verdict.sentence


def test_a_comparison_that_was_stopped_answers_with_what_it_has_and_says_so(tmp_path):
    study = completed_study(seeds=3)
    runs = tuple(run for run in study.runs if run.run_id != "winner-s3")
    notes = verdict_of(replace(study, runs=runs), Store(tmp_path)).notes
    assert notes[0] == (
        "The comparison is not finished: 3 of 4 runs of the baseline and 2 of 4 runs of the winner "
        "have ended."
    )
    more = completed_study(seeds=5)
    counted = verdict_of(more, Store(tmp_path / "more"), fake_spec(compare__seeds="6")).notes
    assert counted[0].endswith(
        "This verdict counts as a look at the test reviews, and all looks together have an "
        "error rate of 5%."
    )
    whole = verdict_of(completed_study(seeds=4), Store(tmp_path / "whole")).notes
    assert not any("not finished" in note for note in whole)
    nothing = verdict_of(interrupted_study(), Store(tmp_path / "nothing")).notes
    assert not any("not finished" in note for note in nothing)


@pytest.mark.parametrize(
    ("arm", "what"),
    [
        ("baseline-masked", "hyperparameters"),
        ("baseline-recipe", "hyperparameters of text and network"),
    ],
)
def test_what_is_left_of_the_difference_beside_a_baseline_trained_alike_is_said(
    tmp_path, arm, what
):
    study = completed_study()
    twins = [
        replace(run, run_id=f"{arm}-s{run.seed_index}", arm=arm)
        for run in study.runs
        if run.arm == "baseline"
    ]
    predictions = dict(study.predictions) | {
        twin.run_id: study.predictions[f"baseline-s{twin.seed_index}"] for twin in twins
    }
    verdict = verdict_of(
        replace(study, runs=(*study.runs, *twins), predictions=predictions), Store(tmp_path)
    )
    _, _, against = verdict.details.partition(f"(arm {arm}) classifies ")
    assert against.startswith(f"{verdict.arms[1].accuracy:.2%} correctly; no difference to the")
    assert f"They differ in {what} alone." in against
    assert f"the winner minus it is {between(verdict.difference)}" in against


@pytest.mark.parametrize(
    ("lost", "parts"), [((), True), (("baseline-s5",), False), (("baseline-recipe-s5",), False)]
)
def test_what_was_found_is_split_into_training_and_network_only_on_the_same_seeds(
    tmp_path, lost, parts
):
    records = shown_study(recipe=True, lost=lost)
    verdict = verdict_of(records, Store(tmp_path))
    assert verdict.kind == "better"
    split = re.search(
        r"So of the (.*) points (.*) come with the training and (.*) with", verdict.details
    )
    assert bool(split) == parts
    if split:
        accuracy = {arm: 100 * value.accuracy for arm, value in arms_from_records(records).items()}
        ends = [accuracy[arm] for arm in ("baseline", "baseline-recipe", "winner")]
        steps = (ends[2] - ends[0], ends[1] - ends[0], ends[2] - ends[1])
        assert split.groups() == tuple(f"{step:.2f}" for step in steps)
        assert min(steps) > 0


@pytest.mark.parametrize(("trained", "is_split"), [(0.705, False), (0.8, True), (0.895, False)])
def test_what_was_found_is_split_only_into_parts_that_are_each_shown(tmp_path, trained, is_split):
    verdict = verdict_of(shown_study(recipe=True, trained=trained), Store(tmp_path))
    assert verdict.kind == "better"
    assert ("come with the training" in verdict.details) == is_split


def test_a_control_that_beats_both_stands_in_the_headline_and_one_that_does_not_does_not(tmp_path):
    beats = "; a logistic regression beats both."
    for number, (right, said) in enumerate([(0.99, True), (0.9, False), (0.6, False)]):
        study = shown_study(control=right)
        verdict = verdict_of(study, Store(tmp_path / str(number)))
        headline = verdict.headline
        told = "A logistic regression (the classical control) classifies "
        assert told in verdict.details
        assert FIXED not in verdict.details
        assert headline.startswith("The winner beats the baseline by ")
        assert headline.endswith(beats) == said, right
        assert ("logistic" in headline) == said


def test_with_too_few_seeds_the_control_beats_these_runs_alone(tmp_path):
    study = shown_study(control=0.99, seeds=2)
    verdict = verdict_of(study, Store(tmp_path))
    headline = verdict.headline
    assert headline.startswith("Too few seeds to say whether the winner beats the baseline: ")
    assert headline.endswith("; a logistic regression beats these runs of both.")
    assert FIXED in verdict.details


def test_validation_and_test_scores_of_the_winner_are_told_as_two_scores(tmp_path):
    study = compared_study()
    (note,) = (
        each
        for each in verdict_of(study, Store(tmp_path)).notes
        if each.startswith("The winner scores ")
    )
    on_test = np.mean([run.test_accuracy for run in study.runs if run.arm == "winner"])
    assert re.match(rf"The winner scores \d\d\.\d\d% on validation and {on_test:.2%} on test", note)


def shown_study(*, seeds=5, recipe=False, trained=0.8, control=None, lost=()):
    """A study whose baseline, baseline-recipe and winner classify 70, 80 and 90% correctly."""
    study = completed_study(seeds=seeds)
    labels = study.test_labels
    shares = {"baseline": 0.7, "winner": 0.9}
    runs = list(study.runs)
    if recipe:
        shares["baseline-recipe"] = trained
        runs += [
            replace(run, run_id=f"baseline-recipe-s{run.seed_index}", arm="baseline-recipe")
            for run in study.runs
            if run.arm == "baseline"
        ]
    random = np.random.default_rng(5)

    def row(share):
        right = random.random(len(labels)) < share
        return np.where(right == (labels == 1), 0.9, 0.1).astype(np.float32)

    predictions = {run.run_id: row(shares[run.arm]) for run in runs}
    runs = [
        replace(run, status="failed", failure=Failure(kind="lost_worker", message="it"))
        if run.run_id in lost
        else run
        for run in runs
    ]
    found = None
    if control is not None:
        predictions["control"] = row(control)
        found, _ = fake_control(labels)
    return replace(study, runs=tuple(runs), predictions=predictions, control=found)


def test_a_winner_that_only_the_rule_for_ties_chose_is_said_to_be_one(tmp_path):
    notes = verdict_of(tied_study(), Store(tmp_path)).notes
    (note,) = [each for each in notes if "Ties" in each]
    assert "have the winner's score (87.50%): the search does not tell them apart." in note
    assert not [
        each for each in verdict_of(completed_study(), Store(tmp_path)).notes if "Ties" in each
    ]
