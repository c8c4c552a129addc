import numpy as np
import pytest

from lstm_study.corpus.documents import TEST, TRAIN, VALIDATION, Documents, assemble
from lstm_study.corpus.text.tokens import number_words
from lstm_study.errors import DataError
from lstm_study.spec import DataTable
from tests.support.reviews import made_up_reviews


def table(**settings) -> DataTable:
    return DataTable(source="csv", path="x.csv", **settings)


def documents(reviews, *, roles=None) -> Documents:
    numbered = number_words([text.encode() for text, _ in reviews])
    return Documents(
        where="x.csv",
        numbers=numbered.numbers,
        offsets=numbered.offsets,
        labels=np.array([label for _, label in reviews], dtype=np.int8),
        roles=np.array(roles if roles is not None else [TRAIN] * len(reviews), dtype=np.int8),
        document_ids=np.arange(len(reviews)),
        words=numbered.words,
        ranked=False,
        label_names=("bad", "good"),
    )


def ids(split, *, start=0, stop=None) -> set[int]:
    return set(split.document_ids[start:stop].tolist())


def test_every_review_is_in_one_split_with_the_shares_asked():
    whole = assemble(
        documents(made_up_reviews(200)),
        data=table(test_fraction=0.25, validation_fraction=0.2),
        seed=1,
    )
    assert len(whole.test) == 50
    assert whole.train_reviews == 120
    assert len(whole.training) == 150
    assert ids(whole.test) | ids(whole.training) == set(range(200))
    for labels in (
        whole.test.labels,
        whole.training.labels[:120],
        whole.training.labels[120:],
    ):
        assert labels.sum() * 2 == len(labels)


def test_words_are_ranked_over_training_reviews_and_unseen_test_words_left_out():
    reviews = [("b a", 0), ("a b b", 1), ("c a", 0), ("b c d", 1), ("z a z", 0), ("z q b", 1)]
    roles = [TRAIN, TRAIN, VALIDATION, VALIDATION, TEST, TEST]
    whole = assemble(documents(reviews, roles=roles), data=table(), seed=1)
    # b 4, a 3, c 2, d 1 among the first four; z and q are in test alone.
    assert whole.words == ("b", "a", "c", "d")
    assert whole.training[1].tolist() == [1, 5, 4, 4]
    assert [whole.test[0].tolist(), whole.test[1].tolist()] == [[1, 5], [1, 4]]


def test_equally_frequent_words_are_ranked_in_the_sources_order_whatever_the_split():
    reviews = [("q z", 0), ("x y", 1), ("w v", 0), ("u t", 1)]
    roles = [VALIDATION, TRAIN, TRAIN, VALIDATION]
    whole = assemble(
        documents([*reviews, ("q", 0), ("x", 1)], roles=[*roles, TEST, TEST]), data=table(), seed=1
    )
    assert whole.words == ("q", "z", "x", "y", "w", "v", "u", "t")


def test_train_comes_before_validation_each_in_the_sources_order():
    whole = assemble(documents(made_up_reviews(100)), data=table(), seed=2)
    train = whole.training.document_ids[: whole.train_reviews].tolist()
    validation = whole.training.document_ids[whole.train_reviews :].tolist()
    assert train == sorted(train)
    assert validation == sorted(validation)


def test_equal_texts_are_never_on_two_sides():
    reviews = made_up_reviews(60)
    tripled = [review for review in reviews for _ in range(3)]
    whole = assemble(documents(tripled), data=table(), seed=1)
    sides = [
        {number // 3 for number in side}
        for side in (
            ids(whole.test),
            ids(whole.training, stop=whole.train_reviews),
            ids(whole.training, start=whole.train_reviews),
        )
    ]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]


def test_limits_draw_a_balanced_subset_and_words_come_from_what_is_left():
    data = table(train_limit=40, test_limit=10, validation_fraction=0.25)
    whole = assemble(documents(made_up_reviews(200)), data=data, seed=1)
    assert (whole.train_reviews, len(whole.training), len(whole.test)) == (30, 40, 10)
    assert whole.training.labels.sum() == 20
    assert whole.test.labels.sum() == 5
    own_words = {word for word in whole.words if word.startswith("no")}
    assert own_words == {f"no{number}" for number in ids(whole.training)}


def test_a_seed_gives_the_same_splits_again_and_another_seed_others():
    first, again, other = (
        assemble(documents(made_up_reviews(100)), data=table(), seed=seed) for seed in (1, 1, 2)
    )
    assert ids(first.test) == ids(again.test)
    assert first.training.token_ids.tolist() == again.training.token_ids.tolist()
    assert ids(first.test) != ids(other.test)


def test_changing_the_validation_fraction_moves_no_test_review():
    splits = [
        assemble(documents(made_up_reviews(100)), data=table(validation_fraction=fraction), seed=1)
        for fraction in (0.1, 0.5)
    ]
    assert ids(splits[0].test) == ids(splits[1].test)


@pytest.mark.parametrize(
    ("reviews", "roles", "missing"),
    [
        ([("a", 0), ("b", 1), ("c", 0), ("d", 1)], None, "no 'bad' in validation"),
        ([("a", 0), ("b", 1), ("c", 0)], [TRAIN, TRAIN, TEST], "no 'bad' in validation"),
        (
            [("a", 0), ("b", 1), ("c", 0), ("d", 1), ("e", 1)],
            [TRAIN, TRAIN, VALIDATION, VALIDATION, TEST],
            "no 'bad' in test",
        ),
    ],
)
def test_too_few_reviews_are_told_by_split_and_label(reviews, roles, missing):
    with pytest.raises(DataError, match=f"x.csv: too few reviews.*{missing}"):
        assemble(documents(reviews, roles=roles), data=table(), seed=1)
