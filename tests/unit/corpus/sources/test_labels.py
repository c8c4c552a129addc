import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_study.corpus.sources.label_values import label_key, label_text
from lstm_study.corpus.sources.labels import Labels
from lstm_study.errors import DataError


def counted(*values):
    labels = Labels("mood", "x.csv")
    codes = [labels.code(value) for value in values]
    return labels, codes


def test_spellings_of_one_label_are_folded_and_said():
    labels, codes = counted("Positive", " positive ", "POSITIVE", "neg", "Neg.", None, "")
    assert codes == [0, 0, 0, 1, 2, -1, -1]
    (sentence,) = labels.folded()
    assert sentence.endswith("are read as one label") and "'POSITIVE' (1)" in sentence


@pytest.mark.parametrize(
    "values", [(1, "1", 1.0, "1.0", " 01 "), (True, "true", "TRUE"), ("５", 5)]
)
def test_number_formats_and_truth_values_are_one_label(values):
    assert set(counted(*values)[1]) == {0}


def test_of_three_labels_two_sides_are_chosen_by_lists_and_the_rest_is_left_out():
    labels, _ = counted("positive", "neutral", "negative")
    sides, names = labels.sides(positive=["POSITIVE"], negative=["negative"], positive_label=None)
    assert (sides, names) == ((1, -1, 0), ("negative", "positive"))


def test_lists_of_several_labels_are_called_positive_and_negative():
    labels, _ = counted(5, 4, 3, 2, 1)
    sides, names = labels.sides(positive=["4", "5.0"], negative=["1"], positive_label=None)
    assert (sides, names) == ((1, 1, -1, -1, 0), ("1", "positive"))


def test_of_two_labels_one_list_is_enough():
    labels, _ = counted("ham", "spam")
    assert labels.sides(positive=["ham"], negative=(), positive_label=None) == (
        (1, 0), ("spam", "ham"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("positive", "negative", "message"),
    [
        ((), (), "Received 3: .*data.positive = .*'?positive.* and data.negative = "),
        (("good",), ("negative",), "data.positive must hold labels of mood. Received: 'good'"),
        (("positive",), (), "Say which are negative, too"),
        (("positive", "negative"), ("negative",), "'negative' cannot be in"),
    ],
)
def test_lists_that_do_not_make_two_sides_are_refused(positive, negative, message):
    labels, _ = counted("positive", "neutral", "negative")
    with pytest.raises(DataError, match=message):
        labels.sides(positive=positive, negative=negative, positive_label=None)


def test_spellings_without_a_visible_difference_are_one_label():
    for one, other in (("pos", "\ufeffpos"), ("☹", "☹\ufe0f"), ("1,0", "1"), ("\u22121", "-1.0")):
        assert label_key(one) == label_key(other)
    assert label_key("1,000") != label_key("1")
    assert label_key("-0.0") == label_key(-0.0) == label_key("0") == "0"


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"positive": ("1",), "negative": ()}, r"negative, too, with data\.negative = \[\"-1\"\]"),
        ({"positive": (), "negative": ("-1",)}, r"positive, too, with data\.positive = \[\"0\"\]"),
        ({"positive": ("-1", "0", "1"), "negative": ()}, r"all labels of x are in data\.positive"),
    ],
)
def test_the_other_side_is_advised_with_a_label_that_is_free(lists, message):
    labels = Labels("x", "r.csv")
    for value in ("-1", "0", "1"):
        labels.code(value)
    with pytest.raises(DataError, match=message):
        labels.sides(**lists, positive_label=None)


@pytest.mark.parametrize(
    "value",
    [
        ["neg"],
        ("neg",),
        "[ 'neg' ]",
        {"choices": ["neg"]},
        "['neg']",
        '["neg"]',
        "[neg]",
        "'neg'",
        '"neg"',
    ],
)
def test_a_list_of_one_label_and_a_label_in_quotes_are_that_label(value):
    assert label_text(value) == "neg"


@pytest.mark.parametrize(
    "value", [["a", "b"], "['a', 'b']", "[1, 0]", "it's", "'", "'''", "'a' or 'b'"]
)
def test_lists_of_several_labels_and_quotes_inside_stay(value):
    assert label_text(value) == str(value)


@pytest.mark.parametrize("value", ["nan", "NaN", "null", "\\N", "<NA>", [], "[]", {"choices": []}])
def test_what_programs_write_for_no_label_is_none(value):
    labels, codes = counted("a", value, "b")
    assert codes == [0, -1, 1] and labels.counts() == {"a": 1, "b": 1}


def test_a_number_beside_0_and_1_may_mark_reviews_without_a_label():
    labels, _ = counted(0, 1, 9)
    with pytest.raises(DataError) as no:
        labels.sides(positive=(), negative=(), positive_label=None)
    ways = 'data.positive = ["1"] and data.negative = ["0"] if 9 marks reviews without a label'
    assert ways in str(no.value)


@settings(max_examples=40)
@given(st.text(alphabet="[]'\", 0nax-.", max_size=9))
def test_a_label_as_it_is_shown_is_that_label_and_can_be_named(value):
    assert label_text(label_text(value)) == label_text(value)
    assert label_key(label_text(value)) == label_key(value)


def test_rows_without_a_label_are_counted_where_two_labels_are_missed():
    labels, _ = counted("x", None, "", "x")
    with pytest.raises(DataError, match=r"'x' \(2 rows\), and 2 rows without one.*write a word"):
        labels.sides(positive=(), negative=(), positive_label=None)


def test_of_many_numbers_two_labels_are_to_be_made_and_none_are_listed():
    labels, _ = counted(*(n / 100 for n in range(101)))
    with pytest.raises(DataError) as caught:
        labels.sides(positive=(), negative=(), positive_label=None)
    assert str(caught.value).endswith("in pandas: df['label'] = df['mood'] > 0.49.")
    labels, _ = counted(*(f"{n} of 100" for n in range(101)))
    with pytest.raises(DataError, match=r"in a new column\.$"):
        labels.sides(positive=(), negative=(), positive_label=None)


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ({"POS": 1.0, "NEG": 0.0}, "POS"),
        ({"positive": False, "negative": True}, "negative"),
        ({"a": 0, "b": 1, "c": 0}, "b"),
    ],
)
def test_of_shares_the_label_that_has_all_is_the_label(value, label):
    assert label_text(value) == label


@pytest.mark.parametrize("value", [{"stars": 1}, {"a": 1, "b": 1}, {"a": 0.5, "b": 0.5}])
def test_what_is_not_one_label_of_several_is_not_taken_for_one(value):
    assert label_text(value) == str(value)
