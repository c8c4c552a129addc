"""Facts of single test reviews for the report, recorded while the test half is open.

A report reads records alone, and must not open the test half for what it shows. So the comparison,
once winner and baseline are evaluated, opens it one more time: for near-duplicates, and for each
review's length, its unknown words, and excerpts of those on which the two differ most.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.answer.reviews import differing_reviews
from lstm_study.arm_names import PRIMARY, TEST_REVIEWS
from lstm_study.comparison.arms import plan_comparison
from lstm_study.corpus.near_duplicates import count_near_duplicates
from lstm_study.corpus.review_texts import excerpts, source_texts, token_texts
from lstm_study.corpus.text.vocabulary import RESERVED
from lstm_study.corpus.types import Corpus, Split
from lstm_study.engine.jobs import Reviews, Tell
from lstm_study.errors import DataError, DependencyError
from lstm_study.records import (
    Excerpt,
    NearDuplicates,
    ReviewFacts,
    Run,
    StudyRecords,
    TextFrom,
    UnknownWords,
)
from lstm_study.spec import StudySpec

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsToFind:
    """What a worker is to look up in the test reviews.

    Attributes:
        positions: Of the reviews on which winner and baseline differ most.
        vocabulary_sizes: Of the arms, ascending.
        runs: The runs that chose the positions.
        counts_near_duplicates: Whether near-duplicates are yet to be counted.
    """

    positions: tuple[int, ...]
    vocabulary_sizes: tuple[int, ...]
    runs: tuple[str, ...]
    counts_near_duplicates: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundFacts:
    """What a worker found in the test reviews.

    Attributes:
        facts: All but the excerpts.
        positions: Of the reviews that are to be shown.
        shown: These reviews, in that order.
        near_duplicates: None where they were counted before.
    """

    facts: ReviewFacts
    positions: tuple[int, ...]
    shown: Split
    near_duplicates: NearDuplicates | None


def compared_runs(runs: Iterable[Run]) -> tuple[str, ...]:
    """Returns the completed runs of winner and baseline, by id: those that choose the excerpts."""
    return tuple(
        sorted(run.run_id for run in runs if run.arm in PRIMARY and run.status == "completed")
    )


def facts_to_find(
    records: StudyRecords, *, spec: StudySpec, counts_near_duplicates: bool
) -> FactsToFind:
    """Says what is to be looked up in the test reviews."""
    arms = arms_from_records(records)
    positions: list[int] = []
    if set(PRIMARY) <= arms.keys():
        found = differing_reviews(arms["winner"], arms["baseline"])
        positions = sorted(review.position for review in found)
    planned = plan_comparison(spec, records.trials, runs=records.runs).arms.values()
    return FactsToFind(
        positions=tuple(positions),
        vocabulary_sizes=tuple(sorted({arm.vocabulary_size for arm in planned})),
        runs=compared_runs(records.runs),
        counts_near_duplicates=counts_near_duplicates,
    )


def find_facts(reviews: Reviews, tell: Tell, *, wanted: FactsToFind) -> FoundFacts:
    """Looks up facts in the test reviews; opens them once."""
    parts = 1 + wanted.counts_near_duplicates
    tell(0, parts)
    test = reviews.request_test(TEST_REVIEWS)
    facts = ReviewFacts(
        lengths=tuple(test.lengths.tolist()),
        unknown=tuple(
            UnknownWords(vocabulary_size=size, tokens=unknown_words(test, size))
            for size in wanted.vocabulary_sizes
        ),
        runs=wanted.runs,
        first_word_accuracy=first_word_accuracy(reviews.training, test),
    )
    near = None
    if wanted.counts_near_duplicates:
        tell(1, parts)
        near = count_near_duplicates(test, reviews.training)
    return FoundFacts(
        facts=facts,
        positions=wanted.positions,
        shown=test.select(np.array(wanted.positions, dtype=np.int64)),
        near_duplicates=near,
    )


def first_word_accuracy(training: Split, test: Split) -> float:
    """Returns the test accuracy of predicting each review's label from its first word alone.

    A word gets the label that most training reviews with it have; a tie and an unknown word get the
    label that most training reviews have.
    """
    first, firsts = _first_words(training), _first_words(test)
    size = int(max(first.max(initial=0), firsts.max(initial=0))) + 1
    signs = np.where(training.labels == 1, 1, -1)
    votes = np.bincount(first, signs, minlength=size)
    usual = 1 if signs.sum() >= 0 else -1
    predicted = np.where(votes[firsts] == 0, usual, np.sign(votes[firsts]))
    return float(np.mean((predicted > 0) == (test.labels == 1)))


def _first_words(split: Split) -> NDArray[np.int64]:
    """Returns each review's first token after the start token; the start token without one."""
    has_word = np.diff(split.offsets) > 1
    places = split.offsets[:-1] + has_word
    words: NDArray[np.int64] = np.asarray(split.token_ids)[places].astype(np.int64)
    return words


def review_facts_of(found: FoundFacts, *, spec: StudySpec, corpus: Corpus) -> ReviewFacts:
    """Adds the texts of the reviews that are shown to what a worker found.

    The texts are read where the study's files are: a worker may be on another machine.
    """
    if not spec.export.excerpts:
        return found.facts.without_excerpts()
    texts, text_from = _texts(found.shown, spec=spec, corpus=corpus)
    shown = (
        Excerpt(position=found.positions[index], text=text)
        for index, text in excerpts(texts).items()
    )
    return replace(found.facts, excerpts=tuple(shown), text_from=text_from)


def unknown_words(split: Split, vocabulary_size: int) -> tuple[int, ...]:
    """Counts each review's tokens that a vocabulary does not hold.

    Tokens that the source itself marks as unknown (id 2) are not counted: they are the same for
    every arm.
    """
    outside = np.asarray(split.token_ids) >= max(vocabulary_size, RESERVED)
    before = np.concatenate([[0], np.cumsum(outside)])
    counts = before[split.offsets[1:]] - before[split.offsets[:-1]]
    return tuple(counts.tolist())


def _texts(shown: Split, *, spec: StudySpec, corpus: Corpus) -> tuple[dict[int, str], TextFrom]:
    """Returns the texts of some reviews, from the best place there is, and which that is."""
    positions = range(len(shown))
    try:
        texts = source_texts(shown, positions, data=spec.data)
    except (DataError, DependencyError) as error:
        # The reviews are in the cache; their source may be gone.
        log.warning("%s Excerpts are written from token ids.", error)
        texts = {}
    if texts:
        return texts, "source"
    if positions and corpus.vocabulary is not None:
        return token_texts(shown, positions, vocabulary=corpus.vocabulary), "tokens"
    return {}, ""
