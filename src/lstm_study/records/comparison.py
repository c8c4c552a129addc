"""Records of the comparison beside its runs: the classical control, facts of test reviews."""

from dataclasses import dataclass, replace
from typing import Literal

from lstm_study.records.strict import STRICT
from lstm_study.records.training import Ending, Failure, TrainingStatus

Weighting = Literal["nb", "tfidf"]
TextFrom = Literal["source", "tokens", "left out", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlCandidate:
    """One setting of the classical control, trained on the train split, scored on validation.

    Attributes:
        weighting: "nb" for naive Bayes log-count ratios, "tfidf" for TF-IDF.
        inverse_regularisation: scikit-learn's C of the logistic regression.
        validation_accuracy: Share of validation reviews classified correctly.
        validation_loss: Binary cross-entropy on the validation reviews.
        seconds: Wall time of its fit.
        validation_auc: Area under the ROC curve on the validation reviews; None if it was not
            measured.
    """

    weighting: Weighting
    inverse_regularisation: float
    validation_accuracy: float
    validation_loss: float
    seconds: float
    validation_auc: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Control(Ending):
    """The classical control: logistic regression over words and pairs of words.

    It draws nothing at random, so it is trained once. Its test probabilities have the id "control".

    Attributes:
        status: Where it stands.
        weighting: What validation chose; "" before it did.
        inverse_regularisation: What validation chose.
        candidates: Everything that was tried.
        feature_count: Words and pairs of words that occur in two training reviews or more.
        seconds: Wall time of all of it but the evaluation on test.
        fit_seconds: Wall time of the final training, features included.
        test_accuracy: As of a run; so are the other metrics.
        test_reviews: How many reviews were evaluated.
        predict_1000_seconds: Wall time to classify 1,000 test reviews, features included.
        worker: The process that trained it.
        started_at: ISO 8601 in UTC.
        ended_at: When it completed or failed.
        failure: Set exactly when status is "failed".
    """

    __pydantic_config__ = STRICT

    status: TrainingStatus = "running"
    weighting: Weighting | Literal[""] = ""
    inverse_regularisation: float | None = None
    candidates: tuple[ControlCandidate, ...] = ()
    feature_count: int | None = None
    seconds: float = 0.0
    fit_seconds: float | None = None
    test_accuracy: float | None = None
    test_loss: float | None = None
    test_roc_auc: float | None = None
    test_f1: float | None = None
    test_brier_score: float | None = None
    test_calibration_error: float | None = None
    test_reviews: int | None = None
    predict_1000_seconds: float | None = None
    worker: str = ""
    started_at: str = ""
    ended_at: str = ""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicates:
    """Test reviews whose text is nearly the same as a training review's.

    Attributes:
        shingle_words: Words in a row that are compared as one.
        threshold: Share of the shorter review's shingles that the other must hold, from which on
            the two are near-duplicates.
        test_reviews: Test reviews there are.
        positions: Positions of the near-duplicates in the test half, ascending.
        exact: How many of them have exactly a training review's text.
        other_label: How many of them have the other label in training.
        seconds: Wall time of the count.
    """

    __pydantic_config__ = STRICT

    shingle_words: int
    threshold: float
    test_reviews: int
    positions: tuple[int, ...]
    exact: int
    other_label: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownWords:
    """How many tokens of each test review a vocabulary does not hold.

    Attributes:
        vocabulary_size: Token ids kept, the reserved ones included.
        tokens: One count per test review. Words that occur in no training review are not counted.
    """

    vocabulary_size: int
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Some words of one test review: its position in the test half, and the text, not escaped."""

    position: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFacts:
    """What a report says about single test reviews, recorded while the test half was open.

    Attributes:
        lengths: Tokens of each test review, the start token included.
        unknown: For the vocabulary of each arm, ascending by size.
        excerpts: Of the reviews on which winner and baseline differ most, by position.
        text_from: Where the excerpts' words are from: the source's own text, or the words of the
            token ids; there are no excerpts where they are left out by the study file, or where
            neither is known, which is "".
        runs: The runs of winner and baseline whose probabilities chose the excerpts.
        first_word_accuracy: Test accuracy of predicting the label from a review's first word alone;
            None in studies that were compared before it was measured.
    """

    __pydantic_config__ = STRICT

    lengths: tuple[int, ...]
    unknown: tuple[UnknownWords, ...]
    excerpts: tuple[Excerpt, ...] = ()
    text_from: TextFrom = ""
    runs: tuple[str, ...] = ()
    first_word_accuracy: float | None = None

    def without_excerpts(self) -> "ReviewFacts":
        """The same without a word of any review."""
        return replace(self, excerpts=(), text_from="left out")
