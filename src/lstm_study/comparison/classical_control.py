"""The classical control: logistic regression over words and pairs of words, in seconds.

It shows what a network adds to a linear model of the same token ids. Its
few hyperparameters are chosen on the validation reviews, like the networks'. It draws nothing at
random.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.arm_names import CONTROL
from lstm_study.clock import seconds_running
from lstm_study.corpus.ngrams import (
    Features,
    count_features,
    frequent_keys,
    learn_features,
    weigh,
)
from lstm_study.corpus.types import Split
from lstm_study.engine.jobs import Reviews, Tell
from lstm_study.metrics import accuracy, log_loss, roc_auc, test_fields
from lstm_study.records import Control, ControlCandidate, Weighting
from lstm_study.spec import StudySpec

CANDIDATES: tuple[tuple[Weighting, float], ...] = (
    ("nb", 0.01),
    ("nb", 0.1),
    ("nb", 1.0),
    ("tfidf", 1.0),
    ("tfidf", 10.0),
    ("tfidf", 100.0),
)
_PARTS = 1 + len(CANDIDATES) + 2
"""Of its work: counting words, the candidates, the last fit, and the test reviews."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearModel:
    """A trained control: features and their coefficients."""

    features: Features
    regression: Any

    def predict(self, reviews: Split) -> NDArray[np.float32]:
        """Returns the probability of the positive label for each review, float32 [reviews]."""
        rows = weigh(count_features(reviews, self.features.keys), self.features)
        found: NDArray[np.float32] = self.regression.predict_proba(rows)[:, 1].astype(np.float32)
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ControlResult:
    """The result of the control: its record, and its probabilities and labels on test."""

    control: Control
    probabilities: NDArray[np.float32]
    labels: NDArray[np.int8]


def train_control(reviews: Reviews, tell: Tell, *, spec: StudySpec) -> ControlResult:
    """Chooses, trains and evaluates the control, on all tokens, whatever a network would cut."""
    began = seconds_running()
    candidates = try_candidates(reviews.train, reviews.validation, tell)
    chosen = choose(candidates, spec=spec)
    tell(_PARTS - 2, _PARTS)
    fit_began = seconds_running()
    model = fit(
        reviews.training,
        weighting=chosen.weighting,
        inverse_regularisation=chosen.inverse_regularisation,
    )
    ended = seconds_running()
    tell(_PARTS - 1, _PARTS)
    test = reviews.request_test(CONTROL)
    predict_began = seconds_running()
    probabilities = model.predict(test)
    predict_seconds = seconds_running() - predict_began
    record = Control(
        status="completed",
        weighting=chosen.weighting,
        inverse_regularisation=chosen.inverse_regularisation,
        candidates=candidates,
        feature_count=len(model.features.keys),
        seconds=ended - began,
        fit_seconds=ended - fit_began,
        test_reviews=len(test),
        predict_1000_seconds=predict_seconds * 1_000 / len(test),
        **test_fields(test.labels, probabilities),
    )
    return ControlResult(
        control=record, probabilities=probabilities, labels=np.asarray(test.labels)
    )


def try_candidates(
    train: Split, validation: Split, tell: Tell = lambda done, parts: None
) -> tuple[ControlCandidate, ...]:
    """Trains every candidate on the train split, and scores it on validation."""
    tell(0, _PARTS)
    keys = frequent_keys(train)
    counts, others = count_features(train, keys), count_features(validation, keys)
    found: list[ControlCandidate] = []
    for weighting, inverse_regularisation in CANDIDATES:
        tell(1 + len(found), _PARTS)
        began = seconds_running()
        features = learn_features(train, counts, keys, weighting=weighting)
        regression = _regression(weigh(counts, features), train.labels, inverse_regularisation)
        probabilities = regression.predict_proba(weigh(others, features))[:, 1]
        found.append(
            ControlCandidate(
                weighting=weighting,
                inverse_regularisation=inverse_regularisation,
                validation_accuracy=accuracy(validation.labels, probabilities),
                validation_loss=log_loss(validation.labels, probabilities),
                validation_auc=roc_auc(validation.labels, probabilities),
                seconds=seconds_running() - began,
            )
        )
    return tuple(found)


def choose(candidates: tuple[ControlCandidate, ...], *, spec: StudySpec) -> ControlCandidate:
    """Chooses the candidate that is best by the study's objective; ties go to the first."""
    sign = 1 if spec.study.direction == "max" else -1
    return max(candidates, key=lambda each: sign * float(getattr(each, spec.study.objective)))


def fit(reviews: Split, *, weighting: Weighting, inverse_regularisation: float) -> LinearModel:
    """Trains the control with a weighting of the features and scikit-learn's C."""
    keys = frequent_keys(reviews)
    counts = count_features(reviews, keys)
    features = learn_features(reviews, counts, keys, weighting=weighting)
    return LinearModel(
        features=features,
        regression=_regression(weigh(counts, features), reviews.labels, inverse_regularisation),
    )


def _regression(rows: Any, labels: NDArray[np.int8], inverse_regularisation: float) -> Any:
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # liblinear's primal solver takes Newton steps: it draws nothing, and is fast on sparse rows.
    model = LogisticRegression(C=inverse_regularisation, solver="liblinear", max_iter=1_000)
    # Sums by several BLAS threads would differ in last digits from machine to machine.
    with threadpool_limits(1, user_api="blas"):
        return model.fit(rows, labels)
