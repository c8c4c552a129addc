"""The questions beside the primary one: like with like."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_study.analysis.answer.arms import make_arm
from lstm_study.analysis.answer.questions import (
    Comparison,
    control_question,
    ensemble_question,
    median_difference,
    side_questions,
)
from lstm_study.analysis.answer.verdict import judge
from lstm_study.analysis.statistics.failures import without_runs
from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.simulation.generative import simulate_runs

DOCUMENTS = 2_000
LABELS = np.tile(np.array([0, 1], dtype=np.int8), DOCUMENTS // 2)


def _arm(name, correct, **options):
    values = np.where(correct, LABELS, 1 - LABELS) * 0.8 + 0.1
    return make_arm(name, probabilities=values, labels=LABELS, **options)


@pytest.fixture
def arms():
    scenario = Scenario(name="test", documents=DOCUMENTS, effect=0.02, between=0.11)
    winner, baseline = next(simulate_runs(scenario, seeds=6, studies=1, seed=3))
    return {"baseline": _arm("baseline", baseline), "winner": _arm("winner", winner)}


def _asked(arms):
    return [
        (each.verdict.candidate, each.verdict.reference, each.adjusted_p_value is not None)
        for each in side_questions(arms)
    ]


def test_each_arm_is_compared_with_its_like_and_further_arms_as_one_family(arms):
    for name in ("winner-own-epoch", "winner-last-three", "baseline-last-three", "runner-up-1"):
        arms[name] = _arm(name, arms["winner"].correct[:, ::-1])
    arms["baseline-masked"] = _arm("baseline-masked", arms["baseline"].correct[:4])
    arms["control"] = _arm("control", arms["winner"].correct[:1], deterministic=True)
    assert _asked(arms) == [
        ("winner", "baseline-masked", False),
        ("winner-own-epoch", "baseline", False),
        ("winner-last-three", "baseline-last-three", False),
        ("control", "winner", False),
        ("winner-last-three", "winner", False),
        ("runner-up-1", "winner", False),
        ("runner-up-1", "baseline", True),
        ("baseline-masked", "baseline", True),
        ("control", "baseline", True),
    ]


def test_every_answer_at_a_look_has_the_looks_level(arms):
    like = ("baseline-masked", "baseline-recipe", "winner-own-epoch", "winner-last-three",
            "baseline-last-three", "runner-up-1")  # fmt: skip
    arms |= {name: _arm(name, arms["winner"].correct[:, ::-1]) for name in like}
    arms["control"] = _arm("control", arms["winner"].correct[:1], deterministic=True)
    arms["ensemble"] = _arm("ensemble", arms["winner"].correct[:1])
    found = side_questions(arms, level=0.99)
    asked = {(each.verdict.candidate, each.verdict.reference) for each in found}
    assert {
        ("winner", "baseline-recipe"),
        ("control", "ensemble"),
        ("ensemble", "baseline"),
    } < asked
    assert {(each.verdict.level, each.verdict.difference.level) for each in found} == {(0.99, 0.99)}


def test_the_masked_baseline_is_compared_on_the_seeds_that_both_have(arms):
    arms["baseline-masked"] = _arm("baseline-masked", arms["baseline"].correct[:4])
    found = side_questions(arms)[0].verdict
    assert [arm.seeds for arm in found.arms] == [4, 4]
    assert found.difference.components.pairs == 4


def test_the_classical_control_is_compared_over_reviews_however_few_seeds_there_are(arms):
    two = {name: _arm(name, arm.correct[:2]) for name, arm in arms.items()}
    better = arms["winner"].correct[:1] | (np.arange(DOCUMENTS) % 3 == 0)
    two["control"] = _arm("control", better, deterministic=True)
    found = next(each.verdict for each in side_questions(two) if each.verdict.reference == "winner")
    assert found.kind == "better"
    assert found.difference.components.candidate.variance == 0
    assert "over other test reviews but not over other seeds" in found.sentence


def test_the_interval_of_the_control_counts_the_winners_seeds_once_it_has_four(arms):
    arms["control"] = _arm("control", arms["winner"].correct[:1], deterministic=True)
    fixed = {name: without_runs(arm, (4, 5, 6)) or arm for name, arm in arms.items()}
    found, few = (control_question(each).difference for each in (arms, fixed))
    assert found.components.candidate.variance == 0
    assert found.components.reference.variance > 0
    assert few.components.reference.variance == 0


def test_the_control_is_compared_with_the_ensemble_over_reviews_alone(arms):
    arms["control"] = _arm("control", arms["winner"].correct[:1], deterministic=True)
    arms["ensemble"] = _arm("ensemble", arms["winner"].correct[1:2])
    verdict = ensemble_question(arms)
    assert (verdict.candidate, verdict.reference) == ("control", "ensemble")
    both = arms["control"].correct[0], arms["ensemble"].correct[0]
    assert verdict.difference.difference == pytest.approx(both[0].mean() - both[1].mean())
    spread = np.std(both[0].astype(float) - both[1], ddof=1) / np.sqrt(DOCUMENTS)
    half = (verdict.difference.high - verdict.difference.low) / 2
    assert half == pytest.approx(1.96 * spread, rel=0.01)


def test_medians_are_over_all_runs_failed_or_not(arms):
    collapsed = arms["winner"].correct.copy()
    collapsed[0] = np.arange(DOCUMENTS) < 0.6 * DOCUMENTS
    arms["winner-own-epoch"] = _arm("winner-own-epoch", collapsed)
    verdict = side_questions(arms)[0].verdict
    assert verdict.failures.candidate.failed == 1
    medians = [np.median(arms[name].accuracies) for name in ("winner-own-epoch", "baseline")]
    assert median_difference(arms, verdict) == pytest.approx(medians[0] - medians[1])


def test_further_arms_are_corrected_together(arms):
    for number in (1, 2):
        arms[f"runner-up-{number}"] = _arm(f"runner-up-{number}", arms["winner"].correct[:, ::-1])
    arms["runner-up-1"] = replace(arms["winner"], name="runner-up-1")
    asked = side_questions(arms)
    table = {e.verdict.candidate: e for e in asked if e.verdict.reference == "baseline"}
    assert list(table) == ["runner-up-1", "runner-up-2"]
    raw, adjusted = zip(
        *((each.verdict.difference.p_value, each.adjusted_p_value) for each in table.values()),
        strict=True,
    )
    assert raw[0] < raw[1]
    assert adjusted == pytest.approx((2 * raw[0], max(2 * raw[0], raw[1])))


def test_a_further_arm_is_better_only_if_its_corrected_p_value_says_so(arms):
    verdict = judge({"baseline": arms["baseline"], "winner": arms["winner"]})
    assert verdict.kind == "better"
    kinds = [Comparison(verdict=verdict, adjusted_p_value=p).kind for p in (None, 0.04, 0.06)]
    assert kinds == ["better", "better", "no difference shown"]
    early = replace(verdict, level=0.98)
    assert Comparison(verdict=early, adjusted_p_value=0.04).kind == "no difference shown"


def test_an_answer_that_the_correction_turns_says_so(arms):
    verdict = judge({"baseline": arms["baseline"], "winner": arms["winner"]})
    answers = [Comparison(verdict=verdict, adjusted_p_value=p).answer for p in (None, 0.04, 0.06)]
    assert answers == ["better", "better", "no difference shown after correction"]


def test_what_helps_to_choose_a_model_is_described_and_moves_no_corrected_p_value(arms):
    arms["runner-up-1"] = _arm("runner-up-1", arms["winner"].correct[:, ::-1])
    before = [each.adjusted_p_value for each in side_questions(arms)]
    mean = arms["winner"].probabilities.mean(axis=0)
    arms["ensemble"] = make_arm("ensemble", probabilities=mean[np.newaxis], labels=LABELS)
    arms["winner-last-three"] = _arm("winner-last-three", arms["winner"].correct[:, ::-1])
    arms["baseline-last-three"] = _arm("baseline-last-three", arms["baseline"].correct)
    found = side_questions(arms)
    adjusted = [e.adjusted_p_value for e in found if e.adjusted_p_value is not None]
    assert adjusted == [each for each in before if each is not None]
    described = {(e.verdict.candidate, e.verdict.reference): e for e in found if not e.is_tested}
    assert set(described) == {
        ("runner-up-1", "winner"), ("winner-last-three", "winner"), ("ensemble", "baseline"),
    }  # fmt: skip
    assert all(each.answer.startswith("described, not tested") for each in described.values())
    assert "for this ensemble" in described["ensemble", "baseline"].answer


def test_the_ensemble_is_compared_with_the_baseline_as_one_model_over_the_baselines_seeds(arms):
    arms["ensemble"] = _arm("ensemble", arms["winner"].correct[:1])
    (found,) = [e.verdict for e in side_questions(arms) if e.verdict.candidate == "ensemble"]
    difference = found.difference
    assert difference.difference == pytest.approx(
        arms["ensemble"].accuracy - arms["baseline"].accuracy
    )
    assert difference.low < difference.difference < difference.high
    assert difference.components.candidate.variance == 0
    assert difference.components.reference.variance > 0
