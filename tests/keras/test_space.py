"""The hypermodel: a spec's space in Keras Tuner's terms."""

import itertools
from collections import Counter

import keras
import keras_tuner
import numpy as np
import pytest

from lstm_study.configuration import BASELINE, HYPERPARAMETERS, Configuration
from lstm_study.corpus.batches import view
from lstm_study.model.grid import configuration_count, grid
from lstm_study.model.network import build_network
from lstm_study.model.space import LSTMHyperModel, draw, hyperparameters
from lstm_study.records import Trial
from lstm_study.search.bayesian import propose
from lstm_study.training.training import Training, train
from tests.support.tiny import spec, split


def take(count: int, *settings: str, seed: int = 3):
    return list(itertools.islice(draw(spec(*settings).space, seed=seed), count))


def test_the_baseline_is_the_documented_network():
    network = build_network(BASELINE, seed=1)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds == ["InputLayer", "Embedding", "LSTM", "Dense"]
    assert network.count_params() == 6_491_701 == BASELINE.parameter_count
    embedding, lstm, dense = network.layers[1:]
    assert not embedding.mask_zero
    assert (lstm.units, lstm.dropout, lstm.recurrent_dropout) == (100, 0.2, 0.2)
    assert dense.activation is keras.activations.sigmoid
    assert network.input_shape == (None, 500)


def test_stacked_layers_return_sequences_between_them_and_are_counted():
    configuration = BASELINE.with_values(vocabulary_size=50, maxlen=5, lstm_layers=3)
    network = build_network(configuration, seed=1)
    assert [layer.return_sequences for layer in network.layers[2:5]] == [True, True, False]
    assert network.count_params() == configuration.parameter_count


def test_keras_tuner_sees_what_the_protocol_does_not_give_and_builds_the_network():
    study = spec()
    hp = hyperparameters(study.space)
    given = [name for name, row in HYPERPARAMETERS.items() if row.documented is None]
    assert given == ["learning_rate", "batch_size"]
    assert [item.name for item in hp.space] == [n for n in HYPERPARAMETERS if n not in given]
    model = LSTMHyperModel(study.space, study.protocol, seed=1).build(hp)
    assert model.count_params() == Configuration.from_dict(hp.values).parameter_count


# Keras's own saving of weights, which Keras Tuner asks for, warns with this NumPy.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_keras_tuners_own_random_search_builds_what_our_trials_build(tmp_path):
    study = spec("space.maxlen=8", "protocol.masked=false")
    tuner = keras_tuner.RandomSearch(
        LSTMHyperModel(study.space, study.protocol, seed=5),
        objective=keras_tuner.Objective("val_accuracy", "max"),
        max_trials=2,
        seed=1,
        directory=str(tmp_path),
    )
    reviews = split(32)
    token_ids = view(reviews, vocabulary_size=50, maxlen=8)
    data = (token_ids, reviews.labels[:, None])
    tuner.search(*data, validation_data=data, epochs=1, shuffle=False, verbose=0)
    trials = tuner.oracle.trials.values()
    assert [trial.status for trial in trials] == ["COMPLETED"] * 2
    for trial in trials:
        theirs = tuner.hypermodel.build(trial.hyperparameters)
        ours = train(
            Training(
                configuration=Configuration.from_dict(trial.hyperparameters.values),
                protocol=study.protocol, seed=5, epochs=0,
            ),
            reviews=reviews, validation=None, start=None, save=tmp_path / "unused", where="",
            on_step=print, on_epoch=print,
        )  # fmt: skip
        assert theirs.get_config() == ours.get_config()
        assert type(theirs.optimizer) is type(ours.optimizer)
        for one, other in zip(theirs.get_weights(), ours.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_keras_tuner_never_draws_the_end_of_a_stepped_range_and_we_do():
    theirs = keras_tuner.HyperParameters()
    theirs.Float("dropout", 0.0, 0.3, step=0.1)
    drawn = {round(theirs.space[0].random_sample(seed), 6) for seed in range(300)}
    assert drawn == {0.0, 0.1, 0.2}, "Keras Tuner has fixed it: simplify hyperparameters()"
    ours = hyperparameters(spec("space.dropout={min=0.0, max=0.3, step=0.1}").space)
    dropout = next(item for item in ours.space if item.name == "dropout")
    assert {dropout.random_sample(seed) for seed in range(300)} == {0.0, 0.1, 0.2, 0.3}


def test_trap_12_seeds_42_and_48_give_unrelated_trials():
    first, second = take(20, seed=42), take(20, seed=48)
    assert first != second
    assert all(first[i] != second[j] for i, j in [(1, 0), (2, 1), (3, 2)])
    oracles = []
    for seed in (42, 48):
        oracle = keras_tuner.oracles.RandomSearchOracle(
            objective=keras_tuner.Objective("x", "max"), max_trials=9, seed=seed,
            hyperparameters=hyperparameters(spec().space),
        )  # fmt: skip
        oracles.append([oracle.populate_space(str(n))["values"] for n in range(4)])
    searched = spec().space.searched()
    shifted = [[values[name] for name in searched] for values in oracles[1]]
    plain = [[values[name] for name in searched] for values in oracles[0]]
    assert len(plain) == len(shifted)


def test_every_configuration_is_drawn_once_and_a_small_space_to_its_last_one():
    small = (
        "space.dropout=0.1", "space.recurrent_dropout=0.0",
        "space.vocabulary_size=50", "space.maxlen={choices=[6, 8, 10, 12]}",
        "space.embedding_dim={choices=[4, 6, 8, 10, 12, 14, 16, 18, 20, 22]}",
        "space.lstm_units={min=1, max=20, step=1}",
    )  # fmt: skip
    assert configuration_count(spec(*small).space) == 800
    drawn = take(1_000, *small)
    assert len(drawn) == 800
    assert max(Counter(drawn).values()) == 1


def test_a_range_without_a_step_is_continuous_for_rates_and_whole_for_sizes():
    settings = ("space.dropout={min=0.0, max=0.5}", "space.lstm_units={min=10, max=99}")
    drawn = take(50, *settings)
    assert configuration_count(spec(*settings).space) is None
    assert len({item.dropout for item in drawn}) == 50
    assert all(10 <= item.lstm_units <= 99 for item in drawn)


def test_log_sampling_with_a_step_multiplies_by_it():
    drawn = take(200, "space.lstm_units={min=16, max=256, step=2, sampling='log'}")
    assert {item.lstm_units for item in drawn} == {16, 32, 64, 128, 256}


def test_a_range_of_whole_numbers_with_log_sampling_and_no_step_is_counted_and_drawn_whole():
    settings = (
        "space.dropout=0.1", "space.recurrent_dropout=0.0", "space.vocabulary_size=50",
        "space.maxlen=8", "space.embedding_dim={choices=[4, 6]}",
        "space.lstm_units={min=16, max=64, sampling='log'}",
    )  # fmt: skip
    space = spec(*settings).space
    every = list(grid(space))
    assert len(every) == configuration_count(space) == 2 * 49
    assert set(take(1_000, *settings)) == set(every)


CONDITIONAL = (
    "space.dropout=0.1", "space.recurrent_dropout=0.0", "space.vocabulary_size=50",
    "space.maxlen=8", "space.embedding_dim=4", "space.lstm_units={choices=[4, 6]}",
    "space.pooling={choices=['last', 'max']}",
    "space.output_dropout={choices=[0.2, 0.3, 0.4], when={pooling='max'}}",
)  # fmt: skip


def test_a_conditional_hyperparameter_is_at_the_documented_value_where_its_condition_fails():
    drawn = take(1_000, *CONDITIONAL)
    assert len(drawn) == configuration_count(spec(*CONDITIONAL).space) == 2 * (1 + 3)
    assert {item.output_dropout for item in drawn if item.pooling == "last"} == {0.0}
    assert {item.output_dropout for item in drawn if item.pooling == "max"} == {0.2, 0.3, 0.4}
    counted = list(grid(spec(*CONDITIONAL).space))
    assert sorted(counted, key=str) == sorted(drawn, key=str)


def test_keras_tuners_own_search_builds_what_a_trial_builds_conditions_included():
    study = spec(*CONDITIONAL)
    hp = hyperparameters(study.space)
    child = next(item for item in hp.space if item.name == "output_dropout")
    assert [condition.name for condition in child.conditions] == ["pooling"]
    model = LSTMHyperModel(study.space, study.protocol, seed=1).build(hp)
    assert model.count_params() == Configuration.from_dict(hp.values).parameter_count


def test_bayesian_proposals_respect_conditions_and_words():
    settings = (
        "search.tuner='bayesian'", "search.max_trials=40",
        "space.bidirectional={choices=[false, true]}", "space.pooling={choices=['last', 'max']}",
        "space.learning_rate={min=0.001, max=0.01, sampling='log'}",
        "space.output_dropout={min=0.1, max=0.3, step=0.1, when={pooling='max'}}",
    )  # fmt: skip
    study = spec(*settings)
    trials = []
    for number in range(20):
        found = propose(study, trials)
        assert (found.output_dropout > 0) == (found.pooling == "max")
        trials.append(
            Trial(
                trial_id=f"b0-{number:02d}-r0",
                configuration=found,
                seed=1,
                iteration=0,
                bracket=0,
                round=0,
                initial_epoch=0,
                budget_epochs=3,
                status="completed",
                score=0.8 + 0.1 * found.bidirectional - abs(found.learning_rate - 0.005),
            )
        )
    assert len({trial.configuration for trial in trials}) == 20
    later = [trial.configuration.bidirectional for trial in trials[-4:]]
    assert any(later), "what does better is proposed again"
