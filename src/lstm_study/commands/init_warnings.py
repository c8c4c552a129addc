"""What `init` warns of: repeated test reviews, and labels in which there is nothing to learn."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.statistics.failures import proportion_interval
from lstm_study.analysis.statistics.intervals import LEVEL
from lstm_study.analysis.statistics.significance import auc_by_chance
from lstm_study.comparison.classical_control import fit
from lstm_study.corpus.types import Corpus
from lstm_study.metrics import UNEQUAL, accuracy, majority_share, roc_auc
from lstm_study.records import CorpusSummary

_LOOK_REVIEWS = 20_000
_HALF_WAY = 0.75
_MANY_REPEATS = 0.01
_NOTHING = (
    "there is no sign that the labels can be predicted from the words. Look at some reviews with "
    "`lstm-study data` first."
)
_TOO_FEW = "too few reviews to tell whether the labels can be learned."


def about_repeats(summary: CorpusSummary, *, group_column: str | None) -> Iterator[str]:
    """Warns where more than 1% of the test reviews have the text of a training review.

    Args:
        summary: Of the reviews as they are split.
        group_column: What keeps reviews in one split where this program draws the splits; None
            where the test reviews are the user's choice.
    """
    repeats, test = summary.duplicates_across, summary.splits[-1].reviews
    if repeats <= _MANY_REPEATS * test:
        return
    step = (
        f"Equal texts belong to several groups ({group_column}) here: remove them, or leave out "
        "data.group_column, and equal texts stay in one split."
        if group_column is not None
        else "Remove them from the test reviews."
    )
    yield (
        f"{repeats:,} of {test:,} test reviews ({repeats / test:.1%}) have the text of a training "
        "review, and memorised answers count as correct there. The report gives the "
        f"verdict without them, too. {step}"
    )


def about_labels(corpus: Corpus, *, seed: int) -> Iterator[str]:
    """Warns where a linear model of the words does not tell the labels apart.

    Args:
        corpus: The reviews; of more than 20,000 for training some are drawn.
        seed: Draws them.
    """
    train, validation = corpus.train, corpus.validation
    if len(train) > _LOOK_REVIEWS:
        drawn = np.random.default_rng(seed).permutation(len(train))[:_LOOK_REVIEWS]
        train = train.select(np.sort(drawn))
    model = fit(train, weighting="nb", inverse_regularisation=0.1)
    if not len(model.features.keys):
        return
    probabilities = model.predict(validation)
    most = majority_share(validation.labels)
    if most >= UNEQUAL:
        said = about_ranking(validation.labels, probabilities)
    else:
        found = accuracy(validation.labels, probabilities)
        said = about_learning(found, most, reviews=len(validation))
        if said and not about_ranking(validation.labels, probabilities):
            said = about_order(validation.labels, probabilities)
    if said:
        yield said


def about_learning(found: float, most: float, *, reviews: int) -> str:
    """Says that nothing to learn was found, or that there are too few reviews to tell.

    Nothing was found where the interval of a linear model's accuracy reaches down to the more
    frequent label's share, and not up to half way from there to 100%; where it reaches both, the
    reviews are too few.

    Args:
        found: The linear model's validation accuracy.
        most: The share of the more frequent label.
        reviews: How many were classified.

    Returns:
        A sentence or two; "" where the model is better than the label alone.

    Example:
        4 of 5 with 3 of one label: the interval goes from 28.4% to 99.5%, too wide to tell.
    """
    low, high = proportion_interval(round(found * reviews), of=reviews)
    if low > most:
        return ""
    said = (
        f"A linear model of the words classifies {found:.1%} of {reviews:,} validation reviews "
        f"correctly ({LEVEL:.0%} interval {low:.1%} to {high:.1%}), and the more frequent label "
        f"alone {most:.1%}:"
    )
    return f"{said} {_NOTHING if high < (1 + most) / 2 else _TOO_FEW}"


def about_order(labels: NDArray[np.int8], probabilities: NDArray[np.float32]) -> str:
    """Says that labels can be learned, but that accuracy hardly shows it.

    It is for a linear model whose ROC AUC is above the range of chance, and whose accuracy is not
    shown to be above the more frequent label's share.

    Args:
        labels: Of the validation reviews, int8 [reviews], of both kinds.
        probabilities: The linear model's, float32 [reviews].
    """
    auc, chance = roc_auc(labels, probabilities), auc_by_chance(labels)
    assert auc is not None and chance is not None, "there are both labels"
    return (
        f"A linear model of the words tells the labels of {labels.size:,} validation reviews apart "
        f"(ROC AUC {auc:.2f}; chance alone gives {chance[0]:.2f} to {chance[1]:.2f} in "
        f"{LEVEL:.0%} of cases), but is not shown to be more accurate than the more frequent label "
        f"alone ({majority_share(labels):.1%}): compare ROC AUCs, too."
    )


def about_ranking(labels: NDArray[np.int8], probabilities: NDArray[np.float32]) -> str:
    """Says the same where one label is rare, and accuracy says little: by ROC AUC.

    Nothing was found where a linear model's ROC AUC is in the range of chance, and that ends below
    0.75, half way to 1; where it ends above, the reviews of the rarer label are too few.

    Args:
        labels: Of the validation reviews, int8 [reviews].
        probabilities: The linear model's, float32 [reviews].

    Returns:
        A sentence or two; "" where the model is better than chance.
    """
    auc, chance = roc_auc(labels, probabilities), auc_by_chance(labels)
    if auc is None or chance is None:
        return f"All {labels.size:,} validation reviews have one label: {_TOO_FEW}"
    low, high = chance
    if auc > high:
        return ""
    return (
        f"A linear model of the words tells the labels of {labels.size:,} validation reviews apart "
        f"with a ROC AUC of {auc:.2f}, and chance alone gives {low:.2f} to {high:.2f} in "
        f"{LEVEL:.0%} of cases: {_NOTHING if high < _HALF_WAY else _TOO_FEW}"
    )
