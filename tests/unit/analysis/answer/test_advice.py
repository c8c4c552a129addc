"""Which model to use: by the stated rule, with no claim that an interval does not support."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_study.analysis.answer.advice import LEFT_OUT, RULE, TOO_FEW, advise
from lstm_study.records import StudyRecords
from tests.support.fake_reviews import fake_control
from tests.support.fake_study import completed_study, empty_study, one_seed_study

RUNNER_UP = "runner-up-1"


def study_of(
    shares: dict[str, float],
    *,
    times: dict[str, float | None] | None = None,
    seeds: int = 5,
    ensemble: bool = False,
) -> StudyRecords:
    """A study whose arms classify these shares of the test reviews correctly."""
    study = completed_study(seeds=seeds, export__ensemble=str(ensemble).lower())
    labels = study.test_labels
    assert labels is not None
    random = np.random.default_rng(7)
    easy = random.random(len(labels))
    runs, predictions = [], {}

    def row(share: float) -> np.ndarray:
        right = easy + random.normal(0, 0.01, len(labels)) < share
        return np.where(right == (labels == 1), 0.9, 0.1).astype(np.float32)

    model_run = next(run for run in study.runs if run.arm == "winner")
    for arm, share in shares.items():
        for index in range(1, seeds + 1) if arm != "control" else ():
            time = (times or {}).get(arm, 0.5)
            runs.append(
                replace(
                    model_run, arm=arm, seed_index=index, run_id=f"{arm}-s{index}",
                    predict_1000_seconds=time, seconds=100.0,
                )
            )  # fmt: skip
            predictions[runs[-1].run_id] = row(share)
    control = None
    if "control" in shares:
        predictions["control"] = row(shares["control"])
        control = replace(fake_control(labels)[0], fit_seconds=10.0, predict_1000_seconds=0.1)
    return replace(study, runs=tuple(runs), predictions=predictions, control=control)


def test_the_most_accurate_model_is_recommended_where_every_other_is_shown_to_be_worse() -> None:
    found = advise(study_of({"baseline": 0.7, "winner": 0.9}))
    assert [each.arm for each in found.models] == ["winner", "baseline"]
    assert list(found.sentences) == ["model"]
    said = found.sentences["model"]
    assert said.startswith(f"Use the winner: it classifies {found.models[0].accuracy:.2%} of the")
    assert said.endswith("more than every other model here, by intervals that exclude 0.")


def test_of_models_not_shown_to_differ_the_fastest_is_recommended_and_what_is_exported_said() -> (
    None
):
    shares = {"baseline": 0.7, "winner": 0.9, RUNNER_UP: 0.9}
    found = advise(study_of(shares, times={"winner": 0.8, RUNNER_UP: 0.2}))
    said = found.sentences["model"]
    assert said.startswith("Use runner-up-1: ")
    assert said.endswith(" To export it:")
    assert found.texts == (f"{said} lstm-study export STUDY.toml --arm runner-up-1",)
    slow = advise(study_of(shares, times={"winner": 0.2, RUNNER_UP: 0.8})).sentences["model"]
    assert slow.startswith("Use the winner: ")
    assert "export" not in slow
    texts = sorted([said, slow], key=lambda text: "no difference to the most accurate" in text)
    assert "the most of these models; of those at most 1 point less accurate by" in texts[0]
    assert "no difference to the most accurate, " in texts[1]


def test_a_faster_model_that_may_be_much_less_accurate_is_not_recommended() -> None:
    study = study_of({"baseline": 0.7, "winner": 0.9}, times={"baseline": 0.1, "winner": 0.8})
    labels = study.test_labels
    assert labels is not None
    # So different from run to run that no difference is shown.
    random = np.random.default_rng(0)
    rows = {}
    for index, share in enumerate((0.87, 0.91, 0.875, 0.915, 0.88), start=1):
        right = random.permutation(len(labels)) < share * len(labels)
        rows[f"baseline-s{index}"] = np.where(right == (labels == 1), 0.9, 0.1).astype(np.float32)
    found = advise(replace(study, predictions={**study.predictions, **rows}))
    difference = found.models[1].difference
    assert difference is not None and difference.low < -0.01 < 0 < difference.high
    said = found.sentences["model"]
    assert said.startswith("Use the winner: ")
    assert said.endswith("by their intervals, the others may be more than 1 point less accurate.")


def test_the_baseline_is_recommended_where_the_winner_is_worse() -> None:
    said = advise(study_of({"baseline": 0.9, "winner": 0.7})).sentences["model"]
    assert said.startswith("Use the baseline: ")


def test_times_that_are_not_known_leave_the_most_accurate_and_are_said() -> None:
    found = advise(study_of({"baseline": 0.9, "winner": 0.9}, times={"winner": None}))
    said = found.sentences["model"]
    assert said.startswith(f"Use the {found.models[0].arm}: ")
    assert "times to predict are not all known." in said
    assert "fastest" not in said


def test_beside_a_control_a_single_network_and_the_ensemble_are_told_of_with_their_costs() -> None:
    shares = {"baseline": 0.7, "winner": 0.85, RUNNER_UP: 0.85, "control": 0.95}
    found = advise(study_of(shares, times={RUNNER_UP: 0.25}, ensemble=True))
    assert list(found.sentences) == ["model", "single network", "ensemble"]
    assert found.sentences["model"].startswith("Use the logistic regression: ")
    single, ensemble = found.sentences["single network"], found.sentences["ensemble"]
    assert single.startswith("If you need a single network: runner-up-1 classifies ")
    assert (
        "against the winner, at 100% of its training time and 50% of its prediction time." in single
    )
    assert "points (95% interval −" in ensemble
    assert "no difference" not in ensemble, "the control is shown to be better"
    assert "at 50 times its training time and 25 times its prediction time." in ensemble
    assert ensemble.endswith("not over other seeds of it.")


def of_different_errors(**options: bool) -> StudyRecords:
    """A study whose control and networks are wrong on different reviews, and unsure there."""
    study = study_of({"baseline": 0.7, "winner": 0.85, "control": 0.85}, **options)
    labels = study.test_labels
    assert labels is not None
    random = np.random.default_rng(1)
    rows = {}
    for name in study.predictions:
        if not name.startswith("baseline"):
            right = random.random(len(labels)) < 0.85
            sure = np.where(right, 0.95, 0.4)
            rows[name] = np.where(labels == 1, sure, 1 - sure).astype(np.float32)
    return replace(study, predictions={**study.predictions, **rows})


def test_the_mean_of_winner_and_control_is_recommended_where_it_is_better_than_both() -> None:
    found = advise(of_different_errors())
    assert list(found.sentences) == ["model", "logistic regression", "single network"]
    best, control = found.models[0], next(each for each in found.models if each.arm == "control")
    assert (best.arm, best.runs, best.networks) == ("winner-with-control", 5, 1)
    assert best.accuracy > 0.95
    assert (best.training_seconds, best.predict_1000_seconds) == pytest.approx((110.0, 0.6))
    said = found.sentences["model"]
    assert said.startswith(
        f"Use the mean of winner and logistic regression: it classifies {best.accuracy:.2%} of"
    )
    assert said.endswith(" To predict with it:")
    assert found.commands["model"] == (
        "lstm-study predict reports/fake/model --with reports/fake/model-classical"
    )
    alone = found.sentences["logistic regression"]
    assert alone.startswith(f"The logistic regression alone classifies {control.accuracy:.2%} ")
    assert "against that mean, at 9% of its training time and 17% of its prediction ti" in alone


def test_with_an_ensemble_its_mean_with_the_control_costs_all_of_its_networks() -> None:
    found = advise(of_different_errors(ensemble=True))
    models = {each.arm: each for each in found.models}
    both = models["ensemble-with-control"]
    assert (both.runs, both.networks) == (1, 5)
    assert (both.training_seconds, both.predict_1000_seconds) == pytest.approx((510.0, 2.6))
    # The five runs together are right nearly everywhere, and faster without the control.
    assert found.sentences["model"].startswith("Use the ensemble of the winner's runs: ")


def test_an_ensemble_that_the_interval_does_not_tell_from_the_control_is_not_called_worse() -> None:
    found = advise(study_of({"baseline": 0.7, "winner": 0.9, "control": 0.9}, ensemble=True))
    said = found.sentences["ensemble"]
    assert "no difference to the logistic regression was shown" in said
    models = {each.arm: each for each in found.models}
    assert models["ensemble"].networks == 5
    assert models["ensemble"].training_seconds == pytest.approx(500)
    assert models["ensemble"].predict_1000_seconds == pytest.approx(2.5)


def test_the_mean_of_last_epochs_costs_the_prediction_of_all_its_networks() -> None:
    found = advise(study_of({"baseline": 0.7, "winner": 0.85, "winner-last-three": 0.9}))
    last = next(each for each in found.models if each.arm == "winner-last-three")
    assert (last.networks, last.training_seconds) == (3, pytest.approx(100))
    assert last.predict_1000_seconds == pytest.approx(1.5)
    assert found.sentences["model"].startswith("Use the mean of the winner's last epochs: ")


def test_runs_that_failed_are_left_out_of_an_accuracy_and_told_of() -> None:
    study = study_of({"baseline": 0.7, "winner": 0.9})
    labels = study.test_labels
    assert labels is not None
    constant = {"winner-s2": np.full(len(labels), 0.4, np.float32)}
    found = advise(replace(study, predictions={**study.predictions, **constant}))
    assert (found.models[0].runs, found.models[0].failed) == (4, 1)
    assert found.models[0].accuracy > 0.85
    assert found.sentences["model"].endswith(" Of its 5 runs 1 failed.")


def test_models_of_which_none_is_compared_are_listed_by_accuracy() -> None:
    study = study_of({"baseline": 0.7, "winner": 0.9})
    few = tuple(run for run in study.runs if run.arm == "baseline" or run.seed_index == 1)
    found = advise(replace(study, runs=few))
    assert [each.arm for each in found.models] == ["winner", "baseline"]
    assert found.sentences == {"model": TOO_FEW}


def test_networks_with_too_few_seeds_are_not_recommended() -> None:
    found = advise(one_seed_study())
    assert len(found.models) == 2
    assert dict(found.sentences) == {"model": TOO_FEW}
    few = advise(study_of({"baseline": 0.7, "winner": 0.9, "control": 0.8}, seeds=3))
    assert dict(few.sentences) == {"model": TOO_FEW}
    assert [each.difference for each in few.models] == [None] * 4


def test_without_two_models_there_is_no_advice() -> None:
    assert dict(advise(empty_study()).sentences) == {}
    assert dict(advise(study_of({"baseline": 0.7})).sentences) == {}


def _of_a_rare_label(study: StudyRecords, *, arm: str) -> StudyRecords:
    """The same study where 1 in 25 test reviews is positive, which one arm alone ranks highest."""
    labels = study.test_labels
    assert labels is not None
    rare = (np.arange(len(labels)) % 25 == 0).astype(labels.dtype)
    low = np.random.default_rng(5).uniform(0.1, 0.3, len(labels)).astype(np.float32)
    predictions = {
        name: np.where(rare == 1, 0.4, low).astype(np.float32) if name.startswith(arm) else low
        for name in study.predictions
    }
    return replace(study, predictions=predictions, test_labels=rare)


def test_no_model_is_recommended_where_none_is_shown_to_beat_the_more_frequent_label() -> None:
    study = study_of({"baseline": 0.7, "winner": 0.7, "control": 0.7}, ensemble=True)
    found = advise(_of_a_rare_label(study, arm="control"))
    assert list(found.sentences) == ["model"]
    said = found.sentences["model"]
    assert said.startswith("No model is recommended: neither the most accurate, the baseline (96.")
    assert said.endswith("the logistic regression tells the labels apart best (1.0000).")
    assert found.rule == f"{RULE} {LEFT_OUT}"


def test_where_no_model_beats_chance_none_is_named() -> None:
    study = study_of({"baseline": 0.7, "winner": 0.7, "control": 0.7})
    said = advise(_of_a_rare_label(study, arm="none")).sentences["model"]
    assert said.startswith("No model is recommended: ")
    assert "ROC AUC" not in said


def test_models_not_shown_to_beat_the_more_frequent_label_are_left_out_and_named() -> None:
    study = study_of({"baseline": 0.5, "winner": 0.54}, times={"baseline": 0.1, "winner": 0.8})
    labels = study.test_labels
    assert labels is not None
    # Other reviews than the winner's, so that the difference is not shown: 52% of them.
    right = np.random.default_rng(3).permutation(len(labels)) < 0.52 * len(labels)
    row = np.where(right == (labels == 1), 0.9, 0.1).astype(np.float32)
    other = {name: row for name in study.predictions if name.startswith("baseline")}
    found = advise(replace(study, predictions={**study.predictions, **other}))
    assert [each.is_above_majority for each in found.models] == [True, False]
    difference = found.models[1].difference
    assert difference is not None and difference.high >= 0
    said = found.sentences["model"]
    assert said.startswith("Use the winner: ")
    assert "correctly, the most of these models. The baseline is left out" in said
    assert "The baseline is left out: not shown to be more accurate than the more" in said
    assert found.rule == f"{RULE} {LEFT_OUT}"
    assert advise(study_of({"baseline": 0.7, "winner": 0.9})).rule == RULE


def test_of_a_faster_model_that_is_left_out_none_is_said_to_be_the_fastest() -> None:
    study = study_of({"baseline": 0.5, "winner": 0.528}, seeds=4)
    labels = study.test_labels
    assert labels is not None
    # More accurate, and so different from run to run that the interval holds 50%.
    shares = {"baseline-s1": 0.505, "baseline-s2": 0.52, "baseline-s3": 0.565, "baseline-s4": 0.568}
    random = np.random.default_rng(0)
    rows = {}
    for name, share in shares.items():
        right = random.permutation(len(labels)) < share * len(labels)
        rows[name] = np.where(right == (labels == 1), 0.9, 0.1).astype(np.float32)
    said = advise(replace(study, predictions={**study.predictions, **rows})).sentences["model"]
    assert said.startswith("Use the winner: ")
    assert "the baseline, was shown" in said
    assert "it predicts fastest of those that are not left out. The baseline is left out" in said
