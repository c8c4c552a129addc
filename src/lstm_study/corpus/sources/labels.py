"""Two label values of a user's own data: which is the positive one."""

import difflib

from lstm_study.errors import DataError

_POSITIVE = {"positive", "pos", "+", "p", "true", "t", "yes", "y", "good", "fresh", "like", "up"}
_NEGATIVE = {"negative", "neg", "-", "n", "false", "f", "no", "bad", "rotten", "dislike", "down"}


def order_labels(
    values: tuple[str, str], *, positive_label: str | None, where: str
) -> tuple[str, str]:
    """Returns the two label values, the negative one first.

    `positive_label` decides. Without it: of two numbers the higher is positive; else a usual name
    ("positive", "yes", "good", ..., or their opposites) decides, upper or lower case; else the
    last in the alphabet is positive.

    Raises:
        DataError: `positive_label` is neither value.

    Example:
        >>> order_labels(("pos", "neg"), positive_label=None, where="reviews.csv")
        ('neg', 'pos')
        >>> order_labels(("10", "9"), positive_label=None, where="reviews.csv")
        ('9', '10')
    """
    low, high = sorted(values)
    if positive_label is not None:
        if positive_label not in values:
            near = difflib.get_close_matches(positive_label, values, n=1, cutoff=0.0)[0]
            raise DataError(
                f"{where}: data.positive_label must be one of the labels {low!r} and {high!r}. "
                f"Received: {positive_label!r}. Did you mean {near!r}?"
            )
        positive = positive_label
    elif (numbers := _numbers(low, high)) is not None:
        positive = low if numbers[0] > numbers[1] else high
    else:
        positive = low if _tone(low) > _tone(high) else high
    return (high if positive == low else low), positive


def _numbers(low: str, high: str) -> tuple[float, float] | None:
    try:
        return float(low), float(high)
    except ValueError:
        return None


def _tone(value: str) -> int:
    return (value.lower() in _POSITIVE) - (value.lower() in _NEGATIVE)
