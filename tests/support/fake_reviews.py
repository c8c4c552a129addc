"""What a fake study knows of its reviews: corpus, labels, facts of the test reviews, control."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.answer.reviews import differing_reviews
from lstm_study.metrics import measure
from lstm_study.records import (
    Control,
    ControlCandidate,
    CorpusSummary,
    Excerpt,
    ReviewFacts,
    SplitSummary,
    StudyRecords,
    UnknownWords,
)
from tests.support.fake_spec import BEGINNING, TEST_REVIEWS, stamp


def fake_control(labels: NDArray[np.int8]) -> tuple[Control, NDArray[np.float32]]:
    """Returns a completed classical control and its test probabilities."""
    felt = np.random.default_rng(1).random(len(labels))
    chance = 1 / (1 + np.exp(-9 * (0.86 - felt)))
    probabilities = np.where(labels == 1, chance, 1 - chance).astype(np.float32)
    found = measure(labels, probabilities)
    return Control(
        status="completed", weighting="nb", inverse_regularisation=0.1,
        candidates=tuple(
            ControlCandidate(
                weighting=weighting, inverse_regularisation=strength,
                validation_accuracy=0.85 + place / 1000, validation_loss=0.35 - place / 1000,
                seconds=0.2 + place / 10,
            )
            for place, (weighting, strength) in enumerate(
                (("nb", 0.01), ("nb", 1.0), ("nb", 0.1), ("tfidf", 1.0))
            )
        ),
        feature_count=41_200, seconds=3.1, fit_seconds=1.2, test_accuracy=found.accuracy,
        test_loss=found.log_loss, test_roc_auc=found.roc_auc, test_f1=found.f1,
        test_brier_score=found.brier_score, test_calibration_error=found.calibration_error,
        test_reviews=len(labels), predict_1000_seconds=0.06, worker="worker-1",
        started_at=stamp(BEGINNING), ended_at=stamp(BEGINNING + timedelta(seconds=4)),
    ), probabilities  # fmt: skip


def with_facts(study: StudyRecords, *, text: str = "") -> StudyRecords:
    """Returns the study with the facts of its test reviews.

    Args:
        study: With runs of winner and baseline.
        text: What every excerpt begins with.
    """
    random = np.random.default_rng(5)
    lengths = 10 + random.lognormal(5.1, 0.6, TEST_REVIEWS).astype(int)
    sizes = sorted({run.configuration.vocabulary_size for run in study.runs})
    arms = arms_from_records(study)
    differing = differing_reviews(arms["winner"], arms["baseline"])
    words = ["an", "acting", "film", "that", "nobody", "saw", "and", "everybody", "liked"]
    return replace(
        study,
        review_facts=ReviewFacts(
            lengths=tuple(lengths.tolist()),
            unknown=tuple(
                UnknownWords(
                    vocabulary_size=size,
                    tokens=tuple(
                        random.binomial(lengths - 1, 0.07 if size < 10_000 else 0.01).tolist()
                    ),
                )
                for size in sizes
            ),
            excerpts=tuple(
                Excerpt(
                    position=position,
                    text=f"{text}Review {position}: " + " ".join(random.permutation(words)) + ".",
                )
                for position in sorted(review.position for review in differing)
            ),
            text_from="source",
            runs=tuple(sorted(run.run_id for run in study.runs if run.arm in arms)),
        ),
    )


def fake_corpus() -> CorpusSummary:
    """Returns the reviews of the fake study in numbers."""
    return CorpusSummary(
        source="reviews", path="", digest="d" * 64, source_sha256="5" * 64,
        labels=("negative", "positive"), vocabulary_size=24_310,
        coverage=((1_000, 0.843), (5_000, 0.931), (10_000, 0.958), (20_000, 0.978),
                  (24_310, 0.985)),
        length_counts=((50, 34), (100, 145), (150, 400), (200, 310), (300, 291), (500, 250),
                       (1000, 150), (2500, 20)),
        splits=(
            SplitSummary(name="train", reviews=1_600, positive=801, tokens=378_000,
                         length_quantiles=(11, 66, 127, 173, 284, 590, 2_470), duplicates=6),
            SplitSummary(name="validation", reviews=400, positive=200, tokens=93_100,
                         length_quantiles=(14, 68, 125, 171, 280, 581, 1_200), duplicates=0),
            SplitSummary(name="test", reviews=TEST_REVIEWS, positive=TEST_REVIEWS // 2,
                         tokens=470_000, length_quantiles=(10, 65, 128, 174, 286, 600, 1_400),
                         duplicates=1),
        ),
        duplicates_across=0,
    )  # fmt: skip


def fake_labels() -> NDArray[np.int8]:
    return np.tile(np.array([0, 1], dtype=np.int8), TEST_REVIEWS // 2)
