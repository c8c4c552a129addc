"""Facts of single test reviews for the report, recorded while the test half is open.

A report reads records alone, and must not open the test half for what it shows. So the comparison,
once winner and baseline are evaluated, opens it one more time: for near-duplicates, and for each
review's length, its unknown words, and excerpts of those on which the two differ most.
"""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.answer.reviews import differing_reviews
from lstm_study.comparison.arms import VALIDATED, plan_comparison
from lstm_study.corpus.near_duplicates import count_near_duplicates
from lstm_study.corpus.text.vocabulary import RESERVED
from lstm_study.corpus.texts import excerpts, source_texts, token_texts
from lstm_study.corpus.types import Corpus, Split
from lstm_study.errors import DataError, DependencyError
from lstm_study.records import (
    Excerpt,
    ReviewFacts,
    Run,
    StudyRecords,
    TextFrom,
    UnknownWords,
)
from lstm_study.spec import StudySpec
from lstm_study.store import Store

TEST_REVIEWS = "test-reviews"

log = logging.getLogger(__name__)


def describe_test_reviews(
    test: Split, *, spec: StudySpec, corpus: Corpus, store: Store, base: Path = Path()
) -> None:
    """Writes down the near-duplicates of the test half, and the facts of its reviews.

    Near-duplicates that were counted before are not counted again.

    Args:
        test: The test half, opened.
        spec: The study.
        corpus: Its reviews.
        store: Where its records are.
        base: Folder that relative paths of the data are resolved against.

    Raises:
        StoreError: A record can't be written.
    """
    store.write_review_facts(
        review_facts(test, store.read_all(), spec=spec, corpus=corpus, base=base)
    )
    if store.read_near_duplicates() is None:
        store.write_near_duplicates(count_near_duplicates(test, corpus.training))


def compared_runs(runs: Iterable[Run]) -> tuple[str, ...]:
    """Returns the completed runs of winner and baseline, by id: those that choose the excerpts."""
    return tuple(
        sorted(run.run_id for run in runs if run.arm in VALIDATED and run.status == "completed")
    )


def review_facts(
    test: Split, records: StudyRecords, *, spec: StudySpec, corpus: Corpus, base: Path
) -> ReviewFacts:
    """Gathers the facts of the test reviews.

    Args:
        test: The test half, open.
        records: The study, its runs evaluated.
        spec: Its spec.
        corpus: Its reviews.
        base: As in `describe_test_reviews`.
    """
    arms = arms_from_records(records)
    positions: list[int] = []
    if set(VALIDATED) <= arms.keys():
        found = differing_reviews(arms["winner"], arms["baseline"])
        positions = sorted(review.position for review in found)
    texts, text_from = (
        _texts(test, positions, spec=spec, corpus=corpus, base=base)
        if spec.export.excerpts
        else ({}, "left out")
    )
    planned = plan_comparison(spec, records.trials).arms.values()
    sizes = {configuration.vocabulary_size for configuration in planned}
    return ReviewFacts(
        lengths=tuple(test.lengths.tolist()),
        unknown=tuple(
            UnknownWords(vocabulary_size=size, tokens=unknown_words(test, size))
            for size in sorted(sizes)
        ),
        excerpts=tuple(
            Excerpt(position=position, text=text) for position, text in excerpts(texts).items()
        ),
        text_from=text_from,
        runs=compared_runs(records.runs),
    )


def unknown_words(split: Split, vocabulary_size: int) -> tuple[int, ...]:
    """Counts each review's tokens that a vocabulary does not hold.

    Those that are unknown in the source already, as the id 2, are not counted: every arm has them.
    """
    outside = np.asarray(split.token_ids) >= max(vocabulary_size, RESERVED)
    before = np.concatenate([[0], np.cumsum(outside)])
    counts = before[split.offsets[1:]] - before[split.offsets[:-1]]
    return tuple(counts.tolist())


def _texts(
    test: Split, positions: Sequence[int], *, spec: StudySpec, corpus: Corpus, base: Path
) -> tuple[dict[int, str], TextFrom]:
    """Returns the texts of some reviews, from the best place there is, and which that is."""
    try:
        texts = source_texts(test, positions, data=spec.data, base=base)
    except (DataError, DependencyError) as error:
        # The reviews are in the cache; their source may be gone.
        log.warning("%s Excerpts are written from token ids.", error)
        texts = {}
    if texts:
        return texts, "source"
    if positions and corpus.vocabulary is not None:
        return token_texts(test, positions, vocabulary=corpus.vocabulary), "tokens"
    return {}, ""
