"""Labels of a user's own reviews: which values are one label, and which one is positive."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstm_study.corpus.files.advice import option
from lstm_study.corpus.files.table import Row
from lstm_study.errors import DataError

POSITIVE_WORDS = frozenset(
    ("positive", "pos", "+", "p", "true", "t", "yes", "y", "good", "fresh", "like", "up",
     "recommended", "thumbs up", "happy")
)  # fmt: skip
NEGATIVE_WORDS = frozenset(
    ("negative", "neg", "-", "n", "false", "f", "no", "bad", "rotten", "dislike", "down",
     "not recommended", "thumbs down", "sad")
)  # fmt: skip
MOST_LABELS = 1_000
_RARE = 5
_DECIMAL_COMMA = re.compile(r"^([+-]?\d+),(\d{1,2})$")
_NUMBER_IN = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_WITHOUT_WIDTH = dict.fromkeys(map(ord, "\u200b\u2060\ufe0e\ufe0f\ufeff"))


def label_key(value: Any) -> str:
    """Returns what two spellings of one label have in common; "" for no label.

    Case, spaces around, characters without width and number formats make no difference: 1, 1.0 and
    "1,0" are one label, as are true, "True" and " TRUE ".

    Example:
        >>> label_key(" Positive "), label_key("1.0"), label_key(None)
        ('positive', '1', '')
    """
    text = label_text(value)
    number = as_number(text)
    if number is not None:
        return f"{number:.15g}"
    visible = text.translate(_WITHOUT_WIDTH)
    return " ".join(unicodedata.normalize("NFKC", visible).casefold().split())


def label_text(value: Any) -> str:
    """Returns a label as it is written, "" for none."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None or value != value else str(value).strip()  # noqa: PLR0124 - NaN


def as_number(text: str) -> float | None:
    """Returns the number that a text is; None for a word, infinity, or not a number.

    Example:
        >>> as_number("4,5"), as_number("\u22121"), as_number("1_0")
        (4.5, -1.0, None)
    """
    plain = _DECIMAL_COMMA.sub(r"\1.\2", text.replace("\u2212", "-"))
    try:
        number = float(plain)
    except ValueError:
        return None
    return number if abs(number) < float("inf") and "_" not in text else None


class Labels:
    """The labels of a column, counted as they pass; spellings of one label are taken together."""

    def __init__(self, column: str, where: str) -> None:
        self._column, self._where = column, where
        self._spellings: dict[str, Counter[str]] = {}
        self._codes: dict[str, int] = {}
        self._first: dict[str, str] = {}
        self._known: dict[Any, tuple[int, Counter[str], str]] = {}

    def code(self, value: Any, row: Row | None = None) -> int:
        """Returns the number of a value's label, in the order of first sight; -1 for no label.

        The row is named in errors if the label is rare.
        """
        known = self._known.get((type(value), value)) if _is_plain(value) else None
        if known is not None:
            code, counter, text = known
            counter[text] += 1
            return code
        text, key = label_text(value), label_key(value)
        if not key:
            return -1
        if key not in self._spellings and row is not None:
            self._first[key] = row.place
        counter = self._spellings.setdefault(key, Counter())
        counter[text] += 1
        code = self._codes.setdefault(key, len(self._codes))
        if code >= MOST_LABELS:
            raise DataError(
                f"{self._where}: {self._column} must hold two labels. Received: more than "
                f"{MOST_LABELS:,}. Name the labels' column with {option('label_column')}."
            )
        if _is_plain(value):
            self._known[type(value), value] = code, counter, text
        return code

    def counts(self) -> dict[str, int]:
        """Returns each label, by its most frequent spelling → how many rows have it."""
        return {
            max(counter, key=lambda text: counter[text]): counter.total()
            for counter in self._spellings.values()
        }

    def folded(self) -> Iterator[str]:
        """Yields a sentence for each label that is spelled in several ways."""
        for counter in self._spellings.values():
            if len(counter) > 1:
                shown = ", ".join(f"{text!r} ({n:,})" for text, n in counter.most_common(5))
                yield f"{shown} are read as one label"

    def sides(
        self, *, positive: Sequence[str], negative: Sequence[str], positive_label: str | None
    ) -> tuple[tuple[int, ...], tuple[str, str]]:
        """Decides which labels are negative (0), positive (1) and left out (-1), by code.

        Args:
            positive: Labels that are positive together; empty where two labels are all there is.
            negative: Labels that are negative together; empty for all others.
            positive_label: Which of two labels is positive; None to tell by what they are.

        Returns:
            The side of each code, and the names of the negative and the positive side.

        Raises:
            DataError: There are not two labels, and nothing says which belong together; or a label
                that was named does not occur.
        """
        names = list(self.counts())
        if not positive and not negative:
            self._check_two()
            low, high = order_labels(
                (names[0], names[1]), positive_label=positive_label, where=self._where
            )
            return tuple(int(name == high) for name in names), (low, high)
        lists = {"positive": _keys(positive), "negative": _keys(negative)}
        self._check_lists(lists)
        codes = self._codes
        sides = [-1] * len(codes)
        if len(names) == 2:
            # One of two labels named: the other one is the other side.
            only = lists["positive"] or lists["negative"]
            side = int(bool(lists["positive"]))
            sides = [side if key in only else 1 - side for key in codes]
        for side, name in ((1, "positive"), (0, "negative")):
            for key in lists[name]:
                sides[codes[key]] = side
        if 0 not in sides or 1 not in sides:
            missing, other = ("positive", "negative")[:: 1 if 1 not in sides else -1]
            free = tuple(name for name in names if label_key(name) not in lists[other])
            if not free:
                raise DataError(
                    f"{self._where}: all labels of {self._column} are in {option(other)}. Leave "
                    f"some out of it: {self._shown()}."
                )
            raise DataError(
                f"{self._where}: {self._column} has {len(names)} labels: {self._shown()}. Say "
                f"which are {missing}, too, with {option(missing, free[:1])}."
            )
        ways = [
            [n for n, each in zip(names, sides, strict=True) if each == side] for side in (0, 1)
        ]
        low, high = (
            way[0] if len(way) == 1 else word
            for way, word in zip(ways, ("negative", "positive"), strict=True)
        )
        return tuple(sides), (low, high)

    def _check_two(self) -> None:
        counts = self.counts()
        if len(counts) == 2:
            return
        if len(counts) < 2:
            raise DataError(
                f"{self._where}: {self._column} must hold two labels. Received: "
                f"{self._shown() or 'none'}. Add reviews of another label, or name another column "
                f"with {option('label_column')}."
            )
        positive, negative = proposed_sides(counts)
        raise DataError(
            f"{self._where}: {self._column} must hold two labels. Received {len(counts)}: "
            f"{self._shown()}. Say which labels count as positive and which as negative with "
            f"{option('positive', positive)} and {option('negative', negative)}; the rest is "
            "left out."
        )

    def _check_lists(self, lists: Mapping[str, Sequence[str]]) -> None:
        for name, keys in lists.items():
            for key in keys:
                if key not in self._codes:
                    raise DataError(
                        f"{self._where}: {option(name)} must hold labels of {self._column}. "
                        f"Received: {key!r}. There are: {self._shown()}."
                    )
        if both := sorted(set(lists["positive"]) & set(lists["negative"])):
            raise DataError(
                f"{self._where}: {both[0]!r} cannot be in {option('positive')} and in "
                f"{option('negative')}. Remove it from one."
            )

    def _shown(self) -> str:
        counts = sorted(self.counts().items(), key=lambda item: -item[1])
        shown = ", ".join(f"{name[:40]!r} ({self._rows(name, n)})" for name, n in counts[:8])
        return shown + (", ..." if len(counts) > 8 else "")

    def _rows(self, name: str, count: int) -> str:
        first = self._first.get(label_key(name), "")
        rows = "1 row" if count == 1 else f"{count:,} rows"
        return f"{rows}, the first: {first}" if first and count <= _RARE else rows


def order_labels(
    values: tuple[str, str], *, positive_label: str | None, where: str
) -> tuple[str, str]:
    """Returns two label values, the negative one first.

    `positive_label` decides. Without it: of two numbers the higher is positive; else a usual name
    ("positive", "yes", "good", ..., or their opposites) decides, in any case; else the last in the
    alphabet is positive.

    Raises:
        DataError: `positive_label` is neither value.

    Example:
        >>> order_labels(("pos", "neg"), positive_label=None, where="reviews.csv")
        ('neg', 'pos')
        >>> order_labels(("10", "9"), positive_label=None, where="reviews.csv")
        ('9', '10')
    """
    low, high = sorted(values)
    numbers = as_number(low), as_number(high)
    if positive_label is not None:
        by_key = {label_key(value): value for value in values}
        if label_key(positive_label) not in by_key:
            raise DataError(
                f"{where}: {option('positive_label')} must be one of the labels {low!r} and "
                f"{high!r}. Received: {positive_label!r}."
            )
        positive = by_key[label_key(positive_label)]
    elif numbers[0] is not None and numbers[1] is not None:
        positive = low if numbers[0] > numbers[1] else high
    else:
        positive = low if _tone(low) > _tone(high) else high
    return (high if positive == low else low), positive


def is_arbitrary(names: Sequence[str]) -> bool:
    """Returns whether only the alphabet says which of two labels is the positive one."""
    are_numbers = all(as_number(name) is not None for name in names)
    return not are_numbers and _tone(names[0]) == _tone(names[1])


def proposed_sides(counts: Mapping[str, int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Proposes which of three or more labels are positive and which negative.

    Numbers, also in words such as "4 stars", are split at the middle of their range, which is left
    out; words by what they mean; of others the two most frequent are proposed.

    Example:
        >>> proposed_sides({"1": 3, "2": 3, "3": 9, "4": 3, "5": 1})
        (('4', '5'), ('1', '2'))
    """
    names = list(counts)
    found = [_NUMBER_IN.findall(name) for name in names]
    numbers = [as_number(each[0]) if len(each) == 1 else None for each in found]
    if all(number is not None for number in numbers):
        known = sorted(
            (number, name)
            for number, name in zip(numbers, names, strict=True)
            if number is not None
        )
        middle = (known[0][0] + known[-1][0]) / 2
        return (
            tuple(name for number, name in known if number > middle),
            tuple(name for number, name in known if number < middle),
        )
    positive = tuple(name for name in names if _tone(name) > 0)
    negative = tuple(name for name in names if _tone(name) < 0)
    if positive and negative:
        return positive, negative
    first, second = sorted(names, key=lambda name: -counts[name])[:2]
    negative_one, positive_one = order_labels((first, second), positive_label=None, where="")
    return (positive_one,), (negative_one,)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _keys(values: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(map(label_key, values)))


def _tone(value: str) -> int:
    return (value.lower() in POSITIVE_WORDS) - (value.lower() in NEGATIVE_WORDS)
