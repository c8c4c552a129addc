"""The classical control, against scikit-learn's own counting and weighing."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from lstm_study.comparison.classical_control import (
    CANDIDATES,
    choose,
    fit,
    train_control,
    try_candidates,
)
from lstm_study.corpus import ngrams
from lstm_study.corpus.ngrams import count_features, frequent_keys, learn_features, weigh
from lstm_study.corpus.types import Split
from lstm_study.records import ControlCandidate
from tests.support.fake_spec import fake_spec
from tests.support.tiny import split

TRAIN = split(80, seed=1, words=30)
OTHER = split(40, seed=2, words=30)


def as_text(reviews: Split) -> list[str]:
    return [" ".join(f"w{token}" for token in reviews[n][1:]) for n in range(len(reviews))]


def name_of(key: int) -> str:
    first, second = key >> 32, key & 0xFFFFFFFF
    return f"w{first} w{second}" if second else f"w{first}"


@pytest.mark.parametrize("chunk", [1, 7, 80, 1_000])
def test_words_and_pairs_are_counted_as_scikit_learn_counts_them(chunk, monkeypatch):
    monkeypatch.setattr(ngrams, "_CHUNK", chunk)
    theirs = CountVectorizer(ngram_range=(1, 2), min_df=2)
    expected = theirs.fit_transform(as_text(TRAIN))
    keys = frequent_keys(TRAIN)
    names = [name_of(key) for key in keys.tolist()]
    assert sorted(names) == sorted(theirs.get_feature_names_out())
    columns = [theirs.vocabulary_[name] for name in names]
    ours = count_features(TRAIN, keys)
    assert (ours.toarray() == expected[:, columns].toarray()).all()
    unseen = count_features(OTHER, keys)
    assert (unseen.toarray() == theirs.transform(as_text(OTHER))[:, columns].toarray()).all()


def test_tf_idf_is_scikit_learns_sublinear_one():
    keys = frequent_keys(TRAIN)
    counts = count_features(TRAIN, keys)
    features = learn_features(TRAIN, counts, keys, weighting="tfidf")
    theirs = TfidfTransformer(sublinear_tf=True).fit(counts)
    for reviews in (TRAIN, OTHER):
        rows = count_features(reviews, keys)
        assert weigh(rows, features).toarray() == pytest.approx(theirs.transform(rows).toarray())


def test_naive_bayes_weights_are_smoothed_log_ratios_worked_by_hand():
    reviews = Split(
        name="train", token_ids=np.array([1, 5, 5, 1, 5, 6, 1, 6], dtype=np.int32),
        offsets=np.array([0, 3, 6, 8]), labels=np.array([1, 1, 0], dtype=np.int8),
        document_ids=np.arange(3),
    )  # fmt: skip
    keys = frequent_keys(reviews)
    assert [name_of(key) for key in keys.tolist()] == ["w5", "w6"]
    counts = count_features(reviews, keys)
    features = learn_features(reviews, counts, keys, weighting="nb")
    # Present in positive reviews: w5 in 2, w6 in 1; in negative ones 0 and 1; smoothed by 1.
    assert features.weights == pytest.approx([np.log((3 / 5) / (1 / 3)), np.log((2 / 5) / (2 / 3))])
    assert (weigh(counts, features).toarray() != 0).tolist() == [
        [True, False], [True, True], [False, True],
    ]  # fmt: skip


def test_it_learns_what_there_is_to_learn_and_draws_nothing_at_random():
    chosen = choose(try_candidates(TRAIN, OTHER), spec=fake_spec())
    assert chosen.validation_accuracy > 0.9, "the labels of these reviews are in their words"
    models = [fit(TRAIN, weighting="nb", inverse_regularisation=1.0) for _ in range(2)]
    first, second = (model.predict(OTHER) for model in models)
    assert (first == second).all()
    assert first.dtype == np.float32
    assert ((first > 0.5) == OTHER.labels).mean() > 0.9


def test_every_candidate_is_scored_and_the_first_of_equals_is_chosen():
    tried = try_candidates(TRAIN, OTHER)
    assert [(each.weighting, each.inverse_regularisation) for each in tried] == list(CANDIDATES)

    def candidate(accuracy: float, loss: float) -> ControlCandidate:
        return ControlCandidate(
            weighting="nb", inverse_regularisation=1.0, validation_accuracy=accuracy,
            validation_loss=loss, seconds=0.0,
        )  # fmt: skip

    some = (candidate(0.8, 0.5), candidate(0.9, 0.4), candidate(0.9, 0.3))
    assert choose(some, spec=fake_spec()) is some[1]
    assert choose(some, spec=fake_spec(study__objective='"validation_loss"')) is some[2]


def test_a_review_without_words_is_read_by_the_intercept_alone():
    empty = Split(
        name="test", token_ids=np.array([1, 1, 999], dtype=np.int32), offsets=np.array([0, 1, 3]),
        labels=np.zeros(2, dtype=np.int8), document_ids=np.arange(2),
    )  # fmt: skip
    for weighting in ("nb", "tfidf"):
        model = fit(TRAIN, weighting=weighting, inverse_regularisation=1.0)
        probabilities = model.predict(empty)
        assert probabilities[0] == probabilities[1]
        assert 0 < probabilities[0] < 1


def test_features_are_in_ascending_order():
    keys = frequent_keys(TRAIN).tolist()
    assert all(first < second for first, second in pairwise(keys))


def test_each_of_its_parts_is_told_when_it_begins():
    told: list[tuple[int, int]] = []
    reviews = SimpleNamespace(
        train=TRAIN, validation=OTHER, training=TRAIN, request_test=lambda name: OTHER
    )
    found = train_control(reviews, lambda *parts: told.append(parts), spec=fake_spec())
    assert told == [(done, 9) for done in range(9)]
    assert found.control.test_accuracy > 0.5
