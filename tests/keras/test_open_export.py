"""A bundle of an open network: every form gives the same probabilities."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from lstm_study.analysis.statistics.calibration import tempered
from lstm_study.corpus.text.pairs import count_pairs
from lstm_study.corpus.text.vocabulary import Vocabulary
from lstm_study.errors import ExportError
from lstm_study.export import load_bundle
from lstm_study.export.layout import write_sums
from lstm_study.training.inputs import as_input, inputs_of
from tests.support.bundles import WORDS, predictions, python, random_weights, small, study, write
from tests.support.reviews import split_of

VOCABULARY = Vocabulary(WORDS)
TEXTS = (
    "the film was great", "the film was awful awful", "", "great film the film was", "it's",
    "unseen words the film", "the film was great the film was awful the film was great", "caffè",
)  # fmt: skip
CONFIGURATION = small(maxlen=9, size=8).with_values(
    lstm_layers=2, bidirectional=True, pooling="all", embedding_dropout=0.3, output_dropout=0.3,
    word_dropout=0.1, pair_vocabulary_size=3, clip_norm=1.0,
)  # fmt: skip


def pairs():
    reviews = split_of([VOCABULARY.encode(text) for text in TEXTS])
    return count_pairs(reviews.token_ids, reviews.offsets)


def expected(bundle):
    """What the training network gives, on inputs made by the training's own functions."""
    reviews = replace(split_of([VOCABULARY.encode(text) for text in TEXTS]), pairs=pairs())
    given = inputs_of(reviews, np.arange(len(TEXTS)), bundle.configuration)
    return given, np.asarray(bundle.networks[0](as_input(given)))[:, 0]


@pytest.mark.parametrize(("masked", "layers"), [(True, 2), (False, 1)])
def test_every_form_of_an_open_network_gives_the_same_probabilities(tmp_path, masked, layers):
    import onnxruntime
    import tensorflow as tf

    configuration = CONFIGURATION.with_values(lstm_layers=layers)
    weights = random_weights(configuration)
    records, run = study(configuration)
    members = [replace(each, masked=masked) for each in records.runs if each.arm == "winner"][:2]
    paths = write(
        tmp_path / "model", weights=weights, vocabulary=VOCABULARY, configuration=configuration,
        run=replace(run, masked=masked), pairs=pairs(),
        ensemble=[(each, weights) for each in members],
    )  # fmt: skip
    bundle = load_bundle(paths.folder)
    assert len(pairs().pairs) > CONFIGURATION.pair_vocabulary_size, "one is not to be exported"
    given, found = expected(bundle)
    assert len(set(found.round(4))) >= 5, "the texts must be told apart"
    assert np.abs(predictions(bundle, TEXTS) - found).max() < 1e-5
    ensemble = load_bundle(paths.folder, ensemble=True)
    assert np.abs(predictions(ensemble, TEXTS) - found).max() < 1e-5
    for path in (paths.network, paths.network_h5, paths.ensemble):
        network = keras.models.load_model(path, compile=False, safe_mode=True)
        kinds = {type(layer).__module__.partition(".")[0] for layer in network.layers}
        assert kinds == {"keras"}
        # `predict` compiles a program for each.
        assert np.abs(np.asarray(network(list(given)))[:, 0] - found).max() < 1e-5
    assert np.abs(network.predict(list(given), verbose=0)[:, 0] - found).max() < 1e-5
    session = onnxruntime.InferenceSession(paths.onnx)
    names = [each.name for each in session.get_inputs()]
    assert names == ["token_ids", "pair_ids"]
    outputs = session.run(None, dict(zip(names, given, strict=True)))[0]
    assert np.abs(outputs[:, 0] - found).max() < 1e-5
    text_model = tf.saved_model.load(str(paths.text_model))
    for ours, theirs in zip(given, text_model.tokenise(tf.constant(TEXTS)), strict=True):
        assert np.array_equal(ours, theirs.numpy())
    assert np.abs(text_model.serve(tf.constant(TEXTS)).numpy()[:, 0] - found).max() < 1e-5
    done = python(str(paths.example), *TEXTS[:2])
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == [f"{p:.4f}" for p in found[:2]]
    assert "token ids and pair ids" in paths.card.read_text()


def test_a_temperature_calibrates_every_form_and_changes_no_label(tmp_path):
    configuration = CONFIGURATION.with_values(lstm_layers=1, bidirectional=False)
    weights = random_weights(configuration)
    records, _ = study(configuration)
    members = [(each, weights) for each in records.runs if each.arm == "winner"][:2]
    given = {"weights": weights, "vocabulary": VOCABULARY, "configuration": configuration,
             "pairs": pairs(), "ensemble": members}  # fmt: skip
    plain = write(tmp_path / "plain", **given)
    paths = write(tmp_path / "calibrated", **given, temperature=3.0)
    before = predictions(load_bundle(plain.folder), TEXTS)
    for ensemble in (False, True):
        after = predictions(load_bundle(paths.folder, ensemble=ensemble), TEXTS)
        assert np.allclose(after, tempered(before, 3.0), atol=1e-5)
        assert np.array_equal(after > 0.5, before > 0.5)
    assert "divided by 3.000" in paths.card.read_text()
    assert "Its probabilities are not calibrated" in plain.card.read_text()


def test_pairs_that_are_missing_or_torn_are_told_in_one_line(tmp_path):
    configuration = small().with_values(pair_vocabulary_size=4)
    paths = write(
        tmp_path / "model", weights=random_weights(configuration), vocabulary=VOCABULARY,
        configuration=configuration, pairs=pairs(),
    )  # fmt: skip
    assert paths.pairs is not None
    lines = paths.pairs.read_text()
    for text, sentence in (
        (lines[: lines.rindex("\n", 0, -1) + 1], "must hold 4 pairs, one a line"),
        ("four five\n", "must hold two token ids a line"),
    ):
        paths.pairs.write_text(text)
        write_sums(paths.folder)
        with pytest.raises(ExportError, match=sentence):
            load_bundle(paths.folder)
