"""What commands print at their end."""

from lstm_study.cli import text


def test_which_label_is_positive_is_said_and_that_the_alphabet_chose():
    named = text.sides(("politics", "sports"), is_named=True).plain
    assert named == "\nLabels    'sports' is positive, 'politics' negative."
    chosen = text.sides(("politics", "sports"), is_named=False).plain
    assert "'sports' is taken as the positive label by alphabetical order" in chosen
    assert 'data.positive = ["politics"]' in chosen
