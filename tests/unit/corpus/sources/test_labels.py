import pytest

from lstm_study.corpus.sources.labels import Labels, label_key, order_labels, proposed_sides
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


def test_spellings_without_a_visible_difference_are_one_label():
    for one, other in (("pos", "\ufeffpos"), ("☹", "☹\ufe0f"), ("1,0", "1"), ("\u22121", "-1.0")):
        assert label_key(one) == label_key(other)
    assert label_key("1,000") != label_key("1")


def test_numbers_in_words_are_numbers():
    stars = {f"{n} stars": 3 for n in range(1, 6)}
    assert proposed_sides(stars) == (("4 stars", "5 stars"), ("1 stars", "2 stars"))


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
