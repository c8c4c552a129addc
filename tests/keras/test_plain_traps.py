"""Traps of plain Keras Tuner 1.4.8 shown on itself alone: an upgrade that fixes one is noticed.

What ours does in their place is tested where ours is: `test_oracle.py`,
`training/test_training.py`, `tests/unit/search/test_promotion.py`, `test_kill_campaign.py`.
"""

import json
import threading
from pathlib import Path

import keras
import keras_tuner
import numpy as np
import pytest
from keras_tuner.src.engine import oracle as oracle_module
from keras_tuner.src.engine.tuner_utils import SaveBestEpoch

from tests.keras.test_oracle import plain_oracle, value_of

FIXED = "Keras Tuner has fixed it"
# Keras 3.15's saving meets NumPy 2 so.
saves = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def end(oracle, trial) -> None:
    """Does what a plain tuner does when a trial has been trained."""
    oracle.update_trial(trial.trial_id, {"validation_accuracy": value_of(trial.trial_id)})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)


def play(oracle, *, most: int = 1_000) -> list:
    """Runs trials one after the other."""
    trials = []
    while len(trials) < most:
        trial = oracle.create_trial("t")
        if trial.status != "RUNNING":
            break
        end(oracle, trial)
        trials.append(trial)
    return trials


def build(_hp: keras_tuner.HyperParameters) -> keras.Model:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    return model


@saves
def test_trap_3_a_promotion_loses_what_the_optimizer_had_learned(tmp_path):
    tuner = keras_tuner.Hyperband(
        build, objective=keras_tuner.Objective("loss", "min"), max_epochs=4,
        directory=str(tmp_path), project_name="plain",
    )  # fmt: skip
    parent = build(keras_tuner.HyperParameters())
    for _ in range(2):
        parent.train_on_batch(np.ones((4, 1)), np.ones((4, 1)))
    assert int(parent.optimizer.iterations) == 2
    checkpoint = Path(tuner._get_checkpoint_fname("0000"))
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    parent.save_weights(checkpoint)
    Path(tuner._get_build_config_fname("0000")).write_text(json.dumps(parent.get_build_config()))
    hp = keras_tuner.HyperParameters()
    hp.values["tuner/trial_id"] = "0000"
    with pytest.warns(UserWarning, match="Skipping variable loading for optimizer"):
        child = tuner._build_hypermodel(hp)
    assert np.allclose(child.get_weights()[0], parent.get_weights()[0])
    assert int(child.optimizer.iterations) == 0, FIXED


@saves
def test_trap_4_a_promotion_starts_from_the_parents_best_epoch_not_its_last(tmp_path):
    model = build(keras_tuner.HyperParameters())
    saver = SaveBestEpoch(
        keras_tuner.Objective("val_accuracy", "max"), str(tmp_path / "c.weights.h5")
    )
    saver.set_model(model)
    for epoch, accuracy in enumerate((0.9, 0.5)):
        model.set_weights([np.full((1, 1), epoch), np.zeros(1)])
        saver.on_epoch_end(epoch, {"val_accuracy": accuracy})
    model.load_weights(tmp_path / "c.weights.h5")
    assert model.get_weights()[0].item() == 0.0, FIXED


def test_trap_8_a_space_that_is_exhausted_in_round_0_ends_without_promotions(tmp_path):
    oracle = plain_oracle(tmp_path)
    oracle.hyperparameters = keras_tuner.HyperParameters()
    oracle.hyperparameters.Choice("units", list(range(8)))
    trials = play(oracle)
    assert len(trials) == 8
    rounds = {trial.hyperparameters.values["tuner/round"] for trial in trials}
    assert rounds == {0}, FIXED


def test_trap_10_in_parallel_a_trial_is_labelled_with_whichever_bracket_is_open(tmp_path):
    oracle = plain_oracle(tmp_path)
    first = [oracle.create_trial(f"t{number}") for number in range(12)]
    oracle.create_trial("ahead")  # opens the next bracket, for none of the twelve has ended
    for trial in first:
        end(oracle, trial)
    promoted = oracle.create_trial("t0").hyperparameters.values
    assert promoted["tuner/round"] == 1
    assert promoted["tuner/trial_id"] in {trial.trial_id for trial in first}
    assert promoted["tuner/bracket"] == 1, FIXED  # it is bracket 2's


def test_trap_12_seeds_that_lie_near_give_each_others_values(tmp_path):
    def drawn(seed: int) -> list:
        return [
            trial.hyperparameters.values["lstm_units"]
            for trial in play(plain_oracle(tmp_path / str(seed), seed=seed), most=8)
        ]

    parameters = len(plain_oracle(tmp_path).hyperparameters.space)
    assert drawn(42)[1:] == drawn(42 + parameters)[:-1], FIXED


def test_trap_13_a_state_file_that_a_kill_tore_makes_the_study_unreadable(tmp_path):
    play(plain_oracle(tmp_path), most=3)
    path = tmp_path / "plain" / "oracle.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(json.JSONDecodeError):
        plain_oracle(tmp_path).reload()


def test_trap_14_a_search_interrupted_in_its_first_trial_starts_afresh_beside_it(tmp_path):
    def tuner() -> keras_tuner.Tuner:
        return keras_tuner.Hyperband(
            build, objective=keras_tuner.Objective("loss", "min"), max_epochs=4,
            directory=str(tmp_path), project_name="plain",
            hyperparameters=plain_oracle(tmp_path).hyperparameters,
        )  # fmt: skip

    tuner().oracle.create_trial("tuner0")
    assert list((tmp_path / "plain").glob("trial_*"))
    assert tuner().oracle.trials == {}, FIXED


def test_trap_15_stored_settings_override_new_ones_in_silence(tmp_path):
    play(plain_oracle(tmp_path, max_epochs=10), most=3)
    longer = plain_oracle(tmp_path, max_epochs=27)
    longer.reload()
    assert longer.max_epochs == 10, FIXED


def test_trap_20_an_error_in_the_oracle_leaves_its_lock_held(tmp_path):
    oracle = plain_oracle(tmp_path)
    failing = threading.Thread(target=_fail, args=(oracle,))
    failing.start()
    failing.join()
    assert oracle_module.LOCKS[oracle].locked(), FIXED


def _fail(oracle) -> None:
    with pytest.raises(KeyError):
        oracle.update_trial("no such trial", {"validation_accuracy": 0.5})
