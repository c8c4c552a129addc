"""What every exported model does with its labels, its reviews and wrong ones."""

from pathlib import Path

import numpy as np
import pytest

from lstm_study.corpus.text.vocabulary import START, Vocabulary
from lstm_study.errors import ExportError
from lstm_study.export.classifier import Classifier
from lstm_study.export.predict import predict_some


class LastId(Classifier):
    """Says that the last token id of a review is its probability."""

    def _probabilities(self, reviews):
        return reviews.token_ids[reviews.offsets[1:] - 1].astype(np.float32)


def model(words: tuple[str, ...] | None = ("film",)) -> LastId:
    vocabulary = None if words is None else Vocabulary(words, "keras")
    return LastId(
        folder=Path("model"), labels=("bad", "good"), threshold=0.5, vocabulary=vocabulary
    )


def test_only_a_probability_above_the_threshold_is_the_positive_label():
    assert [model().label_of(value) for value in (0.4, 0.5, 0.5001)] == ["bad", "bad", "good"]


def test_reviews_are_answered_in_their_order_and_one_without_tokens_has_a_start():
    found = model().predict_token_ids([[1, 7], [], [1, 0], [1, 2**31 - 1]])
    assert found.tolist() == [7, START, 0, 2**31]
    assert model().predict_token_ids([]).tolist() == []


@pytest.mark.parametrize("wrong", [[-1], [0.5], [[1, 2]], ["a"], [2**31]])
def test_a_review_that_is_no_token_ids_is_named_by_its_number(wrong):
    with pytest.raises(ExportError, match="review 3: must be token ids"):
        model().predict_token_ids([[1, 4], [1, 4], wrong])


def test_a_model_that_does_not_know_the_words_says_so():
    with pytest.raises(ExportError, match="knows token ids but not their words"):
        predict_some(model(words=None), ["a film"])
