"""The verdict on every kind of study: a sentence, never a crash or NaN."""

import re
from dataclasses import asdict, replace

import numpy as np
import pytest

from lstm_study.analysis.answer import wording
from lstm_study.analysis.answer.arms import arms_from_records, make_arm
from lstm_study.analysis.answer.rule import Unlearned, learned_nothing
from lstm_study.analysis.answer.verdict import Verdict, judge, secondary_differences
from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.errors import ComparisonError
from lstm_study.records import Failure
from lstm_study.simulation.generative import simulate_runs
from tests.support import fake_study


def _arm(name, right, **options):
    labels = np.tile(np.array([0, 1], dtype=np.int8), right.shape[1] // 2)
    values = np.where(right, labels, 1 - labels) * 0.8 + 0.1
    return make_arm(name, probabilities=values, labels=labels, **options)


def _arms(effect=0.0, *, seeds=6, deviation=0.005):
    scenario = Scenario(
        name="test", effect=effect, documents=4_000, between=0.11,
        candidate_deviation=deviation, reference_deviation=deviation,
    )  # fmt: skip
    candidate, reference = next(simulate_runs(scenario, seeds=seeds, studies=1, seed=11))
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
    found = verdict.difference
    size, low, high = (100 * each for each in (found.difference, found.low, found.high))
    assert verdict.headline == (
        f"The winner beats the baseline by {size:.2f} points (95% interval {low:.2f} to "
        f"{high:.2f})."
    )
    other = judge(arms, candidate="baseline", reference="winner")
    assert other.kind == "worse"
    assert other.headline == (
        f"The baseline is {size:.2f} points worse than the winner (95% interval {low:.2f} to "
        f"{high:.2f})."
    )
    for each in (verdict, other):
        assert "detects a true difference" not in each.sentence, "something was shown"
    _is_whole(verdict)
    _is_whole(other)


def test_an_arm_against_itself_under_other_seeds_shows_no_difference():
    verdict = judge(_arms(0.0))
    assert verdict.kind == "no difference shown"
    assert verdict.headline.startswith(
        "No difference between the winner and the baseline was shown: "
    )
    assert re.search(
        r"detects a true difference of \d\.\d\d points in 80% of cases; smaller ones are missed "
        r"more often\. One of \d\.\d\d points is not detected with 1,000 seeds per arm either\.$",
        verdict.details,
    )
    _is_whole(verdict)


def test_the_sentence_says_the_numbers_it_was_made_from():
    arms = _arms(0.05)
    verdict = judge(arms)
    difference, (winner, baseline) = verdict.difference, verdict.arms
    assert f"{winner.accuracy:.2%} of the test reviews correctly (6 seeds)" in verdict.sentence
    assert f"the baseline {baseline.accuracy:.2%} (6 seeds)" in verdict.sentence
    assert f"by {100 * difference.difference:.2f} points" in verdict.sentence
    assert f"95% interval {100 * difference.low:.2f} to" in verdict.sentence
    secondary = secondary_differences(arms, verdict)
    assert [each.outcome for each in secondary] == ["brier_score", "log_loss"]
    assert all(each.high < 0 for each in secondary)


@pytest.mark.parametrize("name", sorted(fake_study.ALL_STUDIES))
def test_every_fake_study_gets_a_whole_verdict(name):
    study = fake_study.ALL_STUDIES[name]()
    _is_whole(judge(study))


def test_one_seed_can_not_be_judged_and_the_number_that_would_do_is_said():
    verdict = judge(fake_study.one_seed_study())
    assert verdict.kind == "cannot say"
    assert verdict.sentence.startswith("Too few seeds to say whether the winner beats the baseline")
    assert "the winner has 1 run that did not fail; the baseline has 1 run" in verdict.sentence
    assert "A verdict takes four runs of each that did not fail" in verdict.sentence
    assert verdict.difference is None
    assert verdict.disagreement is not None


def test_three_seeds_are_too_few_and_four_are_not():
    three, four = judge(_arms(0.0, seeds=3)), judge(_arms(0.0, seeds=4))
    assert three.kind == "cannot say"
    assert three.details == "A verdict takes four runs of each that did not fail."
    assert four.difference is not None
    assert four.difference.degrees_of_freedom < 2 * 4
    _is_whole(three)


def test_how_many_seeds_find_a_point_is_said_where_the_training_reviews_are_known():
    said = wording.details(
        "cannot say",
        names=("winner", "baseline"),
        arms=_arms(0.0, seeds=3),
        difference=None,
        power=None,
        failures=None,
        learned={},
        looks=1,
        training_reviews=25_000,
    )
    assert re.search(r"did not fail, and about \d+ to find a difference of one point\.$", said)


def _with_collapse(arms, name, row=2):
    right = arms[name].correct.copy()
    right[row] = np.arange(right.shape[1]) < 0.65 * right.shape[1]
    return arms | {name: _arm(name, right)}


def test_a_collapsed_run_is_counted_named_and_left_out_of_the_difference():
    arms = _arms(0.0, seeds=10)
    verdict = judge(_with_collapse(arms, "baseline"))
    assert verdict.kind == judge(arms).kind == "no difference shown"
    assert (verdict.failures.reference.failed, verdict.failures.reference.runs) == (1, 10)
    (run,) = verdict.failures.runs
    assert (run.arm, run.seed_index, run.accuracy) == ("baseline", 3, 0.65)
    assert "0 of 10 runs of the winner (0.0% to 30.8%)" in verdict.sentence
    assert "1 of 10 runs of the baseline (0.3% to 44.5%) failed" in verdict.sentence
    assert verdict.difference.components.pairs == 9
    assert any("baseline-s3 (2" in note for note in verdict.notes)
    _is_whole(verdict)


def test_an_arm_most_of_whose_runs_fail_is_said_to_fail_more_often():
    arms = _arms(0.0, seeds=10)
    for row in range(6):
        arms = _with_collapse(arms, "winner", row)
    verdict = judge(arms)
    assert verdict.failures.kind == "more often"
    assert "The winner fails more often" in verdict.sentence


def test_a_diverged_run_is_a_failure_of_training_and_a_lost_worker_is_not():
    study = fake_study.completed_study(seeds=6)
    kinds = {"winner-s2": "diverged", "winner-s5": "lost_worker"}
    runs = tuple(
        replace(run, status="failed", failure=Failure(kind=kinds[run.run_id], message="it"))
        if run.run_id in kinds
        else run
        for run in study.runs
    )
    verdict = judge(replace(study, runs=runs))
    assert (verdict.failures.candidate.failed, verdict.failures.candidate.runs) == (1, 5)
    assert [(run.seed_index, run.reason) for run in verdict.failures.runs] == [(2, "diverged")]
    assert "Of the winner, 2 of 6 runs are left out: 2 failed." in verdict.notes
    assert verdict.arms[0].seeds == 4


def test_beyond_the_declared_maximum_the_answer_is_kept_and_only_the_interval_is_new():
    verdict = judge(_arms(0.05), looks=2, kept="no difference shown")
    assert verdict.kind == "no difference shown"
    assert verdict.difference.low > 0


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


def test_arms_that_give_every_review_one_probability_are_said_to_have_learned_nothing():
    labels = np.tile(np.array([0, 1], dtype=np.int8), 50)
    arms = {
        name: make_arm(name, probabilities=np.full((3, 100), 0.5), labels=labels)
        for name in ("baseline", "winner")
    }
    verdict = judge(arms)
    assert verdict.kind == "cannot say"
    assert "The winner gives 100.0% of the test reviews the same label" in verdict.sentence
    assert verdict.failures.candidate.failed == 3
    assert set(verdict.learned_nothing) == {"winner", "baseline"}
    _is_whole(verdict)


def test_an_arm_with_constant_outputs_fails_more_often_and_is_not_averaged():
    arms = _arms(0.0)
    labels = arms["winner"].labels
    arms["baseline"] = make_arm("baseline", probabilities=np.full((6, 4_000), 0.5), labels=labels)
    verdict = judge(arms)
    assert (verdict.kind, verdict.failures.kind) == ("cannot say", "less often")
    assert set(verdict.learned_nothing) == {"baseline"}
    assert "The winner fails less often" in verdict.sentence


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
    first, second = judge(arms), judge(arms, looks=2, level=0.975)
    assert second.difference.level == pytest.approx(0.975)
    assert second.difference.high > first.difference.high
    assert "This is look 2 at the test reviews." in second.sentence
    assert "97.5% interval" in second.sentence


def test_arms_of_two_studies_are_refused():
    arms = _arms(0.0)
    arms["winner"] = make_arm(
        "winner", probabilities=arms["winner"].probabilities, labels=1 - arms["winner"].labels
    )
    with pytest.raises(ComparisonError, match="same reviews"):
        judge(arms)


def test_records_and_their_arms_get_the_same_verdict():
    study = fake_study.completed_study()
    assert asdict(judge(study)) == asdict(judge(arms_from_records(study)))


def _of_shares(shares, *, positives=500, documents=1_000):
    """Runs that classify a share of both labels' reviews correctly, evenly spread."""
    labels = (np.arange(documents) < positives).astype(np.int8)
    rows = []
    for share in shares:
        correct = np.random.default_rng(int(1e4 * share)).random(documents) < share
        rows.append(np.where(correct == (labels == 1), 0.9, 0.1))
    return make_arm("winner", probabilities=np.array(rows), labels=labels)


def test_an_arm_that_learned_is_not_mentioned():
    assert learned_nothing(_of_shares([0.86, 0.85, 0.87, 0.86]), first_word=0.6) is None


def test_an_output_that_is_nearly_one_label_is_said_so():
    labels = np.tile(np.array([0, 1], dtype=np.int8), 500)
    values = np.where(np.arange(1_000) < 5, 0.4, 0.6)
    arm = make_arm("winner", probabilities=np.tile(values, (4, 1)), labels=labels)
    said = "gives 99.5% of the test reviews the same label: it has learned nothing"
    assert learned_nothing(arm) == Unlearned(said, "has learned nothing")


def test_an_arm_that_finds_a_rare_label_by_its_order_alone_has_learned_something():
    labels = (np.arange(1_000) < 30).astype(np.int8)
    values = np.where(labels == 1, 0.3, 0.1) + np.linspace(0, 0.15, 1_000)
    arm = make_arm("winner", probabilities=np.tile(values, (4, 1)), labels=labels)
    found = learned_nothing(arm)
    assert found is not None
    assert found.words == (
        "gives 100.0% of the test reviews the same label, but tells the labels apart better than "
        "chance (ROC AUC 1.0000)"
    )
    judged = judge({"winner": arm, "baseline": replace(arm, name="baseline")})
    assert "learned" not in judged.sentence
    assert judged.headline.startswith(
        "The winner is not shown to be more accurate than the more frequent label alone. "
    )


def test_a_rare_label_that_is_found_is_learned():
    arm = _of_shares([0.9995, 0.9996, 0.9997, 0.9998], positives=20, documents=4_000)
    assert learned_nothing(arm) is None


def test_one_report_does_not_say_that_a_model_beats_a_constant_one_and_not_its_label():
    """146 of 177 right where one label has 136: 5.65 points above an arm of that label alone."""
    labels = (np.arange(177) < 136).astype(np.int8)
    right = np.r_[np.arange(136) < 132, np.arange(41) < 14]
    values = np.where(right == (labels == 1), 0.9, 0.1)
    control = make_arm("control", probabilities=values[None], labels=labels, deterministic=True)
    values = np.linspace(0.6, 0.7, 4 * 177).reshape(4, 177)
    constant = make_arm("winner", probabilities=values, labels=labels)
    found = judge({"control": control, "winner": constant}, candidate="control", reference="winner")
    assert found.kind == "better"
    assert set(found.learned_nothing) == {"winner"}


def test_what_is_not_shown_is_not_called_nothing():
    arms = {name: _of_shares([0.79, 0.81, 0.8, 0.8], positives=800) for name in ("winner",)}
    arms["baseline"] = replace(arms["winner"], name="baseline")
    sentence = judge(arms).sentence
    assert "is not shown to be better than giving every review the more frequent" in sentence
    assert "learned" not in sentence


def test_a_kept_answer_that_the_interval_contradicts_is_said_to_be_the_planned_looks():
    verdict = judge(_arms(0.05), looks=2, kept="no difference shown")
    assert verdict.difference.low > 0
    assert verdict.headline.startswith(
        "No difference between the winner and the baseline was shown at the last planned look; "
        "over all seeds the difference is +"
    )
    assert "This is look 2 at the test reviews." in verdict.sentence
    assert "seeds per arm" not in verdict.sentence


def test_a_kept_better_that_the_interval_no_longer_shows_is_said_so():
    verdict = judge(_arms(0.0), looks=2, kept="better")
    assert verdict.difference.low < 0
    assert verdict.headline.startswith(
        "The winner is better than the baseline at the last planned look; over all seeds"
    )
    assert "−" in verdict.headline
    assert "beats" not in verdict.headline


def test_an_arm_no_better_than_the_more_frequent_label_is_said_so():
    found = learned_nothing(_of_shares([0.79, 0.81, 0.8, 0.8], positives=800))
    assert found is not None
    assert found.words.startswith(
        "is not shown to be better than giving every review the more freq"
    )
    assert "(80.00%), but tells the labels apart better than chance (ROC AUC 0.8" in found.words


def test_an_arm_no_better_than_the_first_word_is_said_so():
    arm = _of_shares([0.7, 0.71, 0.69, 0.7])
    assert learned_nothing(arm) is None
    found = learned_nothing(arm, first_word=0.7)
    said = "is not shown to be better than predicting from a review's first word (70.00%)"
    assert found == Unlearned(said)


def test_a_study_in_which_nothing_has_been_compared_says_so_in_one_clause():
    assert judge(fake_study.empty_study()).headline == (
        "It cannot be said whether the winner beats the baseline: neither has a completed run."
    )


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((0.03518, 0.02104, 0.01414), "3.52 points 2.10 come with the training and 1.41 with"),
        ((0.0662, 0.0295, 0.0367), "6.62 points 2.95 come with the training and 3.67 with"),
    ],
)
def test_parts_that_do_not_add_up_as_shown_are_said_to_be_rounded(parts, said):
    end = ", each rounded" if "3.52" in said else ""
    assert wording.two_parts(*parts) == f"of the {said} text and network{end}"


def test_a_run_that_few_reviews_may_put_so_far_below_has_not_failed_and_counts():
    labels = np.ones(400, dtype=np.int8)

    def arm(name, lost):
        rows = np.full((5, 400), 0.9)
        rows[:, :80] = 0.1
        # The last run misses others than those that all the others miss.
        rows[4, :30], rows[4, 80 : 80 + lost] = 0.9, 0.1
        return make_arm(name, probabilities=rows, labels=labels)

    verdict = judge({"winner": arm("winner", 52), "baseline": arm("baseline", 180)})
    assert verdict.failures is not None
    assert [(run.arm, run.seed_index) for run in verdict.failures.runs] == [("baseline", 5)]
    assert verdict.difference is not None
    # The winner's five runs, and the four of the baseline that did not fail: 5.5 points of a fifth.
    assert verdict.difference.difference == pytest.approx(-(52 - 30) / 400 / 5)
