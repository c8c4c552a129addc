"""The corpus against Keras itself."""

import random

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras.src.datasets import imdb as keras_imdb
from keras.src.legacy.preprocessing import text as keras_text

from lstm_study.corpus.batches import view
from lstm_study.corpus.load import load
from lstm_study.corpus.text.tokens import split_tokens
from lstm_study.spec import DataTable
from tests.support.reviews import made_up_reviews, split_of, write_csv, write_npz

LISTS = st.lists(st.lists(st.integers(1, 30), min_size=1, max_size=20), min_size=1, max_size=12)


def _assert_equal_to_keras(path, num_words, cache, monkeypatch):
    """Compares what a network takes in of all reviews, in the order that Keras shuffles them to."""
    monkeypatch.setattr(keras_imdb, "get_file", lambda **_: str(path))
    halves = keras.datasets.imdb.load_data(num_words=num_words)
    corpus = load(DataTable(source="imdb", path=str(path)), seed=1, cache=cache)
    shuffling = np.random.RandomState(113)
    for (reviews, labels), split in zip(
        halves, (corpus.training, corpus.open_test(on_open=lambda: None)), strict=True
    ):
        rows = np.arange(len(labels))
        shuffling.shuffle(rows)
        ours = split.select(np.argsort(split.document_ids)[rows])
        assert ours.labels.tolist() == labels.tolist()
        assert ours.lengths.tolist() == [len(review) for review in reviews]
        seen = view(ours, vocabulary_size=num_words, maxlen=500)
        assert np.array_equal(seen, keras.utils.pad_sequences(reviews, maxlen=500))


@pytest.mark.parametrize("num_words", [20, 50_000])
def test_a_small_npz_reads_as_keras_reads_it(tmp_path, monkeypatch, num_words):
    _assert_equal_to_keras(write_npz(tmp_path / "imdb.npz"), num_words, tmp_path, monkeypatch)


@pytest.mark.real_data
def test_the_real_npz_reads_as_keras_reads_it(data_folder, tmp_path, monkeypatch):
    _assert_equal_to_keras(data_folder / "imdb.npz", 50_000, tmp_path, monkeypatch)


@given(LISTS, st.integers(3, 40), st.integers(1, 30))
def test_a_view_equals_pad_sequences(lists, vocabulary_size, maxlen):
    kept = [[token if token < vocabulary_size else 2 for token in tokens] for tokens in lists]
    expected = keras.utils.pad_sequences(kept, maxlen=maxlen)
    seen = view(split_of(lists), vocabulary_size=vocabulary_size, maxlen=maxlen)
    assert seen.dtype == expected.dtype
    assert np.array_equal(seen, expected)


@given(st.text())
def test_words_are_kerass_words(text):
    text = text.encode("utf-8", "replace").decode("utf-8")
    assert split_tokens(text) == keras_text.text_to_word_sequence(text)


def test_ranks_are_the_keras_tokenizers(tmp_path):
    rows = made_up_reviews(200)
    random.Random(3).shuffle(rows)
    path = write_csv(tmp_path / "r.csv", rows)
    corpus = load(DataTable(source="csv", path=str(path)), seed=1, cache=tmp_path)
    order = np.sort(corpus.training.document_ids) - 1
    tokenizer = keras_text.Tokenizer()
    tokenizer.fit_on_texts([rows[row][0] for row in order])
    assert corpus.vocabulary.ids == {word: rank + 3 for word, rank in tokenizer.word_index.items()}
