"""Seeds added later, and how often test was looked at: nothing of it is hidden."""

from dataclasses import replace

import numpy as np

from lstm_study.analysis.answer.verdict import judge, judged_without
from lstm_study.analysis.answer.wording import points
from lstm_study.comparison import looks as seeds
from lstm_study.comparison.verdicts import judge_study, judge_without_near_duplicates
from lstm_study.records import NearDuplicates, StudyRecords
from lstm_study.records.state import SeedsState, VerdictsState
from lstm_study.store import Store
from tests.support.fake_spec import fake_spec
from tests.support.fake_study import completed_study, interrupted_study

SPEC = fake_spec()


def verdict_of(study: StudyRecords, store: Store):
    looks = seeds.look(study, store)
    without = judge_without_near_duplicates(study, spec=SPEC, looks=looks)
    return judge_study(study, spec=SPEC, store=store, looks=looks, without=without)


def write_runs(study: StudyRecords, store: Store) -> None:
    for run in study.runs:
        store.write_run(run)


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


def test_a_verdict_on_more_seeds_is_another_look_with_a_wider_interval_and_says_so(tmp_path):
    store = Store(tmp_path)
    assert verdict_of(completed_study(seeds=4), store).difference.level == 0.95
    more = verdict_of(completed_study(seeds=6), store)
    assert more.looks == 2
    assert more.difference.level == 0.975
    assert "look 2 at the test reviews" in more.sentence
    assert any("looked at 2 times" in note and "6 of the winner" in note for note in more.notes)
    assert verdict_of(completed_study(seeds=6), store).looks == 2


def test_a_verdict_that_cannot_be_said_yet_is_no_look(tmp_path):
    store = Store(tmp_path)
    assert verdict_of(completed_study(seeds=1), store).kind == "cannot say"
    assert verdict_of(interrupted_study(), store).kind == "cannot say"
    assert store.read_state(VerdictsState) is None
    assert verdict_of(completed_study(seeds=2), store).looks == 1


def test_added_seeds_are_written_down_with_command_and_the_verdict_they_follow(tmp_path):
    store, study = Store(tmp_path), completed_study()
    write_runs(study, store)
    verdict = verdict_of(study, store)
    words = seeds.add_seeds(SPEC, store, 2, "lstm-study compare fake.toml --more-seeds 2")
    assert words.startswith("2 seeds are added to 4")
    (added,) = store.read_state(SeedsState).added
    assert (added.seeds, added.after) == (2, verdict.kind)
    assert "--more-seeds 2" in added.command
    assert seeds.added_seeds(store) == 2
    (note,) = seeds.in_words(SPEC, store)
    assert "2 to 4 per arm" in note
    assert verdict.kind in note


def test_seeds_that_are_not_all_run_are_gone_on_with_and_not_added_to(tmp_path):
    store = Store(tmp_path)
    write_runs(completed_study(seeds=4), store)
    seeds.add_seeds(SPEC, store, 2, "")
    assert "none are added" in seeds.add_seeds(SPEC, store, 2, "")
    assert seeds.added_seeds(store) == 2
    write_runs(completed_study(seeds=6), store)
    seeds.add_seeds(SPEC, store, 1, "")
    assert seeds.added_seeds(store) == 3


def test_the_verdict_is_also_given_without_the_near_duplicates(tmp_path):
    study = replace(completed_study(), near_duplicates=near(0, 5, 7))
    verdict = verdict_of(study, Store(tmp_path))
    without = judge_without_near_duplicates(study, spec=SPEC, level=0.95)
    (note,) = (note for note in verdict.notes if "near-dup" in note)
    assert note.startswith("3 test reviews are near-duplicates of training reviews (1 word for")
    assert f"Without them the difference is {points(without.difference.difference)} per" in note
    assert note.endswith("and the verdict is the same.")
    assert without.difference.components is not None
    assert verdict.difference == judge(study).difference


def test_a_verdict_that_the_near_duplicates_change_is_said_to_change(tmp_path):
    verdict = verdict_of(completed_study(), Store(tmp_path))
    other = replace(verdict, kind="cannot say")
    assert "the verdict is another, cannot say." in judged_without(verdict, other)
    assert judged_without(verdict, replace(other, difference=None)).endswith(other.sentence)


def test_no_near_duplicate_is_said_in_a_sentence(tmp_path):
    study = replace(completed_study(), near_duplicates=near())
    assert judge_without_near_duplicates(study, spec=SPEC, level=0.95) is None
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
    assert any("epoch 5 for the baseline, the protocol's last" in note for note in notes)
    assert any("epoch 2 for the winner: the arm winner-own-epoch" in note for note in notes)


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
    assert any("winner is the baseline itself" in note for note in verdict.notes)
    masked = [replace(run, masked=True) for run in same]
    told = verdict_of(
        replace(study, runs=(*runs, *masked), predictions=predictions), Store(tmp_path / "masked")
    )
    assert any("the two differ in masking alone" in note for note in told.notes)


def test_equal_probabilities_everywhere_are_a_sentence_and_never_a_crash(tmp_path):
    study = completed_study()
    half = {run.run_id: np.full(2_000, 0.5, dtype=np.float32) for run in study.runs}
    verdict = verdict_of(replace(study, predictions=half), Store(tmp_path))
    assert verdict.kind == "no difference shown"
    assert "nan" not in verdict.sentence.lower()
    assert any("it has read nothing" in note for note in verdict.notes)


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
        "have ended. This verdict counts as a look at the test reviews: on more seeds the next one "
        "has a wider interval."
    )
    whole = verdict_of(completed_study(seeds=4), Store(tmp_path / "whole")).notes
    assert not any("not finished" in note for note in whole)
    nothing = verdict_of(interrupted_study(), Store(tmp_path / "nothing")).notes
    assert not any("not finished" in note for note in nothing)


def test_what_is_left_of_the_difference_beside_the_masked_baseline_is_said(tmp_path):
    study = completed_study()
    twins = [
        replace(run, run_id=f"baseline-masked-s{run.seed_index}", arm="baseline-masked")
        for run in study.runs
        if run.arm == "baseline"
    ]
    predictions = dict(study.predictions) | {
        twin.run_id: study.predictions[f"baseline-s{twin.seed_index}"] for twin in twins
    }
    verdict = verdict_of(
        replace(study, runs=(*study.runs, *twins), predictions=predictions), Store(tmp_path)
    )
    (note,) = (note for note in verdict.notes if "baseline-masked" in note)
    assert "differs from the winner in hyperparameters alone" in note
    assert f"is {points(verdict.difference.difference)} percentage points" in note
