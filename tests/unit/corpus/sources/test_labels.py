import pytest

from lstm_study.corpus.sources.labels import order_labels
from lstm_study.errors import DataError


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        (("1", "0"), "1"),
        (("10", "9"), "10"),
        (("-1", "1"), "1"),
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


def test_a_positive_label_that_is_not_there_is_refused_with_the_nearest():
    with pytest.raises(DataError, match=r"x.csv: data.positive_label .* Did you mean 'pos'\?"):
        order_labels(("pos", "neg"), positive_label="post", where="x.csv")
