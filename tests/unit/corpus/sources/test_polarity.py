"""Which labels are positive: by numbers, words of many languages, negation, else the alphabet."""

import pytest

from lstm_study.corpus.sources.polarity import (
    chosen_by_alphabet,
    order_labels,
    perhaps_unlabelled,
    proposed_sides,
)
from lstm_study.errors import DataError


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        (("1", "0"), "1"),
        (("10", "9"), "10"),
        (("-1", "1"), "1"),
        (("\u22121", "1"), "1"),
        (("4,5", "10,0"), "10,0"),
        (("Positive", "Negative"), "Positive"),
        (("POS", "neg"), "POS"),
        (("true", "false"), "true"),
        (("spam", "good"), "good"),
        (("bad", "acceptable"), "acceptable"),
        (("cat", "dog"), "dog"),
        (("ja", "nein"), "ja"),
        (("ИСТИНА", "ЛОЖЬ"), "ИСТИНА"),
        (("Gut", "Schlecht"), "Gut"),
        (("好评", "差评"), "好评"),
        (("บวก", "ลบ"), "บวก"),
        (("नकारात्मक", "सकारात्मक"), "सकारात्मक"),
        (("bra", "dålig"), "bra"),
        (("Negatív", "Pozitív"), "Pozitív"),
        (("منفی", "مثبت"), "مثبت"),
        (("👍🏽", "👎🏽"), "👍🏽"),
        (("❤\ufe0f", "💔"), "❤\ufe0f"),
        (("accept", "reject"), "accept"),
        (("agree", "disagree"), "agree"),
        (("Strongly Disagree", "Strongly Agree"), "Strongly Agree"),
        (("contra", "pro"), "pro"),
        (("advantages", "disadvantages"), "advantages"),
        (("Weaknesses", "Strengths"), "Strengths"),
        (("very positive", "very negative"), "very positive"),
        (("Recommended", "Not recommended"), "Recommended"),
        (("helpful", "unhelpful"), "helpful"),
        (("toxic", "non-toxic"), "toxic"),
        (("five stars", "one star"), "five stars"),
        (("9 stars", "10 stars"), "10 stars"),
        (("★★★", "★"), "★★★"),
    ],
)
def test_without_a_word_from_the_user_the_stated_rule_chooses(values, positive):
    for pair in (values, values[::-1]):
        assert order_labels(pair, positive_label=None, where="x.csv")[1] == positive
        assert set(order_labels(pair, positive_label=None, where="x.csv")) == set(values)


def test_the_users_word_goes_first():
    assert order_labels(("0", "1"), positive_label="0", where="x.csv") == ("1", "0")


def test_a_positive_label_that_is_not_there_is_refused_with_those_there_are():
    with pytest.raises(DataError, match=r"x.csv: data.positive_label must be .* 'neg' and 'pos'"):
        order_labels(("pos", "neg"), positive_label="post", where="x.csv")


@pytest.mark.parametrize(
    "names", [("sports", "politics"), ("2 dogs", "10 cats"), ("[1, 0]", "[0, 1]"), ("A", "B")]
)
def test_a_choice_by_the_alphabet_is_said(names):
    low, high = sorted(names)
    assert chosen_by_alphabet(names).startswith(f"{high!r} is taken as the positive label by alpha")
    assert low in chosen_by_alphabet(names).partition("; ")[2]
    assert chosen_by_alphabet(names, is_named=True) == ""


@pytest.mark.parametrize("names", [("gut", "schlecht"), ("1", "2"), ("spam", "no spam")])
def test_a_choice_by_what_labels_say_needs_no_note(names):
    assert chosen_by_alphabet(names) == chosen_by_alphabet(names[::-1]) == ""


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"1": 1, "2": 1, "3": 1, "4": 1, "5": 1}, (("4", "5"), ("1", "2"))),
        ({"-1": 9, "0": 1, "1": 1}, (("1",), ("-1",))),
        ({"neutral": 9, "negative": 1, "positive": 1}, (("positive",), ("negative",))),
        ({"rouge": 9, "bleu": 1, "vert": 5}, (("vert",), ("rouge",))),
    ],
)
def test_sides_are_proposed_by_numbers_meaning_or_frequency(counts, expected):
    assert proposed_sides(counts) == expected


def test_numbers_in_words_are_numbers():
    stars = {f"{n} stars": 3 for n in range(1, 6)}
    assert proposed_sides(stars) == (("4 stars", "5 stars"), ("1 stars", "2 stars"))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([f"{n}.0 out of 5 stars" for n in range(1, 6)],
         (("4.0 out of 5 stars", "5.0 out of 5 stars"),
          ("1.0 out of 5 stars", "2.0 out of 5 stars"))),
        ([f"{n}/5" for n in range(1, 6)], (("4/5", "5/5"), ("1/5", "2/5"))),
        (["★" * n for n in range(1, 6)], (("★★★★", "★★★★★"), ("★", "★★"))),
        (["one", "two", "three", "four", "five"], (("four", "five"), ("one", "two"))),
        (["Extremely Positive", "Positive", "Neutral", "Negative", "Extremely Negative"],
         (("Extremely Positive", "Positive"), ("Negative", "Extremely Negative"))),
        (["1", "0", "true", "false"], (("1", "true"), ("0", "false"))),
        (["0", "1", "None"], (("1",), ("0",))),
    ],
)  # fmt: skip
def test_no_label_of_a_scale_is_left_out_but_its_middle(names, expected):
    assert proposed_sides(dict.fromkeys(names, 9)) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [(("-1", "0", "1"), "-1"), (("1", "0", "9"), "9"), (("0", "1", "2"), None),
     (("0", "0.5", "1"), None), (("1", "2", "3"), None), (("0", "1", "x"), None)],
)  # fmt: skip
def test_a_third_number_beside_0_and_1_is_perhaps_no_label(names, expected):
    assert perhaps_unlabelled(names) == expected
