"""Trainings with the open space's recipe: schedule, clipping, decay, word dropout, pairs."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_study.configuration import BASELINE
from lstm_study.corpus.text.pairs import TrainingPairs
from lstm_study.spec import ProtocolTable
from lstm_study.training.checkpoint import Checkpoint, read_checkpoint
from lstm_study.training.inputs import inputs_of
from lstm_study.training.training import Training, predict, train
from tests.support.tiny import split

CONFIGURATION = BASELINE.with_values(
    vocabulary_size=60, maxlen=8, embedding_dim=6, lstm_units=5, dropout=0.1, recurrent_dropout=0.1,
    bidirectional=True, pooling="all", embedding_dropout=0.2, word_dropout=0.2, output_dropout=0.2,
    pair_vocabulary_size=20, learning_rate=0.01, learning_rate_schedule="linear", clip_norm=0.05,
    weight_decay=0.05, batch_size=16, summed_gradients=True,
)  # fmt: skip


def with_pairs(reviews, training):
    return replace(reviews, pairs=TrainingPairs(training.token_ids, training.offsets))


REVIEWS = with_pairs(split(60), split(60))
VALIDATION = with_pairs(split(24, name="validation", seed=2), split(60))


def fit(
    folder, *, epochs, start: Checkpoint | None = None, schedule=4, configuration=CONFIGURATION
):
    folder.mkdir(exist_ok=True)
    save = folder / "checkpoint.npz"
    model = train(
        Training(
            configuration=configuration, protocol=ProtocolTable(), seed=7, epochs=epochs,
            masked=True, schedule_epochs=schedule,
        ),
        reviews=REVIEWS, validation=VALIDATION, start=start, save=save, where=str(save),
        on_step=lambda step: None, on_epoch=lambda checkpoint: None,
    )  # fmt: skip
    return model, read_checkpoint(save)


def test_a_trial_promoted_from_1_to_2_to_4_epochs_equals_four_straight_to_the_bit(tmp_path):
    model, straight = fit(tmp_path / "straight", epochs=4)
    _, first = fit(tmp_path / "a", epochs=1)
    _, second = fit(tmp_path / "b", epochs=2, start=first)
    _, third = fit(tmp_path / "c", epochs=4, start=second)
    for ours, theirs in zip(third.variables, straight.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert float(model.optimizer.learning_rate) == 0.0, "the schedule ends with the full budget"
    assert [e.train_loss for e in third.epochs] == [e.train_loss for e in straight.epochs]


def test_the_schedule_ends_at_the_full_budget_whatever_a_trials_own_is(tmp_path):
    short, _ = fit(tmp_path / "a", epochs=1)
    assert float(short.optimizer.learning_rate) == pytest.approx(0.01 * 3 / 4)
    alone, _ = fit(tmp_path / "b", epochs=1, schedule=None)
    assert float(alone.optimizer.learning_rate) == 0.0


def test_each_part_of_the_recipe_changes_the_weights(tmp_path):
    found = [fit(tmp_path / "all", epochs=1)[1].variables[0]]
    for name in ("word_dropout", "weight_decay", "clip_norm", "learning_rate_schedule"):
        without = CONFIGURATION.with_values(**{name: getattr(BASELINE, name)})
        found.append(fit(tmp_path / name, epochs=1, configuration=without)[1].variables[0])
    for index, one in enumerate(found):
        assert not any(np.array_equal(one, other) for other in found[index + 1 :])


def test_a_dropped_word_takes_its_pairs_along_and_padding_stays():
    chosen = np.arange(60)
    ids, pairs = inputs_of(REVIEWS, chosen, CONFIGURATION)
    dropped, dropped_pairs = inputs_of(REVIEWS, chosen, CONFIGURATION, dropout_seed=5)
    gone = dropped != ids
    assert 0.1 < gone[ids > 2].mean() < 0.3
    assert (dropped[gone] == 2).all()
    assert not gone[ids <= 2].any()
    beside = gone.copy()
    beside[:, 1:] |= gone[:, :-1]
    assert (dropped_pairs[beside & (pairs > 2)] == 2).all()
    assert (pairs > 2).any(), "the reviews have frequent pairs"
    again, _ = inputs_of(REVIEWS, chosen, CONFIGURATION, dropout_seed=5)
    assert np.array_equal(dropped, again)


def test_a_cut_batch_of_reviews_predicts_what_the_whole_length_does(tmp_path):
    model, _ = fit(tmp_path, epochs=1)
    whole = [model.predict_on_batch(list(inputs_of(VALIDATION, np.array([i]), CONFIGURATION)))
             for i in range(len(VALIDATION))]  # fmt: skip
    found = predict(model, VALIDATION, CONFIGURATION)
    assert np.allclose(found, np.concatenate(whole)[:, 0], atol=1e-6)
