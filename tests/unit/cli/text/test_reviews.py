"""What commands print of reviews and their labels."""

from lstm_study.cli.text.reviews import sides_text
from lstm_study.spec import DataTable


def _sides(*labels: str, **data: object) -> str:
    return sides_text(
        (labels[0], labels[1]), data=DataTable(source="csv", path="r.csv", **data)
    ).plain


def test_which_label_is_positive_is_said():
    assert _sides("bad", "good") == "\nLabels    'good' is positive, 'bad' negative."
    stars = _sides("negative", "positive", positive=["4", "5"], negative=["1", "2"])
    assert stars == "\nLabels    '4' and '5' are positive, '1' and '2' negative."
    named = _sides("politics", "sports", positive=["sports"])
    assert named == "\nLabels    'sports' is positive, 'politics' negative."


def test_that_only_the_alphabet_or_the_study_file_chose_the_positive_label_is_said():
    chosen = _sides("politics", "sports")
    assert "'sports' is taken as the positive label by alphabetical order" in chosen
    assert chosen.endswith('name another with data.positive = ["politics"].')
    written = _sides("politics", "sports", positive_label="sports")
    assert written.endswith("; set by data.positive_label, as the labels themselves do not say.")
