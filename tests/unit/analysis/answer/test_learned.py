"""Whether an arm learned anything: against one label, the more frequent one, and the first word."""

import numpy as np

from lstm_study.analysis.answer.arms import make_arm
from lstm_study.analysis.answer.learned import learned_nothing


def _arm(shares, *, positives=500, documents=1_000):
    """Runs that classify a share of both labels' reviews correctly, evenly spread."""
    labels = (np.arange(documents) < positives).astype(np.int8)
    rows = []
    for share in shares:
        correct = np.random.default_rng(int(1e4 * share)).random(documents) < share
        rows.append(np.where(correct == (labels == 1), 0.9, 0.1))
    return make_arm("winner", probabilities=np.array(rows), labels=labels)


def test_an_arm_that_learned_is_not_mentioned():
    assert learned_nothing(_arm([0.86, 0.85, 0.87, 0.86]), first_word=0.6) == ""


def test_an_output_that_is_nearly_one_label_is_said_so():
    labels = np.tile(np.array([0, 1], dtype=np.int8), 500)
    values = np.where(np.arange(1_000) < 5, 0.4, 0.6)
    arm = make_arm("winner", probabilities=np.tile(values, (4, 1)), labels=labels)
    assert learned_nothing(arm) == "gives 99.5% of the test reviews the same label"


def test_an_arm_no_better_than_the_more_frequent_label_is_said_so():
    found = learned_nothing(_arm([0.79, 0.81, 0.8, 0.8], positives=800))
    assert found.startswith("is not shown to be better than giving every review the more frequent")
    assert found.endswith("(80.00%)")


def test_an_arm_no_better_than_the_first_word_is_said_so():
    arm = _arm([0.7, 0.71, 0.69, 0.7])
    assert learned_nothing(arm) == ""
    found = learned_nothing(arm, first_word=0.7)
    assert found == "is not shown to be better than predicting from a review's first word (70.00%)"
