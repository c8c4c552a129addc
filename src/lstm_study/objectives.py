"""The objectives: their names, their words, and whether more or less is better.

A search may go by each of them on the validation reviews: `study.objective`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Direction = Literal["max", "min"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One measure of how well a network classifies reviews.

    Attributes:
        name: As in "validation_accuracy".
        words: As prose says it.
        direction: Which end is better.
        is_share: Whether it is a share of reviews, written in percent.
        on_test: The field of a run that holds it for the test reviews.
    """

    name: str
    words: str
    direction: Direction
    is_share: bool = False
    on_test: str


METRICS = (
    Metric(name="accuracy", words="accuracy", direction="max", is_share=True,
           on_test="test_accuracy"),
    Metric(name="loss", words="loss", direction="min", on_test="test_loss"),
    Metric(name="auc", words="ROC AUC", direction="max", on_test="test_roc_auc"),
)  # fmt: skip
OBJECTIVES: Mapping[str, Metric] = MappingProxyType({f"validation_{m.name}": m for m in METRICS})
EPOCH_MEASURES = (
    "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "validation_auc",
)  # fmt: skip
"""The fields of an epoch that say how well it went; what was not measured is None."""


def metric_in_words(measure: str) -> str:
    """Returns a field of an epoch or a run as prose says it: "validation ROC AUC"."""
    part, _, name = measure.partition("_")
    words = next((metric.words for metric in METRICS if metric.name == name), name)
    return f"{part} {words.replace('_', ' ')}".strip()


def titled(measure: str) -> str:
    """Returns a field of an epoch or a run as a title begins with it: "Validation ROC AUC"."""
    words = metric_in_words(measure)
    return words[:1].upper() + words[1:]
