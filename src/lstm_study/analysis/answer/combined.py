"""The winner and the classical control as one model: the mean of their probabilities.

Words and pairs of words, and a network that reads in order, err on different reviews, so that their
mean can be more accurate than either. Nothing is fitted: both count alike, and the network's
probabilities are those of the exported one, calibrated where it is. `lstm-study predict MODEL_DIR
--with MODEL_DIR` computes it.

Source: G. Mesnil, T. Mikolov, M. Ranzato and Y. Bengio (2015), "Ensemble of generative and
    discriminative techniques for sentiment analysis of movie reviews", ICLR workshop track,
    combine a model of bags of words with a recurrent one on IMDB.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.arms import Arm, make_arm
from lstm_study.analysis.statistics.calibration import temperature_of, tempered
from lstm_study.analysis.statistics.failures import without_failed_runs
from lstm_study.arm_names import (
    CONTROL,
    ENSEMBLE,
    ENSEMBLE_WITH_CONTROL,
    WINNER_WITH_CONTROL,
)
from lstm_study.records import StudyRecords


def combined_arms(records: StudyRecords, arms: Mapping[str, Arm]) -> dict[str, Arm]:
    """Returns the mean of control and winner, and that of control and the winner's ensemble.

    Winner's runs that failed are left out, but of the ensemble, which is exported with them. Of a
    custom builder's network it is not known here whether its exported one is calibrated: there are
    no such arms.

    Args:
        records: The study's.
        arms: As from `arms_from_records`.
    """
    winner, control = arms.get("winner"), arms.get(CONTROL)
    if winner is None or control is None or _is_of_custom_builder(records):
        return {}
    kept = without_failed_runs(winner)
    found = {
        WINNER_WITH_CONTROL: make_arm(
            WINNER_WITH_CONTROL,
            probabilities=_mean_of(_exported(kept, records), control),
            labels=winner.labels,
            seed_indices=kept.seed_indices,
        )
    }
    if ENSEMBLE in arms:
        ensemble = _exported(winner, records).mean(axis=0, keepdims=True)
        found[ENSEMBLE_WITH_CONTROL] = make_arm(
            ENSEMBLE_WITH_CONTROL,
            probabilities=_mean_of(ensemble, control),
            labels=winner.labels,
        )
    return found


def _is_of_custom_builder(records: StudyRecords) -> bool:
    return any(run.configuration.own is not None for run in records.runs if run.arm == "winner")


def _exported(winner: Arm, records: StudyRecords) -> NDArray[np.float64]:
    """Returns the probabilities of the winner's networks as exported, float64 [runs, reviews]."""
    temperature = None
    if records.spec.get("export", {}).get("calibrate"):
        temperature = temperature_of(records.runs, "winner")
    if temperature is None:
        return winner.probabilities.astype(np.float64)
    return tempered(winner.probabilities, temperature)


def _mean_of(probabilities: NDArray[np.float64], control: Arm) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = (probabilities + control.probabilities[0]) / 2
    return mean
