"""The verdict on every kind of study: a sentence, never a crash or NaN."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from lstm_study.analysis.answer.arms import arms_from_records, make_arm
from lstm_study.analysis.answer.verdict import Verdict, judge, judge_all
from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.errors import ComparisonError
from lstm_study.simulation.generative import draw
from tests.support import fake_study

SEED = 7


def _arm(name, right, **options):
    labels = np.tile(np.array([0, 1], dtype=np.int8), right.shape[1] // 2)
    values = np.where(right, labels, 1 - labels) * 0.8 + 0.1
    return make_arm(name, probabilities=values, labels=labels, **options)


def _arms(effect=0.0, *, seeds=6, deviation=0.005):
    scenario = Scenario(
        name="test", effect=effect, documents=4_000, between=0.11,
        candidate_deviation=deviation, reference_deviation=deviation,
    )  # fmt: skip
    candidate, reference = next(draw(scenario, seeds=seeds, studies=1))
    return {"baseline": _arm("baseline", reference), "winner": _arm("winner", candidate)}


def _numbers(value):
    if isinstance(value, dict):
        return [number for item in value.values() for number in _numbers(item)]
    if isinstance(value, (tuple, list)):
        return [number for item in value for number in _numbers(item)]
    return [value] if isinstance(value, float) else []


def _is_whole(verdict: Verdict) -> None:
    assert np.isfinite(_numbers(asdict(verdict))).all()
    assert verdict.sentence[0].isupper()
    assert verdict.sentence.endswith(".")
    assert "nan" not in verdict.sentence
    assert "None" not in verdict.sentence


def test_a_clear_winner_is_better_and_seen_from_the_other_side_worse():
    arms = _arms(0.05)
    verdict = judge(arms)
    assert verdict.kind == "better"
    assert verdict.sentence.startswith("The winner is better than the baseline: the winner reads ")
    other = judge(arms, candidate="baseline", reference="winner")
    assert other.kind == "worse"
    _is_whole(verdict)
    _is_whole(other)


def test_an_arm_against_itself_under_other_seeds_shows_no_difference():
    verdict = judge(_arms(0.0))
    assert verdict.kind == "no difference shown"
    assert "No difference between the winner and the baseline was shown" in verdict.sentence
    assert "would have been found 80% of the time" in verdict.sentence
    _is_whole(verdict)


def test_the_sentence_says_the_numbers_it_was_made_from():
    verdict = judge(_arms(0.05))
    difference, (winner, baseline) = verdict.difference, verdict.arms
    assert f"{winner.accuracy:.2%} of the test reviews right (6 seeds)" in verdict.sentence
    assert f"the baseline {baseline.accuracy:.2%} (6 seeds)" in verdict.sentence
    assert f"is +{100 * difference.difference:.2f} percentage points" in verdict.sentence
    assert f"95% interval from +{100 * difference.low:.2f} to" in verdict.sentence
    assert [test.test for test in verdict.tests] == [
        "exact McNemar test on majority votes",
        "permutation test over seeds",
    ]


@pytest.mark.parametrize("name", sorted(fake_study.ALL_STUDIES))
def test_every_fake_study_gets_a_whole_verdict(name):
    study = fake_study.ALL_STUDIES[name]()
    _is_whole(judge(study))


def test_one_seed_can_not_be_judged_but_its_votes_are_still_compared():
    verdict = judge(fake_study.one_seed_study())
    assert verdict.kind == "cannot say"
    assert "one completed run of the winner and one of the baseline" in verdict.sentence
    assert "Two completed runs of each are needed" in verdict.sentence
    assert verdict.difference is None
    assert [test.test for test in verdict.tests] == ["exact McNemar test on majority votes"]
    assert verdict.disagreement is not None


def test_two_seeds_are_judged_with_a_warning_and_a_wide_interval():
    verdict = judge(_arms(0.0, seeds=2))
    assert verdict.difference.critical_value > 2.7
    assert (
        "two runs of the winner and two of the baseline: the seed-to-seed spread is a guess"
        in " ".join(verdict.notes)
    )
    _is_whole(verdict)


def test_a_failed_run_is_named_and_the_rest_are_judged():
    verdict = judge(fake_study.failed_study())
    assert verdict.difference is not None
    assert "Of the winner, 1 of 4 runs are left out: 1 failed." in verdict.notes


def test_a_missing_arm_is_named_with_the_reason():
    verdict = judge(fake_study.diverged_study())
    assert verdict.kind == "cannot say"
    assert "there is no completed run of the winner" in verdict.sentence
    assert [arm.name for arm in verdict.arms] == ["baseline"]


def test_an_arm_all_of_whose_runs_failed_says_so():
    study = fake_study.completed_study()
    runs = tuple(
        replace(run, status="failed") if run.arm == "winner" else run for run in study.runs
    )
    verdict = judge(replace(study, runs=runs))
    assert "(4 of 4 runs are left out: 4 failed)" in verdict.sentence


def test_arms_that_give_every_review_one_probability_show_no_difference_and_say_why():
    labels = np.tile(np.array([0, 1], dtype=np.int8), 50)
    arms = {
        name: make_arm(name, probabilities=np.full((3, 100), 0.5), labels=labels)
        for name in ("baseline", "winner")
    }
    verdict = judge(arms)
    assert verdict.kind == "no difference shown"
    assert "same probability: it has read nothing" in " ".join(verdict.notes)
    assert "what could be shown is not known" in verdict.sentence
    assert verdict.power is None
    _is_whole(verdict)


def test_an_arm_that_reads_is_better_than_one_that_collapsed():
    arms = _arms(0.0)
    labels = arms["winner"].labels
    arms["baseline"] = make_arm("baseline", probabilities=np.full((6, 4_000), 0.5), labels=labels)
    assert judge(arms).kind == "better"


def test_one_test_review_can_not_be_judged():
    labels = np.array([1], dtype=np.int8)
    arms = {
        name: make_arm(name, probabilities=np.array([[0.9], [0.4]]), labels=labels)
        for name in ("baseline", "winner")
    }
    verdict = judge(arms)
    assert verdict.kind == "cannot say"
    assert "there is one test review" in verdict.sentence


def test_a_deterministic_control_needs_one_run():
    arms = _arms(0.0)
    control = arms["baseline"].correct[:1]
    arms["control"] = _arm("control", control, deterministic=True)
    verdict = judge(arms, reference="control")
    assert verdict.kind != "cannot say"
    assert "the control 8" in verdict.sentence
    assert "(1 run)" in verdict.sentence


def test_a_second_look_is_judged_more_strictly_and_says_that_it_is_one():
    arms = _arms(0.0)
    first, second = judge(arms), judge(arms, seed=SEED, looks=2)
    assert second.difference.level == pytest.approx(0.975)
    assert second.difference.high > first.difference.high
    assert "(look 2 at the test reviews)" in second.sentence
    assert "97.5% interval" in second.sentence


def test_side_arms_are_corrected_together_and_the_primary_stands_alone():
    arms = _arms(0.02)
    for index, effect in enumerate((0.0, 0.03), start=2):
        arms[f"runner-up-{index}"] = replace(_arms(effect)["winner"], name=f"runner-up-{index}")
    table = {item.verdict.candidate: item for item in judge_all(arms)}
    assert list(table) == ["winner", "runner-up-2", "runner-up-3"]
    assert table["winner"].adjusted_p_value is None
    raw = [table[f"runner-up-{n}"].verdict.difference.p_value for n in (2, 3)]
    adjusted = [table[f"runner-up-{n}"].adjusted_p_value for n in (2, 3)]
    assert adjusted[1] == pytest.approx(2 * raw[1])
    assert adjusted[0] == pytest.approx(max(raw[0], 2 * raw[1]))
    assert table["winner"].test == "t test with a two-level bootstrap standard error"


def test_arms_of_two_studies_are_refused():
    arms = _arms(0.0)
    arms["winner"] = make_arm(
        "winner", probabilities=arms["winner"].probabilities, labels=1 - arms["winner"].labels
    )
    with pytest.raises(ComparisonError, match="same reviews"):
        judge(arms)


def test_records_and_their_arms_get_the_same_verdict():
    study = fake_study.completed_study()
    assert asdict(judge(study)) == asdict(judge(arms_from_records(study), seed=SEED))
