"""What `lstm-study data` shows of a corpus: values, no formatting."""

from dataclasses import dataclass

import numpy as np

from lstm_study.corpus.text.vocabulary import RESERVED
from lstm_study.corpus.types import Corpus
from lstm_study.records import CorpusSummary
from lstm_study.seeds import derive


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One training review.

    Attributes:
        document_id: The source's own id or row number.
        label: Its label's name.
        rating: Stars from 1 to 10, where the source has them.
        tokens: Its length, the start token included.
        text: Its first words, decoded; None where the words are unknown.
        is_cut: Whether the review has more words.
    """

    document_id: str
    label: str
    rating: int | None
    tokens: int
    text: str | None
    is_cut: bool


@dataclass(frozen=True, kw_only=True)
class Description:
    """A corpus described.

    Attributes:
        summary: Counts, balance, length quantiles, vocabulary coverage, duplicates.
        frequent_words: The most frequent words of the training reviews; empty if not known.
        samples: Some training reviews, as many of either label.
    """

    summary: CorpusSummary
    frequent_words: tuple[str, ...]
    samples: tuple[Sample, ...]


def describe(corpus: Corpus, *, samples: int = 4, words: int = 60, seed: int = 1) -> Description:
    """Describes a corpus with samples of so many words; they are training reviews, never test."""
    random = np.random.default_rng(derive(seed, "samples"))
    chosen: list[int] = []
    for label in (0, 1):
        wanted = (samples + label) // 2
        pool = np.flatnonzero(corpus.train.labels == 1 - label)
        chosen += random.permutation(pool)[:wanted].tolist()
    vocabulary = corpus.vocabulary
    return Description(
        summary=corpus.summary,
        frequent_words=() if vocabulary is None else vocabulary.words[:20],
        samples=tuple(_sample(corpus, review, words=words) for review in sorted(chosen)),
    )


def _sample(corpus: Corpus, review: int, *, words: int) -> Sample:
    split, vocabulary = corpus.train, corpus.vocabulary
    token_ids = split[review]
    shown = token_ids[token_ids >= RESERVED][:words]
    return Sample(
        document_id=str(split.document_ids[review]),
        label=corpus.summary.labels[int(split.labels[review])],
        rating=None if split.ratings is None else int(split.ratings[review]),
        tokens=len(token_ids),
        text=None if vocabulary is None else vocabulary.decode(shown),
        is_cut=len(token_ids) - 1 > words,
    )
