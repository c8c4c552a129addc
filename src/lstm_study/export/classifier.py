"""What every exported model does: it classifies reviews that are token ids, and names labels."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.text.pairs import PairVocabulary
from lstm_study.corpus.text.vocabulary import START, Vocabulary
from lstm_study.corpus.types import Split
from lstm_study.errors import ExportError

TokenIds = Sequence[int] | NDArray[np.integer]


@dataclass(frozen=True, eq=False, kw_only=True)
class Classifier(ABC):
    """A model that was exported, ready to classify texts.

    Attributes:
        folder: Where it was loaded from.
        labels: Names of the negative and the positive label.
        threshold: A probability above it is the positive label.
        vocabulary: The words behind the token ids; None if the bundle does not know them.
        text_column: The column of the study's own files that held the texts.
        pairs: The pairs of words that it knows; None without pairs.
    """

    folder: Path
    labels: tuple[str, str]
    threshold: float
    vocabulary: Vocabulary | None = field(repr=False)
    text_column: str = "text"
    pairs: PairVocabulary | None = field(default=None, repr=False)

    def predict_token_ids(self, reviews: Sequence[TokenIds]) -> NDArray[np.float32]:
        """Predicts reviews that are token ids already, uncut: the bundle cuts and pads them.

        Args:
            reviews: Integers >= 0 [tokens] for each review, beginning with 1.

        Returns:
            The probability of the positive label for each review, float32 [reviews].

        Raises:
            ExportError: A review holds something that is no token id.
        """
        rows = [_checked(row, number) for number, row in enumerate(reviews, start=1)]
        if not rows:
            return np.zeros(0, dtype=np.float32)
        return self._probabilities(
            Split(
                name="texts",
                token_ids=np.concatenate(rows),
                offsets=np.cumsum([0, *map(len, rows)], dtype=np.int64),
                labels=np.zeros(len(rows), dtype=np.int8),
                document_ids=np.arange(len(rows)),
                pairs=self.pairs,
            )
        )

    def predict_texts(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Predicts texts.

        Returns:
            The probability of the positive label for each text, float32 [texts], and whether a text
            holds no word that the model knows, bool [texts]: all such get one probability.

        Raises:
            ExportError: The bundle does not know words.
        """
        words = self.words()
        ids = [words.encode(text) for text in texts]
        return self.predict_token_ids(ids), np.array([len(each) == 1 for each in ids], dtype=bool)

    def label_of(self, probability: float) -> str:
        """Returns the name of the label that a probability is read as."""
        return self.labels[1] if probability > self.threshold else self.labels[0]

    def words(self) -> Vocabulary:
        """Returns the words of the token ids.

        Raises:
            ExportError: The bundle does not know them.
        """
        if self.vocabulary is None:
            raise ExportError(
                f"{self.folder}: knows token ids but not their words, so it cannot read text. "
                "Put imdb_word_index.json beside the study's imdb.npz, and export it again."
            )
        return self.vocabulary

    @abstractmethod
    def _probabilities(self, reviews: Split) -> NDArray[np.float32]:
        """Returns the probability of the positive label for each review, float32 [reviews]."""


def _checked(row: TokenIds, number: int) -> NDArray[np.int32]:
    ids = np.asarray(row if len(row) else [START], dtype=None)
    if ids.ndim != 1 or ids.dtype.kind not in "iu" or ids.min() < 0 or ids.max() >= 2**31:
        raise ExportError(
            f"review {number}: must be token ids, whole numbers >= 0. Received: {str(row)[:60]}."
        )
    return ids.astype(np.int32, copy=False)
