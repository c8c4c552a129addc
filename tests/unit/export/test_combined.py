"""Several exported models as one: the mean of their probabilities, each by its own words."""

from pathlib import Path

import numpy as np
import pytest

from lstm_study.corpus.text.vocabulary import Vocabulary
from lstm_study.errors import ExportError
from lstm_study.export import CombinedModel, predict_some
from lstm_study.export.classifier import Classifier


class Always(Classifier):
    """Gives a text of words it knows one probability, and 0.5 to others."""

    def _probabilities(self, reviews):
        known = np.diff(reviews.offsets) > 1
        return np.where(known, float(self.folder.name), 0.5).astype(np.float32)


def model(probability: str, *words: str, labels=("bad", "good"), column: str = "text") -> Always:
    return Always(
        folder=Path(probability), labels=labels, threshold=0.5,
        vocabulary=Vocabulary(words, "keras"), text_column=column,
    )  # fmt: skip


def test_the_mean_counts_and_a_text_is_unknown_only_if_no_model_knows_a_word() -> None:
    both = CombinedModel(models=(model("0.9", "film", column="body"), model("0.2", "film", "dull")))
    probabilities, unknown = predict_some(both, ["film", "dull", "what"])
    assert probabilities.tolist() == pytest.approx([0.55, 0.35, 0.5])
    assert probabilities.dtype == np.float32
    assert unknown == 1
    assert both.label_of(0.55) == "good"
    assert both.text_column == "body"
    assert predict_some(both, [])[0].tolist() == []


def test_models_of_other_labels_are_not_averaged() -> None:
    with pytest.raises(ExportError, match=r"0\.2: must have the labels of 0\.9, 'bad' and 'good'"):
        CombinedModel(models=(model("0.9"), model("0.2", labels=("good", "bad"))))
