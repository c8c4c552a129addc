"""A space and a protocol that suit a corpus."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_study.commands.proposal import Size, held_out_fraction, propose

IMDB = Size(
    reviews=50_000, training=25_000, test=25_000, lengths=(180, 290, 600), words=88_000,
    repeated_words=52_000, positive_share=0.5,
)  # fmt: skip


def test_a_corpus_like_imdb_gets_the_documented_protocol_and_baseline() -> None:
    found = propose(IMDB, is_open=False)
    assert (found.epochs, found.batch_size, found.seeds) == (10, 64, 6)
    assert (found.baseline_maxlen, found.baseline_vocabulary_size) == (500, 50_000)
    assert (found.trials, found.trial_epochs) == (30, 120)
    assert found.maxlen == (200, 300, 500)
    assert found.vocabulary_size == (10_000, 20_000, 50_000)
    assert found.width == (32, 64, 128)
    assert found.warnings == ()


def test_300_rows_get_a_narrow_space_more_epochs_more_seeds_and_two_warnings() -> None:
    size = Size(
        reviews=300, training=210, test=90, lengths=(14, 16, 19), words=900, repeated_words=600,
        positive_share=0.5,
    )  # fmt: skip
    found = propose(size, is_open=False)
    assert (found.epochs, found.batch_size, found.seeds) == (20, 16, 10)
    assert found.width == (8, 16, 32)
    assert found.maxlen == (20,)
    assert (found.baseline_maxlen, found.baseline_vocabulary_size) == (20, 904)
    assert "a smaller one will probably not be shown" in found.warnings[0]
    assert "210 training reviews are hardly enough" in found.warnings[1]


def test_300_000_rows_get_few_epochs() -> None:
    size = replace(IMDB, reviews=300_000, training=240_000, test=60_000)
    found = propose(size)
    assert (found.epochs, found.batch_size, found.seeds) == (3, 64, 4)
    assert found.trials < 10


def test_an_open_space_has_fewer_epochs_than_its_baseline_and_pairs_by_the_reviews() -> None:
    found = propose(IMDB)
    assert (found.epochs, found.baseline_epochs) == (4, 10)
    assert (found.iterations, found.trials, found.trial_epochs) == (5, 50, 130)
    assert found.pairs == (0, 100_000)
    few = propose(replace(IMDB, training=400))
    assert (few.epochs, few.baseline_epochs, few.pairs) == (8, 20, (0,))


def test_labels_that_are_hardly_mixed_are_warned_of_on_either_side() -> None:
    for share in (0.9, 0.1):
        (warning,) = propose(replace(IMDB, positive_share=share)).warnings
        assert warning.startswith("90% of the reviews have one label")


def test_more_is_held_out_where_reviews_are_few() -> None:
    assert held_out_fraction(1_999) == 0.3
    assert held_out_fraction(2_000) == 0.2


@given(
    training=st.integers(2, 2_000_000),
    test=st.integers(2, 500_000),
    lengths=st.tuples(*[st.integers(1, 5_000)] * 3),
    words=st.integers(1, 1_000_000),
)
def test_any_size_gets_values_that_a_study_may_have(
    training: int, test: int, lengths: tuple[int, int, int], words: int
) -> None:
    found = propose(
        Size(
            reviews=training + test, training=training, test=test, lengths=tuple(sorted(lengths)),
            words=words, repeated_words=words // 2, positive_share=0.5,
        )
    )  # fmt: skip
    assert 3 <= found.epochs <= 20
    assert list(found.maxlen) == sorted(set(found.maxlen))
    assert list(found.vocabulary_size) == sorted(set(found.vocabulary_size))
    assert max(found.maxlen) <= 500
    assert 4 < found.baseline_vocabulary_size <= 50_000


@pytest.mark.parametrize("training", [1_000, 3_999, 4_000, 20_000])
def test_a_training_takes_about_the_documented_steps_or_20_epochs(training: int) -> None:
    found = propose(replace(IMDB, training=training), is_open=False)
    steps = found.epochs * training / found.batch_size
    assert found.epochs == 20 or 2_500 < steps < 6_000
