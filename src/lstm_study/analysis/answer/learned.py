"""Whether an arm learned anything: is it better than predictions that need no training?"""

import numpy as np

from lstm_study.analysis.answer.arms import Arm
from lstm_study.analysis.statistics.intervals import accuracy_interval

# Share of the reviews with one predicted label from which on the output is nearly constant.
NEARLY_ALL = 0.99


def learned_nothing(arm: Arm, *, first_word: float | None = None) -> str:
    """Says why an arm has learned nothing, or nothing that its first word does not show.

    Args:
        arm: Its runs that did not fail, where there are any.
        first_word: Test accuracy of predicting each review's label from its first word alone; None
            where it was not measured.

    Returns:
        The second half of a sentence about the arm; "" where it has learned something.
    """
    labels = arm.labels.astype(bool)
    positive = (arm.correct == labels).mean(axis=1)
    largest = float(np.median(np.maximum(positive, 1 - positive)))
    if largest >= NEARLY_ALL:
        return f"gives {largest:.1%} of the test reviews the same label"
    interval = accuracy_interval(arm)
    if interval is None:
        return ""
    majority = max(float(labels.mean()), 1 - float(labels.mean()))
    simple = [("giving every review the more frequent label", majority)]
    if first_word is not None:
        simple.append(("predicting from a review's first word", first_word))
    for what, accuracy in simple:
        if interval[0] <= accuracy:
            return f"is not shown to be better than {what} ({accuracy:.2%})"
    return ""
