"""The winner and the classical control as one model: the mean of what is exported of both."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.answer.combined import combined_arms
from lstm_study.analysis.statistics.calibration import tempered
from lstm_study.configuration import BASELINE
from lstm_study.records import StudyRecords
from tests.support.fake_reviews import fake_control
from tests.support.fake_study import completed_study

BOTH = ["winner-with-control", "ensemble-with-control"]


def study_with_control(*, temperature: float | None = None, **settings: str) -> StudyRecords:
    study = completed_study(seeds=5, export__ensemble="true", **settings)
    assert study.test_labels is not None
    control, row = fake_control(study.test_labels)
    validation = [
        replace(run, run_id="winner-validation-s1", arm="winner-validation",
                trained_on="train", temperature=temperature)
        for run in study.runs if run.run_id == "winner-s1"
    ]  # fmt: skip
    return replace(
        study, runs=(*study.runs, *validation), control=control,
        predictions=dict(study.predictions) | {"control": row},
    )  # fmt: skip


def of_runs(study: StudyRecords) -> np.ndarray:
    return np.stack([study.predictions[f"winner-s{index}"] for index in range(1, 6)])


def test_each_run_of_the_winner_and_their_ensemble_are_averaged_with_the_control() -> None:
    study = study_with_control()
    found = combined_arms(study, arms_from_records(study))
    assert list(found) == BOTH
    rows, control = of_runs(study), study.predictions["control"]
    single, ensemble = (found[name] for name in BOTH)
    assert single.seed_indices == (1, 2, 3, 4, 5)
    assert single.probabilities == pytest.approx((rows + control) / 2, abs=1e-6)
    assert ensemble.probabilities == pytest.approx((rows.mean(axis=0) + control)[None] / 2, 1e-6)


def test_the_networks_count_as_calibrated_where_they_are_exported_so() -> None:
    study = study_with_control(temperature=3.0)
    control = study.predictions["control"]
    expected = (tempered(of_runs(study), 3.0) + control) / 2
    found = combined_arms(study, arms_from_records(study))
    assert found[BOTH[0]].probabilities == pytest.approx(expected, abs=1e-6)
    assert found[BOTH[1]].probabilities == pytest.approx(expected.mean(axis=0)[None], abs=1e-6)
    plain = study_with_control(temperature=3.0, export__calibrate="false")
    found = combined_arms(plain, arms_from_records(plain))
    assert found[BOTH[0]].probabilities == pytest.approx((of_runs(plain) + control) / 2, abs=1e-6)


def test_a_run_that_failed_is_left_out_but_of_the_ensemble_as_it_is_exported() -> None:
    study = study_with_control()
    assert study.test_labels is not None
    constant = np.full(len(study.test_labels), 0.4, np.float32)
    study = replace(study, predictions=dict(study.predictions) | {"winner-s2": constant})
    found = combined_arms(study, arms_from_records(study))
    assert found[BOTH[0]].seed_indices == (1, 3, 4, 5)
    expected = (of_runs(study).mean(axis=0) + study.predictions["control"]) / 2
    assert found[BOTH[1]].probabilities == pytest.approx(expected[None], abs=1e-6)


def test_without_a_control_or_an_ensemble_or_with_a_custom_builder_there_is_no_such_model() -> None:
    study = study_with_control()
    arms = arms_from_records(study)
    del arms["ensemble"]
    assert list(combined_arms(study, arms)) == BOTH[:1]
    without = replace(study, control=None)
    assert combined_arms(without, arms_from_records(without)) == {}
    own = BASELINE.with_values(own=(("width", 8),))
    custom = replace(study, runs=tuple(replace(run, configuration=own) for run in study.runs))
    assert combined_arms(custom, arms_from_records(custom)) == {}
