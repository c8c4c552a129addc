"""Near-duplicates: found whole, in part and never by chance."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_study.corpus.near_duplicates import count_near_duplicates, shingles_of
from lstm_study.corpus.types import Split


def split_of(*reviews, labels=None) -> Split:
    tokens = [np.array([1, *review], dtype=np.int32) for review in reviews]
    return Split(
        name="test",
        token_ids=np.concatenate(tokens),
        offsets=np.cumsum([0, *map(len, tokens)]).astype(np.int64),
        labels=np.array(labels or [0] * len(reviews), dtype=np.int8),
        document_ids=np.arange(len(reviews)),
    )


def by_sets(test: Split, training: Split, *, words: int, threshold: float) -> tuple[int, ...]:
    """The same by Python's sets of tuples, pair by pair."""

    def shingles(review) -> set:
        tokens = tuple(review[1:].tolist())
        runs = {tokens[i : i + words] for i in range(len(tokens) - words + 1)}
        return runs or ({tokens} if tokens else set())

    others = [shingles(training[number]) for number in range(len(training))]
    found = []
    for number in range(len(test)):
        mine = shingles(test[number])
        if any(
            (shared := len(mine & other)) and shared >= threshold * min(len(mine), len(other))
            for other in others
        ):
            found.append(number)
    return tuple(found)


def test_a_copy_a_quotation_and_a_copy_with_another_end_are_found_and_another_review_is_not():
    original = list(range(10, 60))
    training = split_of(original, range(200, 240), labels=[1, 0])
    test = split_of(
        original,  # word for word
        [*range(500, 520), *original, *range(600, 640)],  # quotes it whole
        [*original[:40], *range(700, 710)],  # another end
        range(300, 350),  # another review
        [*original[:9], *range(800, 850)],  # shares two runs of eight, no more
        labels=[1, 1, 0, 0, 0],
    )
    found = count_near_duplicates(test, training)
    assert found.positions == (0, 1, 2)
    assert found.exact == 1
    assert found.other_label == 1
    assert found.test_reviews == 5


def test_half_of_the_runs_of_eight_words_are_enough_and_seven_words_are_none():
    training = split_of(range(10, 19))
    test = split_of([*range(10, 18), 99], [*range(10, 17), 98, 99])
    assert count_near_duplicates(test, training).positions == (0,)


def test_a_review_shorter_than_a_shingle_is_compared_as_a_whole():
    training = split_of([10, 11, 12], range(20, 40))
    test = split_of([10, 11, 12], [10, 11], [10, 11, 12, 13], [])
    assert count_near_duplicates(test, training).positions == (0,)


@pytest.mark.parametrize("seed", range(5))
def test_the_count_is_that_of_sets_of_runs_of_words(seed):
    random = np.random.default_rng(seed)

    def reviews(count: int) -> list:
        return [random.integers(3, 6, random.integers(0, 25)).tolist() for _ in range(count)]

    training, test = split_of(*reviews(40)), split_of(*reviews(30))
    for words, threshold in ((3, 0.5), (5, 0.5), (8, 0.8)):
        found = count_near_duplicates(test, training, shingle_words=words, threshold=threshold)
        assert found.positions == by_sets(test, training, words=words, threshold=threshold)


def test_counting_in_parts_finds_the_same(monkeypatch):
    random = np.random.default_rng(4)
    reviews = [random.integers(4, 7, random.integers(1, 30)).tolist() for _ in range(60)]
    test, training = split_of(*reviews[:30]), split_of(*reviews[30:])
    whole = count_near_duplicates(test, training, shingle_words=3)
    monkeypatch.setattr("lstm_study.corpus.near_duplicates._MATCHES_AT_ONCE", 5)
    parts = count_near_duplicates(test, training, shingle_words=3)
    assert replace(parts, seconds=whole.seconds) == whole
    assert whole.positions


def test_order_counts_and_the_start_token_does_not():
    one = shingles_of(split_of(range(10, 18)), words=8).hashes
    backwards = shingles_of(split_of(range(17, 9, -1)), words=8).hashes
    assert len(one) == len(backwards) == 1
    assert one[0] != backwards[0]


def test_a_set_phrase_in_hundreds_of_reviews_is_no_copy():
    phrase = list(range(10, 18))
    training = split_of(*([*phrase, 1000 + number] for number in range(501)))
    assert count_near_duplicates(split_of(phrase), training).positions == ()
