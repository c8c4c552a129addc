"""One training: interrupted, promoted and resumed, equal to the bit."""

import itertools
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from lstm_study import metrics
from lstm_study.configuration import Configuration
from lstm_study.corpus.batches import epoch_order
from lstm_study.corpus.buckets import epoch_buckets, kept_lengths
from lstm_study.corpus.types import Split
from lstm_study.errors import DivergedError, RecordError
from lstm_study.export.network import plain_network
from lstm_study.model.lstm.cpu import threads as kernel_threads
from lstm_study.model.network import build_model
from lstm_study.seeds import derive
from lstm_study.spec import ProtocolTable
from lstm_study.training.checkpoint import (
    Checkpoint,
    read_checkpoint,
    set_state,
    training_state,
)
from lstm_study.training.inputs import inputs_of
from lstm_study.training.training import Training, predict, predict_earlier, train
from tests.support.tiny import split

CONFIGURATION = Configuration(
    vocabulary_size=100, maxlen=8, embedding_dim=6, lstm_units=5, dropout=0.3, recurrent_dropout=0.2
)
PROTOCOL = ProtocolTable(batch_size=16)


def fit(
    tmp_path: Path,
    *,
    epochs: int,
    start: Checkpoint | None = None,
    seed: int = 7,
    masked: bool = False,
    reviews: Split | None = None,
    validation: Split | None = None,
    batch_size: int = PROTOCOL.batch_size,
    **changes,
):
    """Trains, and returns model and last checkpoint."""
    save = tmp_path / "checkpoint.npz"
    seen: list[Checkpoint] = []
    model = train(
        Training(
            configuration=replace(CONFIGURATION, **changes),
            protocol=PROTOCOL.model_copy(update={"batch_size": batch_size}),
            seed=seed,
            epochs=epochs,
            masked=masked,
        ),
        reviews=reviews or split(60),
        validation=validation or split(24, name="validation", seed=2),
        start=start,
        save=save,
        where=str(save),
        on_step=lambda step: None,
        on_epoch=seen.append,
    )
    return model, read_checkpoint(save), seen


def scores(checkpoint: Checkpoint) -> list[tuple[float | None, ...]]:
    return [
        (e.train_loss, e.train_accuracy, e.validation_loss, e.validation_accuracy)
        for e in checkpoint.epochs
    ]


def test_traps_3_and_4_a_trial_promoted_from_2_to_4_to_10_epochs_equals_ten_straight(tmp_path):
    _, straight, _ = fit(tmp_path / "straight", epochs=10)
    _, first, _ = fit(tmp_path / "a", epochs=2)
    _, second, _ = fit(tmp_path / "b", epochs=4, start=first)
    _, third, _ = fit(tmp_path / "c", epochs=10, start=second)
    assert scores(third) == scores(straight)
    assert len(third.variables) == len(straight.variables)
    for ours, theirs in zip(third.variables, straight.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_checkpoint_holds_adams_moments_and_step_count_and_the_dropout_seed(tmp_path):
    model, checkpoint, _ = fit(tmp_path, epochs=1)
    names = [variable.name for variable in [*model.variables, *model.optimizer.variables]]
    steps = int(checkpoint.variables[names.index("iteration")])
    assert steps == 4, "60 reviews in batches of 16"
    assert any("seed_generator_state" in name for name in names)
    assert sum("momentum" in name for name in names) == len(model.trainable_variables)


def test_two_trainings_with_one_seed_are_equal_and_with_another_differ(tmp_path):
    _, first, _ = fit(tmp_path / "a", epochs=2)
    _, second, _ = fit(tmp_path / "b", epochs=2)
    _, other, _ = fit(tmp_path / "c", epochs=2, seed=8)
    assert scores(first) == scores(second)
    assert scores(first) != scores(other)


@pytest.mark.parametrize("masked", [False, True])
def test_a_training_gives_the_same_bits_with_any_number_of_threads(tmp_path, monkeypatch, masked):
    """Also if the number changes between operations, as workers come and go."""
    found = []
    for counts in ([1], [2], [3, 1, 2]):
        threads = itertools.cycle(counts)
        monkeypatch.setattr(kernel_threads._budget, "count", lambda given=threads: next(given))
        _, checkpoint, _ = fit(
            tmp_path,
            epochs=2,
            masked=masked,
            reviews=split(200),
            batch_size=64,
            recurrent_dropout=0.3,
        )
        found.append(checkpoint)
    for other in found[1:]:
        assert scores(other) == scores(found[0])
        for ours, theirs in zip(other.variables, found[0].variables, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_stacked_layers_train_and_resume_like_one(tmp_path):
    _, straight, _ = fit(tmp_path / "a", epochs=2, lstm_layers=2)
    _, first, _ = fit(tmp_path / "b", epochs=1, lstm_layers=2)
    _, second, _ = fit(tmp_path / "c", epochs=2, start=first, lstm_layers=2)
    assert scores(straight) == scores(second)


def test_the_loss_is_keras_own_and_validation_is_keras_evaluate(tmp_path):
    model, checkpoint, _ = fit(tmp_path, epochs=1)
    validation = split(24, name="validation", seed=2)
    probabilities = predict(model, validation, CONFIGURATION)
    labels = validation.labels.astype("float32")
    loss = float(keras.losses.binary_crossentropy(labels[None], probabilities[None])[0])
    (epoch,) = checkpoint.epochs
    assert epoch.validation_loss == pytest.approx(loss, abs=1e-6)
    assert epoch.validation_accuracy == np.mean((probabilities > 0.5) == (labels > 0.5))
    assert epoch.validation_auc == metrics.roc_auc(validation.labels, probabilities)


def test_an_epoch_is_what_keras_fit_does_on_the_same_order_of_reviews(tmp_path):
    reviews = split(60)
    _, ours, _ = fit(tmp_path, epochs=1, dropout=0.0, recurrent_dropout=0.0)
    plain = replace(CONFIGURATION, dropout=0.0, recurrent_dropout=0.0)
    model = build_model(plain, protocol=PROTOCOL, seed=7)
    order = epoch_order(60, derive(7, "shuffle", 1))
    history = model.fit(
        inputs_of(reviews, order, plain)[0], reviews.labels[order], batch_size=16, shuffle=False,
        epochs=1, verbose=0,
    ).history  # fmt: skip
    assert ours.epochs[0].train_loss == pytest.approx(history["loss"][0], abs=1e-5)
    assert ours.epochs[0].train_accuracy == pytest.approx(history["accuracy"][0], abs=1e-6)
    for mine, theirs in zip(ours.variables, training_state(model), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


def test_trap_18_a_training_that_diverges_ends_in_that_step(tmp_path):
    steps = []
    with pytest.raises(DivergedError, match="the loss became nan at step 2 of epoch 1"):
        train(
            Training(
                configuration=CONFIGURATION,
                protocol=ProtocolTable(batch_size=16, optimizer="sgd", learning_rate=10.0),
                seed=7,
                epochs=5,
            ),
            reviews=split(60),
            validation=None,
            start=_poisoned(tmp_path),
            save=tmp_path / "c.npz",
            where="",
            on_step=steps.append,
            on_epoch=lambda checkpoint: None,
        )
    assert len(steps) == 1


def _poisoned(tmp_path: Path) -> Checkpoint:
    """Weights so large that the second step's loss is NaN."""
    model = build_model(
        CONFIGURATION, protocol=ProtocolTable(optimizer="sgd", learning_rate=10.0), seed=7
    )
    variables = [np.array(array) for array in training_state(model)]
    position = [v.path for v in model.variables].index("probability/kernel")
    variables[position][:] = 3e38
    return Checkpoint(epochs=(), variables=tuple(variables))


def test_another_networks_checkpoint_is_refused(tmp_path):
    model, checkpoint, _ = fit(tmp_path, epochs=1)
    smaller = tuple(array[..., :1] if array.ndim else array for array in checkpoint.variables)
    with pytest.raises(RecordError, match="another network's weights"):
        set_state(model, smaller, where="x.npz")


LONG = replace(CONFIGURATION, maxlen=300)


def long_reviews(reviews: int, *, seed: int = 1) -> Split:
    """Reviews of 3 to 400 tokens, so that batches have several lengths below 300."""
    random = np.random.default_rng(seed)
    lengths = random.integers(3, 400, reviews)
    labels = random.integers(0, 2, reviews).astype(np.int8)
    parts = [
        4 + random.integers(0, 47, length) * 2 + label
        for length, label in zip(lengths, labels, strict=True)
    ]
    return Split(
        name="train",
        token_ids=np.concatenate(parts).astype(np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        labels=labels,
        document_ids=np.arange(reviews),
    )


def fit_masked(tmp_path: Path, *, epochs: int, start: Checkpoint | None = None):
    return fit(
        tmp_path, epochs=epochs, start=start, masked=True, reviews=long_reviews(134),
        validation=long_reviews(24, seed=2), maxlen=300,
    )  # fmt: skip


def test_masked_batches_cut_to_their_longest_review_train_as_keras_does_at_full_length(tmp_path):
    """The same batches at full length, through `Embedding(mask_zero=True)` and Keras's own LSTM."""
    reviews, validation = long_reviews(134), long_reviews(24, seed=2)
    ours, checkpoint, _ = fit_masked(tmp_path, epochs=2)
    network = plain_network(LONG, masked=True)
    start = build_model(LONG, protocol=PROTOCOL, seed=7, masked=True)
    network.get_layer("lstm").cell.seed_generator.state.assign(
        start.get_layer("lstm").cell.seed_generator.state
    )
    network.set_weights(start.get_weights())
    network.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    lengths = kept_lengths(reviews, maxlen=300)
    cut_to = set()
    for epoch in checkpoint.epochs:
        losses = []
        seed = derive(7, "shuffle", epoch.epoch)
        for chosen in epoch_buckets(lengths, batch_size=16, seed=seed):
            cut_to.add(int(lengths[chosen].max()))
            labels = reviews.labels[chosen].astype("float32")[:, None]
            whole = inputs_of(reviews, chosen, LONG)[0]
            logs = network.train_on_batch(whole, labels, return_dict=True)
            losses.append(float(logs["loss"]) * len(chosen))
        assert epoch.train_loss == pytest.approx(sum(losses) / len(reviews), abs=1e-5)
        # Keras draws dropout masks in evaluation, too.
        network.predict_on_batch(np.zeros((256, 300), dtype=np.int32))
    assert len(cut_to) > 3 and min(cut_to) < 300
    expected = network.predict_on_batch(inputs_of(validation, np.arange(24), LONG)[0])[:, 0]
    np.testing.assert_allclose(predict(ours, validation, LONG), expected, atol=1e-5)
    for mine, theirs in zip(ours.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


def test_a_step_is_traced_once_for_batches_of_every_shape(tmp_path, monkeypatch):
    """Also for the smaller last batch; Keras traces nothing else."""
    traced = []

    def counted(*arguments, **options):
        model = build_model(*arguments, **options)
        keras_step = model.train_step
        model.train_step = lambda data: traced.append(data[0].shape) or keras_step(data)
        return model

    monkeypatch.setattr("lstm_study.training.training.build_model", counted)
    _, checkpoint, _ = fit_masked(tmp_path, epochs=2)
    assert [shape.as_list() for shape in traced] == [[None, None]]
    monkeypatch.undo()
    _, expected, _ = fit_masked(tmp_path / "again", epochs=2)
    assert scores(checkpoint) == scores(expected)


def test_a_masked_trial_promoted_from_1_to_3_epochs_equals_three_straight(tmp_path):
    _, straight, _ = fit_masked(tmp_path / "straight", epochs=3)
    _, first, _ = fit_masked(tmp_path / "a", epochs=1)
    _, second, _ = fit_masked(tmp_path / "b", epochs=3, start=first)
    assert scores(second) == scores(straight)
    for ours, theirs in zip(second.variables, straight.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_predictions_in_batches_of_similar_length_keep_the_order_of_the_reviews():
    model = build_model(CONFIGURATION, protocol=PROTOCOL, seed=7, masked=True)
    reviews = split(30)
    rows = inputs_of(reviews, np.arange(30), CONFIGURATION)[0]
    expected = model.predict_on_batch(rows)[:, 0]
    assert len(set(expected.tolist())) > 20
    np.testing.assert_allclose(predict(model, reviews, CONFIGURATION), expected, atol=1e-6)


def test_the_weights_of_the_epochs_before_the_last_are_kept_through_an_interruption(tmp_path):
    """Predictions with them are those of the training at those epochs, to the bit."""
    reviews = split(64)

    def until(epochs, start=None):
        model = train(
            Training(
                configuration=CONFIGURATION, protocol=PROTOCOL, seed=1, epochs=epochs, masked=True,
                keeps=(2, 3),
            ),
            reviews=reviews, validation=None, start=start, save=tmp_path / "c.npz", where="",
            on_step=lambda step: None, on_epoch=lambda checkpoint: None,
        )  # fmt: skip
        return model, read_checkpoint(tmp_path / "c.npz")

    model, whole = until(4)
    last = predict(model, reviews, CONFIGURATION)
    before = predict_earlier(model, whole.earlier, reviews, CONFIGURATION)
    np.testing.assert_array_equal(predict(model, reviews, CONFIGURATION), last)
    third, at_three = until(3)
    np.testing.assert_array_equal(before[1], predict(third, reviews, CONFIGURATION))
    assert len(at_three.earlier) == 1
    _, resumed = until(4, start=at_three)
    for ours, theirs in zip(resumed.earlier, whole.earlier, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)
