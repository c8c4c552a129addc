import dataclasses

import numpy as np
import pytest

from lstm_study.corpus.documents import Assembled
from lstm_study.corpus.summary import coverage, digest, length_counts, summarise
from lstm_study.records import CorpusSummary
from lstm_study.records.codec import from_json, to_json
from tests.support.reviews import split_of

TRAINING = [[1, 4, 5], [1, 4, 5], [1, 4], [1, 6, 4, 4]]
TEST = [[1, 4, 5], [1, 5], [1, 5], [1, 4]]


def assembled(training=TRAINING, test=TEST, *, words=("the", "film", "x")) -> Assembled:
    return Assembled(
        training=dataclasses.replace(split_of(training), name="training"),
        train_reviews=2,
        test=dataclasses.replace(split_of(test), name="test"),
        words=words,
        label_names=("neg", "pos"),
        same_text=_groups([*training, *test]),
        same_words=_groups([*training, *test]),
    )


def _groups(reviews):
    numbers = {}
    return np.array([numbers.setdefault(tuple(each), len(numbers)) for each in reviews])


def test_the_summary_counts_what_can_be_counted_by_hand():
    summary = summarise(assembled(), source="csv", path="r.csv", source_sha256="ab")
    train, validation, test = summary.splits
    assert (train.name, train.reviews, train.positive, train.tokens) == ("train", 2, 1, 6)
    assert (validation.name, validation.reviews, validation.tokens) == ("validation", 2, 6)
    assert (train.duplicates, validation.duplicates, test.duplicates) == (1, 0, 1)
    assert summary.duplicates_across == 2
    assert validation.length_quantiles[0] == 2
    assert validation.length_quantiles[-1] == 4
    assert summary.vocabulary_size == 7
    assert summary.coverage == ((7, 1.0),)
    assert summary.length_counts == ((1, 0), (2, 1), (3, 2), (4, 1))


def test_reviews_of_equal_words_in_other_texts_are_counted_apart():
    corpus = dataclasses.replace(assembled(), same_text=np.arange(8))
    summary = summarise(corpus, source="csv", path="r.csv", source_sha256="ab")
    assert [split.duplicates for split in summary.splits] == [0, 0, 0]
    assert (summary.duplicates_across, summary.near_equal) == (0, 4)


def test_the_summary_is_a_record_that_can_be_written_and_read():
    summary = summarise(assembled(), source="csv", path="r.csv", source_sha256="ab")
    assert from_json(to_json(summary), CorpusSummary, where="x") == summary


def test_without_words_the_vocabulary_is_what_the_training_ids_reach():
    summary = summarise(assembled(words=None), source="imdb", path="x", source_sha256="ab")
    assert summary.vocabulary_size == 7


def test_coverage_counts_words_and_not_the_start_token():
    token_ids = np.array([1, 4, 999, 1_000, 2_000, 1, 4_999], dtype=np.int32)
    assert coverage(token_ids, vocabulary_size=5_000) == (
        (1_000, pytest.approx(2 / 5)),
        (2_000, pytest.approx(3 / 5)),
        (5_000, 1.0),
    )


def test_lengths_are_counted_in_at_most_60_bins_of_one_width():
    counts = length_counts(np.array([1, 50, 51, 2_494]))
    assert len(counts) == 50
    assert counts[0] == (50, 2)
    assert counts[1] == (100, 1)
    assert counts[-1] == (2_500, 1)
    assert sum(count for _, count in counts) == 4


def test_the_digest_follows_tokens_labels_and_splits():
    base = assembled()
    flipped = dataclasses.replace(base.training, labels=1 - base.training.labels)
    others = [
        assembled(training=[[1, 4, 6], *TRAINING[1:]]),
        assembled(training=[[1, 4], [5, 1, 4, 5], *TRAINING[2:]]),
        assembled(test=[[1, 4, 6], *TEST[1:]]),
        dataclasses.replace(base, train_reviews=3),
        dataclasses.replace(base, training=flipped),
    ]
    digests = {digest(base), *map(digest, others)}
    assert len(digests) == 6
    assert digest(assembled()) == digest(base)
